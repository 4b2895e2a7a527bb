"""What was measured on the users' side while a migration ran: the report's raw material beside the journal."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crossfade.model.terms import Side

RESOLUTION = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSecond:
    """What one arm answered in the second that begins at `at`; latencies are None without requests."""

    at: datetime
    arm: Literal["baseline", "canary"]
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteWindow:
    """One switch of writes to `to`, seen closely.

    `started` is when the fence began; `moments` are points of the switch with the time since then. `acknowledged`
    counts the writes that users got acknowledged in each 10 ms, the first of them `before` ahead of `started`.
    """

    to: Side
    started: datetime
    moments: tuple[tuple[str, timedelta], ...]
    acknowledged: tuple[int, ...]
    before: timedelta = timedelta(0)

    @property
    def write_window(self) -> timedelta | None:
        """Fence to open; None while the moment `opened` is missing."""
        return dict(self.moments).get("opened")
