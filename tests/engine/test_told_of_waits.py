"""What people are told of while a rollout waits, comes back, or goes on over the judge's head."""

from datetime import timedelta

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed
from crossfade.model.terms import Outcome
from tests.engine.world import Bench, missed, plan


def warned(bench: Bench, subject: str) -> list[events.Warned]:
    return [warning for warning in bench.events(events.Warned) if warning.subject == subject]


def ended(bench: Bench, subject: str) -> bool:
    return any(over.subject == subject for over in bench.events(events.WarningEnded))


def test_a_person_is_asked_when_evidence_is_missing_for_longer_than_it_may() -> None:
    bench = Bench(plan(hold_at_most=timedelta(minutes=2)))
    bench.run_until(lambda b: b.world.percent == 5.0)
    risen = bench.clock.now()
    bench.world.blind.add("arms")
    bench.run_until(lambda b: bool(warned(b, "evidence")))
    assert bench.clock.now() - risen >= bench.plan.ladder[0].bake + timedelta(minutes=2)
    (told,) = warned(bench, "evidence")
    assert "5 % is held for longer than 2 min for want of evidence: there are no fresh counts" in told.reason
    bench.world.blind.clear()
    assert bench.engine().run() is Outcome.COMPLETED
    assert len(warned(bench, "evidence")) == 1
    assert ended(bench, "evidence")


def test_nobody_is_asked_when_a_person_holds_it() -> None:
    bench = Bench(plan(hold_at_most=timedelta(minutes=2)))
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.say(events.Held(reason="incident"))
    until = bench.clock.now() + timedelta(minutes=5)
    bench.run_until(lambda b: b.clock.now() >= until)
    assert not warned(bench, "evidence")


def test_people_are_told_when_users_are_not_back_within_the_time_that_was_promised() -> None:
    bench = Bench(plan(rollback_within=timedelta(seconds=4)))
    bench.run_until(lambda b: b.world.percent == 25.0)

    def away(end: End) -> EndMissed | None:
        tried = sum(event.end == end for event in bench.events(EndMissed))
        return missed(end) if end == ends.SharesAre(canary_percent=0.0) and tried < 8 else None

    bench.world.hear = away
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.ROLLED_BACK
    (told,) = warned(bench, "return")
    assert "25 % of users are still on the modern servers, more than 4 s after it was decided" in told.reason


def test_nobody_is_told_when_users_are_back_in_time() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 25.0)
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert not warned(bench, "return")


def overridden(bench: Bench, lasts: timedelta) -> None:
    bench.say(events.Overridden(reason="known slow report", until=bench.clock.now() + lasts), by="ann")


def test_everybody_is_told_who_overrides_until_when_and_why_and_when_that_is_over() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 5.0)
    overridden(bench, timedelta(seconds=30))
    bench.run_until(lambda b: ended(b, "override"))
    (told,) = warned(bench, "override")
    assert (
        told.reason
        == "the judge of traffic is not heard until 2026-01-02 03:00:30 UTC, by the word of ann: known slow report"
    )


def test_the_judge_goes_on_counting_during_an_override_and_is_heard_at_its_very_end() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 5.0 and bool(b.events(events.Looked)))
    overridden(bench, timedelta(seconds=60))
    until = bench.clock.now() + timedelta(seconds=60)
    bench.world.canary_error_rate = 0.05
    assert bench.engine().run() is Outcome.ROLLED_BACK
    entries = bench.journal.read()
    decided = next(e.at for e in entries if isinstance(e.event, events.RollbackDecided))
    assert until <= decided <= until + bench.plan.look_every
    meanwhile = [e.event for e in entries if isinstance(e.event, events.Looked) and e.at < until]
    assert "abort" in {look.verdict for look in meanwhile}


def test_an_override_lasts_its_time_when_nothing_was_counted_for_longer_than_that() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 5.0 and bool(b.events(events.Looked)))
    bench.world.blind.add("arms")
    until = bench.clock.now() + timedelta(minutes=10)
    bench.run_until(lambda b: b.clock.now() >= until)
    overridden(bench, timedelta(minutes=1))
    now = bench.clock.now()
    bench.engine().tick()
    state = bench.state
    assert state.overridden(now + timedelta(seconds=59))
    assert not state.overridden(now + timedelta(seconds=60))


@pytest.mark.parametrize("seconds", [20, 40])
def test_the_newest_override_counts_when_there_are_two(seconds: int) -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 5.0)
    overridden(bench, timedelta(seconds=30))
    bench.engine().tick()
    overridden(bench, timedelta(seconds=seconds))
    now = bench.clock.now()
    bench.engine().tick()
    state = bench.state
    assert state.override is not None
    assert state.override.until == now + timedelta(seconds=seconds)
    assert len(warned(bench, "override")) == 2
