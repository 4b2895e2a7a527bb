"""The form in which events are kept, and the hash that ties each to the one before.

The hash of an entry is SHA-256 over the hash before it and the entry's own text, so whoever changes, removes, adds or
reorders an entry has to change every later hash, and the head that names the last.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crossfade.journal.port import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import Event

SCHEMA = 3
"""2: a plan may go `after` an earlier journal. 3: readings may say `until` when they count, and arms count metrics of
their own; a plan may have a preview, ask for approval of a share, and have answers compared. Older entries are read as
they are: theirs have none of it."""
GENESIS = hashlib.sha256(b"crossfade journal").hexdigest()
_EVENTS: TypeAdapter[Any] = TypeAdapter(Event)


class JournalDamaged(CrossfadeError):
    """The journal is not what was written to it. `broken_at` 0: not one entry of it can be trusted."""

    remedy = "Do not go on with it: restore the file from a copy, and see with `crossfade audit` that the copy holds."

    def __init__(self, broken_at: int, why: str) -> None:
        self.broken_at, self.why = broken_at, why
        where = f" at entry {broken_at}" if broken_at else ""
        super().__init__(f"the journal does not hold{where}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry as it is stored: `at` in ISO 8601 with zone, `body` the event as canonical JSON."""

    position: int
    at: str
    by: str
    schema: int
    body: str
    hash: str


def seal(events: Sequence[Event], *, after: int, previous: str, at: datetime, by: str) -> tuple[Row, ...]:
    """Rows for `events`, following the entry at position `after` whose hash is `previous`."""
    rows: list[Row] = []
    for position, event in enumerate(events, start=after + 1):
        body = json.dumps(_EVENTS.dump_python(event, mode="json"), sort_keys=True, separators=(",", ":"))
        previous = _digest(previous, position, at.isoformat(), by, SCHEMA, body)
        rows.append(Row(position=position, at=at.isoformat(), by=by, schema=SCHEMA, body=body, hash=previous))
    return tuple(rows)


def unseal(rows: Sequence[Row], *, after: int, previous: str) -> Iterator[Entry]:
    """Entries of rows that follow position `after`, each checked against the one before. Raises `JournalDamaged`."""
    for expected, row in enumerate(rows, start=after + 1):
        if row.position != expected:
            raise JournalDamaged(expected, f"found entry {row.position} in its place")
        previous = _digest(previous, row.position, row.at, row.by, row.schema, row.body)
        if previous != row.hash:
            raise JournalDamaged(expected, "its content does not fit its hash")
        if row.schema > SCHEMA:
            raise JournalDamaged(expected, f"written by a newer Crossfade (event schema {row.schema})")
        try:
            event = _EVENTS.validate_json(row.body, strict=True)
            at = datetime.fromisoformat(row.at)
        except (ValidationError, ValueError) as fault:
            raise JournalDamaged(expected, "its content is not an event") from fault
        yield Entry(position=row.position, at=at, by=row.by, event=event, hash=row.hash)


def _digest(previous: str, *fields: str | int) -> str:
    text = json.dumps([previous, *fields], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
