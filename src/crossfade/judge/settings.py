"""What a person may set about the judge, and the faults that are found in it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from crossfade.model.errors import CrossfadeError


class Metric(StrEnum):
    """What the arms are compared by."""

    ERRORS = "errors"
    LATENCY = "latency"


class JudgeSettingsInvalid(CrossfadeError):
    """Settings that cannot be judged by. `faults` holds all of them, each with the name of its setting."""

    retryable: ClassVar[bool] = False

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        self.remedy = "Correct the settings named; every one may be left out for its default."
        super().__init__("The judge's settings are not usable: " + "; ".join(faults) + ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """How sure the judge must be, and of what.

    `alpha`: chance of a false abort in a whole rollout, split evenly over `metrics`; in (0, 0.5).
    `promotion_alpha`: chance, in one step and for one metric, to promote a canary beyond the tolerance; in (0, 0.5).
    `latency_margin`: a canary slower by no more than this part never counts against it; 0.05 is 5 %.
    `latency_allowance_ms`: what of each canary request's latency is not its own but the link's; 0 or above.
    `latency_tolerance`: promotion needs evidence that the canary is less than this part slower; above the margin.
    `error_tolerance`: promotion needs evidence that the canary's error rate is below this multiple of the baseline's …
    `error_rate_limit`: … or that it is below this rate, which alone can be shown where nobody makes errors.
    `minimum_requests`: requests of the canary in a step before it may be promoted.
    `sticky_users`: users whose coming and going makes the observed share scatter; fewer make the share check milder.
    Raises JudgeSettingsInvalid with every fault. Source: docs/judge.md, 'Settings'.
    """

    metrics: tuple[Metric, ...] = (Metric.ERRORS, Metric.LATENCY)
    alpha: float = 0.05
    promotion_alpha: float = 0.05
    latency_margin: float = 0.05
    latency_allowance_ms: float = 0.0
    latency_tolerance: float = 0.20
    error_tolerance: float = 2.0
    error_rate_limit: float = 0.03
    minimum_requests: int = 100
    sticky_users: int = 200
    threshold: float = field(init=False)

    def __post_init__(self) -> None:
        rules = (
            (
                bool(self.metrics) and len(set(self.metrics)) == len(self.metrics),
                "metrics must name at least one, each once",
            ),
            (0 < self.alpha < 0.5, "alpha must lie between 0 and 0.5"),
            (0 < self.promotion_alpha < 0.5, "promotion_alpha must lie between 0 and 0.5"),
            (0 <= self.latency_margin <= 1, "latency_margin must lie between 0 and 1"),
            (0 <= self.latency_allowance_ms <= 600_000, "latency_allowance_ms must lie between 0 and 600,000"),
            (
                self.latency_margin < self.latency_tolerance <= 10,
                "latency_tolerance must be above latency_margin, at most 10",
            ),
            (1 < self.error_tolerance <= 100, "error_tolerance must be above 1, at most 100"),
            (0 < self.error_rate_limit < 1, "error_rate_limit must lie between 0 and 1"),
            (self.minimum_requests >= 1, "minimum_requests must be at least 1"),
            (self.sticky_users >= 1, "sticky_users must be at least 1"),
        )
        faults = tuple(text for holds, text in rules if not holds)
        if faults:
            raise JudgeSettingsInvalid(faults)
        object.__setattr__(self, "threshold", len(self.metrics) / self.alpha)
