"""The whole runbook in virtual time: the engine against a world in which a test decides what goes wrong."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side
from tests.engine.world import HEALTHY, Bench, ScriptedWorld, missed, plan, shares

SLOW = (0.02, 0.10, 0.18, 0.25, 0.25, 0.15, 0.05)


def test_all_phases_pass_in_order_when_all_is_well(bench: Bench) -> None:
    assert bench.engine().run() is Outcome.COMPLETED
    assert [e.phase for e in bench.events(events.PhaseEntered)] == list(Phase)
    assert shares(bench) == [5.0, 25.0, 50.0, 90.0, 100.0]
    state = bench.state
    assert (state.writer, state.epoch, state.verified) == (Side.TARGET, 1, (Side.TARGET, 1))


def test_every_effect_is_recorded_first_when_brought_about(bench: Bench) -> None:
    seen_before: list[bool] = []

    def hear(end: End) -> None:
        last = bench.journal.read()[-1].event
        seen_before.append(isinstance(last, events.EndWanted) and last.end == end)

    bench.world.hear = hear
    bench.engine().run()
    assert seen_before
    assert all(seen_before)


def test_each_share_bakes_at_least_its_time_when_promoted(bench: Bench) -> None:
    bench.engine().run()
    times = [e.at for e in bench.journal.read() if isinstance(e.event, EndReached) and e.event.end.kind == "shares_are"]
    assert all(later - earlier >= timedelta(seconds=20) for earlier, later in pairwise(times))


def test_the_canary_is_rolled_back_when_it_makes_errors(bench: Bench) -> None:
    bench.world.canary_error_rate = 0.02
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert shares(bench)[-1] == 0.0
    assert max(shares(bench)) <= 25.0
    decided = bench.events(events.RollbackDecided)[0]
    assert decided.cause == "judge"
    assert ends.ReplicationRemoved() in bench.world.reached
    assert not [e for e in bench.world.reached if isinstance(e, ends.WriterIs)]


def test_the_canary_is_rolled_back_when_it_is_slow(bench: Bench) -> None:
    bench.world.canary_shape = SLOW
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert max(shares(bench)) <= 25.0


def test_the_share_falls_in_the_same_tick_when_the_judge_aborts(bench: Bench) -> None:
    bench.world.canary_error_rate = 0.05
    bench.engine().run()
    entries = bench.journal.read()
    place = next(i for i, e in enumerate(entries) if isinstance(e.event, events.RollbackDecided))
    assert entries[place + 1].event == events.EndWanted(end=ends.SharesAre(canary_percent=0.0))
    assert entries[place + 2].event == EndReached(end=ends.SharesAre(canary_percent=0.0))
    assert entries[place + 2].at == entries[place].at


def test_nothing_rolls_back_when_both_arms_make_the_same_errors(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 25.0)
    bench.world.common_error_rate = 0.05
    end = bench.clock.now() + timedelta(seconds=30)
    bench.run_until(lambda b: b.clock.now() >= end)
    bench.world.common_error_rate = 0.0
    assert bench.engine().run() is Outcome.COMPLETED


@pytest.mark.parametrize("field", ["arms"])
def test_the_share_does_not_rise_when_there_is_no_data(bench: Bench, field: str) -> None:
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.world.blind.add(field)
    end = bench.clock.now() + timedelta(minutes=3)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert bench.world.percent == 5.0
    assert events.GateWaits(
        gate="judged:0", cause="no_data", reason="there are no fresh counts of both arms"
    ) in bench.events(events.GateWaits)
    bench.world.blind.clear()
    assert bench.engine().run() is Outcome.COMPLETED


def test_counting_begins_anew_when_the_router_was_restarted(bench: Bench) -> None:
    bench.run_until(lambda b: len(b.events(events.Looked)) > 3)
    bench.world.boot = "2"
    bench.world._counts.clear()
    assert bench.engine().run() is Outcome.COMPLETED
    assert all(look.canary.requests >= 0 for look in bench.events(events.Looked))


def test_the_share_is_set_again_when_somebody_turned_the_router(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 25.0)
    bench.world.percent = 80.0
    bench.run_until(lambda b: b.world.percent == 25.0)
    assert bench.state.canary_percent == 25.0
    assert bench.engine().run() is Outcome.COMPLETED


def test_it_goes_on_when_a_share_was_set_again_and_reported_as_failed(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 25.0)

    def fail_though_it_is_done(end: End) -> EndMissed | None:
        if end != ends.SharesAre(canary_percent=25.0) or bench.events(EndMissed):
            return None
        bench.world.percent = 25.0
        return missed(end)

    bench.world.percent, bench.world.hear = 0.0, fail_though_it_is_done
    assert bench.engine().run() is Outcome.COMPLETED
    assert len(bench.events(EndMissed)) == 1


def test_it_halts_before_anything_is_built_when_preflight_is_not_clean(bench: Bench) -> None:
    bench.world.hear = lambda end: missed(end, retryable=False) if end == ends.PreflightClean() else None
    assert bench.engine().run() is Outcome.HALTED
    assert ends.SchemaCreated() not in bench.world.reached


def test_an_end_is_tried_again_when_it_may_succeed_later(bench: Bench) -> None:
    tries = 0

    def hear(end: End) -> EndMissed | None:
        nonlocal tries
        if end == ends.SchemaCreated():
            tries += 1
            return missed(end) if tries < 3 else None
        return None

    bench.world.hear = hear
    assert bench.engine().run() is Outcome.COMPLETED
    assert tries == 3


def test_it_rolls_back_when_an_end_stays_out_of_reach(bench: Bench) -> None:
    bench.world.hear = lambda end: missed(end) if end == ends.SchemaCompleted() else None
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert len(bench.events(events.EndMissed)) == bench.plan.attempts


def test_it_rolls_back_when_the_switch_fails_and_the_source_still_writes(bench: Bench) -> None:
    bench.world.hear = lambda end: missed(end, writer="source") if isinstance(end, ends.WriterIs) else None
    assert bench.engine().run() is Outcome.ROLLED_BACK


def test_the_switch_is_finished_however_long_it_takes_when_neither_side_writes(bench: Bench) -> None:
    tries = 0

    def hear(end: End) -> EndMissed | None:
        nonlocal tries
        tries += isinstance(end, ends.WriterIs)
        return missed(end, writer=None) if isinstance(end, ends.WriterIs) and tries < 50 else None

    bench.world.hear = hear
    assert bench.engine().run() is Outcome.COMPLETED
    assert tries == 50


def test_the_migration_gives_way_when_the_source_keeps_too_much_wal(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.world.retained_wal_bytes = bench.plan.replication.retained_wal_bytes + 1
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert bench.events(events.RollbackDecided)[0].cause == "replication"


@pytest.mark.parametrize(
    ("phase", "outcome", "writer"),
    [
        (Phase.CANARY, Outcome.ROLLED_BACK, Side.SOURCE),
        (Phase.CUTOVER, Outcome.ROLLED_BACK, Side.SOURCE),
        (Phase.BAKE, Outcome.HALTED, Side.TARGET),
    ],
)
def test_it_waits_for_nothing_when_replication_has_lost_changes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, phase: Phase, outcome: Outcome, writer: Side
) -> None:
    """After the cutover it fails back no more: what was written since would be lost."""
    bench.run_until(lambda b: b.phase is phase)
    look = type(bench.world).look
    gone = NoData(reason="the slot is gone", lost=True)

    def blind(world: ScriptedWorld, fields: frozenset[str], side: Side) -> Seen:
        seen = look(world, fields, side)
        return replace(seen, replication=replace(seen.replication, value=gone)) if "replication" in fields else seen

    monkeypatch.setattr(type(bench.world), "look", blind)
    assert bench.engine().run() is outcome
    assert bench.state.writer is writer
    assert "the slot is gone" in str(bench.journal.read())
    assert shares(bench)[-1] == (0.0 if outcome is Outcome.ROLLED_BACK else 100.0)


def test_nothing_is_finalized_when_the_way_back_is_not_alive() -> None:
    bench = Bench(plan(max_way_back_lag=timedelta(hours=1)))
    bench.world.way_back_alive = False
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert bench.phase is Phase.BAKE


def test_it_tries_on_when_something_is_out_of_reach_after_the_point_of_no_return(bench: Bench) -> None:
    def away(end: End) -> EndMissed | None:
        tried = sum(event.end == ends.ServersFinalized() for event in bench.events(EndMissed))
        return missed(end) if end == ends.ServersFinalized() and tried < 2 * bench.plan.attempts else None

    bench.world.hear = away
    assert bench.engine().run() is Outcome.COMPLETED


def test_nothing_is_finalized_when_the_source_takes_writes_as_well(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    bench.world.both_write = True
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert bench.phase is Phase.BAKE


def test_it_fails_back_when_errors_come_during_bake(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    bench.world.canary_error_rate = 0.05
    assert bench.engine().run() is Outcome.FAILED_BACK


def test_healthy_is_the_shape_of_both_arms_by_default() -> None:
    assert sum(HEALTHY) == pytest.approx(1.0)
