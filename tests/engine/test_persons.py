"""What persons say: holds, requests to go back, approvals, overrides."""

from datetime import timedelta

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed
from crossfade.model.plan import NeededApproval
from crossfade.model.terms import Outcome, Phase, Side
from tests.engine.world import Bench, missed, plan


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
