"""The whole runbook in virtual time: the engine against a world in which a test decides what goes wrong."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached
from crossfade.model.plan import NeededApproval
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side
from crossfade.runbook.evolve import fold
from tests.engine.world import HEALTHY, Bench, ScriptedWorld, plan

SLOW = (0.02, 0.10, 0.18, 0.25, 0.25, 0.15, 0.05)


@pytest.fixture
def bench() -> Bench:
    return Bench(plan())


def missed(end: End, *, retryable: bool = True, **facts: str | None) -> EndMissed:
    return EndMissed(end=end, reason="it would not", remedy="try", retryable=retryable, facts=facts)


def shares(bench: Bench) -> list[float]:
    return [end.canary_percent for end in bench.world.reached if isinstance(end, ends.SharesAre)]


def test_all_phases_pass_in_order_when_all_is_well(bench: Bench) -> None:
    assert bench.engine().run() is Outcome.COMPLETED
    assert [e.phase for e in bench.events(events.PhaseEntered)] == list(Phase)
    assert shares(bench) == [5.0, 25.0, 50.0, 90.0, 100.0]
    state = fold(bench.journal.read())
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
    assert fold(bench.journal.read()).canary_percent == 25.0
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


def test_a_hold_stops_the_way_forward_until_released(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.say(events.Held(reason="incident"))
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert bench.world.percent == 5.0
    bench.say(events.Released(reason="over"))
    assert bench.engine().run() is Outcome.COMPLETED


def test_it_still_rolls_back_when_it_is_held(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.say(events.Held(reason="incident"))
    bench.world.canary_error_rate = 0.05
    assert bench.engine().run() is Outcome.ROLLED_BACK


@pytest.mark.parametrize("phase", [Phase.REPLICATE, Phase.VALIDATE, Phase.CANARY])
def test_everything_is_undone_when_a_person_asks_to_roll_back(bench: Bench, phase: Phase) -> None:
    bench.run_until(lambda b: b.phase is phase)
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.ROLLED_BACK
    undone = set(map(type, bench.world.reached))
    assert {ends.ReplicationRemoved, ends.ServersReverted, ends.FilesReverted} <= undone
    decided = bench.events(events.RollbackDecided)[0]
    assert (decided.cause, decided.reason) == ("person", "enough")


def test_writes_go_back_to_the_source_when_a_person_asks_after_cutover(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.FAILED_BACK
    switches = [end for end in bench.world.reached if isinstance(end, ends.WriterIs)]
    assert switches == [ends.WriterIs(side=Side.TARGET, epoch=1), ends.WriterIs(side=Side.SOURCE, epoch=2)]
    assert bench.world.percent == 0.0
    assert ends.DataVerified(primary=Side.SOURCE, epoch=2) in bench.world.reached


def test_the_way_back_is_woken_first_when_a_person_asks_right_after_the_switch(bench: Bench) -> None:
    def only_when_awake(end: End) -> EndMissed | None:
        if end == ends.WriterIs(side=Side.SOURCE, epoch=2) and not any(
            isinstance(reached, ends.WayBackAwake) for reached in bench.world.reached
        ):
            return missed(end)
        if end == ends.WriterIs(side=Side.TARGET, epoch=1) and not bench.events(events.RollbackRequested):
            bench.say(events.RollbackRequested(reason="enough"))  # between the intent and its outcome
        return None

    bench.world.hear = only_when_awake
    assert bench.engine().run() is Outcome.FAILED_BACK


def test_files_written_on_the_target_return_when_a_person_asks_right_after_the_switch(bench: Bench) -> None:
    """They still went the other way: what users had been promised lay on the target's share alone."""

    def ask(end: End) -> None:
        if end == ends.WriterIs(side=Side.TARGET, epoch=1) and not bench.events(events.RollbackRequested):
            bench.say(events.RollbackRequested(reason="enough"))

    bench.world.hear = ask
    assert bench.engine().run() is Outcome.FAILED_BACK
    reached = bench.world.reached
    turned = reached.index(ends.FilesFollow(primary=Side.TARGET))
    assert turned < reached.index(ends.WriterIs(side=Side.SOURCE, epoch=2))
    assert ends.FilesFollow(primary=Side.SOURCE) in reached[turned:]


def test_a_request_is_refused_when_the_point_of_no_return_is_passed(bench: Bench) -> None:
    bench.run_until(lambda b: ends.WayBackEnded() in b.world.reached)
    bench.say(events.RollbackRequested(reason="too late"))
    assert bench.engine().run() is Outcome.COMPLETED
    assert bench.events(events.RequestRefused)


def test_a_phase_waits_when_it_needs_approval() -> None:
    bench = Bench(plan(approvals=(NeededApproval(phase=Phase.CUTOVER),)))
    bench.run_until(lambda b: b.phase is Phase.CUTOVER)
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert not [e for e in bench.world.reached if isinstance(e, ends.WriterIs)]
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="change 1"))
    assert bench.engine().run() is Outcome.COMPLETED


def test_an_approval_counts_only_from_those_who_may_give_it() -> None:
    bench = Bench(plan(approvals=(NeededApproval(phase=Phase.CUTOVER, by=("ann", "bob")),)))
    bench.run_until(lambda b: b.phase is Phase.CUTOVER)
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="why not"), by="eve")
    end = bench.clock.now() + timedelta(minutes=1)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert not [e for e in bench.world.reached if isinstance(e, ends.WriterIs)]
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="change 1"), by="bob")
    assert bench.engine().run() is Outcome.COMPLETED


def test_a_phase_waits_for_different_people_when_more_than_one_must_approve() -> None:
    needed = NeededApproval(phase=Phase.CUTOVER, by=("ann", "bob", "carl"), count=2)
    bench = Bench(plan(approvals=(needed,)))
    bench.run_until(lambda b: b.phase is Phase.CUTOVER)
    for _ in range(2):
        bench.say(events.Approved(phase=Phase.CUTOVER, reason="change 1"), by="ann")
    end = bench.clock.now() + timedelta(minutes=1)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert not [e for e in bench.world.reached if isinstance(e, ends.WriterIs)]
    waits = [e.reason for e in bench.events(events.GateWaits) if e.cause == "approval"]
    assert waits[0] == "cutover needs 2 more approvals, of ann, bob or carl"
    assert waits[-1] == "cutover needs 1 more approval, of bob or carl"
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="change 1"), by="carl")
    assert bench.engine().run() is Outcome.COMPLETED


def test_a_rehearsals_own_word_is_enough_when_it_approves_by_itself() -> None:
    needed = NeededApproval(phase=Phase.CUTOVER, by=("ann", "bob"), count=2, stand_in="rehearsal")
    bench = Bench(plan(approvals=(needed,)))
    bench.run_until(lambda b: b.phase is Phase.CUTOVER)
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="by itself"), by="rehearsal")
    assert bench.engine().run() is Outcome.COMPLETED


def held_in_bake() -> Bench:
    """Errors came during bake, and only a person may fail back."""
    bench = Bench(plan(fail_back_automatically=False))
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    bench.world.canary_error_rate = 0.05
    bench.run_until(lambda b: bool(b.events(events.Held)))
    end = bench.clock.now() + timedelta(minutes=2)
    bench.run_until(lambda b: b.clock.now() >= end)
    return bench


def test_it_holds_and_asks_a_person_when_it_may_not_fail_back_by_itself() -> None:
    bench = held_in_bake()
    assert bench.phase is Phase.BAKE
    assert len(bench.events(events.Held)) == 1
    assert not bench.events(events.FailBackDecided)
    bench.say(events.RollbackRequested(reason="yes, back"))
    assert bench.engine().run() is Outcome.FAILED_BACK


def test_it_goes_on_after_a_release_when_a_person_overrides_instead_of_failing_back() -> None:
    bench = held_in_bake()
    bench.say(events.Overridden(reason="known", until=bench.clock.now() + timedelta(minutes=10)))
    bench.say(events.Released(reason="go on"))
    assert bench.engine().run() is Outcome.COMPLETED


def test_what_was_out_of_reach_is_tried_anew_when_a_person_releases() -> None:
    verified = ends.DataVerified(primary=Side.TARGET, epoch=1)
    bench = Bench(plan(fail_back_automatically=False))
    bench.world.hear = lambda end: missed(end, retryable=False) if end == verified else None
    bench.run_until(lambda b: bool(b.events(events.Held)))
    bench.world.hear = lambda _: None
    bench.say(events.Released(reason="repaired"))
    assert bench.engine().run() is Outcome.COMPLETED
    assert verified in bench.world.reached


def test_the_canary_is_rolled_back_by_itself_though_failing_back_is_not() -> None:
    bench = Bench(plan(fail_back_automatically=False))
    bench.world.canary_error_rate = 0.02
    assert bench.engine().run() is Outcome.ROLLED_BACK


def test_the_judge_is_not_heard_only_while_an_override_lasts(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.say(events.Overridden(reason="known", until=bench.clock.now() + timedelta(seconds=30)))
    bench.world.canary_error_rate = 0.05
    bench.run_until(lambda b: b.world.percent == 25.0)
    assert bench.engine().run() is Outcome.ROLLED_BACK


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
    assert fold(bench.journal.read()).writer is writer
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


class Crash(Exception):
    """The process is gone."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    "kind", ["schema_created", "shares_are", "switch_prepared", "writer_is", "way_back_awake", "servers_finalized"]
)
def test_it_goes_on_when_the_engine_dies_around_an_effect(kind: str, *, before: bool) -> None:
    bench = Bench(plan())
    died: set[str] = set()

    def hear(end: End) -> EndReached | None:
        if end.kind == kind and kind not in died:
            died.add(kind)
            if before:
                raise Crash
            bench.world.hear = lambda _: None
            bench.world.bring_about(end)
            bench.world.hear = hear
            raise Crash
        return None

    bench.world.hear = hear
    with pytest.raises(Crash):
        bench.engine().run()
    assert bench.engine().run() is Outcome.COMPLETED
    assert len(bench.events(events.EngineStarted)) == 2
    assert [e.phase for e in bench.events(events.PhaseEntered)] == list(Phase)


def test_a_resumed_engine_judges_as_if_nothing_had_happened(bench: Bench) -> None:
    bench.run_until(lambda b: len(b.events(events.Looked)) == 20)
    resumed = fold(bench.journal.read())
    again = fold(bench.journal.read())
    assert resumed.judge == again.judge
    assert resumed.looked == again.looked


def test_two_engines_bring_each_end_about_once_when_they_run_together(bench: Bench) -> None:
    one, two = bench.engine(), bench.engine()
    outcome = None
    for _ in range(5000):
        for engine in (one, two):
            again = engine.tick()
            if again is None:
                outcome = fold(bench.journal.read()).outcome
            else:
                bench.clock.sleep_until(again)
        if outcome:
            break
    assert outcome is Outcome.COMPLETED
    assert len(bench.events(events.EndWanted)) == len(bench.events(events.EndReached))
    assert shares(bench) == sorted(shares(bench))


def test_nothing_new_is_wanted_when_another_engine_wants_something_during_a_look(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.REPLICATE)
    look = bench.world.look
    intent = events.EndWanted(end=ends.FilesFollow(primary=Side.SOURCE))

    def look_slowly(fields: frozenset[str], writer: Side) -> Seen:
        bench.world.look = look  # type: ignore[method-assign]
        bench.say(intent, by="engine")
        return look(fields, writer)

    bench.world.look = look_slowly  # type: ignore[method-assign]
    bench.run_until(lambda b: b.phase is Phase.VALIDATE)
    told = [entry.event for entry in bench.journal.read()]
    assert told[told.index(intent) + 1] == EndReached(end=intent.end)


def test_healthy_is_the_shape_of_both_arms_by_default() -> None:
    assert sum(HEALTHY) == pytest.approx(1.0)
