import json
from pathlib import Path

from typer.testing import CliRunner

from crossfade.cli.application import app
from crossfade.cli.playbooks import landing_of
from crossfade.infra.names import resource_name
from tests.model.file.files import with_values
from tests.planning.playbooks.making import LEDGER, example

RUN = CliRunner()


def file_in(folder: Path, text: str) -> str:
    path = folder / "migration.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_both_files_are_written_and_the_same_again(tmp_path: Path) -> None:
    file, out = file_in(tmp_path, with_values()), tmp_path / "out"
    done = RUN.invoke(app, ["playbooks", file, "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    written = {path.name: path.read_bytes() for path in out.iterdir()}
    assert sorted(written) == sorted(told["files"]) == ["playbooks.html", "playbooks.md"]
    assert [part["way"] for part in told["parts"]][-1] == "no way back"
    assert {part["outcome"] for part in told["parts"]} == {"rolled_back", "failed_back", None}
    assert RUN.invoke(app, ["playbooks", file, "--out", str(out)]).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == written


def test_what_somebody_has_changed_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    file, out = file_in(tmp_path, with_values()), tmp_path / "out"
    out.mkdir()
    kept = out / "playbooks.md"
    kept.write_text("notes of ours", encoding="utf-8")
    assert RUN.invoke(app, ["playbooks", file, "--out", str(out)]).exit_code == 1
    assert [path.name for path in out.iterdir()] == ["playbooks.md"]
    assert kept.read_text(encoding="utf-8") == "notes of ours"
    assert RUN.invoke(app, ["playbooks", file, "--out", str(out), "--replace"]).exit_code == 0
    assert kept.read_text(encoding="utf-8").startswith("# Going back")


def test_every_fault_of_the_file_is_told_and_nothing_written(tmp_path: Path) -> None:
    bad = with_values(traffic__ladder={"start": 0}, servers__count=0)
    done = RUN.invoke(app, ["playbooks", file_in(tmp_path, bad), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert not (tmp_path / "out").exists()
    assert all(path in done.stderr for path in ("traffic.ladder.start", "servers.count"))


def test_things_on_aws_are_named_as_the_templates_name_them() -> None:
    file = example(LEDGER)
    landing = landing_of(file)
    stacks = Path(resource_name.__code__.co_filename).parent / "stacks"
    named = {
        "data.py": ("database", landing.database),
        "connectivity.py": ("vpn", landing.vpn),
        "rollback.py": ("alarm-rollback", landing.alarm),
    }
    for module, (kind, name) in named.items():
        assert f'named("{kind}")' in (stacks / module).read_text(encoding="utf-8")
        assert name == resource_name(file, kind)
    assert 'named(f"task-files-{share.name}-{way}")' in (stacks / "files.py").read_text(encoding="utf-8")
    assert landing.way_back_tasks == {"statements": resource_name(file, "task-files-statements-back")}
