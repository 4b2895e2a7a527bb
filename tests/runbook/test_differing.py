"""A difference that verification finds after the cutover: going back never loses an acknowledged write."""

from datetime import timedelta

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed
from crossfade.model.terms import Outcome, Phase, Side
from tests.engine.world import Bench, plan

VERIFIED = ends.DataVerified(primary=Side.TARGET, epoch=1)
FactsFound = dict[str, str | int]
DAMAGED: FactsFound = {"written_since_switch": 0, "age_unknown": 0, "unresolved": 0}
WRITTEN: FactsFound = {
    "written_since_switch": 2,
    "age_unknown": 1,
    "unresolved": 0,
    "difference 1": "extra shop.orders {}",
}
UNKNOWN: FactsFound = {"written_since_switch": 0, "age_unknown": 1, "unresolved": 0}


def differing(**facts: str | int) -> Bench:
    """The verification of bake finds rows that differ."""
    bench = Bench(plan())

    def hear(end: End) -> EndMissed | None:
        if end != VERIFIED:
            return None
        return EndMissed(end=end, reason="3 rows differ", remedy="compare", retryable=False, facts=facts)

    bench.world.hear = hear
    return bench


def held(bench: Bench) -> Bench:
    bench.run_until(lambda b: bool(b.events(events.Held)))
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert not bench.events(events.FailBackDecided)
    assert bench.state.writer is Side.TARGET
    return bench


def test_it_fails_back_by_itself_when_no_side_has_written_what_differs_since_the_switch() -> None:
    bench = differing(**DAMAGED)
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert not bench.events(events.Held)


@pytest.mark.parametrize("facts", [WRITTEN, UNKNOWN, {**DAMAGED, "unresolved": 1}, {}])
def test_it_holds_for_a_person_when_going_back_might_lose_a_write(facts: FactsFound) -> None:
    bench = held(differing(**facts))
    assert bench.phase is Phase.BAKE
    assert len(bench.events(events.Held)) == 1


def test_the_hold_names_the_rows_and_what_going_back_would_lose() -> None:
    (hold,) = held(differing(**WRITTEN)).events(events.Held)
    assert "extra shop.orders {}" in hold.reason
    assert "2 of them were written since the cutover and are not on the source" in hold.reason


def test_nobody_goes_back_when_that_would_surely_lose_writes() -> None:
    bench = held(differing(**WRITTEN))
    bench.say(events.RollbackRequested(reason="back"))
    bench.run_until(lambda b: bool(b.events(events.RequestRefused)))
    held(bench)
    (refused,) = bench.events(events.RequestRefused)
    assert "2 rows written since the cutover are not on the source" in refused.reason


def test_a_person_may_say_to_go_back_when_nothing_is_known_to_be_lost() -> None:
    bench = held(differing(**UNKNOWN))
    bench.say(events.RollbackRequested(reason="a row too many on the source, and it is right"))
    assert bench.engine().run() is Outcome.FAILED_BACK


def test_it_goes_on_when_the_rows_were_mended_and_the_hold_released() -> None:
    bench = held(differing(**WRITTEN))
    bench.world.hear = lambda _: None
    bench.say(events.Released(reason="copied"))
    assert bench.engine().run() is Outcome.COMPLETED
    assert VERIFIED in bench.world.reached


def test_it_holds_again_when_released_though_nothing_was_mended() -> None:
    bench = held(differing(**WRITTEN))
    bench.say(events.Released(reason="go on"))
    bench.run_until(lambda b: len(b.events(events.Held)) == 2)
    assert not bench.events(events.FailBackDecided)


def test_no_other_cause_goes_back_by_itself_while_rows_differ() -> None:
    """Errors of the canary would fail it back at once; that would lose the very same writes."""
    bench = held(differing(**WRITTEN))
    bench.world.canary_error_rate = 0.05
    bench.say(events.Released(reason="go on"))
    bench.run_until(lambda b: len(b.events(events.Held)) >= 2)
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert not bench.events(events.FailBackDecided)


def test_the_judge_goes_back_again_when_a_later_verification_finds_no_difference() -> None:
    bench = held(differing(**WRITTEN))
    bench.world.hear = lambda _: None
    bench.say(events.Released(reason="copied"))
    bench.run_until(lambda b: VERIFIED in b.world.reached)
    assert bench.state.differing is None


def test_it_holds_and_tries_again_when_released_if_the_sides_could_not_be_compared() -> None:
    """Missing data holds: a verification that gives no answer is no reason to move everybody back."""
    bench, silent = Bench(plan()), True

    def hear(end: End) -> EndMissed | None:
        if end != VERIFIED or not silent:
            return None
        return EndMissed(end=end, reason="nobody answers", remedy="wait", retryable=True)

    bench.world.hear = hear
    (hold,) = held(bench).events(events.Held)
    assert "could not be compared: nobody answers" in hold.reason
    silent = False
    bench.say(events.Released(reason="it answers again"))
    assert bench.engine().run() is Outcome.COMPLETED


def test_everything_is_verified_again_when_released_before_another_cause_holds_once_more() -> None:
    """Else whoever mends the rows while the way back is dead is held anew for rows that differ no longer."""
    bench = held(differing(**WRITTEN))
    bench.world.hear = lambda _: None
    bench.world.way_back_alive = False
    bench.run_until(lambda b: any(warned.subject == "way_back" for warned in b.events(events.Warned)))
    later = bench.clock.now() + 2 * plan().max_way_back_lag
    bench.run_until(lambda b: b.clock.now() >= later)
    bench.say(events.Released(reason="copied"))
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert len(bench.events(events.Held)) == 1
