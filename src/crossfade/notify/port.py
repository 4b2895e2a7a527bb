"""Telling people: one channel, one method."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Topic(StrEnum):
    PHASE = "phase"
    ERROR = "error"
    COMPLETION = "completion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What people are told. `position` is that of the journal's event, counted over all journals of the migration.

    The same notice always has the same one.
    """

    migration: str
    position: int
    at: datetime
    topic: Topic
    title: str
    text: str


class Channel(Protocol):
    name: str

    def deliver(self, notice: Notice) -> None:
        """Delivered at least once; raises a retryable `CrossfadeError` when the receiver did not take it."""
        ...
