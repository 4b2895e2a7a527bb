"""What is said of when things happen: phases of waves as ranges and as dates, and what does not fit."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from crossfade.model.terms import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A duration that half of the trials (`p50`) and nine of ten (`p90`) do not exceed; p50 <= p90.

    None: so many trials never end, because changes come faster than the link carries them.
    """

    p50: timedelta | None
    p90: timedelta | None

    @property
    def ends(self) -> bool:
        """Whether it ends in nine of ten trials, so that something can be planned after it."""
        return self.p90 is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A change window as it opens once. Aware times."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A phase of a wave as it is planned: for as long as nine of ten trials take. Aware times; `ends` >= `begins`.

    `estimate`: how long the phase takes; it may have more time than that, waiting for the next.
    """

    phase: Phase
    begins: datetime
    ends: datetime
    estimate: Estimate
    says: str


class Concern(StrEnum):
    """What is wrong with a schedule."""

    NEVER_COPIED = "never_copied"
    """Changes come faster than the link carries them: the full load is never caught up with."""
    LONGER_THAN_WINDOW = "longer_than_window"
    """Traffic shift and cutover take longer than the change window is open."""
    BEGINS_BEFORE_START = "begins_before_start"
    """Copying would have to begin before the first day of the migration."""
    AFTER_DEADLINE = "after_deadline"
    """A phase ends after the deadline."""
    IN_BLACKOUT = "in_blackout"
    """A change that cannot wait falls on days without changes."""
    SIZE_UNKNOWN = "size_unknown"
    """What is copied is not known, so its time is a guess or is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that does not fit. `wave` None: it is about all of them."""

    concern: Concern
    wave: int | None
    says: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSchedule:
    """One wave. `window` None: the file asks for none, any time will do.

    `size_bytes` is what crosses the link, `changes_bytes_s` what changes each second meanwhile: medians of the trials.
    `in_window` is what has to end before the window closes: traffic shift and cutover.
    """

    wave: int
    day: date
    applications: tuple[str, ...]
    servers: int
    size_bytes: int
    changes_bytes_s: float
    window: Opening | None
    copying: Estimate
    in_window: Estimate
    stages: tuple[Stage, ...]

    @property
    def begins(self) -> datetime:
        return min(stage.begins for stage in self.stages)

    @property
    def ends(self) -> datetime:
        return max(stage.ends for stage in self.stages)

    def stage(self, phase: Phase) -> Stage | None:
        return next((stage for stage in self.stages if stage.phase is phase), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """A quantity that nobody measured: a triangular distribution, from `least` over `likely` to `most`.

    `reason` says why, or where it is from; `path` is the key of the migration file that says it instead, if any does.
    """

    name: str
    least: float
    likely: float
    most: float
    unit: str
    reason: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All waves in order of their days. `seed` and `trials` are those of the simulation.

    `link_bits_s` is the path that carries the copies; `time_zone` that of windows and days, as IANA names it.
    """

    waves: tuple[WaveSchedule, ...]
    remarks: tuple[Remark, ...]
    assumed: tuple[Assumed, ...]
    time_zone: str
    link_name: str
    link_bits_s: int
    seed: int
    trials: int

    @property
    def begins(self) -> datetime | None:
        return min((wave.begins for wave in self.waves), default=None)

    @property
    def ends(self) -> datetime | None:
        return max((wave.ends for wave in self.waves), default=None)
