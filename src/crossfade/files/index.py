"""What was delivered and by which signatures, kept over restarts of the agent.

The index saves reading files again; it is never the truth. When it is lost or damaged the shares are compared anew.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from crossfade.files.plan import Delivered, Signature
from crossfade.model.terms import Side

_SCHEMA = """
create table if not exists delivered (
    path blob primary key, sha256 text not null,
    source_size integer not null, source_modified_ns integer not null, source_inode integer not null,
    target_size integer not null, target_modified_ns integer not null, target_inode integer not null
) without rowid;
create table if not exists direction (only integer primary key check (only = 1), primary_side text not null);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path whose content was the same on both shares."""

    sha256: str
    source: Signature
    target: Signature

    def on(self, side: Side) -> Signature:
        return self.source if side is Side.SOURCE else self.target

    def seen_from(self, primary: Side) -> Delivered:
        return Delivered(self.on(primary), self.on(primary.other))


class Index:
    """Entries by path, in memory for looking, in SQLite for keeping; `commit` makes both the same."""

    def __init__(self, place: Path) -> None:
        try:
            self._database = _open(place)
            loaded = _load(self._database)
        except (sqlite3.DatabaseError, ValueError):
            for part in (place, place.with_name(f"{place.name}-wal"), place.with_name(f"{place.name}-shm")):
                with suppress(FileNotFoundError):
                    part.unlink()
            self._database, loaded = _open(place), {}
        self._entries = loaded
        self._sides = {side: {path: entry.on(side) for path, entry in loaded.items()} for side in Side}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, path: str) -> Entry | None:
        return self._entries.get(path)

    def signatures(self, side: Side) -> Mapping[str, Signature]:
        """By path, what stood on `side`: the very objects of the entries."""
        return self._sides[side]

    def put(self, path: str, entry: Entry) -> None:
        self._entries[path] = entry
        for side in Side:
            self._sides[side][path] = entry.on(side)
        row = (
            *(entry.source.size, entry.source.modified_ns, entry.source.inode),
            *(entry.target.size, entry.target.modified_ns, entry.target.inode),
        )
        statement = "insert or replace into delivered values (?, ?, ?, ?, ?, ?, ?, ?)"
        self._database.execute(statement, (os.fsencode(path), entry.sha256, *row))

    def drop(self, path: str) -> None:
        self._entries.pop(path, None)
        for known in self._sides.values():
            known.pop(path, None)
        self._database.execute("delete from delivered where path = ?", (os.fsencode(path),))

    @property
    def followed(self) -> Side | None:
        """The side whose writes are being delivered; None before the first, and after `forget`."""
        row = self._database.execute("select primary_side from direction").fetchone()
        return None if row is None else Side(row[0])

    def follow(self, primary: Side) -> None:
        self._database.execute("insert or replace into direction values (1, ?)", (primary.value,))
        self.commit()

    def forget(self) -> None:
        """As if nothing had ever been delivered."""
        self._entries.clear()
        for known in self._sides.values():
            known.clear()
        self._database.execute("delete from delivered")
        self._database.execute("delete from direction")
        self.commit()

    def commit(self) -> None:
        self._database.commit()


def _open(place: Path) -> sqlite3.Connection:
    database = sqlite3.connect(place)
    try:
        database.execute("pragma journal_mode = wal")
        database.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _load(database: sqlite3.Connection) -> dict[str, Entry]:
    rows = database.execute("select * from delivered")
    return {os.fsdecode(row[0]): Entry(row[1], Signature(*row[2:5]), Signature(*row[5:8])) for row in rows}
