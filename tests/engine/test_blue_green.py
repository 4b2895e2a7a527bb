"""A blue-green move in virtual time: the new side is checked before anybody moves, and watched afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached
from crossfade.model.file import MigrationFile, load
from crossfade.model.plan import LadderStep, NeededApproval, Plan
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Outcome, Phase, Suite
from tests.engine.world import Bench, missed, plan, shares

EXAMPLE = Path(__file__).parents[2] / "examples" / "blue-green" / "migration.yaml"
PREVIEW, WATCH = timedelta(seconds=30), timedelta(seconds=40)
CHECKS = ends.ChecksPassed(suite=Suite.TARGET)
EVERYBODY = ends.SharesAre(canary_percent=100.0)


def blue_green(**changes: object) -> Plan:
    ladder = (LadderStep(percent=0.0, bake=PREVIEW), LadderStep(percent=100.0, bake=WATCH))
    return plan(ladder=ladder, preview=PREVIEW, check_every=timedelta(seconds=2), **changes)


@pytest.fixture
def bench() -> Bench:
    return Bench(blue_green())


def in_canary(bench: Bench) -> list[tuple[float, End]]:
    """(seconds since the first, end) of what was reached in the canary phase from the first check on."""
    entries = bench.journal.read()
    first = next(i for i, e in enumerate(entries) if e.event == events.PhaseEntered(phase=Phase.CANARY))
    until = next(
        (i for i, e in enumerate(entries) if e.event == events.PhaseEntered(phase=Phase.CUTOVER)), len(entries)
    )
    reached = [(e.at, e.event.end) for e in entries[first:until] if isinstance(e.event, EndReached)]
    began = next(at for at, end in reached if end == CHECKS)
    return [((at - began).total_seconds(), end) for at, end in reached]


def failing(bench: Bench, when: Callable[[], bool]) -> None:
    bench.world.hear = lambda end: missed(end) if end == CHECKS and when() else None


def test_everybody_moves_at_once_between_two_sets_of_checks(bench: Bench) -> None:
    assert bench.engine().run() is Outcome.COMPLETED
    assert shares(bench) == [100.0]
    ordered = in_canary(bench)
    moved = next(at for at, end in ordered if end == EVERYBODY)
    before = [at for at, end in ordered if end == CHECKS and at <= moved]
    after = [at for at, end in ordered if end == CHECKS and at > moved]
    assert moved >= PREVIEW.total_seconds()
    assert len(before) >= 14
    assert len(after) >= 18
    assert after[-1] - moved >= WATCH.total_seconds() - 4


def test_the_preview_begins_anew_when_a_check_fails(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.CANARY and b.state.waits is not None)
    bench.clock.sleep_until(bench.clock.now() + timedelta(seconds=1))
    half = bench.clock.now() + PREVIEW / 2
    bench.run_until(lambda b: b.clock.now() >= half)
    failing(bench, lambda: len(bench.events(EndMissed)) == 0)
    bench.run_until(lambda b: len(b.events(EndMissed)) == 1)
    failed = bench.clock.now()
    assert bench.engine().run() is Outcome.COMPLETED
    moved = next(e.at for e in bench.journal.read() if isinstance(e.event, EndReached) and e.event.end == EVERYBODY)
    assert moved - failed >= PREVIEW
    assert "preview" in {waits.cause for waits in bench.events(events.GateWaits)}


def test_nobody_has_moved_when_checks_of_the_preview_keep_failing(bench: Bench) -> None:
    failing(bench, lambda: bench.phase is Phase.CANARY and len(in_canary_checks(bench)) > 3)
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert shares(bench) == [0.0]
    assert bench.events(events.RollbackDecided)[0].cause == "end"
    assert ends.ReplicationRemoved() in bench.world.reached


def in_canary_checks(bench: Bench) -> list[End]:
    return [end for _, end in in_canary(bench) if end == CHECKS] if CHECKS in bench.world.reached else []


def test_everybody_is_brought_back_when_checks_of_the_watch_keep_failing(bench: Bench) -> None:
    failing(bench, lambda: bench.world.percent == 100.0 and bench.phase is Phase.CANARY)
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert shares(bench) == [100.0, 0.0]


def test_everybody_is_brought_back_at_once_when_a_guard_is_breached_with_nobody_to_compare_with(bench: Bench) -> None:
    bench.run_until(lambda b: b.world.percent == 100.0)
    bench.world.canary_error_rate = 0.05
    assert bench.engine().run() is Outcome.ROLLED_BACK
    entries = bench.journal.read()
    decided = next(i for i, e in enumerate(entries) if isinstance(e.event, events.RollbackDecided))
    assert bench.events(events.RollbackDecided)[0].cause == "guard"
    assert entries[decided + 1].event == events.EndWanted(end=ends.SharesAre(canary_percent=0.0))
    assert entries[decided + 2].at - entries[decided].at <= bench.plan.rollback_within


def test_the_preview_counts_no_time_in_which_no_engine_looked(bench: Bench) -> None:
    engine = bench.engine()
    while bench.phase is not Phase.CANARY or bench.state.checked is None:
        bench.clock.sleep_until(engine.tick() or bench.clock.now())
    bench.clock.sleep_until(bench.clock.now() + 2 * PREVIEW)
    resumed = bench.clock.now()
    assert bench.engine().run() is Outcome.COMPLETED
    moved = next(e.at for e in bench.journal.read() if isinstance(e.event, EndReached) and e.event.end == EVERYBODY)
    assert moved - resumed >= PREVIEW


def test_the_preview_counts_no_time_in_which_an_engine_stood_still(bench: Bench) -> None:
    engine = bench.engine()
    while bench.phase is not Phase.CANARY or bench.state.checked is None:
        bench.clock.sleep_until(engine.tick() or bench.clock.now())
    bench.clock.sleep_until(bench.clock.now() + 2 * PREVIEW)
    stood = bench.clock.now()
    while bench.world.percent < 100:
        bench.clock.sleep_until(engine.tick() or bench.clock.now())
    assert bench.clock.now() - stood >= PREVIEW


def test_a_person_promotes_when_it_does_not_happen_by_itself() -> None:
    needed = NeededApproval(phase=Phase.CANARY, share=100.0, by=("ann", "bob"))
    bench = Bench(blue_green(approvals=(needed,)))
    bench.run_until(lambda b: any(w.gate == "approved:100" for w in b.events(events.GateWaits)))
    asked = bench.clock.now()
    bench.run_until(lambda b: b.clock.now() >= asked + timedelta(minutes=10))
    assert bench.world.percent == 0.0
    assert [w.cause for w in bench.events(events.GateWaits) if w.gate == "approved:100"] == ["approval"], "asked once"
    last = [e.at for e in bench.journal.read() if isinstance(e.event, EndReached) and e.event.end == CHECKS][-1]
    assert bench.clock.now() - last <= timedelta(seconds=3), "the new side is checked while it waits"
    bench.say(events.Approved(phase=Phase.CANARY, share=100.0, reason="change 1"), by="bob")
    assert bench.engine().run() is Outcome.COMPLETED


def test_the_new_side_is_checked_on_while_a_person_holds(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.CANARY and b.state.checked is not None)
    bench.say(events.Held(reason="incident"))
    until = bench.clock.now() + 3 * PREVIEW
    bench.run_until(lambda b: b.clock.now() >= until)
    assert bench.world.percent == 0.0
    bench.say(events.Released(reason="over"))
    released = bench.clock.now()
    bench.run_until(lambda b: b.world.percent == 100.0)
    assert bench.clock.now() - released <= timedelta(seconds=3)


def test_nothing_is_finalized_while_the_old_side_must_be_kept_warm(bench: Bench) -> None:
    bench = Bench(replace(blue_green(), keep_warm=timedelta(minutes=20)))
    assert bench.engine().run() is Outcome.COMPLETED
    entries = bench.journal.read()
    moved, ended = (
        next(e.at for e in entries if isinstance(e.event, EndReached) and e.event.end == end)
        for end in (EVERYBODY, ends.WayBackEnded())
    )
    assert ended - moved >= timedelta(minutes=20)
    assert any(waits.cause == "keep_warm" for waits in bench.events(events.GateWaits))


def test_traffic_goes_back_at_once_while_the_old_side_is_kept_warm() -> None:
    bench = Bench(replace(blue_green(), keep_warm=timedelta(hours=20)))
    bench.run_until(lambda b: any(waits.cause == "keep_warm" for waits in b.events(events.GateWaits)))
    bench.say(events.RollbackRequested(reason="enough"))
    said = bench.clock.now()
    assert bench.engine().run() is Outcome.FAILED_BACK
    back = [e.at for e in bench.journal.read() if e.event == EndReached(end=ends.SharesAre(canary_percent=0.0))]
    assert back[0] - said <= timedelta(seconds=1)


@pytest.fixture
def example() -> Bench:
    file = load(EXAMPLE.read_text(encoding="utf-8"), str(EXAMPLE))
    assert isinstance(file, MigrationFile), file
    return Bench(plan_for_rehearsal(file, "statements-1", 1.0))


def promote(bench: Bench) -> None:
    bench.run_until(lambda b: any(waits.gate == "approved:100" for waits in b.events(events.GateWaits)))
    bench.say(events.Approved(phase=Phase.CANARY, share=100.0, reason="change 7"), by="change-board")


def test_the_example_compares_answers_then_moves_everybody_on_a_persons_word_as_its_page_says(example: Bench) -> None:
    example.run_until(lambda b: events.PhaseEntered(phase=Phase.CANARY) in b.events(events.PhaseEntered))
    assert example.events(events.AnswersCompared)[-1].reading.pairs >= 300
    entered = example.clock.now()
    promote(example)
    assert example.clock.now() - entered >= timedelta(seconds=10)
    assert shares(example) == []
    example.run_until(lambda b: events.PhaseEntered(phase=Phase.CUTOVER) in b.events(events.PhaseEntered))
    assert shares(example) == [100.0]
    assert example.plan.keep_warm == timedelta(seconds=30)


def test_the_example_moves_nobody_when_answers_are_wrong(example: Bench) -> None:
    example.world.wrong_every = 20
    assert example.engine().run() is Outcome.ROLLED_BACK
    assert shares(example) == []
    assert example.events(events.RollbackDecided)[0].cause == "shadow"


def test_the_example_brings_everybody_back_when_the_modern_servers_fail(example: Bench) -> None:
    promote(example)
    example.run_until(lambda b: b.world.percent == 100.0)
    example.world.canary_error_rate = 0.1
    assert example.engine().run() is Outcome.ROLLED_BACK
    assert shares(example) == [100.0, 0.0]
