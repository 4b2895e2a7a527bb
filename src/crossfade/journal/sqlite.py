"""The embedded journal: one SQLite file a migration, write-ahead log, full sync.

A commit is on disk when `append` returns (measured: p50 0.4 ms, docs/adr/0005). The file refuses changes and removals;
whoever removes the triggers first still breaks the chain. A removed end is told by the witness beside the file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from crossfade.journal.chain import GENESIS, JournalDamaged, Row, seal, unseal
from crossfade.journal.port import Entry, VersionConflict
from crossfade.journal.witness import Head, HeadWitness
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import Event

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
  position INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL,
  schema INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS head (
  one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
CREATE TRIGGER IF NOT EXISTS entries_remain BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries remain'); END;
COMMIT;
"""
_BUSY_MS = 5000
_FIRST = -(2**63)


class JournalUnusable(CrossfadeError):
    """The journal's file cannot be read or written; nothing was changed."""

    def __init__(self, path: Path, why: str, remedy: str) -> None:
        self.path, self.why, self.remedy = path, why, remedy
        super().__init__(f"the journal {path} cannot be used: {why}")


class SqliteJournal:
    """Opens the journal at `path`, or begins it. Several threads may use it, one at a time.

    `read_only` changes nothing in the file. Raises `JournalUnusable` or `JournalDamaged`.
    """

    def __init__(self, path: Path, *, must_exist: bool = False, read_only: bool = False) -> None:
        self.path, self._witness = path, HeadWitness(path)
        if must_exist and not path.is_file():
            raise JournalUnusable(path, "there is none", "Check the migration's id; `crossfade status` lists them.")
        with self._translated():
            address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._connection = sqlite3.connect(
                address, uri=True, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            self._connection.text_factory = _text
            if read_only:
                return
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            if not self._is_begun():
                self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def read(self, after: int = 0) -> tuple[Entry, ...]:
        witnessed = self._witness.read()  # before the journal: somebody may append meanwhile
        with self._translated(), self._snapshot():
            begun = self._is_begun()
            position, head = self._head() if begun else (0, GENESIS)
            previous = self._hash_at(after)
            rows, unreadable = self._rows(after) if begun else ([], "")
        entries = tuple(
            unseal([_row(place, *row) for place, row in enumerate(rows, after + 1)], after=after, previous=previous)
        )
        if unreadable:
            raise JournalDamaged(after + len(entries) + 1, unreadable)
        last, last_hash = (entries[-1].position, entries[-1].hash) if entries else (after, previous)
        if (last, last_hash) != (position, head):
            raise JournalDamaged(last + 1, f"the head names entry {position} as the last")
        if witnessed is not None and witnessed.position > last:
            raise JournalDamaged(last + 1, f"there were {witnessed.position} entries; its end is missing")
        if witnessed is not None and witnessed.position == last and witnessed.hash != head:
            raise JournalDamaged(last, "it is not the entry that was written")
        return entries

    def append(self, events: Sequence[Event], *, expected: int, at: datetime, by: str) -> int:
        with self._translated(), self._transaction():
            position, previous = self._head()
            if position != expected:
                raise VersionConflict(expected, position)
            rows = seal(events, after=position, previous=previous, at=at, by=by)
            self._connection.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)",
                [(row.position, row.at, row.by, row.schema, row.body, row.hash) for row in rows],
            )
            if rows:
                self._connection.execute(
                    "INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (rows[-1].position, rows[-1].hash)
                )
        if rows:
            self._witness.note(Head(position=rows[-1].position, hash=rows[-1].hash))
        return expected + len(rows)

    def _is_begun(self) -> bool:
        """Not yet between the making of the file, whose database has one page then, and that of its tables."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        return int(pages) > 1

    def _head(self) -> tuple[int, str]:
        found = self._connection.execute("SELECT position, hash FROM head").fetchone()
        if found is None:
            return 0, GENESIS
        if not isinstance(found[0], int):
            raise JournalDamaged(0, "its head is no position")
        return found[0], str(found[1])

    def _rows(self, after: int) -> tuple[list[Sequence[object]], str]:
        """As they are stored, and why those that follow cannot be read; empty when none follow."""
        rows: list[Sequence[object]] = []
        with closing(self._connection.cursor()) as cursor:
            try:
                cursor.execute(
                    "SELECT position, at, by, schema, body, hash FROM entries WHERE position >= ? ORDER BY position",
                    (after + 1 if after else _FIRST,),  # from the beginning: also what was put before it
                )
                rows.extend(cursor)
            except sqlite3.DatabaseError as fault:
                if _remedy(fault) is not None:
                    raise
                return rows, str(fault)
        return rows, ""

    def _hash_at(self, position: int) -> str:
        if position == 0:
            return GENESIS
        found = self._connection.execute("SELECT hash FROM entries WHERE position = ?", (position,)).fetchone()
        if found is None:
            raise JournalDamaged(position, "it is missing")
        return str(found[0])

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """What is read within belongs together. Nothing to commit: after a damaged page that would fail, too."""
        self._connection.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as fault:  # SQLite names what it does not find, and the name is no text any more
            raise JournalDamaged(0, "its tables are not those of a journal") from fault
        except sqlite3.Error as fault:
            remedy = _remedy(fault)
            if remedy is None:  # the content is at fault
                raise JournalDamaged(0, str(fault)) from fault
            raise JournalUnusable(self.path, str(fault), remedy) from fault


def _row(place: int, *columns: object) -> Row:
    """The entry at `place` as it was read; a damaged file may hold anything."""
    if tuple(map(type, columns)) != (int, str, str, int, str, str):
        raise JournalDamaged(place, "it does not have the form of an entry")
    position, at, by, schema, body, digest = columns
    return Row(position=position, at=at, by=by, schema=schema, body=body, hash=digest)  # type: ignore[arg-type]


def _remedy(fault: sqlite3.Error) -> str | None:
    """None when the system did its part."""
    name = getattr(fault, "sqlite_errorname", "")
    return next((words for start, words in _REMEDIES.items() if name.startswith(start)), None)


def _text(stored: bytes) -> str:
    """What is no text any more is shown as its bytes: then the hash finds it, in its place."""
    return stored.decode(errors="backslashreplace")


_ROOM = "The disk is full or fails: make room, then resume."
_RIGHTS = "See that the folder exists and that you may write to it; run as the user who began the migration."
_BUSY = "Another program holds it for long: see who, then try again."
_REMEDIES = {
    "SQLITE_FULL": _ROOM,
    "SQLITE_IOERR": _ROOM,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_PROTOCOL": _BUSY,
    "SQLITE_READONLY": _RIGHTS,
    "SQLITE_CANTOPEN": _RIGHTS,
    "SQLITE_PERM": _RIGHTS,
    "SQLITE_NOMEM": "Memory is short: end other programs, then resume.",
}
