"""`crossfade decide` and `crossfade records`: as people call them."""

import json
import shutil
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.docs.documents import ROOT, Document
from tests.model.file.files import with_values

APPROACH = ROOT / "examples" / "decision" / "approach.yaml"
KEPT = APPROACH.parent / "decisions"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_the_worked_example_is_weighed_as_its_document_shows() -> None:
    result = run("decide", APPROACH, "--json")
    assert result.exit_code == 0, result.stderr
    shown = next(b.text for b in Document(ROOT / "docs" / "decisions.md").blocks if "✓ incremental leads" in b.text)
    assert [line.split() for line in result.stderr.splitlines()] == [line.split() for line in shown.splitlines()]
    told = last(result)
    assert (told["leaders"], told["turns"][0]["exact"]) == (["incremental"], "1/3")


def test_the_example_record_is_the_one_that_is_written(tmp_path: Path) -> None:
    result = run("decide", APPROACH, "--record", "--folder", tmp_path, "--on", "2026-11-23", "--json")
    (path,) = tmp_path.iterdir()
    assert path.read_text(encoding="utf-8") == (KEPT / path.name).read_text(encoding="utf-8")
    assert last(result)["record"] == str(path)


def test_a_record_replaces_another_and_both_say_so(tmp_path: Path) -> None:
    file = Path(shutil.copy(APPROACH, tmp_path))
    words = ("decide", file, "--record", "--on", "2026-11-23")  # before the day on which it is to be looked at again
    assert run(*words).exit_code == 0
    assert run(*words, "--supersedes", 1).exit_code == 0
    told = last(run("records", "check", tmp_path / "decisions", "--json"))
    assert told["valid"]
    assert [(one["status"], one["supersedes"], one["superseded_by"]) for one in told["records"]] == [
        ("superseded", [], [2]),
        ("proposed", [1], []),
    ]


def test_nothing_is_written_beside_faulty_records(tmp_path: Path) -> None:
    folder = tmp_path / "decisions"
    folder.mkdir()
    (folder / "0001-x.md").write_text("# 2. x\n", encoding="utf-8")
    result = run("decide", APPROACH, "--record", "--folder", folder)
    assert (result.exit_code, len(list(folder.iterdir()))) == (2, 1)
    assert "in its title and 1 in its name" in result.stderr
    checked = run("records", "check", folder, "--json")
    assert (checked.exit_code, len(last(checked)["faults"])) == (2, 3)


def test_the_decision_of_a_migration_file_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "migration.yaml"
    file.write_text(with_values(planning__decision__weights={"time": 1, "cost": 1}), encoding="utf-8")
    result = run("decide", file, "--record", "--json")
    assert last(result)["leaders"] == ["lift-and-shift"]
    assert Path(last(result)["record"]).parent == tmp_path / "decisions"
    file.write_text(with_values(planning__decision__weights={"luck": 1}), encoding="utf-8")
    refused = run("decide", file)
    assert refused.exit_code == 2
    assert "planning.decision.weights.luck" in refused.stderr


def test_a_tie_ends_with_10_and_names_what_would_break_it(tmp_path: Path) -> None:
    file = tmp_path / "tie.yaml"
    scores = (
        "{a: {score: 1, because: b}, b: {score: 2, because: c}}",
        "{a: {score: 2, because: b}, b: {score: 1, because: c}}",
    )
    options = "".join(f"  - {{name: o{i}, scores: {one}}}\n" for i, one in enumerate(scores))
    factors = "factors: [{name: a, weight: 1}, {name: b, weight: 1}]\n"
    file.write_text(f"version: 1\ntitle: t\n{factors}options:\n{options}", encoding="utf-8")
    result = run("decide", file, "--json")
    assert result.exit_code == 10
    assert last(result)["tie_breakers"] == {"a": ["o1"], "b": ["o0"]}
    assert "a tie between o0, o1" in result.stderr


def test_what_cannot_be_used_ends_with_2_and_a_remedy(tmp_path: Path) -> None:
    for words in (
        ("decide", tmp_path / "gone.yaml"),
        ("decide", APPROACH, "--supersedes", 1),
        ("decide", APPROACH, "--record", "--folder", tmp_path, "--supersedes", 7),
        ("decide", APPROACH, "--record", "--on", "today"),
        ("records", "check", tmp_path / "gone"),
        ("records", "supersede", tmp_path, 1, 2),
    ):
        result = run(*words)
        assert result.exit_code == 2, words
        assert result.stderr
        assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
