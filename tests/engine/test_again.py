"""A later cutover after a fail back, in virtual time: a second journal that goes on from the first."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crossfade.engine.again import await_as_left
from crossfade.invariants import broken_rules_over
from crossfade.journal.memory import MemoryJournal
from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import Earlier, Event, MigrationPlanned
from crossfade.model.plan import ReplicationLimits
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import NoData, Outcome, Phase, Side
from crossfade.runbook.again import JournalsUntied, NotAsLeft, NotFailedBack, Standing, earlier
from tests.engine.world import Bench, plan, shares

LIMITS = ReplicationLimits()
AFTER = Earlier(entries=80, head="f" * 64, epoch=2)
AS_LEFT = Standing(
    writer=Writer(source_open=True, source_epoch=2, target_open=False, target_epoch=2),
    replication=Replication(
        primary=Side.SOURCE,
        tables=5,
        tables_copied=5,
        lag_bytes=0,
        lag=timedelta(0),
        retained_wal_bytes=0,
        applying=True,
    ),
    forward=WayBack(primary=Side.SOURCE, built=True, proven=True, lag_bytes=0),
    back=WayBack(primary=Side.TARGET, built=True, proven=False, lag_bytes=0),
)


def fail_back(bench: Bench) -> tuple[Entry, ...]:
    """Errors of the modern servers in the bake, which end with the fail back."""
    bench.run_until(lambda b: b.phase is Phase.BAKE)
    bench.world.canary_error_rate = 0.05
    assert bench.engine().run() is Outcome.FAILED_BACK
    bench.world.canary_error_rate = 0.0
    return bench.journal.read()


def begin_again(bench: Bench, journals: Sequence[Sequence[Entry]]) -> None:
    """The bench goes on with a journal of its own, which follows `journals`."""
    bench.journal = MemoryJournal()
    planned = MigrationPlanned(plan=bench.plan, after=earlier(journals))
    bench.journal.append([planned], expected=0, at=bench.clock.now(), by="test")


@pytest.fixture
def bench() -> Bench:
    return Bench(plan())


def test_a_later_cutover_completes_under_the_epochs_that_follow_when_a_migration_has_failed_back(bench: Bench) -> None:
    first = fail_back(bench)
    begin_again(bench, [first])
    reached = len(bench.world.reached)
    assert bench.engine().run() is Outcome.COMPLETED
    second = bench.journal.read()
    assert [e.event.phase for e in second if isinstance(e.event, events.PhaseEntered)] == list(Phase)
    again = bench.world.reached[reached:]
    assert [end for end in again if isinstance(end, ends.WriterIs)] == [ends.WriterIs(side=Side.TARGET, epoch=3)]
    assert ends.DataVerified(primary=Side.SOURCE, epoch=2) in again
    assert ends.DataVerified(primary=Side.TARGET, epoch=3) in again
    assert shares(bench)[-6:] == [0.0, 5.0, 25.0, 50.0, 90.0, 100.0]
    assert broken_rules_over([first, second]) == ()


def test_it_can_fail_back_and_be_cut_over_as_often_as_wanted(bench: Bench) -> None:
    journals = [fail_back(bench)]
    for _ in range(2):
        begin_again(bench, journals)
        journals.append(fail_back(bench))
    switches = [end for end in bench.world.reached if isinstance(end, ends.WriterIs)]
    assert [end.epoch for end in switches] == [1, 2, 3, 4, 5, 6]
    assert earlier(journals).entries == sum(map(len, journals))
    assert broken_rules_over(journals) == ()


def test_nothing_is_made_anew_when_replication_is_gone_by_then(bench: Bench) -> None:
    begin_again(bench, [fail_back(bench)])
    bench.world.blind.add("replication")
    reached = len(bench.world.reached)
    end = bench.clock.now() + timedelta(minutes=1)
    bench.run_until(lambda b: b.clock.now() >= end)
    assert ends.ReplicationStarted() not in bench.world.reached[reached:]
    state = bench.state
    assert state.waits is not None
    assert (state.phase, state.waits.gate) == (Phase.REPLICATE, "caught_up")


def test_orders_to_the_router_go_on_when_a_second_journal_begins(bench: Bench) -> None:
    orders: list[int] = []
    bring_about = bench.world.bring_about

    def listening(end: End, order: int = 0) -> Any:
        orders.append(order)
        return bring_about(end, order)

    bench.world.bring_about = listening  # type: ignore[method-assign]
    begin_again(bench, [fail_back(bench)])
    bench.engine().run()
    assert orders == sorted(orders)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"after": None}, "does not go on"),
        ({"after": replace(AFTER, epoch=4)}, "does not go on"),
    ],
)
def test_a_second_journal_breaks_a_rule_when_it_is_not_tied_to_the_first(
    bench: Bench, changed: dict[str, Any], what: str
) -> None:
    first = fail_back(bench)
    begin_again(bench, [first])
    (planned,) = bench.journal.read()
    assert isinstance(planned.event, MigrationPlanned)
    untied = replace(planned, event=replace(planned.event, **changed))
    assert any(what in str(violation) for violation in broken_rules_over([first, [untied]]))
    with pytest.raises(JournalsUntied):
        earlier([first, [untied]])


def ended(bench: Bench, event: Event | None) -> tuple[Entry, ...]:
    if event is not None:
        bench.say(event, by="engine")
    return bench.journal.read()


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (None, "has not ended"),
        (Outcome.COMPLETED, "point of no return"),
        (Outcome.ROLLED_BACK, "full load"),
        (Outcome.HALTED, "person must look"),
    ],
)
def test_there_is_no_later_cutover_when_the_first_did_not_fail_back(
    bench: Bench, outcome: Outcome | None, why: str
) -> None:
    end = events.MigrationEnded(outcome=outcome, reason="so it was") if outcome else None
    with pytest.raises(NotFailedBack) as refused:
        earlier([ended(bench, end)])
    assert why in f"{refused.value} {refused.value.remedy}"


def test_there_is_none_when_one_has_begun_already(bench: Bench) -> None:
    first = fail_back(bench)
    begin_again(bench, [first])
    with pytest.raises(NotFailedBack, match="begun already"):
        earlier([first, bench.journal.read()])


def test_everything_is_in_order_when_the_databases_are_as_left(bench: Bench) -> None:
    await_as_left(AFTER, lambda: AS_LEFT, LIMITS, bench.clock)


WRITER, REPLICATION = AS_LEFT.writer, AS_LEFT.replication
assert isinstance(WRITER, Writer)
assert isinstance(REPLICATION, Replication)
assert isinstance(AS_LEFT.forward, WayBack)
LOST = NoData(reason="lost the replication slot: it is gone", lost=True)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"writer": replace(WRITER, source_open=False, target_open=True)}, "the target takes writes"),
        ({"writer": replace(WRITER, target_open=True)}, "both sides take writes"),
        ({"writer": replace(WRITER, source_open=False)}, "neither side takes writes"),
        ({"writer": replace(WRITER, source_epoch=4, target_epoch=4)}, "epochs 4"),
        ({"writer": NoData(reason="silent")}, "who takes writes cannot be seen"),
        ({"replication": LOST}, "slot"),
        ({"replication": NoData(reason="the target database has no subscription")}, "no subscription"),
        ({"replication": replace(REPLICATION, applying=False)}, "not alive"),
        ({"replication": replace(REPLICATION, tables_copied=4)}, "4 of 5 tables"),
        ({"replication": replace(REPLICATION, lag=timedelta(minutes=1))}, "60.0 s"),
        ({"forward": replace(AS_LEFT.forward, proven=False)}, "not proven"),
        ({"back": LOST}, "slot"),
        ({"back": replace(AS_LEFT.forward, built=False, proven=False)}, "the way back is gone"),
    ],
)
def test_it_does_not_begin_when_something_is_not_as_left(bench: Bench, change: dict[str, Any], problem: str) -> None:
    found = replace(AS_LEFT, **change)
    with pytest.raises(NotAsLeft, match=problem) as refused:
        await_as_left(AFTER, lambda: found, LIMITS, bench.clock)
    assert refused.value.remedy


def test_it_begins_when_what_may_pass_has_passed(bench: Bench) -> None:
    began = bench.clock.now()
    late = replace(AS_LEFT, forward=NoData(reason="connecting"))
    await_as_left(
        AFTER,
        lambda: late if bench.clock.now() < began + timedelta(seconds=3) else AS_LEFT,
        LIMITS,
        bench.clock,
    )
    assert bench.clock.now() - began >= timedelta(seconds=3)
