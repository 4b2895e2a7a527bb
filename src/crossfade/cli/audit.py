"""`crossfade audit`: does the journal hold?"""

from pathlib import Path
from typing import Annotated

import typer

from crossfade.cli.output import Exit, answer, complain, people
from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import SqliteJournal


def audit(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The journal's file.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Check that nothing in a journal was changed, removed, added or reordered.

    Example: crossfade audit reports/ledger-3f2a/journal.sqlite
    """
    try:
        entries = SqliteJournal(journal, must_exist=True, read_only=True).read()
    except JournalDamaged as damage:
        complain(damage)
        if json:
            answer({"events": max(damage.broken_at - 1, 0), "intact": False, "broken_at": damage.broken_at})
        raise typer.Exit(Exit.ENDED_OTHERWISE) from damage
    people.print(f"[green]✓[/] {journal}: {len(entries)} events, intact")
    if json:
        answer({"events": len(entries), "intact": True, "broken_at": None})
