"""deploy, diff and destroy, with an account in memory and a command line that says what the real one says."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli import deploy as deploying
from crossfade.cli import destroy as destroying
from crossfade.cli import diff as comparing
from crossfade.cli.deployment import progress
from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.deployment.account import DeployedStack
from crossfade.infra.deployment.errors import DeploymentFailed, NotReady
from crossfade.infra.split import SplitOff
from tests.infra.accounts import AccountInMemory
from tests.infra.templates import least

TAGS = {"project": "crossfade", "migration": "ledger", "environment": "dev"}
THERE = {name: DeployedStack(status="CREATE_COMPLETE", tags=TAGS) for name in ("network-dev", "dns-dev")}


@dataclass
class Spoken:
    """Says its lines, and remembers what it was asked."""

    lines: Sequence[str] = ()
    code: int = 0
    asked: list[list[str]] = field(default_factory=list)

    def run(self, arguments: Sequence[str], folder: Path, hear: Callable[[str], None]) -> int:
        self.asked.append(list(arguments))
        for line in self.lines:
            hear(line)
        if "--outputs-file" in arguments:
            outputs = {"dns": {"ForwardTo": "rslvr-in-1", "ExportsOutputRefZone": "Z1"}}
            Path(arguments[arguments.index("--outputs-file") + 1]).write_text(json.dumps(outputs), encoding="utf-8")
        return self.code


@dataclass
class Scene:
    account: AccountInMemory
    line: Spoken

    def run(self, module: Any, *arguments: str, said: str | None = None) -> Result:
        app = typer.Typer()
        app.command()(getattr(module, module.__name__.rpartition(".")[2]))
        return CliRunner().invoke(app, ["migration.yaml", *arguments], input=said)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    made = Scene(AccountInMemory(), Spoken())
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}', encoding="utf-8")
    for kind in ("network", "dns"):
        (tmp_path / f"{kind}.template.json").write_text('{"Resources": {}}', encoding="utf-8")
    network = Stack(name="network-dev", template="network.template.json", resources=1, needs=())
    dns = Stack(name="dns-dev", template="dns.template.json", resources=1, needs=("network-dev",))
    gone = SplitOff(stack="events-dev", resource="Archive", type="AWS::Events::Archive", because_of=None)
    assembly = Assembly(folder=tmp_path, stacks=(network, dns), seconds=0, split_off=(gone,))
    for module in (deploying, comparing, destroying):
        monkeypatch.setattr(module, "templates", lambda *_, **__: (least(), assembly, ("a note",)))
        monkeypatch.setattr(module, "connect", lambda _: made.account)
        monkeypatch.setattr(module, "command_line", lambda _: made.line)
    return made


def last(result: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def test_what_was_deployed_is_told_to_people_and_programs(scene: Scene) -> None:
    scene.line.lines = (
        "dns-dev | 1/2 | 6:40:42 AM | CREATE_COMPLETE | AWS::Route53::HostedZone | dns/Zone (Zone1) ",
        "✅  network (network-dev) (no changes)",
        "✅  dns (dns-dev)",
    )
    result = scene.run(deploying, "--json")
    assert result.exit_code == 0, result.exception
    answer = last(result)
    assert answer["account"] == "123456789012"
    assert [(s["name"], s["outcome"], s["outputs"]) for s in answer["stacks"]] == [
        ("network-dev", "unchanged", {}),
        ("dns-dev", "deployed", {"ForwardTo": "rslvr-in-1"}),
    ]
    assert answer["left_out"][0]["type"] == "AWS::Events::Archive"
    assert "a note" in answer["notes"]
    assert "AWS::Route53::HostedZone  dns/Zone" in result.stderr
    assert "ForwardTo = rslvr-in-1" in result.stderr
    ((verb, *rest),) = scene.line.asked
    assert (verb, rest[:3]) == ("deploy", ["network", "dns", "--exclusively"])


def test_nothing_is_run_when_the_account_is_not_ready(scene: Scene) -> None:
    scene.account.bootstrapped = None
    result = scene.run(deploying)
    assert isinstance(result.exception, NotReady)
    assert "bootstrap" in str(result.exception)
    assert scene.line.asked == []


def test_a_failure_names_each_resource_that_was_refused(scene: Scene) -> None:
    scene.line.lines = ("dns-dev | 1/2 | 6:40 AM | CREATE_FAILED | AWS::EC2::VPC | dns/Vpc (V1) VpcLimitExceeded",)
    scene.line.code = 1
    result = scene.run(deploying)
    assert isinstance(result.exception, DeploymentFailed)
    assert "dns/Vpc (AWS::EC2::VPC): VpcLimitExceeded" in str(result.exception)
    assert "Service Quotas" in str(result.exception)


def test_a_stack_that_the_file_does_not_lead_to_is_bad_usage(scene: Scene) -> None:
    result = scene.run(deploying, "--only", "netwrok")
    assert result.exit_code == 2
    assert "network, dns" in result.stderr
    assert scene.line.asked == []


def test_what_a_stack_needs_is_deployed_with_it_and_what_needs_it_is_destroyed_with_it(scene: Scene) -> None:
    scene.account.deployed = dict(THERE)
    scene.run(deploying, "--only", "dns")
    scene.run(destroying, "--only", "network", "--yes")
    assert [asked[:3] for asked in scene.line.asked] == [["deploy", "network", "dns"], ["destroy", "network", "dns"]]


@pytest.mark.parametrize(("differs", "code"), [(False, 0), (True, 10)])
def test_the_exit_code_of_a_comparison_says_whether_something_differs(scene: Scene, differs: bool, code: int) -> None:
    what = "[+] AWS::Events::Archive Archive Archive" if differs else "There were no differences"
    scene.line.lines = ("Stack network (network-dev)", "There were no differences", "Stack dns (dns-dev)", what)
    result = scene.run(comparing, "--json")
    assert result.exit_code == code
    assert last(result)["differing"] == int(differs)
    assert ("AWS::Events::Archive" in result.stderr) is differs


def test_a_comparison_that_says_nothing_of_a_stack_has_failed(scene: Scene) -> None:
    scene.line.lines = ("Stack network (network-dev)", "There were no differences")
    assert isinstance(scene.run(comparing).exception, DeploymentFailed)


def test_nothing_is_destroyed_where_nobody_can_be_asked(scene: Scene) -> None:
    scene.account.deployed = dict(THERE)
    result = scene.run(destroying)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert scene.line.asked == []


@pytest.mark.parametrize(("said", "code"), [("y\n", 0), ("n\n", 10)])
def test_a_person_is_asked_before_everything_goes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, said: str, code: int
) -> None:
    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    class System:
        stdin = Terminal()

    monkeypatch.setattr(destroying, "sys", System)
    scene.account.deployed = {"dns-dev": THERE["dns-dev"]}
    monkeypatch.setattr(destroying, "left_behind", lambda *_: ())
    result = scene.run(destroying, said=said)
    assert result.exit_code == code
    assert "Destroy dns-dev in account 123456789012" in result.stderr
    assert [asked[:2] for asked in scene.line.asked] == ([["destroy", "dns"]] if code == 0 else [])


def test_stacks_that_the_file_no_longer_leads_to_are_told(scene: Scene) -> None:
    scene.account.deployed = {"replication-dev": THERE["dns-dev"]}
    result = scene.run(destroying, "--yes", "--json")
    assert result.exit_code == 10
    answer = last(result)
    assert (answer["destroyed"], answer["left"]) == ([], ["replication-dev"])
    assert "replication-dev is left" in result.stderr
    assert scene.line.asked == []


def test_an_interruption_says_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), progress("deploying …"):
        raise KeyboardInterrupt
    assert "by itself" in capsys.readouterr().err
