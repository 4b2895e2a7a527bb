"""Change windows as they open: days and times of the file's time zone, as aware times."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossfade.model.errors import CrossfadeError
from crossfade.model.file.planning import Blackout, ChangeWindow, Planning, Weekday
from crossfade.planning.schedule.records import Opening


class TimeZoneUnknown(CrossfadeError):
    """The time zone of windows is none that this computer knows."""

    remedy = "Write a name of the IANA database, such as America/New_York; where all are unknown, install tzdata."

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"planning.time_zone: {name} is no time zone that is known here")


@dataclass(frozen=True, slots=True)
class Openings:
    """When changes may be made. Without windows, at any time of days without blackout."""

    zone: ZoneInfo
    windows: tuple[ChangeWindow, ...]
    blackouts: tuple[Blackout, ...]

    @classmethod
    def of(cls, planning: Planning) -> "Openings":
        """Raises TimeZoneUnknown."""
        try:
            zone = ZoneInfo(planning.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:  # ValueError, OSError: names like ../x or a folder
            raise TimeZoneUnknown(planning.time_zone) from exc
        return cls(zone, planning.windows, planning.blackouts)

    def on(self, day: date) -> Opening | None:
        """The longest window of that day, the earliest of equal ones; None: no window is asked for, or none opens."""
        found = [window for window in self.windows if _weekday(day) in window.days]
        if not found:
            return None
        window = min(found, key=lambda each: (-each.duration, each.start))
        opens = self.at(day, window.start)
        return Opening(opens=opens, closes=opens + window.duration)

    def at(self, day: date, clock: time = time(0)) -> datetime:
        """An aware time in UTC; a time that the clocks leave out in spring is what follows it."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def next_from(self, at: datetime) -> datetime:
        """The first moment from `at` on at which a change may be begun, in windows and outside of blackouts."""
        first = at.astimezone(self.zone).date() - timedelta(days=1)  # yesterday's window may still be open
        for opens, closes in self._from(first):
            if at < closes:
                return max(at, opens)
        return at

    def _from(self, first: date) -> Iterator[tuple[datetime, datetime]]:
        """Ten years of them; after that, whoever asks gets what he asked for."""
        for offset in range(3660):
            try:
                day = first + timedelta(days=offset)
                after = day + timedelta(days=1)
            except OverflowError:
                return
            if self.blackout_on(day):
                continue
            opening = self.on(day)
            if opening is not None:
                yield opening.opens, opening.closes
            elif not self.windows:
                yield self.at(day), self.at(after)

    def blackout_on(self, day: date) -> Blackout | None:
        """What the day has no changes for."""
        return next((each for each in self.blackouts if each.first <= day <= each.last), None)

    def blackout_in(self, begins: datetime, ends: datetime) -> tuple[date, Blackout] | None:
        """The first day without changes that the stretch touches, and why it is one."""
        day, last = begins.astimezone(self.zone).date(), ends.astimezone(self.zone).date()
        while day <= last:
            if blackout := self.blackout_on(day):
                return day, blackout
            day += timedelta(days=1)
        return None


def _weekday(day: date) -> Weekday:
    return list(Weekday)[day.weekday()]
