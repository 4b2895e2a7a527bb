"""A manifest in a file: work goes on where it was left, and several processes of one computer may share it."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import psutil
from pydantic import TypeAdapter

from crossfade.model.errors import CrossfadeError
from crossfade.verify.bounds import Chunk
from crossfade.verify.manifest import Job, Outcome, Progress
from crossfade.verify.statement import Slice

_BUSY_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.01
_PART, _OUTCOME = TypeAdapter[Slice | None](Slice | None), TypeAdapter(Outcome)
_OPEN, _TAKEN, _DONE = 0, 1, 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY, place INTEGER NOT NULL, relation TEXT NOT NULL, chunk TEXT, rows INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0, owner TEXT, outcome TEXT,
  counted INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_cut_a_table ON jobs (relation) WHERE chunk IS NULL;
CREATE INDEX IF NOT EXISTS jobs_left ON jobs (state, place, number) WHERE state < 2;
CREATE INDEX IF NOT EXISTS jobs_found ON jobs (relation) WHERE found > 0;
"""


class ManifestUnusable(CrossfadeError):
    """The manifest's file cannot be read or written."""

    remedy = "Name a file on a local disk that you may write; without --manifest none is needed."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"the manifest {path} cannot be used: {why}")


class ManifestOfOther(CrossfadeError):
    """The manifest is that of another comparison: other servers, tables, columns, rules or another way to compare."""

    remedy = "Name another file, or remove this one to begin anew."

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the manifest {path} was made for other servers, tables or settings, or their shape has changed"
        )


class SqliteManifest:
    """A job that a process had taken when it died is given out again; every other outcome stays.

    Holds keys, and values as far as they are told: only its owner may read the file. The processes must be on one
    computer, since whether another is alive is asked of the system. Raises `ManifestUnusable` and `ManifestOfOther`.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path, self._lock, self._owner = path, Lock(), _myself()
        with self._translated():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._log_ahead()
            self._database.execute("PRAGMA synchronous = NORMAL")  # what a loss of power takes is compared again
            self._database.executescript(_SCHEMA)
            self._database.execute("INSERT OR IGNORE INTO about VALUES (1, ?)", (fingerprint,))
            standing = self._database.execute("SELECT fingerprint FROM about").fetchone()[0]
        if standing != fingerprint:
            self._database.close()
            raise ManifestOfOther(path)

    def _log_ahead(self) -> None:
        """Of two that make the file at the same time SQLite refuses one at once here, however long it would wait."""
        until = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as refusal:
                if refusal.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)  # the other one makes it meanwhile
            else:
                return

    def close(self) -> None:
        self._database.close()

    def begin(self, tables: Sequence[str]) -> None:
        with self._transaction() as database:
            for place, table in enumerate(tables):
                database.execute("INSERT OR IGNORE INTO jobs (place, relation, rows) VALUES (?, ?, 0)", (place, table))

    def take(self) -> Job | None:
        with self._transaction() as database:
            row = self._first_open(database)
            if row is None and self._free_those_of_the_dead(database):
                row = self._first_open(database)
            if row is None:
                return None
            number, table, chunk, rows = row
            database.execute("UPDATE jobs SET state = ?, owner = ? WHERE number = ?", (_TAKEN, self._owner, number))
            part = None if chunk is None else Chunk(table=table, part=_PART.validate_json(chunk), rows=rows)
            return Job(number=number, table=table, chunk=part)

    def cut(self, job: Job, chunks: Sequence[Chunk]) -> None:
        with self._transaction() as database:
            place = database.execute("SELECT place FROM jobs WHERE number = ?", (job.number,)).fetchone()[0]
            database.executemany(
                "INSERT INTO jobs (place, relation, chunk, rows) VALUES (?, ?, ?, ?)",
                [(place, job.table, _PART.dump_json(chunk.part).decode(), chunk.rows) for chunk in chunks],
            )
            database.execute("UPDATE jobs SET state = ? WHERE number = ?", (_DONE, job.number))

    def done(self, job: Job, outcome: Outcome) -> None:
        with self._transaction() as database:
            database.execute(
                "UPDATE jobs SET state = ?, outcome = ?, counted = ?, found = ? WHERE number = ?",
                (_DONE, _OUTCOME.dump_json(outcome).decode(), outcome.rows, len(outcome.findings), job.number),
            )

    def give_back(self, job: Job) -> None:
        with self._transaction() as database:
            database.execute(
                "UPDATE jobs SET state = ?, owner = NULL WHERE number = ? AND state = ?", (_OPEN, job.number, _TAKEN)
            )

    def differences(self, table: str | None = None) -> int:
        found = "SELECT coalesce(sum(found), 0) FROM jobs WHERE found > 0"
        return int(self._one(found) if table is None else self._one(f"{found} AND relation = ?", table))

    def finished(self) -> bool:
        return bool(self._one("SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE state < 2)"))

    def progress(self) -> Progress:
        with self._lock, self._translated():
            rows, left, done, chunks = self._database.execute(
                "SELECT coalesce(sum(counted), 0), coalesce(sum(CASE WHEN state < 2 THEN rows END), 0),"
                " coalesce(sum(state = 2), 0), count(*) FROM jobs WHERE chunk IS NOT NULL"
            ).fetchone()
        return Progress(rows=rows, of_rows=rows + left, chunks=done, of_chunks=chunks)

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        with self._lock, self._translated():
            rows = self._database.execute(
                "SELECT relation, outcome FROM jobs WHERE outcome IS NOT NULL ORDER BY place, number"
            ).fetchall()
        for table, outcome in rows:
            yield table, _OUTCOME.validate_json(outcome)

    def _first_open(self, database: sqlite3.Connection) -> tuple[int, str, str | None, int] | None:
        found: tuple[int, str, str | None, int] | None = database.execute(
            "SELECT number, relation, chunk, rows FROM jobs WHERE state = 0 ORDER BY place, number LIMIT 1"
        ).fetchone()
        return found

    def _free_those_of_the_dead(self, database: sqlite3.Connection) -> bool:
        owners = [row[0] for row in database.execute("SELECT DISTINCT owner FROM jobs WHERE state = 1")]
        dead = [owner for owner in owners if not _is_alive(owner)]
        for owner in dead:
            database.execute("UPDATE jobs SET state = 0, owner = NULL WHERE state = 1 AND owner = ?", (owner,))
        return bool(dead)

    def _one(self, question: str, *values: object) -> Any:
        with self._lock, self._translated():
            return self._database.execute(question, values).fetchone()[0]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise ManifestUnusable(self._path, str(exc)) from exc
        except OSError as exc:
            raise ManifestUnusable(self._path, exc.strerror or str(exc)) from exc


def _myself() -> str:
    me = psutil.Process()
    return f"{me.pid} {me.create_time():.2f}"


def _is_alive(owner: str) -> bool:
    """Whether the very process still runs: its number may belong to another one by now."""
    number, began = owner.split()
    try:
        process = psutil.Process(int(number))
        return f"{process.create_time():.2f}" == began and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
