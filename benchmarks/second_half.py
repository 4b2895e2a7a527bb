"""The second half of a schema, made by one session and by several: how long it takes, in turns.

Run with `.venv/bin/python -m benchmarks.second_half`; results go to benchmarks/results/second_half.json. Eight tables,
one of them six times as large as the others, each with four indexes and a foreign key, on a target of PostgreSQL 18; a
fresh copy of the loaded database for every run. Server settings are the rehearsal's: each CREATE INDEX may use two
parallel workers of its own (`max_parallel_maintenance_workers`), as PostgreSQL has it by default, and none of them in
the second series. Nobody applies changes meanwhile.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg

from crossfade.database import state
from crossfade.database.schema import Schema
from crossfade.database.session import PostgresSession, Session
from crossfade.database.settings import NativeSettings, Reach
from crossfade.model.terms import Side
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import target_postgres
from crossfade.rehearsal.processes import free_ports

RESULTS = Path(__file__).parent / "results" / "second_half.json"
SESSIONS = (1, 2, 4)
TABLES = 8
TABLE = """
CREATE TABLE bench.t{n} (id bigint PRIMARY KEY, hub_id bigint NOT NULL, name text NOT NULL, day date, amount numeric);
"""
LATER = """
CREATE INDEX ON bench.t{n} (name); CREATE INDEX ON bench.t{n} (day, amount); CREATE INDEX ON bench.t{n} (hub_id);
ALTER TABLE bench.t{n} ADD UNIQUE (name, id);
ALTER TABLE bench.t{n} ADD FOREIGN KEY (hub_id) REFERENCES bench.hub;
"""
LOAD = """
INSERT INTO bench.t{n} SELECT i, 1 + i % 1000, md5(i::text), date '2026-01-01' + i % 365, i * 7 % 10007
FROM generate_series(1, {rows}) i;
"""


class Bench:
    """A server whose database `loaded` has tables and rows, and `source` the schema as it is to become."""

    def __init__(self, server: Cluster) -> None:
        self._server = server

    def load(self, rows: int) -> None:
        sizes = [rows * (6 if n == 0 else 1) for n in range(TABLES)]
        with self._connect("postgres") as connection:
            connection.execute("CREATE DATABASE source")
            connection.execute("CREATE DATABASE loaded TEMPLATE template0")
        for database in ("source", "loaded"):
            with self._connect(database) as connection:
                if database == "source":
                    connection.execute("CREATE SCHEMA bench; CREATE TABLE bench.hub (id bigint PRIMARY KEY)")
                    for n in range(TABLES):
                        connection.execute(TABLE.format(n=n).encode())
                        connection.execute(LATER.format(n=n).encode())
                    self._first_half()
                connection.execute("INSERT INTO bench.hub SELECT generate_series(1, 1000)")
                share = 1 if database == "loaded" else 100  # the source's sizes say only what is largest
                for n, size in enumerate(sizes):
                    connection.execute(LOAD.format(n=n, rows=size // share).encode())
                connection.execute("VACUUM ANALYZE")

    def seconds(self, sessions: int) -> float:
        with self._connect("postgres") as connection:
            connection.execute("CREATE DATABASE run TEMPLATE loaded")
            connection.execute("CHECKPOINT")
        try:
            with self._both("run") as (source, target):
                schema = Schema(replace(self._settings("run"), schema_sessions=sessions), self._open("run"))
                began = time.monotonic()
                schema.create_second_half(source, target)
                return time.monotonic() - began
        finally:
            with self._connect("postgres") as connection:
                connection.execute("DROP DATABASE run WITH (FORCE)")

    def workers(self, most: int) -> None:
        """Of one CREATE INDEX, beside the session that says it."""
        with self._connect("postgres") as connection:
            connection.execute(f"ALTER SYSTEM SET max_parallel_maintenance_workers = {most}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def _first_half(self) -> None:
        with self._both("loaded") as (source, target):
            for session in (source, target):
                state.install(session, ("bench",))
            Schema(self._settings("loaded"), self._open("loaded")).create_first_half(source, target)

    @contextmanager
    def _both(self, target: str) -> Iterator[tuple[Session, Session]]:
        with ExitStack() as stack:
            source, to = (stack.enter_context(self._open(target)(side)) for side in Side)
            yield source, to

    def _open(self, target: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Schema says what it is
        settings = self._settings(target)
        return lambda side: PostgresSession(
            side, settings.reach(side).dsn, application_name="benchmark", patience=timedelta(minutes=5)
        )

    def _settings(self, target: str) -> NativeSettings:
        source, to = (Reach(dsn=self._server.dsn(database=name), subscriber_dsn="") for name in ("source", target))
        programs = target_postgres().programs
        return NativeSettings(source=source, target=to, programs=programs, schemas=("bench",))

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._server.dsn(database=database), autocommit=True)


def measure(rows: int, rounds: int) -> dict[str, object]:
    folder = tempfile.TemporaryDirectory(prefix="crossfade-second-half-")
    with folder as path:
        server = Cluster(programs=target_postgres(), directory=Path(path), port=free_ports(1)[0])
        server.create()
        server.start()
        try:
            bench = Bench(server)
            bench.load(rows)
            told: dict[str, object] = {}
            for workers in (2, 0):
                bench.workers(workers)
                taken: dict[int, list[float]] = {n: [] for n in SESSIONS}
                for _ in range(rounds):
                    for sessions in SESSIONS:
                        taken[sessions].append(bench.seconds(sessions))
                median = {n: statistics.median(times) for n, times in taken.items()}
                told[f"{workers}_workers_for_each_index"] = {
                    "seconds": {str(n): [round(t, 2) for t in times] for n, times in taken.items()},
                    "times_as_fast_as_one_session": {str(n): round(median[1] / median[n], 2) for n in SESSIONS},
                }
        finally:
            server.stop()
    return {"cores": os.cpu_count(), "rows": rows * (TABLES + 5), "tables": TABLES, "rounds": rounds, **told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=120_000, help="in each of the smaller tables")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = measure(given.rows, given.rounds)
    text = json.dumps(found, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
