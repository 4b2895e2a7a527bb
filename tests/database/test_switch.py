import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus

from crossfade.database import fence
from crossfade.database.errors import (
    GuardTripped,
    NotDrained,
    ReplicationNotReady,
    SideUnreachable,
    StaleEpoch,
    TwoWriters,
    WritersStay,
)
from crossfade.database.native import NativeReplication
from crossfade.database.port import SWITCH_POINTS
from crossfade.model.seen import Writer
from crossfade.model.terms import Side
from tests.database.conftest import PATIENT, Pair, latest, process, stopped, writer
from tests.database.shoppers import Shoppers, digest
from tests.waiting import wait_for

pytestmark = pytest.mark.parts


WAITING_LOCK = "SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted"
OLD_TRANSACTION = (
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'month-end' AND xact_start < now() - interval '0.6 s'"
)


class Crash(BaseException):
    """What `at` raises: nothing in the role may handle it, as nothing handles a SIGKILL."""


def crash_at(point: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == point:
            raise Crash

    return at


def in_step(pair: Pair, primary: Side) -> None:
    wait_for(lambda: digest(pair, primary.other) == digest(pair, primary))


def test_loses_and_doubles_nothing_when_switched_there_and_back_and_there_under_load(
    pair: Pair, moved: NativeReplication
) -> None:
    with Shoppers(pair) as shoppers:
        for epoch, to in enumerate((Side.TARGET, Side.SOURCE, Side.TARGET), start=latest(moved) + 1):
            shoppers.wait_for_purchases()
            moved.prepare_switch(to)
            report = moved.switch(to, epoch)
            assert (report.to, report.epoch, report.resumed) == (to, epoch, False)
            assert timedelta(0) < report.write_window < timedelta(seconds=2)
            moved.wake_way_back(to)
            assert writer(moved).side is to
    assert shoppers.lost_and_doubled(Side.TARGET) == (0, 0)
    in_step(pair, Side.TARGET)


def test_names_the_moments_in_their_order_and_when_the_fence_stood_when_switched(moved: NativeReplication) -> None:
    began = datetime.now(UTC)
    report = moved.switch(Side.TARGET, latest(moved) + 1)
    names = [name for name, _ in report.moments]
    assert names == ["fenced", "locked", "marked", "drained", "taken_over", "advanced", "guarded", "opened"]
    assert report.fenced_at is not None
    assert began < report.fenced_at < datetime.now(UTC)


def test_tells_every_point_in_its_order_and_only_in_the_direction_asked_for(
    pair: Pair, moved: NativeReplication
) -> None:
    told: list[str] = []
    with NativeReplication(pair.settings(), at={Side.TARGET: told.append}) as role:
        role.switch(Side.TARGET, latest(role) + 1)
        assert tuple(told) == SWITCH_POINTS
        role.wake_way_back(Side.TARGET)
        role.switch(Side.SOURCE, latest(role) + 1)
        assert tuple(told) == SWITCH_POINTS


@pytest.mark.parametrize("first", list(Side))
def test_has_one_writer_and_loses_nothing_when_crashed_at_each_point_and_resumed(pair: Pair, first: Side) -> None:
    """Towards `first`; the other side is where it starts, by an ordinary switch back each time."""
    with NativeReplication(pair.settings()) as plain, Shoppers(pair, count=2) as shoppers:
        epoch = latest(plain)
        if first is Side.SOURCE:
            epoch = there(plain, Side.TARGET, epoch)
        for point in SWITCH_POINTS:
            epoch += 1
            shoppers.wait_for_purchases(5)
            with NativeReplication(pair.settings(), at=crash_at(point)) as crashing, pytest.raises(Crash):
                crashing.switch(first, epoch)
            seen = writer(plain)
            assert not (seen.source_open and seen.target_open)
            report = plain.switch(first, epoch)
            assert report.resumed is (point not in {"preparing", "fencing"})
            assert writer(plain).side is first
            plain.wake_way_back(first)
            epoch = there(plain, first.other, epoch)
    assert shoppers.lost_and_doubled(first.other) == (0, 0)
    in_step(pair, first.other)


def there(role: NativeReplication, to: Side, epoch: int) -> int:
    role.switch(to, epoch + 1)
    role.wake_way_back(to)
    return epoch + 1


def test_goes_on_when_crashed_before_the_way_back_was_woken_and_failed_back(
    pair: Pair, moved: NativeReplication
) -> None:
    moved.switch(Side.TARGET, latest(moved) + 1)
    pair.rows(Side.TARGET, "INSERT INTO shop.log (what) VALUES ('only here')", "shop_app")
    with pytest.raises(ReplicationNotReady):
        moved.switch(Side.SOURCE, latest(moved) + 1)
    assert writer(moved).side is Side.TARGET
    moved.wake_way_back(Side.TARGET)
    moved.switch(Side.SOURCE, latest(moved) + 1)
    assert pair.rows(Side.SOURCE, "SELECT count(*) FROM shop.log WHERE what = 'only here'") == [(1,)]


def test_does_nothing_when_the_end_is_reached(pair: Pair, moved: NativeReplication) -> None:
    epoch, began = latest(moved) + 1, datetime.now(UTC)
    first = moved.switch(Side.TARGET, epoch)
    again = moved.switch(Side.TARGET, epoch)
    assert (again.to, again.epoch, again.resumed) == (Side.TARGET, epoch, True)
    assert timedelta(0) < again.write_window <= first.write_window, "as noted within it, by the servers"
    assert first.fenced_at is not None
    assert again.fenced_at is not None
    assert began < again.fenced_at <= first.fenced_at
    assert writer(moved) == Writer(source_open=False, source_epoch=epoch, target_open=True, target_epoch=epoch)


def test_refuses_when_the_databases_hold_a_later_epoch(pair: Pair, moved: NativeReplication) -> None:
    held = latest(moved) + 5
    moved.switch(Side.TARGET, held)
    moved.wake_way_back(Side.TARGET)
    for to, epoch in ((Side.SOURCE, held - 1), (Side.TARGET, held - 1), (Side.SOURCE, held)):
        with pytest.raises(StaleEpoch):
            moved.switch(to, epoch)
    assert writer(moved).side is Side.TARGET


@pytest.mark.parametrize("statement", ["fence", "open"])
def test_the_database_itself_refuses_when_a_late_engine_sends_its_statement(
    pair: Pair, moved: NativeReplication, statement: str
) -> None:
    held = latest(moved) + 5
    moved.switch(Side.TARGET, held)
    for side in Side:
        with pytest.raises(psycopg.Error) as refused:
            pair.rows(side, f"SELECT crossfade.{statement}({held - 1})", "crossfade")
        assert refused.value.sqlstate == "CF001"
    assert writer(moved).side is Side.TARGET


def test_refuses_when_both_sides_take_writes(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, "UPDATE crossfade.writer SET open = true")
    with pytest.raises(TwoWriters):
        moved.switch(Side.TARGET, latest(moved) + 1)
    pair.rows(Side.TARGET, "UPDATE crossfade.writer SET open = false")


def test_lets_only_one_through_when_two_engines_switch_at_once(pair: Pair, moved: NativeReplication) -> None:
    """The second waits until the first is done, and then finds the end reached."""
    reports: list[Any] = []
    epoch = latest(moved) + 1

    def interleave(point: str) -> None:
        if point == "locked":
            second = NativeReplication(pair.settings())
            thread = threading.Thread(target=lambda: reports.append(second.switch(Side.TARGET, epoch)))
            thread.start()
            reports.append(thread)

    with NativeReplication(pair.settings(), at=interleave) as first:
        assert first.switch(Side.TARGET, epoch).resumed is False
    reports[0].join()
    assert reports[1].resumed is True
    assert writer(moved).side is Side.TARGET


# what must not happen within the write window


def long_transaction(pair: Pair, side: Side, work: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(pair.dsn(side, "shop_app"), application_name="month-end")
    connection.execute(work.encode())
    return connection


def test_lifts_the_fence_and_names_the_session_when_a_transaction_stays(pair: Pair, moved: NativeReplication) -> None:
    opened: list[psycopg.Connection[Any]] = []

    def begin(point: str) -> None:
        if point == "fencing":
            opened.append(long_transaction(pair, Side.SOURCE, "UPDATE shop.item SET price = price WHERE id = 1"))

    with (
        NativeReplication(pair.settings(lock_timeout=timedelta(milliseconds=200)), at=begin) as role,
        pytest.raises(WritersStay) as stayed,
    ):
        role.switch(Side.TARGET, latest(role) + 1)
    assert opened[0].info.transaction_status is TransactionStatus.INTRANS, "nobody waits for it"
    assert stayed.value.retryable
    assert stayed.value.fenced
    (session,) = stayed.value.sessions
    assert (session.pid, session.user, session.application_name) == (
        opened[0].info.backend_pid,
        "shop_app",
        "month-end",
    )
    assert "price" not in str(stayed.value), "a query may hold personal data"
    assert writer(moved).side is Side.SOURCE
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('still')", "shop_app")
    opened[0].close()
    assert moved.switch(Side.TARGET, latest(moved) + 1).to is Side.TARGET


def test_fences_nothing_when_a_transaction_has_been_open_for_long(pair: Pair, moved: NativeReplication) -> None:
    before = writer(moved)
    with long_transaction(pair, Side.SOURCE, "UPDATE shop.label SET text = text"):
        wait_for(
            lambda: pair.rows(
                Side.SOURCE,
                OLD_TRANSACTION,
            )
        )
        with (
            NativeReplication(pair.settings(quiet_timeout=timedelta(milliseconds=50))) as role,
            pytest.raises(WritersStay, match="nothing was fenced"),
        ):
            role.switch(Side.TARGET, latest(role) + 1)
    assert writer(moved) == before


def test_ends_the_session_when_that_is_allowed(pair: Pair, moved: NativeReplication) -> None:
    settings = pair.settings(quiet_timeout=timedelta(milliseconds=50), end_blocking_sessions=True, attempts=1000)
    with long_transaction(pair, Side.SOURCE, "UPDATE shop.label SET text = text") as stubborn:
        wait_for(
            lambda: pair.rows(
                Side.SOURCE,
                OLD_TRANSACTION,
            )
        )
        with NativeReplication(settings) as role:
            assert role.switch(Side.TARGET, latest(role) + 1).to is Side.TARGET
        with pytest.raises(psycopg.OperationalError):
            stubborn.execute("SELECT 1")
    assert pair.rows(Side.TARGET, "SELECT count(*) FROM shop.label") == [(2,)]


def test_names_a_prepared_transaction_when_it_holds_the_fence_up(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.SOURCE, "BEGIN; DELETE FROM shop.label; PREPARE TRANSACTION 'forgotten'", "shop_app")
    try:
        settings = pair.settings(quiet_timeout=timedelta(milliseconds=700), lock_timeout=timedelta(seconds=1))
        with NativeReplication(settings) as role, pytest.raises(WritersStay, match="prepared transaction forgotten"):
            role.switch(Side.TARGET, latest(role) + 1)
    finally:
        pair.rows(Side.SOURCE, "ROLLBACK PREPARED 'forgotten'")


def test_does_not_deadlock_when_writers_take_the_tables_in_another_order(pair: Pair, moved: NativeReplication) -> None:
    """A writer holds one of the last tables and then wants one of the first, which we would hold if we locked all."""
    ends: list[str | None] = []

    def write(point: str) -> None:
        if point == "fencing":
            inside = long_transaction(pair, Side.SOURCE, "UPDATE shop.stock SET amount = amount")
            threading.Thread(target=go_on, args=(inside,)).start()

    def go_on(inside: psycopg.Connection[Any]) -> None:
        wait_for(lambda: pair.rows(Side.SOURCE, WAITING_LOCK))
        try:
            inside.execute("UPDATE shop.booking SET request = 'mine' WHERE id = 1")
        except psycopg.Error as refused:
            ends.append(refused.sqlstate)
        inside.close()

    with NativeReplication(pair.settings(), at=write) as role:
        role.switch(Side.TARGET, latest(role) + 1)
    wait_for(lambda: ends)
    assert ends == ["42501"], "refused by the fence, neither deadlocked nor kept waiting"


def test_the_write_arrives_when_its_transaction_began_before_the_fence(pair: Pair, moved: NativeReplication) -> None:
    """Without the locks the marker would overtake it, and it would be lost."""
    inside: list[psycopg.Connection[Any]] = []

    def write(point: str) -> None:
        if point == "fencing":
            inside.append(long_transaction(pair, Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('late')"))
        if point == "fenced":
            inside[0].execute("SELECT 1")

            def finish() -> None:
                wait_for(lambda: pair.rows(Side.SOURCE, WAITING_LOCK))
                inside[0].commit()

            threading.Thread(target=finish).start()

    with NativeReplication(pair.settings(), at=write) as role:
        role.switch(Side.TARGET, latest(role) + 1)
    assert pair.rows(Side.TARGET, "SELECT count(*) FROM shop.log WHERE what = 'late'") == [(1,)]
    inside[0].close()


def test_trips_the_guard_and_lifts_the_fence_when_the_slot_was_not_advanced(
    pair: Pair, moved: NativeReplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Advancing to where nothing was flushed yet is what happened when apply commits asynchronously."""
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('one')", "shop_app")
    monkeypatch.setattr(fence, "advance_script", lambda slot: "SELECT 1")

    def write(point: str) -> None:
        if point == "fencing":
            pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('two')", "shop_app")

    with NativeReplication(pair.settings(), at=write) as role, pytest.raises(GuardTripped) as tripped:
        role.switch(Side.TARGET, latest(role) + 1)
    assert tripped.value.changes > 0
    assert writer(moved).side is Side.SOURCE
    monkeypatch.undo()
    moved.switch(Side.TARGET, latest(moved) + 1)
    moved.wake_way_back(Side.TARGET)
    in_step(pair, Side.TARGET)


def test_flushes_what_was_applied_when_it_takes_over(pair: Pair, moved: NativeReplication) -> None:
    """Apply commits asynchronously, and a slot is never advanced past what is on disk. Nobody else flushes it here."""
    applied: list[str] = []
    flushed: list[bool] = []

    def at(point: str) -> None:
        if point == "fencing":
            pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) SELECT 'many' FROM generate_series(1, 500)", "shop_app")
        if point == "drained":
            applied.append(pair.rows(Side.TARGET, "SELECT pg_current_wal_insert_lsn()::text")[0][0])
        if point == "advanced":  # and so, before it, taken over
            position = f"SELECT pg_current_wal_flush_lsn() >= '{applied[0]}'"
            flushed.append(pair.rows(Side.TARGET, position)[0][0])

    with stopped(process(pair, Side.TARGET, "walwriter")), NativeReplication(pair.settings(), at=at) as role:
        role.switch(Side.TARGET, latest(role) + 1)
    assert flushed == [True]
    moved.wake_way_back(Side.TARGET)
    in_step(pair, Side.TARGET)


def test_gives_way_when_an_autovacuum_holds_a_table(pair: Pair, moved: NativeReplication) -> None:
    """Its lock conflicts with ours; by default it is asked to go only after a second."""
    with moved._session(Side.SOURCE, timedelta(seconds=5)) as session:
        fence.cancel_autovacuum_soon(session)
        assert session.value("SHOW deadlock_timeout") == "10ms"


# what must be right once the new side is open


def test_runs_ahead_when_sequences_take_over(pair: Pair, moved: NativeReplication) -> None:
    before = dict(pair.rows(Side.SOURCE, "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'shop'"))
    moved.switch(Side.TARGET, latest(moved) + 1)
    after = dict(pair.rows(Side.TARGET, "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'shop'"))
    margin = pair.settings().sequence_margin
    assert after["customer_id_seq"] == before["customer_id_seq"] + margin, "identity columns have sequences too"
    assert after["item_id_seq"] == before["item_id_seq"] + margin
    assert after["invoice"] == before["invoice"] - margin, "this one counts down"
    assert after["untouched"] is None
    pair.rows(
        Side.TARGET,
        "INSERT INTO shop.customer (name) VALUES ('after'); INSERT INTO shop.item (price) VALUES (1)",
        "shop_app",
    )


def test_never_sets_a_sequence_back_when_the_new_side_is_ahead(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, "SELECT setval('shop.item_id_seq', 1000000)")
    moved.switch(Side.TARGET, latest(moved) + 1)
    assert pair.rows(Side.TARGET, "SELECT last_value FROM shop.item_id_seq") == [(1000000,)]


def test_fires_triggers_once_when_rows_are_replicated_and_written_again(pair: Pair, moved: NativeReplication) -> None:
    def logged(side: Side) -> int:
        return int(pair.rows(side, "SELECT count(*) FROM shop.log")[0][0])

    booking = "INSERT INTO shop.booking (day, customer_id, item_id) VALUES ('2026-02-02', 1, 1)"
    before = logged(Side.SOURCE)
    pair.rows(Side.SOURCE, booking, "shop_app")
    moved.switch(Side.TARGET, latest(moved) + 1)
    assert logged(Side.TARGET) == before + 1, "the row the trigger wrote was replicated; the trigger did not fire again"
    pair.rows(Side.TARGET, booking, "shop_app")
    assert logged(Side.TARGET) == before + 2, "the application's own write fires it"


def test_tells_the_application_when_a_side_opens(pair: Pair, moved: NativeReplication) -> None:
    with pair.connect(Side.TARGET, "shop_app") as listening:
        listening.execute("LISTEN crossfade_writer")
        epoch = latest(moved) + 1
        moved.switch(Side.TARGET, epoch)
        told = [note.payload for note in listening.notifies(timeout=PATIENT.total_seconds(), stop_after=1)]
    assert told == [f"target:{epoch}"]


def test_refuses_writes_of_the_old_side_and_lets_both_be_read_when_switched(
    pair: Pair, moved: NativeReplication
) -> None:
    for to in (Side.TARGET, Side.SOURCE):
        moved.switch(to, latest(moved) + 1)
        with pytest.raises(errors.InsufficientPrivilege):
            pair.rows(to.other, "INSERT INTO shop.log (what) VALUES ('x')", "shop_app")
        pair.rows(to, "INSERT INTO shop.log (what) VALUES ('x')", "shop_app")
        for side in Side:
            assert pair.rows(side, "SELECT count(*) > 0 FROM shop.log", "shop_app") == [(True,)]
        moved.wake_way_back(to)


# faults of the servers


def test_opens_the_old_side_again_when_the_new_server_dies_in_the_window(pair: Pair, moved: NativeReplication) -> None:
    def kill(point: str) -> None:
        if point == "locked":
            pair.clusters.target.kill()

    with NativeReplication(pair.settings(), at=kill) as role, pytest.raises(SideUnreachable) as lost:
        role.switch(Side.TARGET, latest(role) + 1)
    assert lost.value.side is Side.TARGET
    assert lost.value.retryable
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('open')", "shop_app")
    pair.clusters.target.start()
    wait_for(lambda: isinstance(moved.writer(), Writer))
    assert moved.switch(Side.TARGET, latest(moved) + 1).to is Side.TARGET
    assert pair.rows(Side.TARGET, "SELECT count(*) FROM shop.log WHERE what = 'open'") == [(1,)]


def test_lets_nobody_in_when_it_cannot_know_whether_the_new_side_opened(pair: Pair, moved: NativeReplication) -> None:
    """The connection is lost just as the new side is told to open: one writer comes before a short window."""

    def kill(point: str) -> None:
        if point == "guarded":
            pair.clusters.target.kill()

    epoch = latest(moved) + 1
    with NativeReplication(pair.settings(), at=kill) as role, pytest.raises(SideUnreachable) as lost:
        role.switch(Side.TARGET, epoch)
    assert lost.value.side is Side.TARGET
    with pytest.raises(errors.InsufficientPrivilege):
        pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('x')", "shop_app")
    pair.clusters.target.start()
    assert moved.switch(Side.TARGET, epoch).resumed
    wait_for(lambda: isinstance(moved.writer(), Writer))  # its session is from before the crash
    assert writer(moved).side is Side.TARGET


def test_stays_fenced_and_goes_on_when_the_old_server_dies_in_the_window(pair: Pair, moved: NativeReplication) -> None:
    def kill(point: str) -> None:
        if point == "fenced":
            pair.clusters.source.kill()

    with NativeReplication(pair.settings(), at=kill) as role, pytest.raises(SideUnreachable) as lost:
        role.switch(Side.TARGET, latest(role) + 1)
    assert lost.value.side is Side.SOURCE
    pair.clusters.source.start()
    assert writer(moved).side is None
    assert moved.switch(Side.TARGET, latest(moved) + 1).resumed
    assert writer(moved).side is Side.TARGET


def test_fences_nothing_when_replication_does_not_arrive(pair: Pair, moved: NativeReplication) -> None:
    before = writer(moved)
    with pair.connect(Side.TARGET) as holding:
        holding.execute("BEGIN; LOCK TABLE shop.log IN SHARE MODE")  # the apply worker stops at the next log row
        pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('held')", "shop_app")
        settings = pair.settings(drain_timeout=timedelta(seconds=2))  # also what writing the marker may take
        with NativeReplication(settings) as role, pytest.raises(NotDrained):
            role.switch(Side.TARGET, latest(role) + 1)
    assert writer(moved) == before
