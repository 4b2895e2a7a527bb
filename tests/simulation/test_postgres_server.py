"""What a modelled server keeps, loses and refuses."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from crossfade.database.errors import SideUnreachable, StatementFailed
from crossfade.database.session import Session
from crossfade.database.state import uninstall
from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.postgres.application import WriteOutcome
from crossfade.simulation.postgres.catalog import APPLICATION, BATCH, BEAT, SEQUENCE
from crossfade.simulation.postgres.databases import Databases
from crossfade.simulation.postgres.server import Server

NAME = "crossfade_from_source"


@pytest.fixture
def databases() -> Databases:
    hub = Hub(datetime(2026, 1, 2, 3, 0, tzinfo=UTC))
    return Databases(hub, random.Random(5), retry_seconds=0.5, calm=True)


@pytest.fixture
def source(databases: Databases) -> Server:
    return databases.source


def write(server: Server, key: str, *, role: str = APPLICATION, seconds: float = 0.001) -> list[WriteOutcome]:
    told: list[WriteOutcome] = []
    server.write(key, role=role, seconds=seconds, done=told.append)
    return told


def settle(databases: Databases, seconds: float = 1.0) -> None:
    databases.hub.run(limit=databases.hub.seconds + seconds)


def within(databases: Databases, body: Callable[[], Any]) -> Any:
    """What `body` gives, as a process."""
    told: list[Any] = []
    databases.hub.spawn("test", lambda: told.append(body()))
    databases.hub.run(until=lambda: bool(told), limit=databases.hub.seconds + 600)
    return told[0]


def connect(databases: Databases, side: Side, patience: float = 5.0) -> Session:
    return databases.connect(side, "", application_name="test", patience=timedelta(seconds=patience))


def ready(databases: Databases) -> None:
    role = databases.role()

    def prepare() -> bool:
        role.create_schema()
        role.start_replication()
        while any(relation.state != "r" for relation in databases.target.subscriptions[NAME].relations.values()):
            databases.hub.sleep(0.05)
        role.complete_schema()
        role.build_way_back()
        return True

    within(databases, prepare)


# the application


def test_a_write_is_done_once_when_it_is_sent_twice_at_the_same_time(databases: Databases, source: Server) -> None:
    first, second = write(source, "k", seconds=0.5), write(source, "k", seconds=0.5)
    settle(databases, 2)
    assert (first, second) == ([WriteOutcome.COMMITTED], [WriteOutcome.COMMITTED])
    assert source.committed() == {"k": 1}


def test_a_write_is_refused_without_a_grant_and_a_superuser_never_is(databases: Databases, source: Server) -> None:
    source.revoke(APPLICATION)
    refused, other, around = write(source, "a"), write(source, "b", role=BATCH), write(source, "c", role="postgres")
    settle(databases)
    assert (refused, other, around) == (
        [WriteOutcome.REFUSED],
        [WriteOutcome.COMMITTED],
        [WriteOutcome.COMMITTED],
    )
    assert source.app_may_write(), "one role is left"


def test_a_write_fails_and_is_counted_when_the_sequence_was_left_behind(databases: Databases, source: Server) -> None:
    write(source, "a")
    settle(databases)
    source.sequences[SEQUENCE] = 0
    again = write(source, "b")
    settle(databases)
    assert again == [WriteOutcome.FAILED]
    assert source.duplicates == 1


def test_a_write_fails_when_the_disk_is_full_or_the_server_is_down(databases: Databases, source: Server) -> None:
    source.disk_full = True
    full = write(source, "a")
    settle(databases)
    source.disk_full = False
    source.crash()
    down = write(source, "b")
    settle(databases)
    assert (full, down, dict(source.committed())) == ([WriteOutcome.FAILED], [WriteOutcome.FAILED], {})


# crashes


def test_nobody_knows_of_a_write_and_what_was_acknowledged_stays_when_the_server_crashes() -> None:
    """Over many chances: a commit that waited for its flush is there or not, an acknowledged one always is."""
    there = 0
    for seed in range(60):
        databases = Databases(Hub(datetime(2026, 1, 2, tzinfo=UTC)), random.Random(seed), calm=True)
        source = databases.source
        done = write(source, "done")
        settle(databases)
        open_, waiting = write(source, "open", seconds=9.0), write(source, "waiting", seconds=0.0)
        while source.wal.inserted == source.wal.flushed:
            settle(databases, 0.0001)
        source.crash()
        source.start()
        settle(databases, 5)
        assert (done, open_, waiting) == ([WriteOutcome.COMMITTED], [WriteOutcome.UNKNOWN], [WriteOutcome.UNKNOWN])
        assert set(source.committed()) - {"waiting"} == {"done"}
        there += "waiting" in source.committed()
    assert 0 < there < 60


def test_a_slot_is_where_it_was_on_disk_when_the_server_crashes(databases: Databases, source: Server) -> None:
    slot = source.make_slot("mine")
    made = slot.confirmed
    write(source, "a")
    settle(databases)
    source.slot_moved(slot, source.wal.flushed)
    assert slot.confirmed > made
    source.crash()
    assert slot.confirmed == made
    source.start()
    settle(databases, 5)  # a logged snapshot is behind it now, and passing it saves the slot
    source.log_snapshot()
    settle(databases)
    source.slot_moved(slot, source.wal.flushed)
    moved = slot.confirmed
    source.crash()
    assert slot.confirmed == moved


def test_rows_that_were_applied_and_not_flushed_come_again_when_the_subscriber_crashes(databases: Databases) -> None:
    ready(databases)
    for number in range(20):
        write(databases.source, f"k{number}")
        settle(databases, 0.01)
    assert databases.target.committed()
    assert databases.target.wal.flushed < databases.target.wal.inserted
    databases.target.crash()
    databases.target.start()
    settle(databases, 10)
    assert databases.target.committed() == databases.source.committed()
    assert len(databases.target.committed()) == 20


# sessions


def test_a_statement_that_the_model_does_not_know_is_named(databases: Databases) -> None:
    def ask() -> str:
        with connect(databases, Side.SOURCE) as session, pytest.raises(StatementFailed) as failed:
            session.rows("SELECT something_new()")
        return str(failed.value)

    assert "does not understand: SELECT something_new()" in within(databases, ask)


def test_what_was_sent_is_done_when_its_sender_is_killed_and_its_locks_are_free(databases: Databases) -> None:
    ready(databases)
    hub, target = databases.hub, databases.target

    def engine() -> None:
        session = connect(databases, Side.TARGET)
        assert session.value("SELECT pg_try_advisory_lock(%s, %s)", (1, 1)) is True
        session.send("BEGIN; SELECT crossfade.open(7); COMMIT")
        sent.append(True)
        hub.sleep(1000)

    sent: list[bool] = []
    process = hub.spawn("engine", engine)
    hub.run(until=lambda: bool(sent), limit=10)
    assert not target.app_may_write()
    hub.kill(process)
    settle(databases, 2)
    assert {grant.role for grant in target.catalog.grants} >= {APPLICATION, BATCH}
    assert not target.advisory


def test_a_session_gives_up_in_its_patience_when_the_link_is_cut(databases: Databases) -> None:
    hub = databases.hub

    def ask() -> float:
        session = connect(databases, Side.TARGET, patience=2)
        databases.wan.up = False
        began = hub.seconds
        with pytest.raises(SideUnreachable):
            session.rows("SELECT 1")
        assert session.closed
        return hub.seconds - began

    assert within(databases, ask) == pytest.approx(2, abs=0.1)


def test_a_failed_transaction_takes_nothing_but_a_rollback(databases: Databases) -> None:
    ready(databases)

    def ask() -> tuple[str, Any]:
        with connect(databases, Side.SOURCE) as session:
            with pytest.raises(StatementFailed):
                session.run("BEGIN; LOCK TABLE ONLY no.table IN SHARE MODE; COMMIT", patience=timedelta(seconds=1))
            with pytest.raises(StatementFailed) as aborted:
                session.rows("SELECT 1")
            session.roll_back()
            return aborted.value.sqlstate, session.value("SELECT 1")

    assert within(databases, ask) == ("25P02", 1)


def test_a_lock_times_out_behind_a_writer_and_writers_behind_it_go_on(databases: Databases, source: Server) -> None:
    slow = write(source, "slow", seconds=3.0)
    settle(databases, 0.1)
    queued: list[list[WriteOutcome]] = []

    def fence() -> str:
        with connect(databases, Side.SOURCE) as session:
            databases.hub.after(0.2, lambda: queued.append(write(source, "queued")))
            script = "BEGIN; SET LOCAL lock_timeout = '500ms'; LOCK TABLE ONLY ledger.entries IN SHARE MODE; COMMIT"
            with pytest.raises(StatementFailed) as failed:
                session.run(script, patience=timedelta(seconds=5))
            assert queued == [[]], "nobody overtakes who waits for a lock"
        return failed.value.sqlstate

    assert within(databases, fence) == "55P03"
    settle(databases, 5)
    assert (slow, queued) == ([WriteOutcome.COMMITTED], [[WriteOutcome.COMMITTED]])


def test_a_beat_that_waited_finds_its_table_taken_away(databases: Databases) -> None:
    ready(databases)
    told: list[str] = []

    def beat() -> None:
        with connect(databases, Side.SOURCE) as session, pytest.raises(StatementFailed) as failed:
            session.value("SELECT crossfade.beat()")
        told.append(failed.value.sqlstate)

    def take_away() -> bool:
        with connect(databases, Side.SOURCE) as holder, connect(databases, Side.SOURCE) as session:
            holder.run(f"BEGIN; LOCK TABLE ONLY {BEAT} IN SHARE MODE", patience=timedelta(seconds=5))
            databases.hub.spawn("beat", beat)
            databases.hub.sleep(0.1)
            uninstall(session)
            holder.run("COMMIT", patience=timedelta(seconds=5))
        return True

    within(databases, take_away)
    settle(databases)
    assert told == ["42P01"]


# replication


def test_a_worker_stops_on_a_row_that_is_there_and_the_way_is_dead(databases: Databases) -> None:
    ready(databases)
    write(databases.target, "around", role="postgres")
    settle(databases)
    write(databases.source, "first")
    settle(databases, 3)
    assert "duplicate key" in databases.target.subscriptions[NAME].last_error
    assert dict(databases.target.committed()) == {"around": 1}


def test_a_worker_stops_on_a_column_that_is_missing_until_it_is_added(databases: Databases) -> None:
    ready(databases)
    databases.source.add_column("ledger.entries", "colour")
    write(databases.source, "first")
    settle(databases, 3)
    assert "missing replicated column colour" in databases.target.subscriptions[NAME].last_error
    databases.target.add_column("ledger.entries", "colour")
    settle(databases, 3)
    assert dict(databases.target.committed()) == {"first": 1}


@pytest.mark.parametrize("seconds", [0.5, 90.0])
def test_everything_arrives_once_and_in_order_when_the_link_was_cut(databases: Databases, seconds: float) -> None:
    ready(databases)
    for number in range(10):
        write(databases.source, f"before {number}")
    settle(databases, 0.002)
    databases.wan.up = False
    for number in range(10):
        write(databases.source, f"during {number}")
        settle(databases, seconds / 10)
    assert not any(key.startswith("during") for key in databases.target.committed())
    databases.wan.up = True
    for number in range(10):
        write(databases.source, f"after {number}")
        settle(databases, 0.05)
    settle(databases, 30)
    assert dict(databases.target.committed()) == dict.fromkeys(databases.source.committed(), 1)
    assert len(databases.target.committed()) == 30


def test_a_slot_is_neither_advanced_nor_looked_into_past_what_is_on_disk(databases: Databases) -> None:
    """The trap: what is applied is seen, but not flushed; the guard sees nothing, and yet it would be sent again."""
    ready(databases)
    target, name = databases.target, "crossfade_from_target"

    def advance() -> tuple[int, int, str]:
        with connect(databases, Side.TARGET) as session:
            write(databases.source, "late")
            while not target.committed():
                databases.hub.sleep(0.0002)
            rows = session.run(
                f"SELECT pg_replication_slot_advance('{name}', pg_current_wal_flush_lsn());"
                f"SELECT 'unskipped', crossfade.unskipped('{name}')",
                patience=timedelta(seconds=5),
            )
        return target.slots[name].confirmed, target.wal.inserted, rows[-1][1]

    confirmed, inserted, unskipped = within(databases, advance)
    assert unskipped == "0"
    assert confirmed < inserted
    settle(databases)
    assert any(commit.changes for commit in target.wal.between(confirmed, target.wal.flushed))


# the same again


def test_the_same_seed_gives_the_same_times_and_another_gives_others() -> None:
    def play(seed: int) -> list[tuple[float, int]]:
        databases = Databases(Hub(datetime(2026, 1, 2, tzinfo=UTC)), random.Random(seed))
        ready(databases)
        history: list[tuple[float, int]] = []
        for side in Side:
            databases[side].on_grant_change.append(
                lambda server: history.append((databases.hub.seconds, server.version))
            )
        with databases.role() as role:
            within(databases, lambda: role.switch(Side.TARGET, 1))
            within(databases, partial(role.wake_way_back, Side.TARGET))
        history.append((databases.hub.seconds, databases.target.wal.inserted))
        return history

    assert play(3) == play(3)
    assert play(3) != play(4)
