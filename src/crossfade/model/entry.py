"""An event in its place in the journal."""

from dataclasses import dataclass
from datetime import datetime

from crossfade.model.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event in its place. `by` is who appended it: `engine`, or a person's name. `position` counts from 1."""

    position: int
    at: datetime
    by: str
    event: Event
    hash: str
