"""The journal of a run, shared by engines and persons; whoever checks it hears of each entry at once."""

from collections.abc import Callable, Sequence
from datetime import datetime

from crossfade.journal.memory import MemoryJournal
from crossfade.model.entry import Entry
from crossfade.model.events import Event

Listener = Callable[[Entry], None]


class SharedJournal(MemoryJournal):
    """Sealed like every journal. An entry is durable when `listeners` hear of it."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Listener] = []

    def append(self, events: Sequence[Event], *, expected: int, at: datetime, by: str) -> int:
        version = super().append(events, expected=expected, at=at, by=by)
        for position, event in enumerate(events, start=expected + 1):
            entry = Entry(position=position, at=at, by=by, event=event, hash=self._rows[position - 1].hash)
            for listener in self.listeners:
                listener(entry)
        return version
