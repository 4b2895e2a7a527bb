"""The only loop there is."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from crossfade.engine.clock import Clock
from crossfade.engine.progress import progress_of
from crossfade.engine.wants import wants
from crossfade.engine.world import World
from crossfade.journal.port import Journal, VersionConflict
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EngineStarted, Event
from crossfade.model.progress import Progress
from crossfade.model.terms import Outcome
from crossfade.runbook.decide import decide
from crossfade.runbook.evolve import evolve, fold
from crossfade.runbook.state import State

ENGINE = "engine"


class Engine:
    """Carries out the migration in `journal` through `world`. Any number of engines may try: one append wins.

    `watch` is shown a `Progress` after each look. What it raises as a domain error, such as that the disk is full for
    telemetry, is passed over: nothing is decided by it.
    """

    def __init__(
        self, *, journal: Journal, world: World, clock: Clock, watch: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._journal, self._world, self._clock, self._watch = journal, world, clock, watch
        self._state, self._version = State(), 0

    def run(self) -> Outcome:
        """Until the migration has ended."""
        self._take_up()
        while True:
            again = self.tick()
            if again is None:
                return self._state.outcome or Outcome.HALTED
            self._clock.sleep_until(again)

    def tick(self) -> datetime | None:
        """One round: finish what was wanted, look, decide, record. Returns when to come again; None at the end."""
        try:
            self._catch_up()
            self._finish_what_was_wanted()
            seen = self._world.look(wants(self._state), self._state.writer)
            self._catch_up()  # a person's word given meanwhile counts
            if self._state.wanted is not None:  # another engine is at it: what it wanted comes before anything new
                return self._clock.now()
            decision = decide(self._state, seen, self._clock.now())
            self._record(decision.events)
            self._finish_what_was_wanted()
        except VersionConflict:
            return self._clock.now()
        with suppress(CrossfadeError):
            self._watch(progress_of(self._state, seen, self._clock.now()))
        return decision.look_again if self._state.outcome is None else None

    def _take_up(self) -> None:
        while True:
            try:
                self._catch_up()
                if self._state.outcome is None:
                    self._record((EngineStarted(),))
            except VersionConflict:
                continue
            return

    def _catch_up(self) -> None:
        entries = self._journal.read(after=self._version)
        if entries:
            self._state = fold(entries, self._state)
            self._version = entries[-1].position

    def _finish_what_was_wanted(self) -> None:
        if self._state.wanted is not None:
            order = self._state.entries_before + self._version
            self._record((self._world.bring_about(self._state.wanted, order),))

    def _record(self, events: tuple[Event, ...]) -> None:
        """Durable before anybody acts on it."""
        if not events:
            return
        at = self._clock.now()
        self._version = self._journal.append(events, expected=self._version, at=at, by=ENGINE)
        for event in events:
            self._state = evolve(self._state, event, at, ENGINE)
