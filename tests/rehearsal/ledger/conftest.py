"""A data center in small: one database server with a source and a target ledger, a launcher, and servers."""

import http.client
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.ledger.control import Kind, LauncherClient
from crossfade.rehearsal.ledger.database import create_ledger
from crossfade.rehearsal.ledger.installation import install
from crossfade.rehearsal.ledger.release.settings import Arm, ServerSettings, Side
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import Launch, free_ports, start, stop
from tests.waiting import wait_for

ROWS = 4_000
TABLES = ("customers", "accounts", "transfers", "entries", "statements", "audit_log")
_WRITERS = sql.SQL("{} INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ledger {} ledger_app")


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: object = None, *, key: str | None = "new") -> Answered:
    headers = {"idempotency-key": str(uuid4()) if key == "new" else key} if method == "POST" and key else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def ready(port: int) -> bool:
    try:
        return ask(port, "GET", "/readyz").status == 200
    except OSError:
        return False


def fence(dsn: str) -> None:
    """As the migration fences: take the right to write away, then wait for the writers that are inside."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_WRITERS.format(sql.SQL("REVOKE"), sql.SQL("FROM")))
        for table in TABLES:
            with connection.transaction():
                connection.execute(sql.SQL("LOCK TABLE ledger.{} IN SHARE MODE").format(sql.Identifier(table)))


def open_writes(dsn: str, side: Side, epoch: int, *, announce: bool = True) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(_WRITERS.format(sql.SQL("GRANT"), sql.SQL("TO")))
        if announce:
            connection.execute("SELECT pg_notify('crossfade_writer', %s)", (f"{side}:{epoch}",))


def copy_rows(origin: str, copy: str) -> None:
    """What replication would have done: the copy holds the rows and sequences of the origin."""
    with psycopg.connect(origin) as old, psycopg.connect(copy) as new:
        new.execute("SET session_replication_role = replica")
        new.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(sql.Identifier("ledger", t) for t in TABLES)))
        for table in TABLES:
            names = old.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = ''"
                " ORDER BY attnum",
                (f"ledger.{table}",),
            ).fetchall()
            columns = sql.SQL(", ").join(sql.Identifier(row[0]) for row in names)
            read = sql.SQL("COPY (SELECT {} FROM ledger.{}) TO STDOUT").format(columns, sql.Identifier(table))
            write = sql.SQL("COPY ledger.{} ({}) FROM STDIN").format(sql.Identifier(table), columns)
            with old.cursor().copy(read) as rows, new.cursor().copy(write) as into:
                for chunk in rows:
                    into.write(chunk)
        for sequence, value in old.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'ledger' AND last_value IS NOT NULL"
        ):
            new.execute("SELECT setval(%s::regclass, %s)", (f"ledger.{sequence}", value + 1000))
        new.execute("ANALYZE")  # or every statement would be planned for empty tables


@dataclass
class Center:
    """Source and target database, shares, and one launcher for servers of either arm."""

    clusters: dict[Side, Cluster]
    folder: Path
    database: str
    launcher: LauncherClient
    ports: dict[str, int] = field(default_factory=dict)

    def dsn(self, side: Side, user: str = "postgres") -> str:
        return self.clusters[side].dsn(user=user, database=self.database)

    def share(self, side: Side) -> Path:
        return self.folder / f"share-{side}"

    def settings(self, name: str, arm: Arm, port: int) -> ServerSettings:
        return ServerSettings(
            name=name,
            arm=arm,
            port=port,
            source_dsn=self.dsn(Side.SOURCE, "ledger_app"),
            target_dsn=self.dsn(Side.TARGET, "ledger_app"),
            source_share=str(self.share(Side.SOURCE)),
            target_share=str(self.share(Side.TARGET)),
            service_time_ms=2.0,
        )

    def start(
        self, name: str, arm: Arm = Arm.LEGACY, kind: Kind = "production", *, deadline_seconds: float = 60.0
    ) -> int:
        [port] = free_ports(1)
        directory = self.folder / "servers" / name
        settings = self.settings(name, arm, port)
        install(directory, settings.model_copy(update={"deadline_seconds": deadline_seconds}))
        self.launcher.start(name, kind=kind, directory=directory, port=port)
        self.ports[name] = port
        wait_for(lambda: ready(port))
        return port

    def value(self, question: str, side: Side = Side.SOURCE) -> Any:
        with psycopg.connect(self.dsn(side)) as connection:
            row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture(scope="package")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Side, Cluster]]:
    with ExitStack() as ending:
        made = {}
        for side, programs in ((Side.SOURCE, source_postgres()), (Side.TARGET, target_postgres())):
            directory = tmp_path_factory.mktemp("postgres") / side
            made[side] = Cluster(programs=programs, directory=directory, port=free_ports(1)[0])
            made[side].create()
            made[side].start()
            ending.callback(made[side].stop)
        yield made


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[LauncherClient]:
    """One of its own, for tests of the launcher itself."""
    with launched(tmp_path) as client:
        yield client


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LauncherClient]:
    with launched(tmp_path_factory.mktemp("site")) as client:
        yield client


@contextmanager
def launched(tmp_path: Path) -> Iterator[LauncherClient]:
    [port] = free_ports(1)
    argv = [sys.executable, "-m", "crossfade.rehearsal.ledger.launcher", "--site", "source", "--control", str(port)]
    process = start(Launch(argv=[*argv, "--log", str(tmp_path / "logs")], log=tmp_path / "launcher.log"))
    client = LauncherClient(f"http://127.0.0.1:{port}")
    wait_for(lambda: answers(client))
    try:
        yield client
    finally:
        stop(process, timeout=60)
    assert not (tmp_path / "launcher.log").read_text(), "the launcher had something to complain about"


def answers(client: LauncherClient) -> bool:
    try:
        client.instances()
    except CrossfadeError:
        return False
    return True


@pytest.fixture(scope="package")
def pattern(clusters: dict[Side, Cluster]) -> str:
    """Both ledgers with the same rows; only the source's application may write. Tests work on copies."""
    dsns = {side: clusters[side].dsn(database="pattern") for side in Side}
    for side in Side:
        create_ledger(clusters[side].dsn(), ROWS if side is Side.SOURCE else 0, name="pattern")
    fence(dsns[Side.TARGET])
    copy_rows(dsns[Side.SOURCE], dsns[Side.TARGET])
    return "pattern"


@pytest.fixture
def center(clusters: dict[Side, Cluster], site: LauncherClient, pattern: str) -> Iterator[Center]:
    """Both databases, shares, and a launcher without servers."""
    name = f"ledger_{uuid4().hex[:8]}"
    folder = Path(tempfile.mkdtemp())
    made = Center(clusters, folder, name, site)
    for side in Side:
        clusters[side].start()
        made.share(side).mkdir()
        _administer(clusters[side], "CREATE DATABASE {} TEMPLATE {}", name, pattern)
    yield made
    site.set_faults()
    for instance in site.instances():
        site.stop(instance.name)
    shutil.rmtree(folder)
    for side in Side:
        clusters[side].start()
        _administer(clusters[side], "DROP DATABASE {} WITH (FORCE)", name)


def _administer(cluster: Cluster, command: LiteralString, *names: str) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))
