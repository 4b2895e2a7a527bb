"""Persons: they approve what waits for them, answer what is asked of them, and pull the other way when drawn so."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from random import Random

from crossfade.journal.port import VersionConflict
from crossfade.model.entry import Entry
from crossfade.model.events import (
    Approved,
    Event,
    GateWaits,
    Held,
    Looked,
    Overridden,
    Released,
    RequestRefused,
    RollbackRequested,
)
from crossfade.runbook.approving import approvers
from crossfade.runbook.evolve import fold
from crossfade.runbook.state import State
from crossfade.simulation.hub import Hub
from crossfade.simulation.shared_journal import SharedJournal

Word = Callable[[State], Event | None]
_ANYBODY = ("ann", "bob", "eve")


class Persons:
    """Each word is given as the command line gives it: read, fold, append with the expected version, again if late."""

    def __init__(self, hub: Hub, rng: Random, journal: SharedJournal, repair: Callable[[], None]) -> None:
        """`repair` copies by hand what a side lacks."""
        self._hub, self._rng, self._journal, self._repair = hub, rng, journal, repair
        self._version, self._state = 0, State()
        journal.listeners.append(self._hear)

    def say(self, of: str, lasts: float) -> None:
        """`of` is hold, release, rollback, override or approve; a hold is released, an override ends, after `lasts`."""
        who = self._rng.choice(_ANYBODY)
        match of:
            case "hold":
                self._give(who, lambda _: Held(reason="wait"))
                self._hub.after(lasts, lambda: self._give(who, _release))
            case "rollback":
                self._give(who, lambda state: RollbackRequested(reason="go back") if state.returns else None)
            case "override":
                until = self._hub.now() + timedelta(seconds=max(1.0, lasts))
                self._give(who, lambda _: Overridden(reason="known", until=until))
            case _:
                self._approve(who)

    def _approve(self, who: str) -> None:
        self._give(who, lambda state: _approval(state, who, self._hub.now()))

    def _hear(self, entry: Entry) -> None:
        if isinstance(entry.event, GateWaits) and entry.event.cause.startswith("approval"):
            for who in _ANYBODY:
                self._hub.after(self._rng.uniform(0.05, 2.0), partial(self._approve, who))
        if isinstance(entry.event, Held) and entry.by == "engine":
            of = self._rng.choice(("release", "rollback"))
            word: Word = (
                _release if of == "release" else lambda _: RollbackRequested(reason="asked whether to fail back")
            )
            self._hub.after(self._rng.uniform(0.1, 2.0), lambda: self._give("ann", word))

        if isinstance(entry.event, RequestRefused):
            self._hub.after(self._rng.uniform(0.5, 5.0), self._mend)

    def _mend(self) -> None:
        """Whoever may not go back because rows are missing does as the refusal says."""
        state = self._now()
        if state.held is not None and state.differing is not None and state.outcome is None:
            self._repair()
            self._give("ann", _release)

    def _give(self, who: str, word: Word) -> None:
        state = self._now()
        if state.outcome is not None or state.phase is None:
            return
        event = word(state)
        if event is None:
            return
        version = self._version

        def append() -> None:
            try:
                self._journal.append([event], expected=version, at=self._hub.now(), by=who)
            except VersionConflict:
                self._give(who, word)

        self._hub.after(self._rng.choice((0.0, 0.0, 0.01)), append)

    def _now(self) -> State:
        entries = self._journal.read(self._version)
        if entries:
            told = (
                entry for entry in entries if not isinstance(entry.event, Looked)
            )  # the judge is not their business
            self._state, self._version = fold(told, self._state), entries[-1].position
        return self._state


def _release(state: State) -> Event | None:
    return Released(reason="go on") if state.held is not None else None


def _approval(state: State, who: str, now: datetime) -> Event | None:
    needed = state.approval_waited_for or (state.plan_or_raise.approval(state.phase) if state.phase else None)
    if needed is None or (needed.by and who not in needed.by) or who in approvers(needed, state.approvals, now):
        return None
    return Approved(phase=needed.phase, share=needed.share, reason="change 4711")
