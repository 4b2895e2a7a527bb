"""`crossfade records`: decision records of a folder, held against each other."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.output import Exit, answer, complain, people
from crossfade.model.errors import CrossfadeError
from crossfade.planning.decisions.folder import Records, read_records
from crossfade.planning.decisions.keeping import supersede as mark_superseded
from crossfade.planning.inventory.cells import text as visible

records = typer.Typer(help="Decision records: plain Markdown that people edit.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the records lie.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]


class FolderUnusable(CrossfadeError):
    """The folder of records cannot be listed."""

    remedy = "Check the path and its permissions; `crossfade decide FILE --record` writes the first record."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} cannot be listed: {why}")


def listed(folder: Path, *, may_be_missing: bool = False) -> Records:
    """The folder's records; ends the command with 2 when it cannot be listed."""
    if may_be_missing and not folder.exists():
        return Records()
    try:
        return read_records(folder)
    except OSError as refusal:
        complain(FolderUnusable(folder, refusal.strerror or str(refusal)))
        raise typer.Exit(Exit.BAD_INPUT) from refusal


def complain_of_records(found: Records, folder: Path) -> None:
    """Each fault in a line: file, line, problem, remedy."""
    for fault in found.faults:
        place = f"{folder / fault.file}" + (f":{fault.line}" if fault.line else "")
        line = Text.assemble((place, "bold"), "  ", (visible(fault.problem), "red"), f" — {fault.remedy}")
        people.print(line, soft_wrap=True)


@records.command()
def check(folder: Folder, json: Json = False) -> None:
    """Tell every fault of a folder of decision records at once, each with its place and remedy.

    Numbers given twice, links that lead nowhere, lead to another record or are known to one of two records only,
    circles of superseding, unknown states, dates that do not fit, accepted records that leave open what they need.

    Exit code 0: sound; 2: faults, or no such folder.

    Example: crossfade records check examples/decision/decisions
    """
    found = listed(folder)
    complain_of_records(found, folder)
    count, faults = len(found.pages), len(found.faults)
    if found.faults:
        told = "1 fault" if faults == 1 else f"{faults} faults"
        people.print(Text(f"{told} in {folder}", style="bold red"), soft_wrap=True)
    else:
        told = "1 record" if count == 1 else f"{count} records"
        people.print(Text.assemble(("✓ ", "green"), f"{folder}: {told}, no fault"), soft_wrap=True)
    for name, record in found.records.items():
        told = f"  {record.number:>4}  {record.status:<10}  {record.decided}  {visible(record.title)}  ({name})"
        people.print(Text(told), soft_wrap=True)
    if json:
        answer(
            {
                "folder": str(folder),
                "valid": not found.faults,
                "records": [
                    {
                        "file": name,
                        "number": record.number,
                        "title": record.title,
                        "status": record.status,
                        "date": record.decided,
                        "review": record.review,
                        "supersedes": record.supersedes,
                        "superseded_by": record.superseded_by,
                    }
                    for name, record in found.records.items()
                ],
                "faults": [asdict(fault) for fault in found.faults],
                "passed_over": found.passed_over,
            }
        )
    if found.faults:
        raise typer.Exit(Exit.BAD_INPUT)


@records.command()
def supersede(
    folder: Folder,
    old: Annotated[int, typer.Argument(metavar="OLD", help="Number of the record that no longer holds.")],
    new: Annotated[int, typer.Argument(metavar="NEW", help="Number of the record that takes its place.")],
) -> None:
    """Let one decision record supersede another: both links and the old one's status, and no other line.

    Exit code 0: done; 2: no such record, or records that would contradict each other, and then nothing is written.

    Example: crossfade records supersede decisions 1 2
    """
    found = listed(folder)
    if found.faults:
        complain_of_records(found, folder)
        raise typer.Exit(Exit.BAD_INPUT)
    try:
        mark_superseded(folder, found, old, new)
    except CrossfadeError as fault:
        complain(fault)
        raise typer.Exit(Exit.BAD_INPUT) from fault
    people.print(Text.assemble(("✓ ", "green"), f"{new} supersedes {old}"), soft_wrap=True)
