"""`crossfade plan`: as people call it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from tests.docs.documents import ROOT

EXAMPLE = ROOT / "examples" / "plan" / "migration.yaml"
INVENTORIES = ROOT / "tests" / "data" / "inventories"
ON = "2026-11-23"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, arguments), "--on", ON])


def last(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("planned") / "plan"
    result = run(EXAMPLE, "--out", out)
    assert result.exit_code == 0, result.output
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_example_is_planned_as_the_documentation_says(folder: Path) -> None:
    told = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    waves = {wave["date"]: wave["items"] for wave in told["waves"]["waves"]}
    assert waves == {
        "2027-01-16": ["wiki-test"],
        "2027-01-23": ["reports", "wiki"],
        "2027-02-06": ["shop", "stock"],
        "2027-02-13": ["archive"],
    }
    migrations = {each["application"]: each["migration"] for each in told["applications"] if each["migration"]}
    assert migrations == {
        "shop": {"file": "migration.yaml", "given": True, "missing": {}},
        "stock": {
            "file": "migrations/stock.yaml",
            "given": False,
            "missing": {"database.application_roles": migrations["stock"]["missing"]["database.application_roles"]},
        },
    }
    assert [each["name"] for each in told["not_planned"]] == ["dns01"]


def test_planning_again_leaves_what_people_edited_and_writes_nothing_else(folder: Path) -> None:
    edited = folder / "migrations" / "stock.yaml"
    edited.write_text(edited.read_text(encoding="utf-8") + "# reviewed\n", encoding="utf-8")
    before = content(folder)
    result = run(EXAMPLE, "--out", folder, "--json")
    told = last(result)
    assert result.exit_code == 0
    assert told["folder"] == {"out": str(folder), "written": [], "kept": ["migrations/stock.yaml"], "removed": []}
    assert told["waves"]["moved"] == []
    assert content(folder) == before
    assert "migrations/stock.yaml was edited" in " ".join(result.stderr.split())


def test_a_change_is_told_by_what_moved_and_files_nobody_needs_any_more_go(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan"
    for name, each in content(folder).items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(each)
    index = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    for name, told in (("stale.md", "as it was written"), ("edited.md", "as it was")):
        (out / name).write_text("as it was written", encoding="utf-8")
        index["files"][name] = hashlib.sha256(told.encode()).hexdigest()
    (out / "plan.json").write_text(json.dumps(index), encoding="utf-8")
    changed = tmp_path / "migration.yaml"
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        "inventory: inventory.csv", f"inventory: {EXAMPLE.parent}/inventory.csv"
    )
    changed.write_text(text.replace("[reports, archive]", "[reports, wiki]"), encoding="utf-8")
    result = run(changed, "--inventory", EXAMPLE.parent / "inventory.csv", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    moved = {each["item"] for each in last(result)["waves"]["moved"]}
    assert moved in ({"reports"}, {"wiki"})
    assert last(result)["folder"]["removed"] == ["stale.md"]
    assert (out / "edited.md").exists()
    assert not (out / "stale.md").exists()


def test_contradicting_wishes_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "migration.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8") + "  together: [[shop, reports, archive]]\n", encoding="utf-8")
    result = run(file, "--inventory", EXAMPLE.parent / "inventory.csv", "--out", tmp_path / "plan", "--json")
    assert result.exit_code == 10
    assert {wish["wish"] for wish in last(result)["contradiction"]} >= {"reports and archive do not move together"}
    assert not (tmp_path / "plan").exists()


@pytest.mark.parts
def test_the_same_input_gives_the_same_bytes_in_another_process(folder: Path, tmp_path: Path) -> None:
    """Texts have another order in the sets of each process. The index has the digests of all files."""
    program = Path(sys.executable).parent / "crossfade"
    command: list[str | Path] = [program, "plan", EXAMPLE, "--out", tmp_path / "plan", "--on", ON]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "1"})
    assert (tmp_path / "plan" / "plan.json").read_bytes() == (folder / "plan.json").read_bytes()


@pytest.mark.parametrize("export", ["ads/EC2InstanceRecommendations.csv", "azure", "cmf", "konveyor", "rvtools"])
def test_a_report_comes_of_the_export_of_every_tool(tmp_path: Path, export: str) -> None:
    """The folders hold rows that cannot be read, too, which are told. `rvtools` has the workbook that is large."""
    result = run("--inventory", INVENTORIES / export, "--out", tmp_path / "plan")
    assert result.exit_code == (10 if export in {"cmf", "konveyor"} else 0), result.output
    assert "servers move to AWS" in (tmp_path / "plan" / "report.md").read_text(encoding="utf-8")
    assert "not known:" in result.output


def test_an_export_alone_is_planned_with_what_is_assumed(tmp_path: Path) -> None:
    small = INVENTORIES / "rvtools" / "rvtools-small-complete.xlsx"
    result = run("--inventory", small, "--out", tmp_path / "plan", "--json")
    told = last(result)
    assert result.exit_code in {0, 10}
    assert told["file"] is None
    assert {"planning.start", "connectivity.vpn.bandwidth"} <= {each["path"] for each in told["assumptions"]}
    assert told["waves"]["waves"]
    assert (tmp_path / "plan" / "plan.html").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "there is nothing to plan from"),
        (("missing.yaml",), "does not exist"),
        (("--inventory", "any.csv", "--register", "register.yaml"), "--register needs a migration file"),
        (("--inventory", "missing.xlsx"), "missing.xlsx"),
        ((str(EXAMPLE), "--inventory", str(EXAMPLE)), "migration.yaml"),
    ],
)
def test_what_cannot_be_used_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments, "--out", tmp_path / "plan")
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "plan").exists()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    result = run(EXAMPLE, "--out", tmp_path)
    assert result.exit_code == 2
    assert "no plan.json among them" in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_name_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "migration.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("- [shop, stock]", "- [shop, stok]"), encoding="utf-8")
    result = run(file, "--inventory", EXAMPLE.parent / "inventory.csv", "--out", tmp_path / "plan")
    assert result.exit_code == 2
    assert "planning.latency_critical[0][1]" in " ".join(result.stderr.split())
