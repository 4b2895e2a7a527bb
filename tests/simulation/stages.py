"""The same stage twice: two real PostgreSQL servers, and two modelled ones, for the same schedules of a switch."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import psycopg
from psycopg import errors

from crossfade.database.native import NativeReplication
from crossfade.database.settings import channel
from crossfade.database.switch import At
from crossfade.model.seen import Writer
from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.postgres.application import WriteOutcome
from crossfade.simulation.postgres.catalog import APPLICATION, BATCH, ENTRIES, SEQUENCE
from crossfade.simulation.postgres.databases import Databases, plain_settings
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.task import FOREVER, Task, Work
from tests.database.conftest import Pair

_START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


class Inside(Protocol):
    """A transaction of the application that has written and not committed."""

    def commit(self) -> None: ...

    def ended(self) -> bool:
        """Whether it is over, by whoever."""
        ...


class Stage(Protocol):
    """Both sides stand ready to switch, and the source is open."""

    def role(self, at: At | None = None, **changes: Any) -> NativeReplication: ...

    def write(self, side: Side, key: str, *, second_role: bool = False) -> str: ...

    def begin(self, side: Side, key: str) -> Inside: ...

    def crash(self, side: Side) -> None: ...

    def start(self, side: Side) -> None: ...

    def standing_still(self, side: Side) -> contextlib.AbstractContextManager[None]:
        """Nothing is applied there meanwhile."""
        ...

    def lose_slot(self, publisher: Side, *, lost_key: str | None = None) -> None:
        """It is dropped; with a key also made anew, after a row that nobody ever sends."""
        ...

    def awaited(self, side: Side) -> bool:
        """Whether the fence waits for a writer there."""
        ...

    def grant(self, side: Side) -> None: ...

    def raise_sequence(self, side: Side, to: int) -> None: ...

    def sequence(self, side: Side) -> int: ...

    def keys(self, side: Side) -> frozenset[str]: ...

    def sleep(self, seconds: float) -> None: ...

    def arrive(self) -> None:
        """Return when what the source has written is on the target."""
        ...

    def later(self, condition: Callable[[], bool], action: Callable[[], None]) -> None:
        """Do it once that is so, while the schedule goes on."""
        ...


@dataclass(slots=True)
class _RealInside:
    connection: psycopg.Connection[Any]

    def commit(self) -> None:
        self.connection.commit()
        self.connection.close()

    def ended(self) -> bool:
        try:
            self.connection.execute("SELECT 1")
        except psycopg.Error:
            return True
        return False


class RealStage:
    """On `shop.log` of a pair of real databases. Every key is told from those of other tests by its beginning."""

    def __init__(self, pair: Pair) -> None:
        self._pair, self._prefix = pair, f"{time.monotonic_ns()}:"
        self._open: list[NativeReplication | psycopg.Connection[Any]] = []

    def close(self) -> None:
        for opened in self._open:
            opened.close()

    def role(self, at: At | None = None, **changes: Any) -> NativeReplication:
        role = NativeReplication(self._pair.settings(**changes), at)
        self._open.append(role)
        return role

    def write(self, side: Side, key: str, *, second_role: bool = False) -> str:
        try:
            self._pair.rows(side, self._insert(key), "shop_clerk" if second_role else "shop_app")
        except errors.InsufficientPrivilege:
            return "refused"
        return "committed"

    def begin(self, side: Side, key: str) -> Inside:
        connection = psycopg.connect(self._pair.dsn(side, "shop_app"), application_name="month-end")
        self._open.append(connection)
        connection.execute(self._insert(key).encode())
        return _RealInside(connection)

    def crash(self, side: Side) -> None:
        self._pair.clusters[side].kill()

    def start(self, side: Side) -> None:
        self._pair.clusters[side].start()

    @contextlib.contextmanager
    def standing_still(self, side: Side) -> Iterator[None]:
        with self._pair.connect(side) as holding:
            holding.execute("BEGIN; LOCK TABLE shop.log IN SHARE MODE")
            yield

    def lose_slot(self, publisher: Side, *, lost_key: str | None = None) -> None:
        name = channel(publisher)
        self._pair.rows(publisher.other, f"ALTER SUBSCRIPTION {name} DISABLE")
        free = f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND NOT active"
        self._until(lambda: bool(self._pair.rows(publisher, free)))
        self._pair.rows(publisher, f"SELECT pg_drop_replication_slot('{name}')")
        if lost_key is not None:
            self._pair.rows(publisher, f"{self._insert(lost_key)}; SELECT crossfade.beat()")
            self._pair.rows(publisher, f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")
            self._pair.rows(publisher.other, f"ALTER SUBSCRIPTION {name} ENABLE")

    def awaited(self, side: Side) -> bool:
        return bool(self._pair.rows(side, "SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted"))

    def grant(self, side: Side) -> None:
        self._pair.rows(side, "GRANT INSERT ON shop.log TO shop_app")

    def raise_sequence(self, side: Side, to: int) -> None:
        self._pair.rows(side, f"SELECT setval('shop.log_id_seq', {to})")

    def sequence(self, side: Side) -> int:
        return int(self._pair.rows(side, "SELECT last_value FROM shop.log_id_seq")[0][0])

    def keys(self, side: Side) -> frozenset[str]:
        rows = self._pair.rows(side, f"SELECT what FROM shop.log WHERE what LIKE '{self._prefix}%'")
        found = [what.removeprefix(self._prefix) for (what,) in rows]
        assert len(found) == len(set(found))
        return frozenset(found)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def arrive(self) -> None:
        ((position,),) = self._pair.rows(Side.SOURCE, "SELECT pg_logical_emit_message(true, 'test', 'last')::text")
        behind = (
            "SELECT 1 FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid"
            f" WHERE s.database = current_database() AND r.replay_lsn < '{position}'"
        )
        self._until(lambda: not self._pair.rows(Side.SOURCE, behind))

    def later(self, condition: Callable[[], bool], action: Callable[[], None]) -> None:
        import threading

        def wait() -> None:
            self._until(condition)
            action()

        threading.Thread(target=wait, daemon=True).start()

    def _insert(self, key: str) -> str:
        return f"INSERT INTO shop.log (what) VALUES ('{self._prefix}{key}')"

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 180
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@dataclass(slots=True)
class _ModelInside:
    databases: Databases
    side: Side
    outcome: list[WriteOutcome]
    go: list[bool]

    def commit(self) -> None:
        self.go.append(True)

    def ended(self) -> bool:
        return bool(self.outcome)


class ModelStage:
    """On `ledger.entries` of two modelled databases; only within a process of the hub."""

    def __init__(self, seed: int) -> None:
        self.hub = Hub(_START)
        self.databases = Databases(self.hub, random.Random(seed), retry_seconds=0.5, calm=True)

    def role(self, at: At | None = None, **changes: Any) -> NativeReplication:
        settings = replace(
            plain_settings(),
            lock_timeout=timedelta(seconds=1),
            retry_pause=timedelta(milliseconds=50),
            attempts=1,
        )
        return self.databases.role(replace(settings, **changes), at)

    def write(self, side: Side, key: str, *, second_role: bool = False) -> str:
        told: list[WriteOutcome] = []
        role = BATCH if second_role else APPLICATION
        self.databases[side].write(key, role=role, seconds=0.001, done=told.append)
        while not told:
            self.hub.sleep(0.001)
        return str(told[0])

    def begin(self, side: Side, key: str) -> Inside:
        server, told, go = self.databases[side], list[WriteOutcome](), list[bool]()
        write = server.write(key, role=APPLICATION, seconds=FOREVER, done=told.append)
        write.application = "month-end"

        def look() -> None:
            if go:
                write.go_on()
            elif not told:
                self.hub.after(0.005, look)

        look()
        self.hub.sleep(0.01)
        return _ModelInside(self.databases, side, told, go)

    def crash(self, side: Side) -> None:
        self.databases[side].crash()

    def start(self, side: Side) -> None:
        self.databases[side].start()
        while not self.databases[side].up:
            self.hub.sleep(0.05)

    @contextlib.contextmanager
    def standing_still(self, side: Side) -> Iterator[None]:
        server = self.databases[side]
        tx = server.begin("postgres", "test", server.new_pid())

        def hold(task: Task) -> Work[None]:
            yield from server.lock(task, tx, ENTRIES, Mode.SHARE)

        server.run(hold)
        self.hub.sleep(0.01)
        try:
            yield
        finally:
            server.end(tx)

    def lose_slot(self, publisher: Side, *, lost_key: str | None = None) -> None:
        name = channel(publisher)
        subscription = self.databases[publisher.other].subscriptions[name]
        subscription.disable()
        while subscription.worker is not None or self.databases[publisher].slots[name].active_pid is not None:
            self.hub.sleep(0.01)
        self.databases[publisher].drop_slot(name)
        if lost_key is not None:
            self.write(publisher, lost_key)
            with self.databases.connect(
                publisher, "", application_name="test", patience=timedelta(seconds=5)
            ) as session:
                session.rows("SELECT crossfade.beat()")
            self.databases[publisher].make_slot(name)
            subscription.enable()

    def awaited(self, side: Side) -> bool:
        return self.databases[side].lock_of(ENTRIES).is_awaited()

    def grant(self, side: Side) -> None:
        self.databases[side].grant(APPLICATION)

    def raise_sequence(self, side: Side, to: int) -> None:
        self.databases[side].sequences[SEQUENCE] = to

    def sequence(self, side: Side) -> int:
        return self.databases[side].sequences[SEQUENCE] or 1

    def keys(self, side: Side) -> frozenset[str]:
        assert set(self.databases[side].committed().values()) <= {1}
        return frozenset(self.databases[side].committed())

    def sleep(self, seconds: float) -> None:
        self.hub.sleep(seconds)

    def arrive(self) -> None:
        self.hub.sleep(0.2)

    def later(self, condition: Callable[[], bool], action: Callable[[], None]) -> None:
        def look() -> None:
            if condition():
                action()
            else:
                self.hub.after(0.002, look)

        look()


def on_model(schedule: Callable[[Stage], Any], seed: int = 1) -> Any:
    """What the schedule tells when it is played on the model."""
    stage = ModelStage(seed)
    told: list[Any] = []

    def play() -> None:
        _make_ready(stage)
        told.append(schedule(stage))

    stage.hub.spawn("schedule", play)
    stage.hub.run(until=lambda: bool(told), limit=10_000)
    stage.hub.close()
    assert told, "it never ended"
    return told[0]


def _make_ready(stage: ModelStage) -> None:
    with stage.role() as role:
        role.create_schema()
        role.start_replication()
        subscription = stage.databases.target.subscriptions[channel(Side.SOURCE)]
        while any(relation.state != "r" for relation in subscription.relations.values()):
            stage.sleep(0.05)
        role.complete_schema()
        role.build_way_back()


def writer_of(role: NativeReplication) -> Writer:
    seen = role.writer()
    assert isinstance(seen, Writer), seen
    return seen
