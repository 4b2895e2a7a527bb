"""One PostgreSQL 13 and one 18 for all tests of a run, and a fresh database on one of them for each test."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from typing import Any, ClassVar, Self

import psycopg
import pytest
from psycopg import sql

from crossfade.expand.backfill import Pacing
from crossfade.expand.change import ChangeFile, read_change
from crossfade.expand.locks import Patience
from crossfade.expand.session import Session
from crossfade.expand.steps import SchemaChange, Settings
from crossfade.expand.usage import Confirmed
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import PostgresPrograms, source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports
from tests.waiting import wait_for

SURE = Confirmed(readers_gone=True)
ON_13 = pytest.mark.parametrize("server", [13], indirect=True)
ON_18 = pytest.mark.parametrize("server", [18], indirect=True)
_PROGRAMS: dict[int, Callable[[], PostgresPrograms]] = {13: source_postgres, 18: target_postgres}
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of its own, in which `change` opens changes and `rows` asks questions."""

    cluster: Cluster
    name: str

    @property
    def dsn(self) -> str:
        return self.cluster.dsn(database=self.name)

    @property
    def app_dsn(self) -> str:
        """As the application, which owns nothing."""
        return self.cluster.dsn(user="app", database=self.name)

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(question.encode()).fetchall()

    def change(self, file: ChangeFile, *, quiet_ms: int = 0) -> SchemaChange:
        patience = Patience(pause=timedelta(milliseconds=10), in_all=timedelta(seconds=60))
        pacing = Pacing(share_percent=100, latency=timedelta(seconds=5))
        quiet = timedelta(milliseconds=quiet_ms)
        return SchemaChange(file, Settings(dsn=self.dsn, patience=patience, pacing=pacing, quiet=quiet))

    def shape(self) -> list[tuple[Any, ...]]:
        """Everything that a change could leave behind."""
        return self.rows("""
            SELECT 'column', attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod), attnotnull::text
                FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
                WHERE attnum > 0 AND NOT attisdropped AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
            UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text, '', ''
                FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), ''
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT 'function', oid::regprocedure::text, '', '', ''
                FROM pg_proc WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
            UNION ALL SELECT 'schema', nspname::text, '', '', '' FROM pg_namespace WHERE nspname LIKE 'crossfade%'
            ORDER BY 1, 2, 3""")


@pytest.fixture(scope="session", params=[13, 18])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings = {
        "fsync": "off",  # these databases live for one test
        "full_page_writes": "off",
        "shared_preload_libraries": "pg_stat_statements",  # seen where a test creates the extension, and only there
    }
    cluster = Cluster(
        programs=_PROGRAMS[request.param](),
        directory=tmp_path_factory.mktemp("expand") / str(request.param),
        port=free_ports(1)[0],
        settings=settings,
    )
    try:
        cluster.create()
        cluster.start()
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            connection.execute("CREATE ROLE app LOGIN")
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def database(server: Cluster) -> Iterator[Database]:
    made = Database(cluster=server, name=f"expand_{next(_numbers)}")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {made.name}".encode())
    yield made
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {made.name} WITH (FORCE)".encode())


def change(text: str) -> ChangeFile:
    found = read_change(text, "change.yaml")
    assert isinstance(found, ChangeFile), found
    return found


Write = Callable[["psycopg.Connection[Any]", int], None]


@dataclass(slots=True)
class Writer:
    """One application version in a thread: `write(connection, n)` for n = 0, 1, 2 … until it is stopped."""

    running: ClassVar[list[Self]] = []

    dsn: str
    write: Write
    done: int = 0
    failure: psycopg.Error | None = None
    _stop: Event = field(default_factory=Event)
    _begun: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._run)
        self._thread.start()
        assert self._begun.wait(180)
        self.running.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """It has ended; no statement of it has failed."""
        assert self._thread is not None
        if self in self.running:
            self.running.remove(self)
        self._stop.set()
        self._thread.join()
        assert self.failure is None, self.failure

    def _run(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                while not self._stop.wait(0.002):
                    self.write(connection, self.done)
                    self.done += 1
                    self._begun.set()
        except psycopg.Error as exc:
            self.failure = exc
        finally:
            self._begun.set()


@dataclass(slots=True)
class Sent:
    """Messages of several statements that were sent to the server, and what it told of reading rows for each."""

    under_locks: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the changes of a test send, sorted by whether it takes a lock."""
    found, script = Sent(), Session.script

    def watched(self: Session, statements: Sequence[sql.Composable]) -> list[list[tuple[Any, ...]]]:
        told: list[str] = []

        def note(diagnostic: psycopg.errors.Diagnostic) -> None:
            if (said := diagnostic.message_primary or "").startswith(("verifying", "rewriting", "validating")):
                told.append(said)

        self._connection.add_notice_handler(note)
        self._connection.execute("SET client_min_messages = debug1")
        try:
            return script(self, statements)
        finally:
            self._connection.remove_notice_handler(note)
            self._connection.execute("SET client_min_messages = error")
            texts = tuple(each.as_string() for each in statements)
            if any(text.startswith("LOCK TABLE") for text in texts):
                found.under_locks.append((texts, tuple(told)))
            else:
                found.beside += told

    monkeypatch.setattr(Session, "script", watched)
    return found


def silently(_: object) -> None:
    """For progress that nobody looks at."""


@contextmanager
def opened(database: Database, file: ChangeFile) -> Iterator[SchemaChange]:
    """As soon as the one before has let go: a server notices a little later that a client is gone."""

    def free() -> bool:
        return database.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]

    wait_for(free)
    with database.change(file) as change_:
        yield change_
