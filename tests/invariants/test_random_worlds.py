"""The rules hold whatever happens: random misses, blind spots, words, routers and deaths of one or two engines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.engine.engine import Engine
from crossfade.invariants import Rules
from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached
from crossfade.model.plan import LadderStep, NeededApproval
from crossfade.model.seen import Seen
from crossfade.model.terms import Phase, Side
from tests.engine.world import Bench, plan

LADDER = tuple(LadderStep(percent=p, bake=timedelta(seconds=3)) for p in (10.0, 30.0, 50.0, 90.0, 100.0))
WORDS: dict[str, events.Event] = {
    "hold": events.Held(reason="incident"),
    "release": events.Released(reason="over"),
    "rollback": events.RollbackRequested(reason="enough"),
    "approve cutover": events.Approved(phase=Phase.CUTOVER, reason="change 1"),
    "approve finalize": events.Approved(phase=Phase.FINALIZE, reason="change 2"),
}
TROUBLES = (
    *("errors", "heal", "blind", "blind-back", "see", "restart", "turned", "wal", "override"),
    *("way-back-dies", "way-back-lives", "both"),
    *WORDS,
)
APPROVALS = (
    (),
    (NeededApproval(phase=Phase.CUTOVER), NeededApproval(phase=Phase.FINALIZE)),
    (NeededApproval(phase=Phase.FINALIZE, by=("ann", "bob"), count=2, stand_in="carl"),),
)


class Death(Exception):
    """The engine is no more."""


@dataclass
class Judged:
    """A bench whose every entry and every sight is told to the rules."""

    bench: Bench
    misses: dict[int, tuple[bool, bool]]  # effect -> (it happened nevertheless, it may be tried again)
    deaths: dict[int, bool]  # effect -> after it, or before
    rules: Rules = field(default_factory=Rules)
    heard: int = 0
    effects: Iterator[int] = field(default_factory=count)
    seen: Seen | None = None

    def __post_init__(self) -> None:
        self.bench.world.hear = self._effect
        look = self.bench.world.look

        def watched(fields: frozenset[str], writer: Side) -> Seen:
            self.seen = look(fields, writer)
            return self.seen

        self.bench.world.look = watched  # type: ignore[method-assign]

    def _effect(self, end: End) -> EndReached | EndMissed | None:
        self.hear()
        number, world = next(self.effects), self.bench.world
        after = self.deaths.get(number)
        if after is False:
            raise Death
        happens, retryable = self.misses.get(number, (True, True))
        if happens:
            self._happens(end)
        if after:
            raise Death
        if number not in self.misses:
            return EndReached(end=end)
        facts = {"writer": world.writer.value}
        return EndMissed(end=end, reason="it would not", remedy="", retryable=retryable, facts=facts)

    def _happens(self, end: End) -> None:
        world, now = self.bench.world, self.bench.clock.now()
        world.hear = lambda _: None
        world.bring_about(end)
        world.hear = self._effect
        self.rules.saw_writers(now, source_open=world.writer is Side.SOURCE, target_open=world.writer is Side.TARGET)
        if isinstance(end, ends.SharesAre):
            self.rules.saw_share(now, world.percent)

    def hear(self) -> None:
        for entry in self.bench.journal.read(after=self.heard):
            self.rules.hear(entry, self.seen if entry.by == "engine" else None)
            self.heard = entry.position

    def tick(self, engine: Engine) -> bool:
        """Whether it has ended."""
        try:
            again = engine.tick()
        finally:
            self.hear()
        if again is not None:
            self.bench.clock.sleep_until(again)
        self._see_way_back()
        return again is None

    def _see_way_back(self) -> None:
        alive = self.bench.world.way_back_alive
        self.rules.saw_way_back(self.bench.clock.now(), alive=alive, fault=None if alive else "slot dropped")

    def trouble(self, what: str, by: str) -> None:
        world = self.bench.world
        match what:
            case "errors" | "heal":
                world.canary_error_rate = 0.05 if what == "errors" else 0.0
            case "blind":
                world.blind |= {"arms", "replication", "files"}
            case "blind-back":
                world.blind |= {"way_back", "writer", "shares"}
            case "see":
                world.blind.clear()
            case "restart":
                world.boot += "x"
                world._counts.clear()
                self._turn(0.0)
            case "turned":
                self._turn(77.0)
            case "wal":
                world.retained_wal_bytes = 2**40
            case "way-back-dies" | "way-back-lives":
                unseen = self.bench.phase is Phase.FINALIZE  # tests/runbook/test_repairs.py has that
                world.way_back_alive = what == "way-back-lives" or unseen
                self._see_way_back()
            case "both":
                world.both_write = not world.both_write
            case word:
                until = self.bench.clock.now() + timedelta(seconds=10)
                self.bench.say(WORDS.get(word, events.Overridden(reason="known", until=until)), by=by)

    def _turn(self, percent: float) -> None:
        self.bench.world.percent = percent
        self.rules.saw_share(self.bench.clock.now(), percent, by_hand=True)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    troubles=st.lists(
        st.tuples(st.integers(0, 25), st.sampled_from(TROUBLES), st.sampled_from(["ann", "bob", "carl"])), max_size=10
    ),
    misses=st.dictionaries(st.integers(0, 45), st.tuples(st.booleans(), st.booleans()), max_size=5),
    deaths=st.dictionaries(st.integers(0, 45), st.booleans(), max_size=3),
    approvals=st.sampled_from(APPROVALS),
    automatic=st.booleans(),
    engines=st.integers(1, 2),
)
def test_no_rule_is_broken_when_anything_may_happen(
    troubles: list[tuple[int, str, str]],
    misses: dict[int, tuple[bool, bool]],
    deaths: dict[int, bool],
    approvals: tuple[NeededApproval, ...],
    automatic: bool,
    engines: int,
) -> None:
    bench = Bench(
        plan(ladder=LADDER, bake=timedelta(seconds=8), approvals=approvals, fail_back_automatically=automatic)
    )
    judged = Judged(bench=bench, misses=misses, deaths=deaths)
    running = [bench.engine() for _ in range(engines)]
    ended = False
    for ticks, what, by in [*troubles, (250, "release", "ann")]:
        for number in range(ticks):
            if ended:
                break
            try:
                ended = judged.tick(running[number % engines])
            except Death:
                running[number % engines] = bench.engine()
        if not ended:
            judged.trouble(what, by)
    judged.hear()
    assert not judged.rules.violations, [str(found) for found in judged.rules.violations]
