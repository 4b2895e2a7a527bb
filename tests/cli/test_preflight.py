import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crossfade.cli.preflight import preflight
from crossfade.database.preflight import CHECKS, Found, script_of
from crossfade.model.terms import Side

app = typer.Typer()
app.command()(preflight)
NOWHERE = "host=127.0.0.1 port=1 dbname=x user=y password=topsecret connect_timeout=2"
BY_NAME = {check.name: check for check in CHECKS}


def found(name: str, sql: str = "", **more: str) -> Found:
    return Found(check=BY_NAME[name], side=Side.SOURCE, subject="table x", problem="is odd", sql=sql, **more)


def test_tells_every_fault_of_the_call_at_once_when_there_are_several() -> None:
    result = CliRunner().invoke(app, ["--source", "nonsense", "--target", "more=nonsense"])
    assert result.exit_code == 2
    for told in ("the source DSN cannot be read", "the target DSN cannot be read", "which schemas"):
        assert told in result.stderr


def test_ends_with_10_and_hides_the_password_when_nobody_answers() -> None:
    result = CliRunner().invoke(app, ["--source", NOWHERE, "--schema", "x", "--json"])
    assert result.exit_code == 10
    answer = json.loads(result.stdout.splitlines()[-1])
    assert [one["check"] for one in answer["findings"]] == ["unreachable"]
    assert not answer["ready"]
    assert "topsecret" not in result.stdout + result.stderr


def test_keeps_a_script_that_is_there_when_remedies_name_it(tmp_path: Path) -> None:
    (tmp_path / "fix.sql").write_text("mine", encoding="utf-8")
    options = ["--source", NOWHERE, "--schema", "x", "--remedies", str(tmp_path / "fix.sql")]
    assert CliRunner().invoke(app, options).exit_code == 2
    assert (tmp_path / "fix.sql").read_text(encoding="utf-8") == "mine"


def test_orders_remedies_and_leaves_decisions_to_people_when_it_writes_a_script() -> None:
    careful, plain = found("large-objects", "DROP IT;"), found("wal-level", "ALTER SYSTEM SET wal_level = logical;")
    accepted = found("unlogged-table", "ALTER TABLE x SET LOGGED;", accepted="a cache")
    lines = script_of([careful, accepted, plain]).splitlines()
    assert lines.index("ALTER SYSTEM SET wal_level = logical;") < lines.index("-- DROP IT;")
    assert "DROP IT;" not in lines
    assert "-- Then restart the source server: wal-level." in lines
    assert not any("SET LOGGED" in line for line in lines)


@pytest.mark.parametrize("text", ["x\nDROP TABLE y;", "x\r\\! rm"])
def test_keeps_hostile_names_within_their_comment_when_it_writes_a_script(text: str) -> None:
    one = Found(check=BY_NAME["wal-level"], side=Side.SOURCE, subject=text, problem=text)
    outside = [line for line in script_of([one]).splitlines() if line and not line.startswith("--")]
    assert outside == ["\\connect :source"]
