"""Two real servers for all tests of the database role, a fresh pair of databases for each."""

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crossfade.database.native import NativeReplication
from crossfade.database.settings import NativeSettings, Reach
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports
from tests.waiting import wait_for

SHOP = Path(__file__).with_name("shop.sql").read_text(encoding="utf-8")
PATIENT = timedelta(seconds=30)  # on a busy computer, too; a test about running out of time says how much there is
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    source: Cluster
    target: Cluster

    def __getitem__(self, side: Side) -> Cluster:
        return self.source if side is Side.SOURCE else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A database of the same name on both servers; on the source it holds the shop."""

    clusters: Clusters
    name: str

    def dsn(self, side: Side, user: str = "postgres") -> str:
        return self.clusters[side].dsn(user=user, database=self.name)

    def connect(self, side: Side, user: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn(side, user), autocommit=True, application_name=f"test-{user}")

    def rows(self, side: Side, query: str, user: str = "postgres") -> list[tuple[Any, ...]]:
        with self.connect(side, user) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def settings(self, **changes: Any) -> NativeSettings:
        source, target = (Reach(dsn=self.dsn(s, "crossfade"), subscriber_dsn=self.dsn(s, "crossfade")) for s in Side)
        plain = NativeSettings(
            source=source,
            target=target,
            programs=target_postgres().programs,
            schemas=("shop",),
            lock_timeout=PATIENT,
            quiet_timeout=PATIENT,
            drain_timeout=PATIENT,
            wake_timeout=PATIENT,
            look_timeout=PATIENT,
            retry_pause=timedelta(milliseconds=50),
            attempts=1,
        )
        return replace(plain, **changes)


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    ports = free_ports(2)
    both = Clusters(
        source=Cluster(
            programs=source_postgres(),
            directory=tmp_path_factory.mktemp("source"),
            port=ports[0],
            settings={"max_prepared_transactions": "5"},
        ),
        target=Cluster(programs=target_postgres(), directory=tmp_path_factory.mktemp("target"), port=ports[1]),
    )
    try:
        for side in Side:
            both[side].create()
            both[side].start()
            with psycopg.connect(both[side].dsn(), autocommit=True) as connection:
                connection.execute("CREATE ROLE crossfade LOGIN SUPERUSER REPLICATION")
        with psycopg.connect(both.source.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        with psycopg.connect(both.source.dsn(database="shop"), autocommit=True) as connection:
            connection.execute(SHOP.encode())
        yield both
    finally:
        both.target.stop()
        both.source.stop()


def make_pair(clusters: Clusters) -> Pair:
    name = f"pair_{next(_numbers)}"
    for side in Side:
        clusters[side].start()
        with psycopg.connect(clusters[side].dsn(), autocommit=True) as connection:
            template = "shop" if side is Side.SOURCE else "template0"
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
    return Pair(clusters=clusters, name=name)


def drop_pair(pair: Pair) -> None:
    for side in Side:
        pair.clusters[side].start()
        unsubscribe(pair.clusters[side], pair.name)
    for side in Side:
        drop_database(pair.clusters[side], pair.name)


@pytest.fixture
def fresh_pair(clusters: Clusters, shelf: "Shelf") -> Iterator[Pair]:
    """Nothing of ours is on either side. Slots are named once in a server, so no other pair is there meanwhile."""
    shelf.clear()
    pair = make_pair(clusters)
    yield pair
    drop_pair(pair)


@dataclass(slots=True)
class Shelf:
    """Keeps one pair that is ready to switch, from test to test."""

    clusters: Clusters
    ready: Pair | None = None

    def take(self) -> Pair:
        if self.ready is None:
            pair = make_pair(self.clusters)
            with NativeReplication(pair.settings()) as role:
                move(role)
            self.ready = pair
        return self.ready

    def put_back(self, pair: Pair) -> None:
        """The source is the primary again and both directions are whole; else the pair is thrown away."""
        try:
            for side in Side:
                self.clusters[side].start()
            with NativeReplication(pair.settings(attempts=3)) as role:
                bring_home(role)
        except Exception:  # noqa: BLE001 - whatever a test broke, the next one gets a new pair
            self.clear()

    def clear(self) -> None:
        if self.ready is not None:
            drop_pair(self.ready)
        self.ready = None


@pytest.fixture(scope="session")
def shelf(clusters: Clusters) -> Iterator[Shelf]:
    shelf = Shelf(clusters)
    yield shelf
    shelf.clear()


@pytest.fixture
def pair(shelf: Shelf) -> Iterator[Pair]:
    """Everything stands that must stand before a cutover: full load and second half done, the way back asleep."""
    pair = shelf.take()
    yield pair
    shelf.put_back(pair)


def bring_home(role: NativeReplication) -> None:
    seen = writer(role)
    if seen.side is not Side.SOURCE:
        if seen.side is Side.TARGET:
            role.wake_way_back(Side.TARGET)
        role.switch(Side.SOURCE, latest(role) + 1)
    role.wake_way_back(Side.SOURCE)
    assert isinstance(role.replication(Side.SOURCE), Replication)
    assert isinstance(role.way_back(Side.TARGET), WayBack)


def writer(role: NativeReplication) -> Writer:
    seen = role.writer()
    assert isinstance(seen, Writer), seen
    return seen


def latest(role: NativeReplication) -> int:
    """The highest epoch that either side holds."""
    seen = writer(role)
    return max(seen.source_epoch, seen.target_epoch)


def unsubscribe(cluster: Cluster, name: str) -> None:
    with psycopg.connect(cluster.dsn(database=name), autocommit=True) as connection:
        for (subscription,) in connection.execute(
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid"
            " WHERE datname = current_database()"
        ).fetchall():
            for what in ("DISABLE", "SET (slot_name = NONE)"):
                connection.execute(f"ALTER SUBSCRIPTION {subscription} {what}".encode())
            connection.execute(f"DROP SUBSCRIPTION {subscription}".encode())


def drop_database(cluster: Cluster, name: str) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        left = "SELECT slot_name FROM pg_replication_slots WHERE database = %s"
        for _ in range(500):
            for (slot,) in connection.execute(left + " AND NOT active", (name,)).fetchall():
                connection.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            if not connection.execute(left, (name,)).fetchall():
                break
            connection.execute("SELECT pg_sleep(0.02)")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def fresh(fresh_pair: Pair) -> Iterator[NativeReplication]:
    with NativeReplication(fresh_pair.settings()) as role:
        yield role


@pytest.fixture
def moved(pair: Pair) -> Iterator[NativeReplication]:
    """The role on a pair that is ready to switch."""
    with NativeReplication(pair.settings()) as role:
        yield role


def move(role: NativeReplication) -> NativeReplication:
    role.create_schema()
    role.start_replication()
    wait_for(lambda: copied(role))
    role.complete_schema()
    role.build_way_back()
    return role


def copied(role: NativeReplication) -> bool:
    seen = role.replication(Side.SOURCE)
    assert isinstance(seen, Replication), seen
    return seen.copied


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def process(pair: Pair, side: Side, kind: str) -> int:
    found = pair.rows(side, f"SELECT pid FROM pg_stat_activity WHERE backend_type = '{kind}'")
    return int(found[0][0])


def traces(pair: Pair, side: Side) -> list[Any]:
    """Whatever of ours stands in this database."""
    return pair.rows(
        side,
        "SELECT 'slot', slot_name::text FROM pg_replication_slots WHERE database = current_database()"
        " UNION ALL SELECT 'publication', pubname FROM pg_publication"
        " UNION ALL SELECT 'subscription', subname FROM pg_subscription WHERE subname LIKE 'crossfade%'"
        " UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspname = 'crossfade'",
    )
