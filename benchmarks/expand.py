"""Each kind of schema change under writes of both versions: failed statements, locks, waits, rows that went apart.

Run with `.venv/bin/python -m benchmarks.expand --version 18`, or a kind at a time with `--kind`; results are put into
benchmarks/results/expand.json, by version of PostgreSQL and kind. Each kind is carried out as far as `check`, taken
back whole, and carried out again as far as `contract`, while 300 writes a second (or `--writes`) come in, half by the
old version and half by the new: open loop, a write is due at its time, and its latency counts from there.

What a lock costs is told twice, for neither number says all: `lock_held_ms` is from granted to after the commit, by the
server's own clock; the writers' slowest write holds whatever they waited for, the machine's own pauses included, and
stands beside that of the same writers before the change. `rows_lost` counts rows that were there or were acknowledged,
and are not there at the end.

The peer, pgroll, is not measured: it is a Go program that none of the registries this project installs from has
(npm's @xata.io/pgroll holds the types of its files only). docs/expand-contract.md compares by its documentation.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
from tests.expand.conftest import SURE
from tests.expand.kinds import CASES, Case, fresh_row, writes

from crossfade.expand.change import ChangeFile, read_change
from crossfade.expand.locks import LockTimes
from crossfade.expand.steps import SchemaChange, Settings
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import source_postgres, target_postgres
from crossfade.rehearsal.processes import free_ports

RESULTS = Path(__file__).parent / "results" / "expand.json"
CONNECTIONS = 2  # of each version
REST_S = 5.0


@dataclass(slots=True)
class Version:
    """One application version: `CONNECTIONS` threads, each with its share of the writes. It may be started again."""

    dsn: str
    statements: tuple[str, ...]
    first: int
    rows: int
    writes_per_second: int
    latencies_ms: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    inserted: set[int] = field(default_factory=set)
    stop: Event = field(default_factory=Event)
    threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        self.stop.clear()
        self.threads = [Thread(target=self._run, args=[number]) for number in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _run(self, thread: int) -> None:
        chance = random.Random(thread + self.first)
        place = thread + CONNECTIONS * (self.first > 1)
        write = writes(self.statements, lambda number: self.first + chance.randrange(self.rows) if number else place)
        inserts = any("fresh" in statement for statement in self.statements)
        pause = 2 * CONNECTIONS / self.writes_per_second
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            due, number = time.monotonic() + pause * chance.random(), 0
            while not self.stop.wait(max(0.0, due - time.monotonic())):
                number += 1
                try:
                    write(connection, number)
                    if inserts and number % 10 == 0:
                        self.inserted.add(fresh_row(place, number))
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


def latency(version: Version, since: float, until: float) -> dict[str, float]:
    """Of the writes that were due in that time."""
    found = sorted(ms for due, ms in version.latencies_ms if since <= due < until) or [0.0]
    p50, p99 = (round(found[min(len(found) - 1, int(len(found) * part))], 2) for part in (0.5, 0.99))
    return {"p50_ms": p50, "p99_ms": p99, "slowest_ms": round(found[-1], 1), "writes": len(found)}


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
    found = Run(dsn, case, file, old, new, rows).carried_out()
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    return found


@dataclass(slots=True)
class Run:
    """Forward, back and forward again, for one kind of change."""

    dsn: str
    case: Case
    file: ChangeFile
    old: Version
    new: Version
    rows: int
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    apart: int = 0

    def carried_out(self) -> dict[str, Any]:
        settings = Settings(dsn=self.dsn, quiet=timedelta(seconds=1))
        with SchemaChange(self.file, settings) as change:
            with writing(self.old):
                began = time.monotonic()
                time.sleep(REST_S)  # writers alone, to compare with
                changing = time.monotonic()
                self.expanded(change, "first")
                self.timed("back", lambda: change.back(SURE))
                self.expanded(change, "again")
            with writing(self.new):
                self.timed("contract", lambda: change.contract(SURE))
                ended = time.monotonic()
        versions = (self.old, self.new)
        there = self.asked("SELECT count(*) FROM customer")
        return {
            "steps": self.steps,
            "lock_held_ms": max(step.get("lock_held_ms", 0.0) for step in self.steps.values()),
            "lock_waited_ms": max(step.get("lock_waited_ms", 0.0) for step in self.steps.values()),
            "failed_statements": sum(len(version.failures) for version in versions),
            "failures": sorted({failure for version in versions for failure in version.failures}),
            "rows_diverging": self.apart,
            "rows_lost": self.rows + len(self.old.inserted | self.new.inserted) - there,
            "old_version_before": latency(self.old, began, changing),
            "old_version_meanwhile": latency(self.old, changing, ended),
            "new_version_meanwhile": latency(self.new, changing, ended),
        }

    def expanded(self, change: SchemaChange, which: str) -> None:
        """As far as check, with both versions at work."""
        self.timed(f"expand {which}", lambda: change.expand(SURE))
        with writing(self.new):
            began = time.monotonic()
            brought = change.backfill(lambda _: None)
            self.steps[f"backfill {which}"] = {"seconds": round(time.monotonic() - began, 2), "rows": brought}
            self.timed(f"check {which}", lambda: self.checked(change))
            # both versions alone: some kinds have nothing to backfill, and too few writes to tell of
            time.sleep(REST_S)  # so that there are enough
            self.apart += self.asked(self.case.apart)

    def checked(self, change: SchemaChange) -> LockTimes:
        divergence, times = change.check()
        self.apart += divergence.diverging
        return times

    def timed(self, step: str, take: Callable[[], LockTimes]) -> None:
        began = time.monotonic()
        times = take()
        self.steps[step] = {
            "seconds": round(time.monotonic() - began, 2),
            "lock_held_ms": round(times.held_ms, 1),
            "lock_waited_ms": round(times.waited_ms, 1),
            "attempts": times.attempts,
        }

    def asked(self, question: str) -> int:
        with psycopg.connect(self.dsn) as connection:
            found = connection.execute(question.encode()).fetchone()
        assert found is not None
        return int(found[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--writes", type=int, default=300, help="a second, of both versions")
    parser.add_argument("--version", type=int, choices=(13, 18), default=13)
    parser.add_argument("--kind", action="append", default=[], help="only kinds of this name")
    parser.add_argument("--directory", type=Path, help="where the server's files are for the time of the run")
    parser.add_argument("--store", type=Path, default=RESULTS, help="the file of results")
    parser.add_argument("--table", action="store_true", help="only print what is stored, for the documentation")
    options = parser.parse_args()
    if options.table:
        print(table(json.loads(options.store.read_text(encoding="utf-8"))))
        return
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        programs = source_postgres() if options.version == 13 else target_postgres()
        Path(folder).chmod(0o755)  # the server may run as another user
        cluster = Cluster(programs=programs, directory=Path(folder) / "server", port=free_ports(1)[0])
        cluster.create()
        cluster.start()
        try:
            for case in CASES:
                if not options.kind or case.name in options.kind:
                    found = measure(cluster, case, options.rows, options.writes)
                    print(case.name, json.dumps(found), flush=True)
                    store(options, case.name, found)
        finally:
            cluster.stop()


def table(results: dict[str, Any]) -> str:
    """The stored results as docs/expand-contract.md has them: of both versions the slower, of backfills the longer."""
    lines = [
        "| kind | backfill, s | lock held, ms | waited for, ms | p99 before, ms | p99 meanwhile, ms | slowest, ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for server, kinds in results.items():
        lines.append(f"| **{server}** | | | | | | |")
        for kind, found in ((case.name, kinds[case.name]) for case in CASES if case.name in kinds):
            meanwhile = [found["old_version_meanwhile"], found["new_version_meanwhile"]]
            seconds = max(found["steps"][f"backfill {which}"]["seconds"] for which in ("first", "again"))
            numbers = (
                f"{seconds:.0f}" if seconds >= 1 else "–",
                f"{found['lock_held_ms']:.1f}",
                f"{found['lock_waited_ms']:.1f}",
                f"{found['old_version_before']['p99_ms']:.1f}",
                f"{max(version['p99_ms'] for version in meanwhile):.1f}",
                f"{max(version['slowest_ms'] for version in meanwhile):.0f}",
            )
            lines.append(f"| {kind} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def store(options: argparse.Namespace, kind: str, found: dict[str, Any]) -> None:
    """After each kind, so that a run that is ended keeps what it measured."""
    path: Path = options.store
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    measured = found | {"rows": options.rows, "writes_per_second": options.writes}
    result.setdefault(f"PostgreSQL {options.version}", {})[kind] = measured
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
