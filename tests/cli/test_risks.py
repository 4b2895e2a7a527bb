"""`crossfade risks`: as people call it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from crossfade.cli.output import people
from tests.docs.documents import ROOT, Document
from tests.model.file.published import EXAMPLE

REGISTER = ROOT / "examples" / "risks" / "register.yaml"
ON = ("--on", "2026-11-23")
PLAIN = ROOT / "examples" / "inventory" / "plain.csv"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as the document, whatever the terminal in which the tests began."""
    monkeypatch.setattr(people, "width", 120)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["risks", *map(str, arguments)])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_the_worked_example_ends_as_its_document_shows() -> None:
    result = run(EXAMPLE, "--register", REGISTER, *ON, "--json")
    assert result.exit_code == 0, result.stderr
    shown = next(b.text for b in Document(ROOT / "docs" / "risks.md").blocks if "as planned" in b.text)
    said = [" ".join(line.split()) for line in result.stderr.splitlines()]
    for line in filter(None, (" ".join(line.split()) for line in shown.splitlines())):
        assert line in said
    told = last(result)
    assert told["top"][0] == "postgresql-out-of-support"
    assert told["overall"] == {"name": "overall", "count": 13, "score": 15.1, "residual": 6.3, "highest": 1.8}
    by_id = {risk["id"]: risk for risk in told["risks"]}
    assert by_id["data-center-not-looked-at"]["closed"]["by"] == "Core Banking Platform"
    assert (by_id["one-person-approves"]["score"], by_id["one-person-approves"]["owner"]) == (0.4, "change-board")


def test_evidence_stands_in_the_line_that_is_named() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    named = 0
    for risk in last(run(EXAMPLE, *ON, "--json"))["risks"]:
        for one in risk["evidence"]:
            if found := re.fullmatch(r"migration\.yaml:(\d+) (\S+)", one["place"]):
                key = re.sub(r"\[\d+\]", "", found[2]).rpartition(".")[2]
                if not found[2].endswith("]"):
                    assert f"{key}:" in lines[int(found[1]) - 1], one
                    named += 1
    assert named > 2


def test_an_inventory_shows_risks_with_their_rows() -> None:
    told = last(run(EXAMPLE, "--inventory", PLAIN, *ON, "--json"))
    places = [one["place"] for risk in told["risks"] for one in risk["evidence"]]
    assert any(re.search(r"plain\.csv:\d+", place) for place in places)
    assert "data-center-not-looked-at" not in [risk["id"] for risk in told["risks"]]


def test_pages_are_written_and_are_the_same_each_time(tmp_path: Path) -> None:
    written = []
    for turn in ("one", "two"):
        outs = [tmp_path / f"{turn}{ending}" for ending in (".html", ".md", ".svg")]
        assert run(EXAMPLE, "--register", REGISTER, *ON, *(w for out in outs for w in ("--out", out))).exit_code == 0
        written.append([out.read_bytes() for out in outs])
    assert written[0] == written[1]
    assert written[0][2] == (ROOT / "docs" / "pictures" / "risks.svg").read_bytes()  # as its document shows it


def test_what_cannot_be_used_ends_with_2_and_a_remedy(tmp_path: Path) -> None:
    bad = tmp_path / "register.yaml"
    bad.write_text("version: 1\nclose:\n  - {id: no-shdow, by: a, on: 2026-01-01, because: b}\n", encoding="utf-8")
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("a,b\n1,2\n", encoding="utf-8")
    there = tmp_path / "there.md"
    there.write_text("mine", encoding="utf-8")
    for words, told in (
        ((tmp_path / "gone.yaml",), "does not exist"),
        ((EXAMPLE, "--register", tmp_path / "gone.yaml"), "does not exist"),
        ((EXAMPLE, "--register", bad), "did you mean no-shadow?"),
        ((EXAMPLE, "--inventory", nothing), "no known format"),
        ((EXAMPLE, "--out", tmp_path / "r.pdf"), ".html, .md, .svg"),
        ((EXAMPLE, "--out", there), "is there already"),
    ):
        result = run(*words)
        assert result.exit_code == 2, words
        assert told in result.stderr, result.stderr
        assert "Traceback" not in result.stderr
