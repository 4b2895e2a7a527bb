"""`crossfade map`: as people call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.planning.inventory.exports import SAMPLES, written

CONNECTED = (
    "record,name,applications,source,destination,port,volume_bytes",
    "server,web1,Shop,,,,",
    "server,db1,Shop,,,,",
    "server,crm1,Crm,,,,",
    "dependency,,,web1,db1,5432,1000",
    "dependency,,,web1,crm1,443,2000",
    "dependency,,,web1,192.0.2.5,443,",
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["map", *map(str, arguments)])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_json_has_applications_services_unknown_ends_and_flows(tmp_path: Path) -> None:
    result = run(written(tmp_path / "all.csv", *CONNECTED), "--json")
    told = last(result)
    assert result.exit_code == 0
    assert [(each["name"], len(each["members"]), each["certainty"]) for each in told["applications"]] == [
        ("Crm", 1, "told"),
        ("Shop", 2, "told"),
    ]
    flow = next(flow for flow in told["flows"] if flow["destination"] == {"kind": "application", "name": "Crm"})
    assert (flow["source"]["name"], flow["ports"], flow["volume_bytes"]) == ("Shop", [443], 2000)
    assert [end["name"] for end in told["unknown_ends"]] == ["192.0.2.5"]
    assert told.keys() >= {"services", "ties", "left_out", "notes", "problems", "drawn"}


def test_all_three_forms_are_drawn_and_none_overwrites(tmp_path: Path) -> None:
    source = written(tmp_path / "all.csv", *CONNECTED)
    outs = [tmp_path / name for name in ("map.html", "map.svg", "map.mmd")]
    wanted = [word for out in outs for word in ("--out", out)]
    assert run(source, *wanted, "--title", "Data center <1>").exit_code == 0
    texts = [out.read_text() for out in outs]
    assert [text[:12] for text in texts] == ["<!doctype ht", '<svg xmlns="', "flowchart LR"]
    assert "Data center &lt;1&gt;" in texts[0]
    again = run(source, *wanted)
    assert again.exit_code == 2
    assert again.stderr.count("is there already") == 3
    assert [out.read_text() for out in outs] == texts


def test_every_ending_that_is_not_known_is_told_before_anything_is_read(tmp_path: Path) -> None:
    result = run("gone.csv", "--out", tmp_path / "map.png", "--out", tmp_path / "map")
    assert result.exit_code == 2
    assert result.stderr.count("has no ending that is known") == 2
    assert "gone.csv" not in result.stderr


def test_people_see_what_is_not_known() -> None:
    result = run(SAMPLES / "cmf" / "server-list.csv")
    assert result.exit_code == 0
    assert "no source tells of dependencies" in result.stderr
    assert "app02-sales" in result.stderr


@pytest.mark.parametrize(("source", "code"), [("cmf/test_invalid.csv", 2), ("konveyor/invalid-record-type.csv", 10)])
def test_what_was_not_understood_shows_in_the_exit_code(source: str, code: int) -> None:
    result = run(SAMPLES / source, "--json")
    assert result.exit_code == code
    assert last(result)["problems"] > 0
    assert "Traceback" not in result.output


def test_codes_of_a_terminal_in_names_are_not_obeyed(tmp_path: Path) -> None:
    source = written(tmp_path / "a.csv", "record,name,applications", "server,a\x1b[2Jb,Sh\x1b[31mop")
    result = run(source)
    assert result.exit_code == 0
    assert "\x1b" not in result.stderr
