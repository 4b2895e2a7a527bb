"""Bugs of the engine: what is recorded, what is done, and in which order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from crossfade.engine.engine import ENGINE, Engine
from crossfade.engine.world import RolesWorld
from crossfade.invariants import Rule
from crossfade.journal.memory import MemoryJournal
from crossfade.journal.port import VersionConflict
from crossfade.model import ends
from crossfade.model.events import EndReached, Event
from crossfade.model.seen import Shares
from crossfade.runbook.evolve import evolve
from crossfade.simulation.shared_journal import SharedJournal
from tests.simulation.plants.plant import OUTCOME, RECORDED, Garden

GARDEN = Garden()


@GARDEN.plant("The journal says that the writes have moved; they have not.", RECORDED, Rule.SHARES, OUTCOME)
def the_outcome_recorded_before_the_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(self: Engine) -> None:
        wanted = self._state.wanted
        if wanted is not None:
            self._record((EndReached(end=wanted),))
            self._world.bring_about(wanted, self._version)

    monkeypatch.setattr(Engine, "_finish_what_was_wanted", finish)


@GARDEN.plant("Users are moved by an intent that no journal has.", Rule.SHARES, Rule.RECORD)
def an_effect_before_its_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Engine._record

    def hasty(self: Engine, events: tuple[Event, ...]) -> None:
        last = events[-1] if events else None
        if getattr(last, "kind", "") == "end_wanted":
            done = self._world.bring_about(last.end, self._version)  # type: ignore[union-attr]
            events = (*events, done)
        record(self, events)

    monkeypatch.setattr(Engine, "_record", hasty)


@GARDEN.plant("What a person was quicker than is done all the same, and stands nowhere.", Rule.RECORD, Rule.NO_FLAPPING)
def an_event_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Engine._record

    def forgetful(self: Engine, events: tuple[Event, ...]) -> None:
        try:
            record(self, events)
        except VersionConflict:
            self._catch_up()
            for event in events:
                self._state = evolve(self._state, event, self._clock.now(), ENGINE)

    monkeypatch.setattr(Engine, "_record", forgetful)


@GARDEN.plant("Two engines carry out one migration, each on its own.", Rule.RECORD, Rule.NO_FLAPPING, Rule.WORDS)
def two_writers_for_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    append = SharedJournal.append

    def unasked(self: SharedJournal, events: Sequence[Event], *, expected: int, at: datetime, by: str) -> int:
        return append(self, events, expected=len(self._rows), at=at, by=by)

    monkeypatch.setattr(SharedJournal, "append", unasked)
    assert issubclass(SharedJournal, MemoryJournal)


@GARDEN.plant("After a crash the writes are moved once more.", Rule.ONE_WRITER, Rule.SHARES, Rule.RECORD)
def a_resume_that_repeats_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    take_up = Engine._take_up

    def from_before(self: Engine) -> None:
        take_up(self)
        state = self._state
        if state.wanted is None and state.cursor > 0:
            self._state = replace(state, cursor=state.cursor - 1)

    monkeypatch.setattr(Engine, "_take_up", from_before)


@GARDEN.plant("Whatever gives no answer counts as done.", RECORDED, OUTCOME, Rule.ONE_WRITER)
def no_answer_taken_for_done(monkeypatch: pytest.MonkeyPatch) -> None:
    bring_about = RolesWorld.bring_about

    def trusting(self: RolesWorld, end: Any, order: int) -> Any:
        outcome = bring_about(self, end, order)
        return EndReached(end=end) if "was not answered" in getattr(outcome, "reason", "") else outcome

    monkeypatch.setattr(RolesWorld, "bring_about", trusting)


@GARDEN.plant("After a crash twice as many customers as agreed are sent to the new servers.", Rule.SHARES)
def a_share_raised_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    act = RolesWorld._act

    def by_so_much(self: RolesWorld, end: Any, order: int) -> Any:
        if not isinstance(end, ends.SharesAre) or end.canary_percent == 0:
            return act(self, end, order)
        known = getattr(by_so_much, "known", {})
        found = self._roles.router.shares()
        present = found.canary_percent if isinstance(found, Shares) else 0.0
        more = end.canary_percent - known.get(self, 0.0)
        by_so_much.known = {self: end.canary_percent}  # type: ignore[attr-defined]
        return act(self, ends.SharesAre(canary_percent=min(100.0, present + more)), order)

    monkeypatch.setattr(RolesWorld, "_act", by_so_much)


@GARDEN.plant("An engine that stood still sends users back to where they were an hour ago.", Rule.SHARES, OUTCOME)
def an_overtaken_order_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossfade.simulation.router.in_order", lambda order, present: present)
