"""What a person sees of a migration at one instant; the live view shows the newest, the report plots them all."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crossfade.model.terms import Phase, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRates:
    """One arm over the last look. `error_rate` is a fraction; latencies are None without requests."""

    requests_per_second: float
    error_rate: float
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """None means not known or not asked at that instant.

    `course` is forward, rolling_back or failing_back. `doing` is the end being brought about, `waiting` why a gate
    does not pass. `verdict` (promote, hold, abort) and `reason` are the judge's last.
    `warnings` are what people were told of and is not over.
    `time_left` counts the waits still to come, not how long the adapters take.
    """

    at: datetime
    phase: Phase | None
    course: str
    held: bool
    doing: str | None
    waiting: str | None
    canary_percent: float | None
    baseline: ArmRates | None
    canary: ArmRates | None
    lag: timedelta | None
    lag_bytes: int | None
    retained_wal_bytes: int | None
    writer: Side | None
    way_back_proven: bool | None
    files_pending: int | None
    verdict: str | None
    reason: str | None
    e_value: float | None
    time_left: timedelta | None
    warnings: tuple[str, ...] = ()
