"""What commands on inventories share: sources read with progress, files written that were not there, exit codes."""

from collections.abc import Iterable
from pathlib import Path

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from crossfade.cli.output import Exit, complain, people
from crossfade.durable import replace
from crossfade.model.errors import CrossfadeError
from crossfade.planning.inventory import Inventory, read_inventory
from crossfade.planning.inventory.cells import text as visible


class OutNotWritten(CrossfadeError):
    """--out names something that cannot be written, or that is there already."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.path, self.problem, self.remedy = path, problem, remedy
        super().__init__(f"{path} {problem}")


def read_sources(sources: list[Path]) -> Inventory:
    """The inventory that the sources make, with a bar on a terminal meanwhile."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=people, transient=True, disable=not people.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def report(source: str, done: int, size: int) -> None:
            bar.update(task, description=visible(source).replace("[", r"\["), completed=done, total=size)

        return read_inventory(sources, report)


def read_or_stop(sources: list[Path]) -> Inventory | None:
    """What the sources tell; None without any. One that could not be used at all ends the command with 2."""
    if not sources:
        return None
    found = read_sources(sources)
    if code_of(found, sources) is Exit.BAD_INPUT:
        for problem in (one for one in found.problems if one.row is None):
            said = (visible(problem.problem), "red")
            people.print(Text.assemble((visible(problem.source), "bold"), "  ", said, f" — {problem.remedy}"))
        raise typer.Exit(Exit.BAD_INPUT)
    return found


def code_of(found: Inventory, sources: list[Path]) -> Exit | None:
    """2: a source could not be used at all; 10: some rows were not understood; None: all was read."""
    read = [account.source for account in found.accounts if account.format]
    for source in map(str, sources):
        within = "" if source == "." else f"{source.rstrip('/')}/"
        if not any(file == source or file.startswith(within) for file in read):
            return Exit.BAD_INPUT
    return Exit.ENDED_OTHERWISE if found.problems else None


def refuse_what_is_there(paths: Iterable[Path]) -> None:
    """Ends with 2 when any of the files exists, all of them told."""
    there = [path for path in paths if path.exists()]
    for path in there:
        complain(OutNotWritten(path, "is there already", "Name a file that does not exist yet."))
    if there:
        raise typer.Exit(Exit.BAD_INPUT)


def write_out(path: Path, content: bytes) -> None:
    """Raises OutNotWritten."""
    try:
        replace(path, content)
    except OSError as refusal:
        remedy = "Name a place where you may write."
        raise OutNotWritten(path, f"cannot be written: {refusal.strerror or refusal}", remedy) from refusal
