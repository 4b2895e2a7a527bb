"""One PostgreSQL 13 and one 18 for all tests of a run, and a fresh pair of databases for each test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from typing import Self

import psycopg
import pytest

from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports
from crossfade.verify.postgres import VerifySettings
from crossfade.verify.session import Session

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A database of the same name on both sides."""

    clusters: dict[Side, Cluster]
    database: str

    def dsn(self, side: Side) -> str:
        return self.clusters[side].dsn(database=self.database)

    def run(self, side: Side, *statements: str) -> None:
        with psycopg.connect(self.dsn(side), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def both(self, *statements: str) -> None:
        for side in Side:
            self.run(side, *statements)

    def value(self, side: Side, question: str) -> object:
        with psycopg.connect(self.dsn(side), autocommit=True) as connection:
            row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]

    @property
    def settings(self) -> VerifySettings:
        return VerifySettings(source=self.dsn(Side.SOURCE), target=self.dsn(Side.TARGET))


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Side, Cluster]]:
    started: dict[Side, Cluster] = {}
    try:
        for side, programs in ((Side.SOURCE, source_postgres()), (Side.TARGET, target_postgres())):
            directory = tmp_path_factory.mktemp("verify") / side.value
            # fast: these databases live for one test; the wait for a commit's flush is no part of what is tested
            settings = {"fsync": "off", "full_page_writes": "off"}
            cluster = Cluster(programs=programs, directory=directory, port=free_ports(1)[0], settings=settings)
            cluster.create()
            cluster.start()
            started[side] = cluster
        yield started
    finally:
        for cluster in started.values():
            cluster.stop()


@pytest.fixture
def databases(clusters: dict[Side, Cluster]) -> Iterator[Pair]:
    pair = Pair(clusters=clusters, database=f"verify_{next(_numbers)}")
    for side in Side:
        with psycopg.connect(clusters[side].dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {pair.database}".encode())
    yield pair
    for side in Side:
        with psycopg.connect(clusters[side].dsn(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {pair.database} WITH (FORCE)".encode())


@pytest.fixture
def replicated(databases: Pair) -> Iterator[Callable[[Side], str]]:
    """Call it with the primary: every table it has now is replicated to the other side; gives the slot's name."""
    made: list[Side] = []

    def replicate(primary: Side) -> str:
        name = f"{databases.database}_from_{primary.value}"
        databases.run(primary, f"CREATE PUBLICATION {name} FOR ALL TABLES")
        databases.run(
            primary.other,
            f"CREATE SUBSCRIPTION {name} CONNECTION '{databases.dsn(primary)}' PUBLICATION {name}"
            " WITH (copy_data = false)",
        )
        made.append(primary)
        return name

    yield replicate
    for primary in made:
        databases.run(primary.other, f"DROP SUBSCRIPTION IF EXISTS {databases.database}_from_{primary.value}")


class Writers:
    """Runs `write(connection, n)` for n = 0, 1, 2 … until the block ends; each call is a transaction. `done` counts."""

    def __init__(self, dsn: str, write: Callable[[psycopg.Connection, int], None]) -> None:
        self._dsn, self._write = dsn, write
        self._stop, self._begun = Event(), Event()
        self.done = 0
        self.failure: psycopg.Error | None = None

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._run)
        self._thread.start()
        assert self._begun.wait(180)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        assert self.failure is None, self.failure

    def _run(self) -> None:
        try:
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                while not self._stop.wait(0.001):
                    with connection.transaction():
                        self._write(connection, self.done)
                    self.done += 1
                    self._begun.set()
        except psycopg.Error as exc:
            self.failure = exc
            self._begun.set()


class ScriptedReplay:
    """Stands for replication whose every step a test decides: `steps[n]` runs in the n-th wait, the last ever after."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self._steps, self.waits = steps, 0

    def __call__(self, primary: Session) -> "ScriptedReplay":
        return self

    def wait_replayed(self, position: str, meanwhile: Callable[[], None]) -> None:
        self._steps[min(self.waits, len(self._steps) - 1)]()
        self.waits += 1
        meanwhile()
