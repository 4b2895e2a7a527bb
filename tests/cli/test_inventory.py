"""`crossfade inventory`: as people call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.planning.inventory.exports import SAMPLES, SMALL, lines_of_text, written

KEYS = {"format", "servers", "applications", "dependencies", "problems"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["inventory", *map(str, arguments)])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_json_keeps_what_the_contract_promises() -> None:
    result = run(SAMPLES / "konveyor" / "invalid-record-type.csv", SMALL, "--json")
    told = last(result)
    assert told.keys() >= KEYS
    assert (told["format"], told["formats"]) == ("several", ["konveyor", "rvtools"])
    assert [server["name"] for server in told["servers"]] == ["sample-web-01", "sample-db-01", "sample-archive-01"]
    assert told["problems"][0].keys() == {"row", "column", "problem", "remedy", "source", "sheet"}
    assert result.exit_code == 10


def test_one_format_is_named_when_all_sources_have_it() -> None:
    result = run(SMALL, "--json")
    assert (last(result)["format"], result.exit_code) == ("rvtools", 0)
    assert last(result)["rows"] == {"accepted": 25, "records": 5, "merged": 20}


def test_people_see_what_became_of_every_sheet() -> None:
    lines = [line.split() for line in run(SMALL).stderr.splitlines()]
    assert ["vDisk", "rvtools", "5", "5", "0", "0", "0"] in lines
    assert ["vTools", "rvtools", "3", "0", "0", "3", "0"] in lines


def test_ends_that_no_source_describes_are_listed() -> None:
    path = SAMPLES / "azure" / "dependency-export-sample.csv"
    told = last(run(path, "--json"))
    assert set(told["unknown_ends"]) == {row[1] for row in lines_of_text(path)} | {
        row[4] for row in lines_of_text(path)
    }
    assert [d["destination"]["known"] for d in told["dependencies"]] == [True] * 5  # by their applications


def test_a_source_that_is_no_inventory_ends_with_2_and_says_what_would_be_one() -> None:
    result = run(SAMPLES / "cmf" / "test_invalid.csv", "--json")
    assert result.exit_code == 2
    assert last(result)["format"] is None
    assert "no known format" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["gone.csv", "a folder"])
def test_what_is_not_there_or_empty_ends_with_2(tmp_path: Path, name: str) -> None:
    (tmp_path / "a folder").mkdir()
    result = run(tmp_path / name)
    assert result.exit_code == 2
    assert "gone.csv" in result.stderr or "empty folder" in result.stderr


def test_a_folder_with_a_stray_file_is_read_and_the_file_told() -> None:
    result = run(SAMPLES / "cmf")
    assert result.exit_code == 10
    assert "test_invalid.csv" in result.stderr
    assert "9 servers" in result.stderr


def test_what_is_written_is_read_again_as_the_same_servers(tmp_path: Path) -> None:
    out = tmp_path / "all.csv"
    first = run(SMALL, SAMPLES / "cmf" / "server-list.csv", "--out", out, "--json")
    again = run(out, "--json")
    assert (first.exit_code, again.exit_code) == (0, 0)
    names = [[server["name"] for server in last(result)["servers"]] for result in (first, again)]
    assert names[0] == names[1]
    assert last(again)["format"] == "plain"


def test_a_file_that_is_there_is_never_overwritten() -> None:
    before = SMALL.read_bytes()
    result = run(SMALL, "--out", SMALL)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert SMALL.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["inventory", str(SMALL), "--out", str(tmp_path / "gone" / "x.csv")])
    assert result.exit_code == 1
    assert type(result.exception).__name__ == "OutNotWritten"


def test_codes_of_a_terminal_in_names_are_not_obeyed(tmp_path: Path) -> None:
    source = written(tmp_path / "a.csv", "VM,Powerstate,CPUs,Memory", "a\x1b[31mb,poweredOn,many\x1b[2J,4096")
    result = run(source)
    assert "\x1b[2J" not in result.stderr
    assert "\x1b[31m" not in result.stderr
    assert "is no number" in result.stderr


def test_brackets_in_names_are_shown_as_they_are(tmp_path: Path) -> None:
    source = written(tmp_path / "[bold].csv", "VM,Powerstate,CPUs,Memory", "a,poweredOn,x,4096")
    assert "[bold].csv:2" in run(source).stderr
