"""A journal in memory, for virtual time and tests. It seals and unseals like the durable ones."""

from collections.abc import Sequence
from datetime import datetime

from crossfade.journal.chain import GENESIS, Row, seal, unseal
from crossfade.journal.port import Entry, VersionConflict
from crossfade.model.events import Event


class MemoryJournal:
    def __init__(self) -> None:
        self._rows: list[Row] = []

    def read(self, after: int = 0) -> tuple[Entry, ...]:
        previous = self._rows[after - 1].hash if after else GENESIS
        return tuple(unseal(self._rows[after:], after=after, previous=previous))

    def append(self, events: Sequence[Event], *, expected: int, at: datetime, by: str) -> int:
        if len(self._rows) != expected:
            raise VersionConflict(expected, len(self._rows))
        previous = self._rows[-1].hash if self._rows else GENESIS
        self._rows.extend(seal(events, after=expected, previous=previous, at=at, by=by))
        return len(self._rows)
