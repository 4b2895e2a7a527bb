"""Each kind of schema change under writes of both versions: failed statements, locks, rows that went apart.

Run with `.venv/bin/python -m benchmarks.expand --rows 1000000`; results go to benchmarks/results/expand.json. There are
300 writes a second (or `--writes`), half by the old version and half by the new, open loop: a write is due at its time,
and its latency counts from there. Slowest writes are told beside those of the same writers before the change, in the
same run, because the machine's own pauses are in both. Locks are timed by the side that takes them, so a round trip is
in each.

The peer, pgroll, has not been measured: it is a Go program that none of the registries the project installs from has
(npm's @xata.io/pgroll holds the types of its files only).
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
from tests.expand.kinds import CASES, Case, writes

from crossfade.expand.change import ChangeFile, read_change
from crossfade.expand.steps import SchemaChange, Settings
from crossfade.expand.usage import Confirmed
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports

RESULTS = Path(__file__).parent / "results" / "expand.json"
CONNECTIONS = 2  # of each version
REST_S = 3.0


@dataclass(slots=True)
class Version:
    """One application version: `CONNECTIONS` threads, each with its share of the writes."""

    dsn: str
    statements: tuple[str, ...]
    first: int
    rows: int
    writes_per_second: int
    latencies_ms: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        self.threads = [Thread(target=self._run, args=[number]) for number in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _run(self, thread: int) -> None:
        chance = random.Random(thread + self.first)
        write = writes(
            self.statements,
            lambda number: (
                self.first + chance.randrange(self.rows) if number else thread + CONNECTIONS * (self.first > 1)
            ),
        )
        pause = 2 * CONNECTIONS / self.writes_per_second
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            due, number = time.monotonic() + pause * chance.random(), 0
            while not self.stop.wait(max(0.0, due - time.monotonic())):
                number += 1
                try:
                    write(connection, number)
                except psycopg.Error as failure:
                    self.failures.append(f"{type(failure).__name__} {failure.sqlstate}")
                self.latencies_ms.append((due, (time.monotonic() - due) * 1000))
                due += pause


@contextmanager
def writing(*versions: Version) -> Iterator[None]:
    for version in versions:
        version.start()
    try:
        yield
    finally:
        for version in versions:
            version.end()


def slowest(version: Version, since: float, until: float) -> dict[str, float]:
    found = sorted(ms for due, ms in version.latencies_ms if since <= due < until) or [0.0]
    return {"median_ms": round(statistics.median(found), 2), "slowest_ms": round(found[-1], 1), "writes": len(found)}


def measure(cluster: Cluster, case: Case, rows: int, writes_per_second: int) -> dict[str, Any]:
    name = f"bench_{case.name.replace(' ', '_')}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    dsn = cluster.dsn(database=name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in (case.table.replace("120", str(rows)) + ";VACUUM ANALYZE").split(";"):
            connection.execute(statement.encode())
    file = read_change(case.change, "change.yaml")
    assert isinstance(file, ChangeFile)
    old = Version(dsn, case.old_statements, 1, rows // 2, writes_per_second)
    new = Version(dsn, case.new_statements, rows // 2 + 1, rows // 2, writes_per_second)
    found = carried_out(dsn, case, file, old, new)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    return found


def carried_out(dsn: str, case: Case, file: ChangeFile, old: Version, new: Version) -> dict[str, Any]:
    sure, seconds, held, waited = Confirmed(readers_gone=True), {}, 0.0, 0.0
    with SchemaChange(file, Settings(dsn=dsn, quiet=timedelta(seconds=1))) as change:
        with writing(old):
            began = time.monotonic()
            time.sleep(REST_S)  # writers alone, to compare with
            expanding = time.monotonic()
            times = [change.expand(sure)]
            seconds["expand"] = time.monotonic() - expanding
            with writing(new):
                start = time.monotonic()
                brought = change.backfill(lambda _: None)
                seconds["backfill"] = time.monotonic() - start
                start = time.monotonic()
                divergence, more = change.check()
                times.append(more)
                seconds["check"] = time.monotonic() - start
        new.stop.clear()
        with psycopg.connect(dsn) as connection:
            apart = connection.execute(case.apart.encode()).fetchone()
        with writing(new):
            start = time.monotonic()
            times.append(change.contract(sure))
            seconds["contract"] = time.monotonic() - start
            ended = time.monotonic()
    held, waited = max(each.held_ms for each in times), max(each.waited_ms for each in times)
    assert apart is not None
    return {
        "seconds": {step: round(took, 2) for step, took in seconds.items()},
        "brought_in_step": brought,
        "failed_statements": len(old.failures) + len(new.failures),
        "failures": sorted({*old.failures, *new.failures}),
        "diverging": divergence.diverging,
        "apart_by_the_cases_own_words": apart[0],
        "lock_held_ms": round(held, 1),
        "lock_waited_ms": round(waited, 1),
        "old_version_before": slowest(old, began, expanding),
        "old_version_meanwhile": slowest(old, expanding, ended),
        "new_version_meanwhile": slowest(new, expanding, ended),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--writes", type=int, default=300, help="a second, of both versions")
    parser.add_argument("--version", type=int, choices=(13, 18), default=13)
    parser.add_argument("--kind", action="append", default=[], help="only kinds that contain this")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        programs = source_postgres() if options.version == 13 else target_postgres()
        Path(folder).chmod(0o755)  # the server may run as another user
        cluster = Cluster(programs=programs, directory=Path(folder) / "server", port=free_ports(1)[0])
        cluster.create()
        cluster.start()
        try:
            for case in CASES:
                if not options.kind or any(kind in case.name for kind in options.kind):
                    found[case.name] = measure(cluster, case, options.rows, options.writes)
                    print(case.name, json.dumps(found[case.name]), flush=True)
                    if not options.kind:
                        store(options, found)
        finally:
            cluster.stop()


def store(options: argparse.Namespace, found: dict[str, Any]) -> None:
    """After each kind, so that a run that is ended keeps what it measured."""
    result = {
        "postgresql": options.version,
        "rows": options.rows,
        "writes_per_second": options.writes,
        "kinds": found,
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
