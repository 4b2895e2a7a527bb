import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli.check import check
from tests.model.file.files import with_values
from tests.model.file.published import EXAMPLE


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def last_line(result: Result) -> dict[str, object]:
    answer: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return answer


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "migration.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_check_passes_when_file_is_the_reference_case() -> None:
    result = run(EXAMPLE)
    assert result.exit_code == 0
    assert "no fault" in result.stderr
    assert "connectivity" in result.stderr
    assert result.stdout == ""


def test_check_tells_place_and_remedy_when_file_is_faulty(tmp_path: Path) -> None:
    path = written(tmp_path, with_values(traffic__ladder__step=30, database__size=5))
    result = run(path)
    assert result.exit_code == 2
    line = next(i for i, line in enumerate(path.read_text().splitlines(), start=1) if "step: 30" in line)
    assert f"{path}:{line}:5  traffic.ladder.step  30 passes max_step 20 — set step to 20 or less" in result.stderr
    assert "2 faults" in result.stderr


def test_check_ends_with_json_when_asked_and_sound() -> None:
    result = run(EXAMPLE, "--json")
    answer = last_line(result)
    assert len(result.stdout.splitlines()) == 1
    assert answer["valid"] is True
    assert answer["faults"] == []
    assert {"section", "says"} == set(answer["not_built"][0])  # type: ignore[index]


def test_check_ends_with_json_when_asked_and_faulty(tmp_path: Path) -> None:
    path = written(tmp_path, with_values(servers__count=0))
    result = run(path, "--json")
    assert result.exit_code == 2
    assert last_line(result) == {
        "file": str(path),
        "valid": False,
        "faults": [
            {
                "line": 10,
                "column": 3,
                "path": "servers.count",
                "problem": "0 is out of range",
                "remedy": "write at least 1",
            }
        ],
        "not_built": [],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version: 1\nname: \xff\n", ":2:7  is not UTF-8 text"),
        ("\ufeffversion: 2\n".encode(), ":1:1  version  2 is not one of the choices"),
        ("version: 1\n".encode("utf-16"), "is not UTF-8 text"),
        (b"a: [", "not valid YAML"),
        (b"x" * 2_000_000, "larger than 1 MB"),
        (b"'[bold]x[/bold]': 1\n", "migration.yaml:1:1  …  is not known"),
        (b"\x1b[31mred: 1\n", "does not allow"),
    ],
)
def test_check_explains_when_content_is_no_migration_file(tmp_path: Path, content: str | bytes, words: str) -> None:
    result = run(written(tmp_path, content))
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_check_explains_when_file_is_missing(tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere.yaml")
    assert result.exit_code == 2
    assert "does not exist — check the path, or begin with `crossfade init`" in result.stderr


def test_check_explains_when_file_is_a_directory(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "is a directory" in result.stderr


@contextmanager
def not_root() -> Iterator[None]:
    """Root may read everything; for a moment it is nobody. Others stay who they are."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_check_explains_when_file_may_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, with_values())
    path.chmod(0)
    with not_root():
        result = run(path)
    assert result.exit_code == 2
    assert "may not be read" in result.stderr


def test_check_explains_when_path_is_impossible(tmp_path: Path) -> None:
    for path in (tmp_path / ("x" * 300), tmp_path / "a\0b", written(tmp_path, "x") / "y"):
        result = run(path)
        assert result.exit_code == 2
        assert result.stderr.strip()
        assert "Traceback" not in result.output


def test_help_shows_an_example() -> None:
    assert "crossfade check examples/ledger/migration.yaml" in run("--help").output


CHANGE = "{{version: 1, name: {name}, table: {table}.transfer, {kind}: {{column: memo, to: note}}}}"


def test_check_reads_the_schema_changes_that_the_file_names(tmp_path: Path) -> None:
    named = ["one.yaml", "two.yaml", "three.yaml", "four.yaml", "none.yaml"]
    path = written(tmp_path, with_values(database__schema_changes=named, database__schemas=["ledger"]))
    for file, name, table, kind in (
        ("one", "memo", "ledger", "rename_column"),
        ("two", "memo", "ledger", "rename_column"),
        ("three", "other", "shop", "rename_column"),
        ("four", "Not a slug", "ledger", "rename_colum"),
    ):
        (tmp_path / f"{file}.yaml").write_text(CHANGE.format(name=name, table=table, kind=kind))
    result = run(path, "--json")
    assert result.exit_code == 2
    faults = [(fault["path"], fault["problem"]) for fault in last_line(result)["faults"]]  # type: ignore[attr-defined]
    assert [place for place, _ in faults] == [f"database.schema_changes[{n}]" for n in (1, 2, 3, 3, 4)]
    for (_, problem), told in zip(
        faults, ("named memo, as schema_changes[0]", "shop.transfer", "name:", "rename_colum", "exist"), strict=True
    ):
        assert told in problem
    sound = run(written(tmp_path, with_values(database__schema_changes=named[:1], database__schemas=["ledger"])))
    assert sound.exit_code == 0
    assert "crossfade schema" in sound.stderr  # who carries it out
