"""Faults that come about in a real database: the ledger on the rehearsal's own servers."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from crossfade.database.settings import channel
from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.faults.database import DatabaseFaults
from crossfade.rehearsal.faults.full_disk import Disk
from crossfade.rehearsal.ledger.database import DATABASE, create_ledger
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports
from tests.waiting import wait_for

pytestmark = [pytest.mark.parts, pytest.mark.timeout(400)]

SLOT = channel(Side.SOURCE)
ROW = "INSERT INTO t VALUES (repeat('x', 2000))"


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Side, Cluster]]:
    programs, ports = {Side.SOURCE: source_postgres(), Side.TARGET: target_postgres()}, free_ports(2)
    made = {
        side: Cluster(
            programs=programs[side], directory=tmp_path_factory.mktemp(side.value), port=port, fillable_disk=True
        )
        for side, port in zip(Side, ports, strict=True)
    }
    try:
        for cluster in made.values():
            cluster.create()
            cluster.start()
        create_ledger(made[Side.SOURCE].dsn(), 2_000)
        yield made
    finally:
        for cluster in made.values():
            cluster.make_room()
            cluster.stop()


@pytest.fixture
def faults(clusters: dict[Side, Cluster]) -> Iterator[DatabaseFaults]:
    made = DatabaseFaults(lambda side, role: clusters[side].dsn(user=role, database=DATABASE))
    yield made
    made.close()


@pytest.fixture
def source(clusters: dict[Side, Cluster]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(clusters[Side.SOURCE].dsn(database=DATABASE), autocommit=True) as connection:
        yield connection


@pytest.fixture
def slot(source: psycopg.Connection[Any]) -> Iterator[str]:
    source.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))
    yield SLOT
    source.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def repeat(connection: psycopg.Connection[Any], statement: str, times: int) -> None:
    for _ in range(times):
        connection.execute(statement.encode())


def rows(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize("side", list(Side))
def test_the_server_fails_with_53100_and_stays_alive_while_its_disk_is_full(
    clusters: dict[Side, Cluster], side: Side
) -> None:
    cluster = clusters[side]
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (a text)")
        connection.execute(ROW)
        cluster.fill_disk()
        with pytest.raises(errors.DiskFull):
            repeat(connection, ROW, 20)
        connection.execute("CHECKPOINT")  # what is allocated can be written
        assert rows(connection, "SELECT count(*) > 0 FROM t") == [(True,)]
        cluster.make_room()
        repeat(connection, ROW, 20)
    assert cluster.alive


def test_the_server_comes_up_again_when_its_log_of_changes_found_no_room(clusters: dict[Side, Cluster]) -> None:
    """Without a segment for its write-ahead log it ends all sessions and recovers, as it does on a full disk."""
    cluster = clusters[Side.TARGET]
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (a text)")
        connection.execute("INSERT INTO t SELECT repeat('x', 100) FROM generate_series(1, 20000)")
        connection.execute("CHECKPOINT")
        before = rows(connection, "SELECT count(*) FROM t")
        cluster.fill_disk()
        with pytest.raises(psycopg.Error):
            repeat(connection, "SELECT pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()", 200)
    cluster.make_room()
    if not cluster.alive:
        cluster.start()
    wait_for(lambda: _answers(cluster))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        assert rows(connection, "SELECT count(*) FROM t") == before


def _answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.dsn(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def test_only_files_of_its_folder_that_would_grow_are_refused(tmp_path: Path) -> None:
    disk, inside, outside = Disk(tmp_path / "data", tmp_path / "mark"), tmp_path / "data" / "f", tmp_path / "f"
    inside.parent.mkdir()
    for place in (inside, outside):
        place.write_bytes(bytes(8192))
    script = "import sys, time\nf = open(sys.argv[1], 'r+b')\nprint(f.fileno(), flush=True)\ntime.sleep(60)"
    for place, refused in ((inside, True), (outside, False)):
        with subprocess.Popen([sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            handle = int(program.stdout.readline())
            for offset, grows in ((0, False), (8192, True)):
                written = (handle, 0, 8192, offset, 0, 0)
                disk.mark.unlink(missing_ok=True)
                assert not disk.refuses(program.pid, 18, written)
                disk.mark.touch()
                assert disk.refuses(program.pid, 18, written) is (refused and grows)
            program.kill()


def test_a_fence_would_wait_but_no_user_while_a_transaction_is_long(
    faults: DatabaseFaults, source: psycopg.Connection[Any]
) -> None:
    faults.begin_transaction(Side.SOURCE)
    with pytest.raises(errors.LockNotAvailable), source.transaction():
        source.execute("SET LOCAL lock_timeout = '50ms'; LOCK TABLE ledger.customers IN SHARE MODE")
    source.execute("UPDATE ledger.accounts SET overdraft = overdraft WHERE id = 2")
    faults.end_transaction()
    with source.transaction():
        source.execute("SET LOCAL lock_timeout = '120s'; LOCK TABLE ledger.customers IN SHARE MODE")


def test_the_slot_is_gone_though_somebody_was_attached_to_it(
    faults: DatabaseFaults, source: psycopg.Connection[Any], slot: str, clusters: dict[Side, Cluster]
) -> None:
    stop = threading.Event()
    reader = threading.Thread(target=_stream, args=(clusters[Side.SOURCE], slot, stop), daemon=True)
    reader.start()
    try:
        wait_for(lambda: rows(source, "SELECT 1 FROM pg_replication_slots WHERE active"))
        faults.drop_slot(Side.SOURCE)
        assert rows(source, "SELECT slot_name FROM pg_replication_slots") == []
    finally:
        stop.set()
        reader.join()


def _stream(cluster: Cluster, slot: str, stop: threading.Event) -> None:
    """Attached to the slot, and again as soon as cut off."""
    read = "SELECT count(pg_sleep(30)) FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1',"
    while not stop.is_set():
        try:
            with psycopg.connect(cluster.dsn(database=DATABASE), autocommit=True) as connection:
                connection.execute("SET statement_timeout = '2s'")
                connection.execute(f"{read} 'publication_names', 'x')".encode(), (slot,))
        except psycopg.Error:
            time.sleep(0.05)


def test_the_slot_has_missed_changes_when_it_was_made_anew(
    faults: DatabaseFaults, source: psycopg.Connection[Any], slot: str
) -> None:
    changes = "SELECT count(*) FROM pg_logical_slot_peek_binary_changes"
    options = f"('{slot}', NULL, NULL, 'proto_version', '1', 'publication_names', 'all_of_it')"
    sent = f"{changes}{options} WHERE get_byte(data, 0) = 85"  # U: an update
    source.execute("CREATE PUBLICATION all_of_it FOR ALL TABLES")
    faults.remake_slot(Side.SOURCE)
    assert rows(source, sent) == [(0,)], "what was changed before it was made anew is not sent"
    faults.change_rows(Side.SOURCE, 2)
    assert rows(source, sent) == [(2,)]
    source.execute("DROP PUBLICATION all_of_it")


def test_it_gives_up_instead_of_waiting_for_a_transaction_that_it_would_end_itself(
    clusters: dict[Side, Cluster], faults: DatabaseFaults, source: psycopg.Connection[Any]
) -> None:
    hasty = DatabaseFaults(lambda side, role: clusters[side].dsn(user=role, database=DATABASE), patience_s=0.3)
    source.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))
    faults.begin_transaction(Side.SOURCE)
    with pytest.raises(errors.QueryCanceled):
        hasty.remake_slot(Side.SOURCE)
    faults.end_transaction()
    assert rows(source, "SELECT * FROM pg_replication_slots") == []


def test_exactly_so_many_rows_differ_and_no_trigger_tells(
    faults: DatabaseFaults, source: psycopg.Connection[Any]
) -> None:
    digest = "SELECT id, md5(c::text) FROM ledger.customers c"
    log = "SELECT count(*) FROM ledger.audit_log"
    before, logged = set(rows(source, digest)), rows(source, log)
    faults.change_rows(Side.SOURCE, 3)
    assert len(set(rows(source, digest)) - before) == 3
    assert rows(source, log) == logged
    faults.bypass_fence(Side.SOURCE)
    assert rows(source, log) == [(logged[0][0] + 1,)]


def test_one_row_is_changed_hundreds_of_times_by_whoever_lets_it(
    clusters: dict[Side, Cluster], source: psycopg.Connection[Any]
) -> None:
    dsn = clusters[Side.SOURCE].dsn(user="ledger_app", database=DATABASE)
    nowhere = "host=127.0.0.1 port=1 dbname=ledger user=ledger_app"
    visits = "SELECT (profile->>'visits')::int FROM ledger.customers ORDER BY id DESC LIMIT 1"
    argv = [sys.executable, "-m", "crossfade.rehearsal.faults.hot_row", "--source", nowhere, "--target", dsn]
    with subprocess.Popen(argv) as program:
        wait_for(lambda: (rows(source, visits)[0][0] or 0) >= 200)
        program.terminate()
    row, others = rows(source, "SELECT count(*) FILTER (WHERE profile ? 'visits'), count(*) FROM ledger.customers")[0]
    assert row == 1 < others
