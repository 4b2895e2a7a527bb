"""A person's word to a migration: approve, hold, release, roll back, override. Each is an event in its journal."""

import getpass
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from crossfade.cli.output import answer, people
from crossfade.engine.engine import ENGINE
from crossfade.journal.port import VersionConflict
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import Approved, Event, Held, MigrationEnded, Overridden, Released, RollbackRequested
from crossfade.model.plan import NeededApproval
from crossfade.model.resolve import REHEARSAL
from crossfade.model.terms import Outcome, Phase
from crossfade.rehearsal.layout import read_layout
from crossfade.runbook.approving import approvers, in_words, still_needed, what
from crossfade.runbook.evolve import fold
from crossfade.runbook.state import State

Migration = Annotated[str, typer.Argument(metavar="ID", help="The migration's id; `crossfade status` lists them.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the journal with your name.")]
Name = Annotated[str, typer.Option("--by", help="Who gives the word; default: the account you are logged in as.")]
ForPhase = Annotated[str, typer.Option("--phase", help="The phase that may begin; default: the one that waits.")]
ForShare = Annotated[
    float | None,
    typer.Option("--share", help="The share, in percent, that may be risen to; default: the one that waits."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]

_BEYOND = "the point of no return has been passed"
_MOVE_BACK = "The target stays where writes go; move back with a migration of its own."
_LOOK = "A person must look: `crossfade status` says which side takes writes, the report how it came to this."
_SPAN = re.compile(r"(\d+)(s|m|h)")
_LONGEST_OVERRIDE = timedelta(hours=24)
_NOBODY = frozenset({ENGINE, REHEARSAL})
"""Names under which the program itself writes into a journal: `rehearsal` approves by itself."""


class NotPossible(CrossfadeError):
    """The word cannot be taken as the migration stands."""

    def __init__(self, word: str, why: str, remedy: str) -> None:
        self.word, self.why, self.remedy = word, why, remedy
        super().__init__(f"{word}: {why}")


class NotAPerson(typer.BadParameter):
    """A word was given in the name of the program."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is a name of the program's own in the journal; give the name of a person with --by",
            param_hint="--by",
        )


def approve(
    migration: Migration,
    reason: Reason,
    by: Name = "",
    phase: ForPhase = "",
    share: ForShare = None,
    json: AsJson = False,
) -> None:
    """Let a phase begin, or the share rise, that waits for approval (what waits, or --phase, or --share).

    Where the migration file names who may approve, only their words count, each once.

    Example: crossfade approve ledger-3f2a --reason "change 4711"
    """

    def event(state: State, who: str) -> Event:
        needed = _needed(state, phase, share)
        if needed.by and who not in needed.by:
            remedy = f"One of {', '.join(needed.by)} may; --by names who gives the word."
            raise NotPossible("approve", f"{who} may not approve {what(needed)}", remedy)
        given, now = state.approvals, datetime.now(UTC)
        if who in approvers(needed, given, now):
            left = still_needed(needed, given, now)
            remedy = f"{what(needed)} still needs {in_words(needed, given, now)}." if left else "Nothing to do."
            raise NotPossible("approve", f"{who} has approved {what(needed)} already", remedy)
        return Approved(phase=needed.phase, share=needed.share, reason=reason)

    _give("approve", migration, by, json, event)


def hold(migration: Migration, reason: Reason, by: Name = "", json: AsJson = False) -> None:
    """Stop going forward; judging goes on, and it can still turn back.

    Example: crossfade hold ledger-3f2a --reason "incident 12"
    """
    _give("hold", migration, by, json, lambda *_: Held(reason=reason))


def release(migration: Migration, reason: Reason, by: Name = "", json: AsJson = False) -> None:
    """Go on after a hold.

    Example: crossfade release ledger-3f2a --reason "incident 12 is over"
    """

    def event(state: State, _: str) -> Event:
        if state.held is None:
            raise NotPossible("release", "it is not held", "Nothing to do.")
        return Released(reason=reason)

    _give("release", migration, by, json, event)


def rollback(migration: Migration, reason: Reason, by: Name = "", json: AsJson = False) -> None:
    """Undo everything before cutover; after it, fail back to the source. Refused after the point of no return.

    Example: crossfade rollback ledger-3f2a --reason "support is swamped"
    """

    def event(state: State, _: str) -> Event:
        if not state.returns:
            raise NotPossible("rollback", _BEYOND, _MOVE_BACK)
        return RollbackRequested(reason=reason)

    _give("rollback", migration, by, json, event)


def override(
    migration: Migration,
    reason: Reason,
    until: Annotated[str, typer.Option("--for", help="How long, such as 90s, 15m, 2h; 24h at most.")],
    by: Name = "",
    json: AsJson = False,
) -> None:
    """For a time, judge and guards of traffic neither hold nor abort. Nothing that protects data can be overridden.

    Example: crossfade override ledger-3f2a --for 15m --reason "known slow report"
    """
    span = _span(until)
    _give("override", migration, by, json, lambda *_: Overridden(reason=reason, until=datetime.now(UTC) + span))


def _give(word: str, migration: str, by: str, json: bool, event: Callable[[State, str], Event]) -> None:
    journal = SqliteJournal(read_layout(migration).journal, must_exist=True)
    who = _person(by)
    while True:
        entries = journal.read()
        state = fold(entries)
        if state.outcome is not None:
            raise _ended(word, migration, state, entries[-1].event)
        given = event(state, who)
        try:
            position = journal.append([given], expected=len(entries), at=datetime.now(UTC), by=who)
        except VersionConflict:
            continue
        break
    people.print(f"[green]✓[/] {word} is in the journal of {migration}, entry {position}, by {who}")
    if json:
        answer({"migration": migration, "word": word, "position": position, "by": who})


def _ended(word: str, migration: str, state: State, last: Event) -> NotPossible:
    why = last.reason if isinstance(last, MigrationEnded) else ""
    if word == "rollback" and not state.returns:
        return NotPossible(word, _BEYOND, _MOVE_BACK)
    again = f"`crossfade again {migration}` begins a later cutover."
    remedies = {Outcome.HALTED: _LOOK, Outcome.FAILED_BACK: again}
    remedy = remedies.get(state.outcome, "Nothing to do.") if state.outcome else ""
    return NotPossible(word, f"{migration} has ended: {state.outcome}: {why}".removesuffix(": "), remedy)


def _person(by: str) -> str:
    who = by.strip() or _account()
    if who.casefold() in _NOBODY:
        raise NotAPerson(who)
    return who


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container a user may be a number only
        return f"user {os.getuid()}"


def _needed(state: State, phase: str, share: float | None) -> NeededApproval:
    """What is approved: what was named, else what waits, else the phase that there is. Raises `NotPossible`."""
    waits = state.approval_waited_for
    if not phase and share is None and waits is not None:
        return waits
    wanted = _phase(phase) if phase else Phase.CANARY if share is not None else state.phase
    needed = state.plan.approval(wanted, share) if wanted and state.plan else None
    if needed is None:
        about = wanted if share is None else f"{wanted} at {share:g} %"
        raise NotPossible("approve", f"{about} needs no approval", "See `crossfade status` for what it waits for.")
    return needed


def _phase(text: str) -> Phase:
    try:
        return Phase(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r} is no phase; one of {', '.join(Phase)}", param_hint="--phase") from fault


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration; write 90s, 15m or 2h", param_hint="--for")
    seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]
    if not 0 < seconds <= _LONGEST_OVERRIDE.total_seconds():
        raise typer.BadParameter("an override lasts between 1 s and 24 h", param_hint="--for")
    return timedelta(seconds=seconds)
