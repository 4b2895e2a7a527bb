"""DESIGN's rules, held by the runbook whatever happens: random troubles and words, in virtual time."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed
from crossfade.model.plan import LadderStep
from crossfade.model.terms import Outcome, Side
from crossfade.runbook.evolve import fold
from tests.engine.world import Bench, plan

LADDER = (10.0, 30.0, 50.0, 90.0, 100.0)
WORDS: dict[str, events.Event] = {
    "hold": events.Held(reason="h"),
    "release": events.Released(reason="r"),
    "rollback": events.RollbackRequested(reason="b"),
}
TROUBLES = st.sampled_from(["none", "errors", "heal", "blind", "see", "restart", "wal", *WORDS])


class Crash(Exception):
    pass


def trouble(bench: Bench, what: str) -> None:
    world = bench.world
    match what:
        case "errors":
            world.canary_error_rate = 0.05
        case "heal":
            world.canary_error_rate = 0.0
        case "blind":
            world.blind |= {"arms", "way_back"}
        case "see":
            world.blind.clear()
        case "restart":
            world.boot += "x"
            world._counts.clear()
        case "wal":
            world.retained_wal_bytes = 2 * bench.plan.replication.retained_wal_bytes
        case "none":
            pass
        case word:
            bench.say(WORDS[word])


def eventful(bench: Bench, misses: list[int], crashes: dict[int, bool]) -> Callable[[End], EndMissed | None]:
    """The effects so numbered fail; at others the engine dies, before (True) or after the effect."""
    number = count(1)

    def hear(end: End) -> EndMissed | None:
        effect = next(number)
        if effect in crashes:
            if not crashes[effect]:
                bench.world.hear = lambda _: None
                bench.world.bring_about(end)
                bench.world.hear = hear
            raise Crash
        if effect in misses:
            facts = {"writer": bench.world.writer.value}
            return EndMissed(end=end, reason="no", remedy="", retryable=True, facts=facts)
        return None

    return hear


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    troubles=st.lists(st.tuples(st.integers(1, 25), TROUBLES), max_size=6),
    misses=st.lists(st.integers(0, 40), max_size=5, unique=True),
    crashes=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=3, unique_by=lambda c: c[0]),
)
def test_the_rules_hold_when_anything_may_happen(
    troubles: list[tuple[int, str]], misses: list[int], crashes: list[tuple[int, bool]]
) -> None:
    bench = Bench(plan(ladder=tuple(LadderStep(percent=p, bake=timedelta(seconds=3)) for p in LADDER)))
    bench.world.hear = eventful(bench, misses, dict(crashes))
    engine = bench.engine()
    for ticks, what in [*troubles, (400, "none")]:
        for _ in range(ticks):
            try:
                again = engine.tick()
            except Crash:
                engine = bench.engine()
                continue
            if again is None:
                break
            bench.clock.sleep_until(again)
        if bench.state.outcome is None:
            trouble(bench, what)
    assert_rules(bench)


def assert_rules(bench: Bench) -> None:
    state = bench.state
    reached = bench.world.reached
    shares = [end.canary_percent for end in reached if isinstance(end, ends.SharesAre)]
    for lower, higher in pairwise([0.0, *shares]):  # shares only rise by the ladder, and fall at once
        assert higher <= lower or [0.0, *LADDER].index(higher) == [0.0, *LADDER].index(lower) + 1
    switches = [end for end in reached if isinstance(end, ends.WriterIs)]
    assert [end.epoch for end in switches] == sorted(end.epoch for end in switches)
    finalized = next((i for i, end in enumerate(reached) if isinstance(end, ends.WayBackEnded)), None)
    if (
        finalized is not None
    ):  # nothing is finalized that was not verified, or without a way back proven, after the switch
        before = reached[:finalized]
        last_switch = max(i for i, end in enumerate(before) if isinstance(end, ends.WriterIs))
        assert ends.DataVerified(primary=Side.TARGET, epoch=state.epoch) in before[last_switch:]
        assert ends.WayBackAwake(primary=Side.TARGET, epoch=state.epoch) in before[last_switch:]
    if state.outcome is Outcome.ROLLED_BACK:
        assert bench.world.writer is Side.SOURCE
        assert not switches
    if state.outcome is Outcome.FAILED_BACK:
        assert bench.world.writer is Side.SOURCE
    if state.outcome is Outcome.COMPLETED:
        assert bench.world.writer is Side.TARGET


def test_a_fold_is_the_same_whatever_pieces_it_is_made_of() -> None:
    bench = Bench(plan())
    bench.engine().run()
    entries = bench.journal.read()
    whole = fold(entries)
    for cut in range(0, len(entries), 17):
        assert fold(entries[cut:], fold(entries[:cut])) == whole
