"""What the runbook does when something is repaired or finished while it is about to do something else."""

from datetime import timedelta
from itertools import pairwise

from crossfade.model import ends, events
from crossfade.model.ends import End, SharesAre
from crossfade.model.events import EndMissed, EndReached
from crossfade.model.plan import NeededApproval
from crossfade.model.terms import NEITHER, Outcome, Phase, Side
from tests.engine.world import Bench, plan
from tests.runbook.following import assert_the_rules


def missed(end: End, **facts: str | None) -> EndMissed:
    return EndMissed(end=end, reason="it would not", remedy="", retryable=True, facts=facts)


def wanted_shares(bench: Bench) -> list[float]:
    return [e.end.canary_percent for e in bench.events(events.EndWanted) if isinstance(e.end, SharesAre)]


def test_the_share_falls_at_once_when_the_router_had_another_than_it_should() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 25.0)
    bench.world.percent = 10.0
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert wanted_shares(bench) == [5.0, 25.0, 0.0]


def test_a_share_that_cannot_be_repaired_is_tried_again_after_a_pause_and_then_given_up() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: b.world.percent == 25.0)
    bench.world.percent = 10.0
    bench.world.hear = lambda end: missed(end) if isinstance(end, SharesAre) else None
    assert bench.engine().run() is Outcome.HALTED
    for share in (25.0, 0.0):
        end = SharesAre(canary_percent=share)
        tries = [e.at for e in bench.journal.read() if isinstance(e.event, EndMissed) and e.event.end == end]
        assert all(later - earlier >= bench.plan.retry_after for earlier, later in pairwise(tries))
    assert wanted_shares(bench).count(25.0) == 1 + bench.plan.attempts


def test_nobody_is_moved_back_when_a_share_was_set_and_reported_as_failed() -> None:
    bench = Bench(plan())
    history: list[float] = []

    def hear(end: End) -> EndMissed | None:
        if not isinstance(end, SharesAre):
            return None
        history.append(end.canary_percent)
        bench.world.percent = end.canary_percent
        return missed(end) if history.count(25.0) == 1 and end.canary_percent == 25.0 else None

    bench.world.hear = hear
    assert bench.engine().run() is Outcome.COMPLETED
    assert history == [5.0, 25.0, 25.0, 50.0, 90.0, 100.0, 100.0]


def test_a_look_from_before_the_counters_began_anew_lets_nothing_pass() -> None:
    bench = Bench(plan())
    bench.run_until(lambda b: len(b.events(events.Looked)) > 30)
    bench.world.blind.add("arms")
    end = bench.clock.now() + timedelta(minutes=1)
    bench.run_until(lambda b: b.clock.now() >= end)
    bench.world.boot = "2"
    bench.world._counts.clear()
    bench.world.blind.clear()
    bench.run_until(lambda b: bool(b.events(events.GatePassed)) and b.events(events.GatePassed)[-1].gate == "judged:0")
    entries = bench.journal.read()
    passed = next(e for e in entries if isinstance(e.event, events.GatePassed) and e.event.gate == "judged:0")
    anew = max(e.position for e in entries if isinstance(e.event, events.CountingStarted))
    assert [e for e in entries[anew : passed.position] if isinstance(e.event, events.Looked)]


def test_it_begins_before_it_turns_back_when_it_is_asked_to_at_the_very_start() -> None:
    bench = Bench(plan())
    bench.say(events.RollbackRequested(reason="not today"))
    assert bench.engine().run() is Outcome.ROLLED_BACK
    kinds = [e.event.kind for e in bench.journal.read()]
    assert kinds.index("phase_entered") < kinds.index("rollback_decided")
    assert kinds.count("phase_entered") == 1


def switching_badly(bench: Bench, writer: str | None) -> None:
    """The first try of the switch is missed; then it works."""

    def hear(end: End) -> EndReached | EndMissed | None:
        if isinstance(end, ends.WriterIs) and not bench.events(EndMissed):
            bench.world.writer = end.side if writer == end.side else bench.world.writer
            return missed(end, writer=writer)
        return None

    bench.world.hear = hear
    bench.run_until(lambda b: bool(b.events(EndMissed)))


def test_it_fails_back_and_never_rolls_back_when_the_target_writes_though_the_switch_was_missed() -> None:
    bench = Bench(plan())
    switching_badly(bench, "target")
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert not bench.events(events.RollbackDecided)
    assert bench.world.writer is Side.SOURCE


def test_a_switch_half_done_is_finished_when_it_is_held() -> None:
    bench = Bench(plan())
    switching_badly(bench, None)
    bench.say(events.Held(reason="wait"))
    bench.run_until(lambda b: b.world.writer is Side.TARGET)
    end = bench.clock.now() + timedelta(minutes=1)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert ends.WayBackAwake(primary=Side.TARGET, epoch=1) not in bench.world.reached


def test_nobody_turns_back_before_it_is_known_who_writes() -> None:
    bench = Bench(plan())
    switching_badly(bench, None)
    bench.world.writer = Side.TARGET
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert not bench.events(events.RollbackDecided)
    assert_the_rules(bench)


def test_it_rolls_back_when_neither_side_writes_though_the_switch_was_tried_again() -> None:
    bench = Bench(plan())
    tries = 0

    def hear(end: End) -> EndMissed | None:
        nonlocal tries
        tries += isinstance(end, ends.WriterIs)
        return missed(end, writer=NEITHER) if isinstance(end, ends.WriterIs) else None

    bench.world.hear = hear
    bench.run_until(lambda b: bool(b.events(EndMissed)))
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert tries == 2
    assert_the_rules(bench)


def test_it_fails_back_when_a_switch_that_was_missed_goes_on_while_it_rolls_back() -> None:
    bench = Bench(plan())

    def hear(end: End) -> EndMissed | None:
        if isinstance(end, ends.WriterIs) and not bench.events(EndMissed):
            return missed(end, writer="source")
        if isinstance(end, ends.ReplicationRemoved):
            bench.world.writer = Side.TARGET
            return missed(end, writer="target")
        return None

    bench.world.hear = hear
    bench.run_until(lambda b: bool(b.events(EndMissed)))
    bench.say(events.RollbackRequested(reason="enough"))
    assert bench.engine().run() is Outcome.FAILED_BACK
    assert bench.world.writer is Side.SOURCE
    assert bench.world.percent == 0.0
    assert ends.DataVerified(primary=Side.SOURCE, epoch=2) in bench.world.reached
    assert_the_rules(bench)


def test_the_way_back_is_alive_when_the_point_of_no_return_is_wanted() -> None:
    bench = Bench(plan(approvals=(NeededApproval(phase=Phase.FINALIZE),)))
    bench.run_until(lambda b: b.phase is Phase.FINALIZE)
    bench.world.way_back_alive = False
    bench.say(events.Approved(phase=Phase.FINALIZE, reason="change 1"))
    end = bench.clock.now() + timedelta(minutes=1)
    bench.run_until(lambda b: b.clock.now() >= end or ends.WayBackEnded() in b.world.reached)
    assert ends.WayBackEnded() not in bench.world.reached
