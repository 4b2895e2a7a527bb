"""A table of PostgreSQL 13 that is replicated to 18 while writers change it; for benchmarks of live verification.

The writers are one pgbench, which comes with PostgreSQL 18's programs: an open loop of 2,000 writes a second, each a
transaction. A quarter of them change one and the same row, a quarter one of 100 hot rows that lie all over the table,
the rest update, insert and delete anywhere. Rows of odd keys are left alone, so that what is planted there stays.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from tests.waiting import wait_for

from benchmarks.verify_tables import SHAPES
from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports
from crossfade.verify.replay import SlotReplay, mark
from crossfade.verify.session import Session

WRITES_PER_SECOND = 2_000
CONNECTIONS = 8
HOT_KEYS = 100
SLOT = "verify_live"
CATCH_UP = timedelta(minutes=3)
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "max_slot_wal_keep_size": "-1"}
LOG_COLUMNS = 6  # client, number, latency in µs, script, second, microsecond; with a rate the schedule's lag

# by name: share of all writes in percent, and the statement
SCRIPTS = {
    "one-key": (25, "UPDATE item SET amount = amount + 1 WHERE id = {middle}"),
    "hot-keys": (
        25,
        "\\set n random(1, {hot_keys})\nUPDATE item SET amount = amount + 1 WHERE id = :n * {hot_step}",
    ),
    "update": (
        35,
        "\\set n random(1, {rows} / 2)\nUPDATE item SET amount = amount - 1, at = now() WHERE id = :n * 2",
    ),
    "insert": (
        10,
        (
            "\\set n random(1, 1000000000)\nINSERT INTO item (id, ref, amount, at, memo, meta) VALUES"
            " ({rows} + :n * 2, gen_random_uuid(), :n / 100.0, now(), 'new', '{{\"n\": 1}}') ON CONFLICT DO NOTHING"
        ),
    ),
    "delete": (5, "\\set n random(1, {rows} / 2)\nDELETE FROM item WHERE id = :n * 2 AND id % {hot_step} <> 0"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicated:
    """The pair, its rows at the beginning, and the folder where writers' scripts and logs lie."""

    clusters: dict[Side, Cluster]
    rows: int
    folder: Path

    def dsn(self, side: Side) -> str:
        return self.clusters[side].dsn()

    def run(self, side: Side, *statements: str) -> None:
        with psycopg.connect(self.dsn(side), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def value(self, side: Side, question: str) -> Any:
        with psycopg.connect(self.dsn(side), autocommit=True) as connection:
            row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None

    def wait_in_step(self) -> None:
        """Returns when the target has replayed all that the source has written until now."""
        with Session(Side.SOURCE, self.dsn(Side.SOURCE), statement_timeout=CATCH_UP) as source:
            SlotReplay(source, (SLOT,), patience=CATCH_UP).wait_replayed(mark(source), lambda: None)


@contextmanager
def replicated(folder: Path, rows: int) -> Iterator[Replicated]:
    """The same rows on both sides, vacuumed and analyzed, and every change of the source on its way to the target."""
    with ExitStack() as stack:
        clusters: dict[Side, Cluster] = {}
        for side, programs in ((Side.SOURCE, source_postgres()), (Side.TARGET, target_postgres())):
            cluster = Cluster(programs=programs, directory=folder / side, port=free_ports(1)[0], settings=SETTINGS)
            cluster.create()
            cluster.start()
            stack.callback(cluster.stop)
            clusters[side] = cluster
        pair = Replicated(clusters=clusters, rows=rows, folder=folder)
        for side in Side:
            pair.run(side, *SHAPES["item"].filling("item", rows), "CHECKPOINT")
        pair.run(Side.SOURCE, f"CREATE PUBLICATION {SLOT} FOR TABLE item")
        pair.run(
            Side.TARGET,
            f"CREATE SUBSCRIPTION {SLOT} CONNECTION '{pair.dsn(Side.SOURCE)}' PUBLICATION {SLOT}"
            " WITH (copy_data = false)",
        )
        pair.wait_in_step()
        yield pair


@dataclass(frozen=True, slots=True)
class Write:
    """When it ended, by the clock of `time.time`, and how long it took from the moment that it was due."""

    at: float
    milliseconds: float


class Writers:
    """Run from `start` to `stop`; then every write is told."""

    def __init__(self, pair: Replicated) -> None:
        self._pair = pair
        self._logs = pair.folder / "writes"
        step = pair.rows // HOT_KEYS // 2 * 2
        names = {"rows": pair.rows, "middle": pair.rows // 4 * 2, "hot_keys": HOT_KEYS, "hot_step": step}
        self._arguments = list(self._scripts(names))

    def _scripts(self, names: dict[str, int]) -> Iterator[str]:
        for name, (share, text) in SCRIPTS.items():
            path = self._pair.folder / f"{name}.sql"
            path.write_text(text.format(**names) + ";\n", encoding="utf-8")
            yield f"--file={path}@{share}"

    def start(self) -> None:
        for log in self._pair.folder.glob("writes.*"):
            log.unlink()
        source = self._pair.clusters[Side.SOURCE]
        argv = [str(target_postgres().path("pgbench")), "-h", "127.0.0.1", "-p", str(source.port), "-U", "postgres"]
        argv += ["-n", "-M", "prepared", "-c", str(CONNECTIONS), "-R", str(WRITES_PER_SECOND), "-T", "3600", "-l"]
        argv += [f"--log-prefix={self._logs}", *self._arguments, "postgres"]
        self._process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def stop(self) -> list[Write]:
        """Raises RuntimeError when writers ended by themselves, or a write failed."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGALRM)  # what ends it when its time is up; it then writes its log out
        _, told = self._process.communicate(timeout=60)
        if self._process.returncode:
            raise RuntimeError(f"the writers failed: {told[-500:]}")
        return sorted(self._written(), key=lambda write: write.at)

    def _written(self) -> Iterator[Write]:
        for log in self._pair.folder.glob("writes.*"):
            for line in log.read_text(encoding="utf-8").splitlines():
                told = line.split()
                if len(told) >= LOG_COLUMNS:
                    yield Write(at=int(told[4]) + int(told[5]) / 1e6, milliseconds=int(told[2]) / 1000)


@contextmanager
def writing(pair: Replicated, into: list[Write]) -> Iterator[None]:
    """Writers at work, warm, until the block ends; `into` then has their writes."""
    writers = Writers(pair)
    written = "SELECT sum(n_tup_upd + n_tup_ins) FROM pg_stat_user_tables"
    before = pair.value(Side.SOURCE, written)
    writers.start()
    try:
        wait_for(lambda: pair.value(Side.SOURCE, written) > before + 2 * WRITES_PER_SECOND)
        yield
    finally:
        into += writers.stop()


def reached(writes: list[Write], began: float, ended: float) -> int:
    """Writes a second between two moments of `time.time`."""
    return round(sum(began <= write.at <= ended for write in writes) / (ended - began))


def now() -> float:
    """The clock that writes are told by."""
    return time.time()
