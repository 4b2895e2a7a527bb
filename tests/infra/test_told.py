"""Lines as the command line 2.1148.1 said them, shortened."""

import os
import signal
import sys
from pathlib import Path

import pytest

from crossfade.infra.deployment import commandline
from crossfade.infra.deployment.commandline import CDK_VERSION, CommandLine, command_line
from crossfade.infra.deployment.errors import CommandLineMissing
from crossfade.infra.deployment.failures import causes
from crossfade.infra.deployment.told import Outcome, Told, differences, event_in

CREATED = "network-prod | 16/73 | 6:40:42 AM | CREATE_COMPLETE         | AWS::EC2::VPC    | network/Vpc (Vpc83) "
REFUSED = (
    "application-prod |  5/12 | 6:41:28 AM | CREATE_FAILED  | AWS::CloudWatch::Alarm  | application/Errors (Errors7D) "
    "Properties.Metrics is not supported; use MetricName."
)
REPEATED = REFUSED.replace("|  5/12 ", "")
CANCELLED = (
    "data-prod | 1/9 | 6:41:28 AM | CREATE_FAILED | AWS::KMS::Key | data/Key (Key96) Resource creation cancelled"
)


def test_an_event_is_read_with_its_place_and_its_reason() -> None:
    event = event_in(CREATED)
    assert event is not None
    assert (event.stack, event.done, event.total, event.kind) == ("network-prod", 16, 73, "AWS::EC2::VPC")
    assert event.over
    assert not event.failed
    failed = event_in(REFUSED)
    assert failed is not None
    assert failed.failed
    assert failed.place == "application/Errors"
    assert failed.reason == "Properties.Metrics is not supported; use MetricName."


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("✅  network (network-prod)", Outcome.DEPLOYED),
        (" ✅  network (network-prod) (no changes)", Outcome.UNCHANGED),
        (" ✅  network (network-prod): destroyed", Outcome.DESTROYED),
    ],
)
def test_the_end_of_a_stack_is_read(line: str, outcome: Outcome) -> None:
    told = Told()
    assert told.hear(line) is None
    assert told.outcomes == {"network-prod": outcome}


def test_each_refused_resource_is_a_cause_once_and_what_was_cancelled_for_it_is_none() -> None:
    told = Told()
    for line in (CREATED, REFUSED, CANCELLED, REPEATED, "❌  application-prod failed to deploy"):
        told.hear(line)
    (cause,) = causes(told)
    assert cause.problem.startswith("application-prod: application/Errors (AWS::CloudWatch::Alarm): Properties.Metrics")
    assert "--without" in cause.remedy


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("Template format error: Unrecognized resource types: [AWS::Events::Archive]", "--without"),
        ("ExpiredToken: The security token included in the request is expired", "log in"),
        ("User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole", "permission"),
        ("‣ connect ECONNREFUSED 127.0.0.1:4566", "AWS_ENDPOINT_URL"),
        ("The maximum number of VPCs has been reached.", "Service Quotas"),
    ],
)
def test_a_known_message_has_its_remedy(line: str, remedy: str) -> None:
    told = Told()
    for said in ("network-prod: start: Building network-prod Template", line, "    at Module._compile (x.js:1:2)"):
        told.hear(said)
    (cause,) = causes(told)
    assert remedy in cause.remedy


def test_an_unknown_message_is_told_as_it_was_said() -> None:
    told = Told()
    told.hear("Something that nobody foresaw")
    assert [one.problem for one in causes(told)] == ["Something that nobody foresaw"]


def test_what_differs_is_told_by_stack() -> None:
    said = [
        "WARNING something of the application",
        "Stack dns (dns-prod) (aws://123456789012/us-east-1)",
        "There were no differences",
        "",
        "Stack events (events-prod) (aws://123456789012/us-east-1)",
        "Resources",
        "[+] AWS::Events::Archive Archive Archive",
        "✨  Number of stacks with differences: 1",
    ]
    assert differences(said) == {
        "dns-prod": [],
        "events-prod": ["Resources", "[+] AWS::Events::Archive Archive Archive"],
    }


def test_the_pinned_version_is_found_and_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = command_line("eu-west-1")
    assert found.program.is_file()
    assert found.environment["AWS_REGION"] == "eu-west-1"
    monkeypatch.setattr(commandline, "_PROJECT", tmp_path)
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "node_modules" / "aws-cdk" / "bin" / "cdk"
    program.parent.mkdir(parents=True)
    program.touch()
    (program.parents[1] / "package.json").write_text('{"version": "3.0.0"}', encoding="utf-8")
    with pytest.raises(CommandLineMissing, match=r"version 3\.0\.0 cannot read these templates") as raised:
        command_line("eu-west-1")
    assert f"aws-cdk@{CDK_VERSION}" in raised.value.remedy


def program(folder: Path, text: str) -> CommandLine:
    place = folder / "program.py"
    place.write_text(text, encoding="utf-8")
    return CommandLine(node=sys.executable, program=place, environment=dict(os.environ))


def test_it_is_ended_and_waited_for_when_somebody_interrupts(tmp_path: Path) -> None:
    waiting = program(tmp_path, "import os, signal\nprint(os.getpid(), flush=True)\nsignal.pause()\n")
    heard: list[int] = []

    def interrupt(line: str) -> None:
        heard.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        waiting.run(["deploy"], tmp_path, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0], signal.SIGCONT)


def test_it_works_where_the_templates_lie_so_that_no_settings_of_others_count(tmp_path: Path) -> None:
    asked = program(tmp_path, "import os, sys\nprint(os.getcwd())\nprint(*sys.argv[1:])\nsys.exit(3)\n")
    heard: list[str] = []
    assert asked.run(["diff", "network"], tmp_path, heard.append) == 3
    assert heard[0] == str(tmp_path.resolve())
    assert heard[1].startswith("diff network --app .")
