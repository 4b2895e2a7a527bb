"""`crossfade status` and `crossfade watch`: where a migration stands."""

import time
from typing import Annotated

import typer

from crossfade.cli.output import answer, people
from crossfade.cli.views import view
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.layout import begun, home, read_layout
from crossfade.report.telemetry import TelemetryTail
from crossfade.runbook.evolve import evolve, fold
from crossfade.runbook.state import State

_LOOK_EVERY_S = 0.2


def status(
    migration: Annotated[
        str, typer.Argument(metavar="[ID]", help="The migration's id; without one, all are listed.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Where a migration stands: phase, share, writer, what it waits for.

    Example: crossfade status ledger-3f2a --json
    """
    found = (
        {migration: describe(migration)} if migration else {name: _describe_or_say_why_not(name) for name in begun()}
    )
    for name, facts in found.items():
        people.print(
            f"[bold]{name}[/]  " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.items())
        )
    if not found:
        people.print(f"No migration is under way in {home()}.")
    if json:
        answer(found[migration] if migration else {"migrations": found})


def watch(
    migration: Annotated[str, typer.Argument(metavar="ID", help="The migration's id.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Follow a migration that runs in another terminal, until it has ended. Ctrl-C stops watching, nothing else.

    The JSON object is that of `crossfade status`, with the outcome.

    Example: crossfade watch ledger-3f2a
    """
    layout = read_layout(migration)
    journal, tail, shown, state = (
        SqliteJournal(layout.journal, must_exist=True),
        TelemetryTail(layout.telemetry),
        0,
        State(),
    )
    seen = view()
    try:
        while state.outcome is None:
            for entry in journal.read(after=shown):
                shown, state = entry.position, evolve(state, entry.event, entry.at, entry.by)
                seen.tell(entry)
            for progress in tail.read():
                seen.show(progress)
            time.sleep(_LOOK_EVERY_S)
    finally:
        seen.close()
    if json:
        answer(_facts(migration, state))


def _describe_or_say_why_not(migration: str) -> dict[str, object]:
    """One that cannot be read must not hide the others."""
    try:
        return describe(migration)
    except CrossfadeError as fault:
        return {"migration": migration, "problem": f"{fault}. {fault.remedy}"}


def describe(migration: str) -> dict[str, object]:
    """What a fold of the journal says, as plain values."""
    return _facts(migration, fold(SqliteJournal(read_layout(migration).journal, must_exist=True).read()))


def _facts(migration: str, state: State) -> dict[str, object]:
    return {
        "migration": migration,
        "phase": state.phase.value if state.phase else None,
        "course": state.course.value,
        "canary_percent": state.canary_percent,
        "writer": state.writer.value,
        "epoch": state.epoch,
        "held": state.held.reason if state.held else None,
        "waits_for": state.waits.reason if state.waits else None,
        "warnings": [warning.reason for warning in state.warnings],
        "can_return": state.returns,
        "outcome": state.outcome.value if state.outcome else None,
    }
