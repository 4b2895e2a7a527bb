"""The days on which a cutover may be made: windows of the week, from a first day to a last, without blackouts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """Days without changes, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`weekdays` are those on which a window opens, Monday being 0; `deadline` None: it goes on."""

    start: date
    deadline: date | None
    weekdays: frozenset[int]
    blackouts: tuple[Blackout, ...] = ()

    def days(self) -> Iterator[date]:
        """Each day on which a window opens, in order; until the deadline, or the year 9999."""
        day = self.start
        last = self.deadline or date.max
        while day <= last:
            blackout = max((b.last for b in self.blackouts if b.first <= day <= b.last), default=None)
            if blackout is not None:
                day = blackout
            elif day.weekday() in self.weekdays:
                yield day
            if day == date.max:
                return
            day += timedelta(days=1)
