"""What everyone may ask of a journal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import Event

__all__ = ["Entry", "Journal", "VersionConflict"]


class VersionConflict(CrossfadeError):
    """Somebody else appended first; fold again and decide again."""

    retryable = True
    remedy = "Read the journal again; somebody else has written to it meanwhile."

    def __init__(self, expected: int, found: int) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"the journal is at {found}, not at {expected}")


class Journal(Protocol):
    def read(self, after: int = 0) -> tuple[Entry, ...]:
        """Entries with a position above `after`, in order. Raises `JournalDamaged` when the chain does not hold."""
        ...

    def append(self, events: Sequence[Event], *, expected: int, at: datetime, by: str) -> int:
        """All of `events` or none, durable on return; the new version is returned.

        Raises `VersionConflict` unless the journal's last position is `expected`.
        """
        ...
