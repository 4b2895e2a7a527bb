"""A way back that is away for a while, dies, comes too late or is lost, from the cutover to the point of no return."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed
from crossfade.model.plan import LadderStep, NeededApproval
from crossfade.model.seen import Replication, Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side
from tests.engine.world import Bench, ScriptedWorld, plan
from tests.runbook.following import assert_the_rules

LIMIT = timedelta(seconds=40)
LADDER = tuple(LadderStep(percent=percent, bake=timedelta(seconds=3)) for percent in (50.0, 100.0))
PLAN = plan(
    ladder=LADDER,
    bake=timedelta(seconds=10),
    look_every=timedelta(seconds=1),
    max_way_back_lag=LIMIT,
    approvals=(NeededApproval(phase=Phase.FINALIZE),),
)
LOST = NoData(reason="the slot is gone", lost=True)


@pytest.fixture(params=[Phase.BAKE, Phase.FINALIZE])
def bench(request: pytest.FixtureRequest) -> Bench:
    """In the bake, or where finalize waits for its approval."""
    bench = Bench(PLAN)
    bench.run_until(lambda b: b.phase is request.param)
    return bench


def wait(bench: Bench, duration: timedelta) -> None:
    end = bench.clock.now() + duration
    bench.run_until(lambda b: b.clock.now() >= end)


def turns(bench: Bench) -> list[str]:
    return [decided.cause for decided in bench.events(events.FailBackDecided)]


def standing(bench: Bench) -> set[str]:
    return {warning.subject for warning in bench.state.warnings}


def seeing(monkeypatch: pytest.MonkeyPatch, change: Callable[[Seen], Seen]) -> None:
    look = ScriptedWorld.look
    monkeypatch.setattr(ScriptedWorld, "look", lambda *asked: change(look(*asked)))


def approve(bench: Bench) -> None:
    bench.say(events.Approved(phase=Phase.FINALIZE, reason="change 1"))


def test_it_is_told_and_goes_on_when_the_way_back_lives_again_in_time(bench: Bench) -> None:
    bench.world.way_back_alive = False
    approve(bench)
    wait(bench, LIMIT / 2)
    assert standing(bench) == {"way_back"}
    bench.world.way_back_alive = True
    assert bench.engine().run() is Outcome.COMPLETED
    assert [ended.subject for ended in bench.events(events.WarningEnded)] == ["way_back"]
    assert_the_rules(bench)


def test_it_fails_back_by_itself_when_the_way_back_stays_dead_though_both_sides_answer(bench: Bench) -> None:
    bench.world.way_back_alive = False
    died = bench.clock.now()
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert turns(bench) == ["way_back"]
    decided = next(e.at for e in bench.journal.read() if isinstance(e.event, events.FailBackDecided))
    assert LIMIT <= decided - died < LIMIT + timedelta(seconds=5)
    assert bench.world.writer is Side.SOURCE
    assert not standing(bench)
    assert_the_rules(bench)


def test_it_fails_back_by_itself_when_the_way_back_cannot_keep_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(seen: Seen) -> Seen:
        found = seen.replication.value
        if not isinstance(found, Replication) or found.primary is Side.SOURCE:
            return seen
        return replace(seen, replication=replace(seen.replication, value=replace(found, lag=2 * LIMIT)))

    seeing(monkeypatch, late)
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert turns(bench) == ["way_back"]
    assert "late" in bench.events(events.FailBackDecided)[0].reason


def test_a_person_is_asked_when_the_way_back_stays_dead_and_it_may_not_fail_back_by_itself() -> None:
    bench = Bench(replace(PLAN, approvals=(), fail_back_automatically=False))
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    bench.world.way_back_alive = False
    bench.run_until(lambda b: bool(b.events(events.Held)))
    assert "way back is dead" in bench.events(events.Held)[0].reason
    wait(bench, LIMIT)
    assert len(bench.events(events.Held)) == 1
    assert not turns(bench)


@pytest.mark.parametrize("how", ["unseen", "cut off"])
def test_it_waits_and_says_so_however_long_the_way_back_is_cut_off(bench: Bench, how: str) -> None:
    """To fail back, one would need both sides; and users on the legacy side would not reach the target."""
    if how == "unseen":
        bench.world.blind.add("way_back")
    else:
        bench.world.way_back_alive = False
        bench.world.links = dict.fromkeys(bench.world.links, False)
    approve(bench)
    wait(bench, 5 * LIMIT)
    assert "way_back_unseen" in standing(bench)
    assert bench.events(events.GateWaits)[-1].gate in {"baked", "way_back_alive"}
    assert ends.WayBackEnded() not in bench.world.reached
    assert not turns(bench)
    bench.world.blind.clear()
    bench.world.links = dict.fromkeys(bench.world.links, True)
    if how == "cut off":  # it needs a while until it streams again, and has it
        wait(bench, LIMIT / 2)
    bench.world.way_back_alive = True
    assert bench.engine().run() is Outcome.COMPLETED
    assert_the_rules(bench)


@pytest.mark.parametrize("field", ["way_back", "replication"])
@pytest.mark.parametrize("asked", [False, True])
def test_it_halts_where_it_stands_and_refuses_to_go_back_when_the_way_back_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, field: str, *, asked: bool
) -> None:
    before = len(bench.world.reached)
    seeing(monkeypatch, lambda seen: replace(seen, **{field: replace(getattr(seen, field), value=LOST)}))
    bench.world.canary_error_rate = 0.5  # not even then
    if asked:
        bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.HALTED
    assert not turns(bench)
    assert len(bench.world.reached) == before
    refused = bench.events(events.RequestRefused)
    assert [LOST.reason in word.reason for word in refused] == [True] * asked
    reason = bench.events(events.MigrationEnded)[0].reason
    assert LOST.reason in reason
    assert "What is left" in reason
    assert_the_rules(bench)


def test_it_fails_back_when_the_way_back_cannot_be_woken_after_the_switch() -> None:
    bench = Bench(PLAN)

    def hear(end: End) -> EndMissed | None:
        asleep = isinstance(end, ends.WayBackAwake) and bench.state.course == "forward"
        return EndMissed(end=end, reason="it sleeps on", remedy="", retryable=True) if asleep else None

    bench.world.hear = hear
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert turns(bench) == ["end"]
    assert_the_rules(bench)


def test_a_rollback_is_refused_and_nobody_looks_back_after_the_point_of_no_return() -> None:
    bench = Bench(replace(PLAN, approvals=()))
    bench.run_until(lambda b: ends.WayBackEnded() in b.world.reached)
    bench.world.way_back_alive = False
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.COMPLETED
    assert len(bench.events(events.RequestRefused)) == 1
    assert not standing(bench)


def test_a_switch_half_done_is_found_done_first_when_the_share_had_to_be_repaired_meanwhile() -> None:
    bench = Bench(replace(PLAN, approvals=()))

    def hear(end: End) -> EndMissed | None:
        if isinstance(end, ends.WriterIs) and not bench.events(EndMissed):
            bench.world.writer = end.side
            return EndMissed(end=end, reason="no", remedy="", retryable=True, facts={"writer": "target"})
        return None

    bench.world.hear = hear
    bench.run_until(lambda b: bool(b.events(EndMissed)))
    bench.world.percent = 10.0
    bench.say(events.Held(reason="wait"))
    bench.say(events.Released(reason="go on"))
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert not bench.events(events.RollbackDecided)
    assert_the_rules(bench)


@pytest.mark.parametrize("opened", ["target", None])
def test_a_router_that_does_not_obey_keeps_no_switch_from_being_finished(opened: str | None) -> None:
    bench = Bench(replace(PLAN, approvals=()))

    def hear(end: End) -> EndMissed | None:
        if isinstance(end, ends.WriterIs) and not bench.events(EndMissed):
            bench.world.percent = 10.0
            return EndMissed(end=end, reason="no", remedy="", retryable=True, facts={"writer": opened})
        if isinstance(end, ends.SharesAre) and bench.events(EndMissed):
            return EndMissed(end=end, reason="no", remedy="", retryable=True)
        return None

    bench.world.hear = hear
    bench.run_until(lambda b: b.world.writer is Side.TARGET)
    assert not [e for e in bench.events(EndMissed) if isinstance(e.end, ends.SharesAre)]


def test_nothing_is_finalized_while_nobody_sees_where_the_users_are_sent(bench: Bench) -> None:
    """A router that forgot its share unseen would leave the users on servers that are about to be retired."""
    bench.world.blind.add("shares")
    bench.world.percent = 0.0
    approve(bench)
    wait(bench, timedelta(seconds=60))
    assert not any(isinstance(end, ends.WayBackEnded) for end in bench.world.reached)
    bench.world.blind.clear()
    bench.run_until(lambda b: b.state.outcome is Outcome.COMPLETED)
    assert bench.world.percent == 100.0
    ended = bench.world.reached.index(ends.WayBackEnded())
    assert bench.world.reached[:ended].count(ends.SharesAre(canary_percent=100.0)) == 2


def test_users_are_on_the_target_at_the_end_when_a_router_has_forgotten_them_and_nobody_saw_it() -> None:
    bench = Bench(replace(PLAN, approvals=()))

    def hear(end: End) -> None:
        if end == ends.SourceRetired():
            bench.world.blind.add("shares")
            bench.world.percent = 0.0

    bench.world.hear = hear
    assert bench.engine().run() is Outcome.COMPLETED
    assert bench.world.percent == 100.0
