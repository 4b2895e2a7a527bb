import json
import os
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli.init import FILE_NAME, TEMPLATE, CannotWrite, init, write_new
from crossfade.cli.migration_file import read
from crossfade.model.file import MigrationFile, load


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(init)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_init_writes_a_file_that_check_passes(tmp_path: Path) -> None:
    result = run(tmp_path / "new" / "place")
    assert result.exit_code == 0
    assert isinstance(read(tmp_path / "new" / "place" / FILE_NAME), MigrationFile)
    assert [path.name for path in (tmp_path / "new" / "place").iterdir()] == [FILE_NAME]


def test_init_ends_with_json_when_asked(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    assert json.loads(run(tmp_path, "--json").stdout) == {"file": str(path), "written": True}
    assert json.loads(run(tmp_path, "--json").stdout) == {"file": str(path), "written": False}


def test_init_writes_here_when_no_directory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run().exit_code == 0
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == TEMPLATE


def test_init_refuses_when_file_exists(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("mine", encoding="utf-8")
    result = run(tmp_path)
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "exists already" in told
    assert "move the file away" in told
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_init_refuses_when_place_is_no_directory(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = run(tmp_path / place)
    assert result.exit_code == 2
    assert "is not a directory" in " ".join(result.stderr.split())


def test_init_leaves_nothing_when_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write_new(tmp_path / FILE_NAME, TEMPLATE)
    assert list(tmp_path.iterdir()) == []


def test_every_commented_example_is_sound_when_taken_in() -> None:
    """Lines that begin with '# ' and a key are promised to work once the '# ' is gone."""
    lines = [
        re.sub(r"^( *)# ", r"\1", line) if re.match(r"  +# |# files:|#   shares:|#     - \{", line) else line
        for line in TEMPLATE.splitlines()
    ]
    text = "\n".join(lines)
    assert "shares:\n" in text
    result = load(text, FILE_NAME)
    assert isinstance(result, MigrationFile), result
    assert result.files.shares
    assert result.source.tiers
    assert result.notifications.email


def test_help_shows_an_example() -> None:
    assert "crossfade init my-migration" in run("--help").output


def test_template_says_nothing_that_the_schema_does_not_know() -> None:
    assert isinstance(load(TEMPLATE, FILE_NAME), MigrationFile)
    assert Path(FILE_NAME).suffix == ".yaml"
