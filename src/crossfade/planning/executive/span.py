"""How long the migration lasts, from the first copy of a wave to the end of the last phase."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from crossfade.planning.schedule.records import Schedule, WaveSchedule

DAYS_A_MONTH = Fraction(1461, 48)
"""A twelfth of a year of 365.25 days."""
_WORKING_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """First and last day, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def months(self) -> Fraction:
        return self.days / DAYS_A_MONTH

    @property
    def in_months(self) -> str:
        """`5.6 months (2027-01-04 to 2027-06-21, 169 days)`."""
        return f"{float(self.months):.1f} months ({self.first} to {self.last}, {self.days:,} days)"

    @property
    def working_days(self) -> int:
        """Days from Monday to Friday; public holidays are not known."""
        weeks, rest = divmod(self.days, 7)
        odd = (self.first + timedelta(days=day) for day in range(rest))
        return weeks * _WORKING_DAYS + sum(day.weekday() < _WORKING_DAYS for day in odd)


def span_of(waves: tuple[WaveSchedule, ...]) -> Span | None:
    """Of these waves; None: there is none with a phase."""
    laid_out = [wave for wave in waves if wave.stages]
    if not laid_out:
        return None
    return Span(first=min(wave.begins for wave in laid_out).date(), last=max(wave.ends for wave in laid_out).date())


def whole_span(schedule: Schedule) -> Span | None:
    """Of all waves."""
    return span_of(schedule.waves)
