"""The absolute limits that guards hold a canary to, and the faults that are found in them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from crossfade.model.errors import CrossfadeError


class GuardLimitsInvalid(CrossfadeError):
    """Limits that cannot be guarded. `faults` holds all of them, each with the name of its limit."""

    retryable: ClassVar[bool] = False

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        self.remedy = "Correct the limits named."
        super().__init__("The guards' limits are not usable: " + "; ".join(faults) + ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnLimit:
    """Breached when the error budget burns `rate` times as fast as it may, over `window` and over `short_window` too.

    The short window makes the guard let go soon after the burning ends.
    """

    rate: float = 10.0
    window: timedelta = timedelta(minutes=1)
    short_window: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """Absolute limits; None switches one off.

    `error_rate` in (0, 1) and `p95_ms` hold over `window`. `availability` is the SLO in (0, 1) whose budget burns.
    A guard speaks only from `minimum_requests`, error guards only from `minimum_errors`; errors that come in a lump
    count as one. While there is a baseline, the canary is blamed only where it fails `common_ratio` times as often (of
    `p95_ms`: is so much more often slower than the limit) and beyond chance. A window should hold five looks or more:
    what was seen in fewer may be one lump.
    Raises GuardLimitsInvalid with every fault.
    """

    error_rate: float | None = 0.05
    p95_ms: float | None = None
    window: timedelta = timedelta(seconds=30)
    availability: float = 0.999
    burn: tuple[BurnLimit, ...] = (BurnLimit(),)
    minimum_requests: int = 100
    minimum_errors: int = 10
    common_ratio: float = 2.0

    def __post_init__(self) -> None:
        zero = timedelta(0)
        rules = (
            (self.error_rate is None or 0 < self.error_rate < 1, "error_rate must lie between 0 and 1"),
            (self.p95_ms is None or self.p95_ms > 0, "p95_ms must be above 0"),
            (self.window > zero, "window must be above 0"),
            (0 < self.availability < 1, "availability must lie between 0 and 1"),
            (all(limit.rate > 0 for limit in self.burn), "burn: every rate must be above 0"),
            (
                all(zero < limit.short_window <= limit.window for limit in self.burn),
                "burn: every short_window must be above 0 and not longer than its window",
            ),
            (self.minimum_requests >= 1, "minimum_requests must be at least 1"),
            (self.minimum_errors >= 1, "minimum_errors must be at least 1"),
            (self.common_ratio >= 1, "common_ratio must be at least 1"),
        )
        faults = tuple(text for holds, text in rules if not holds)
        if faults:
            raise GuardLimitsInvalid(faults)

    @property
    def windows(self) -> tuple[timedelta, ...]:
        """All windows that a GuardWindow must count, shortest first."""
        burn = {span for limit in self.burn for span in (limit.window, limit.short_window)}
        return tuple(sorted(burn | {self.window}))
