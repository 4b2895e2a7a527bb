"""Records that people accepted in a plan's folder are read back by the next `crossfade plan`."""

from pathlib import Path

from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.model.file.files import with_values

FIRST, SECOND = "0001-how-the-system-moves.md", "0002-how-the-system-moves.md"
HASTE = {"planning__decision": {"weights": {"time": 9, "way-back": 1}}}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def planned(folder: Path, **changes: object) -> str:
    file = folder / "migration.yaml"
    criteria = {"planning__success_criteria": ["nobody notices"]}
    file.write_text(with_values(**criteria, **changes), encoding="utf-8")
    result = run("plan", file, "--out", folder / "plan", "--on", "2026-11-23")
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def edit(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


ACCEPT = (("- Status: proposed", "- Status: accepted\n- Review by: 2027-11-23"),)


def test_a_decision_is_kept_told_and_proposed_anew_only_when_another_option_leads(tmp_path: Path) -> None:
    records, report = tmp_path / "plan" / "decisions", tmp_path / "plan" / "report.md"
    assert f"to decide on: decisions/{FIRST}" in planned(tmp_path)
    assert "decided by nobody yet" in report.read_text(encoding="utf-8")
    edit(records / FIRST, *ACCEPT)
    accepted = (records / FIRST).read_bytes()
    said = planned(tmp_path)
    assert "decided: 1. How the system moves" in said
    assert "to decide on" not in said
    assert "Decided by 1. How the system moves" in report.read_text(encoding="utf-8")

    assert f"to decide on: decisions/{SECOND}" in planned(tmp_path, **HASTE)
    planned(tmp_path, **HASTE)  # a proposal that nobody touched is no decision, and takes no number
    assert sorted(path.name for path in records.iterdir()) == [FIRST, SECOND]
    assert (records / FIRST).read_bytes() == accepted

    edit(records / SECOND, *ACCEPT)
    assert run("records", "supersede", records, 1, 2).exit_code == 0
    said = planned(tmp_path, **HASTE)
    assert "decided: 2." in said
    assert "decided: 1." not in said
    assert "to decide on" not in said
    assert "Decided by 2. How the system moves" in report.read_text(encoding="utf-8")
    assert run("records", "check", records).exit_code == 0
    assert sorted(path.name for path in records.iterdir()) == [FIRST, SECOND]


def test_a_record_that_cannot_be_read_is_told_and_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "plan" / "decisions" / FIRST
    planned(tmp_path)
    edit(record, ("- Status: proposed", "- Status: accepted"))
    before = record.read_bytes()
    said = planned(tmp_path)
    assert f"{FIRST}: is accepted without" in said
    assert record.read_bytes() == before
    assert "decided:" not in said
    assert [path.name for path in record.parent.iterdir()] == [FIRST]
