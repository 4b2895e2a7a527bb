"""A migration file from the disk, and its faults as people see them. Every command that takes FILE begins here."""

from pathlib import Path

import typer
from rich.text import Text

from crossfade.cli.output import Exit, people
from crossfade.model.file import Fault, MigrationFile, load
from crossfade.model.file.fault import dotted
from crossfade.model.file.tree import MAX_BYTES, Place, read_tree
from crossfade.model.file.tree import Path as TreePath


def read(path: Path) -> MigrationFile | tuple[Fault, ...]:
    """The migration file at `path`, or every fault of it; a file that cannot be read is a fault too."""
    text = text_of(path, "check the path, or begin with `crossfade init`")
    return text if isinstance(text, tuple) else load(text, path.name)


def text_of(path: Path, missing: str = "check the path") -> str | tuple[Fault, ...]:
    """The text of a YAML file of a person's, or the one fault for which it cannot be had; `missing` is its remedy."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return _whole("does not exist", missing)
    except IsADirectoryError:
        return _whole("is a directory", f"name the file in it, such as {path / 'migration.yaml'}")
    except PermissionError:
        return _whole("may not be read by you", "change its permissions, or run as somebody who may read it")
    except (OSError, ValueError) as exc:  # ValueError: a null character in the path
        return _whole("cannot be read", f"the system says: {getattr(exc, 'strerror', None) or exc}")
    if len(content) > MAX_BYTES:
        return _whole("is larger than 1 MB", "keep inventories in files of their own and name them here")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        before = content[: exc.start].decode("utf-8")
        return (
            Fault(
                line=before.count("\n") + 1,
                column=len(before) - before.rfind("\n"),
                path="",
                problem="is not UTF-8 text",
                remedy="save it as UTF-8",
            ),
        )


def sound(path: Path) -> MigrationFile:
    """The file at `path`, for a command that needs it whole; with faults, they are told and the command ends with 2."""
    found = read(path)
    if isinstance(found, MigrationFile):
        return found
    complain_of(found, path)
    raise typer.Exit(Exit.BAD_INPUT)


def place_of(path: Path, within: TreePath, problem: str, remedy: str) -> Fault:
    """A fault that only a command finds, at the place in the file that it is about."""
    try:
        at = read_tree(path.read_text(encoding="utf-8"), path.name).place(within)
    except (OSError, UnicodeDecodeError):  # it was read a moment ago; without it, the fault has no line
        at = Place(line=1, column=1)
    return Fault(line=at.line, column=at.column, path=dotted(within), problem=problem, remedy=remedy)


def complain_of(faults: tuple[Fault, ...], path: Path) -> None:
    """Each fault in a line: place, path in the file, problem, remedy; then their number."""
    for fault in faults:
        line = Text.assemble(
            (f"{path}:{fault.line}:{fault.column}", "bold"),
            f"  {fault.path}" if fault.path else "",
            "  ",
            (fault.problem, "red"),
            f" — {fault.remedy}",
        )
        people.print(line, soft_wrap=True)
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    people.print(Text(f"{count} in {path}", style="bold red"), soft_wrap=True)


def _whole(problem: str, remedy: str) -> tuple[Fault, ...]:
    return (Fault(line=1, column=1, path="", problem=problem, remedy=remedy),)
