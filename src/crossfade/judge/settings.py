"""What a person may set about the judge, and the faults that are found in it."""

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from crossfade.model.errors import CrossfadeError


class Metric(StrEnum):
    """What the arms are compared by."""

    ERRORS = "errors"
    LATENCY = "latency"


NAME = r"[a-z][a-z0-9_-]{0,62}"
"""What the name of a counted metric looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedMetric:
    """A metric that counts events going well or badly, such as `conversion`: how it is judged.

    `margin`: the odds of going badly may be higher by this part without counting against the canary; 0.05 is 5 %.
    `tolerance`: promotion needs evidence that these odds are below this multiple of the baseline's; above 1 + margin.
    `promotes`: False where the metric only ever aborts: few events would make every step long.
    """

    name: str
    margin: float = 0.0
    tolerance: float = 2.0
    promotes: bool = True

    def faults(self) -> tuple[str, ...]:
        """What is wrong with it."""
        rules = (
            (
                re.fullmatch(NAME, self.name) is not None and self.name not in [*Metric],
                f"a name must match {NAME} and not be errors or latency",
            ),
            (0 <= self.margin <= 1, "margin must lie between 0 and 1"),
            (1 + self.margin < self.tolerance <= 50, "tolerance must be above 1 + margin, at most 50"),
        )
        return tuple(f"counted {self.name}: {text}" for holds, text in rules if not holds)


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

    `metrics` and `counted` are all that is judged, fixed before the first look: a metric that comes later than others
    has had its part of alpha from the start, one that is not named is not judged.
    `alpha`: chance of a false abort in a whole rollout, split over all metrics; in (0, 0.5).
    `weights`: by metric, the parts of that split; what is not named weighs 1. Above 0.
    `promotion_alpha`: chance, in one step and for one metric, to promote a canary beyond the tolerance; in (0, 0.5).
    `latency_margin`: a canary slower by no more than this part never counts against it; 0.05 is 5 %.
    `latency_allowance_ms`: what of each canary request's latency is not its own but the link's; 0 or above.
    `latency_tolerance`: promotion needs evidence that the canary is less than this part slower; above the margin.
    `error_tolerance`: promotion needs evidence that the canary's error rate is below this multiple of the baseline's …
    `error_rate_limit`: … or that it is below this rate, which alone can be shown where nobody makes errors.
    `minimum_requests`: requests of the canary in a step before it may be promoted.
    `settling_looks`: looks at the start of each step whose latencies only teach, since caches may be cold; 0 or above.
    `sticky_users`: users whose coming and going makes the observed share scatter; fewer make the share check milder.
    Raises JudgeSettingsInvalid with every fault. Source: docs/judge.md, 'Settings'.
    """

    metrics: tuple[Metric, ...] = (Metric.ERRORS, Metric.LATENCY)
    counted: tuple[CountedMetric, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    alpha: float = 0.05
    promotion_alpha: float = 0.05
    latency_margin: float = 0.05
    latency_allowance_ms: float = 0.0
    latency_tolerance: float = 0.20
    error_tolerance: float = 2.0
    error_rate_limit: float = 0.03
    minimum_requests: int = 100
    settling_looks: int = 1
    sticky_users: int = 200
    threshold: float = field(init=False)
    """What aborts where the weights are even; `threshold_of` tells it of each metric."""
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """All metrics that are judged."""
    _thresholds: dict[str, float] = field(init=False, repr=False, compare=False)
    _log_thresholds: dict[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names, weighed = (*self.metrics, *(metric.name for metric in self.counted)), dict(self.weights)
        rules = (
            (bool(names) and len(set(names)) == len(names), "metrics must name at least one, each once"),
            (
                len(weighed) == len(self.weights) and set(weighed) <= set(names),
                "weights must name metrics that are judged, each once",
            ),
            (
                all(0 < weight < math.inf for weight in weighed.values()),
                "weights must be above 0",
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
            (0 <= self.settling_looks <= 1000, "settling_looks must lie between 0 and 1,000"),
            (self.sticky_users >= 1, "sticky_users must be at least 1"),
        )
        faults = tuple(text for holds, text in rules if not holds)
        faults += tuple(text for metric in self.counted for text in metric.faults())
        if faults:
            raise JudgeSettingsInvalid(faults)
        total = math.fsum(weighed.get(name, 1.0) for name in names)
        log_thresholds = {name: math.log(total / (self.alpha * weighed.get(name, 1.0))) for name in names}
        threshold = len(names) / self.alpha
        thresholds = {
            name: threshold if math.isclose(log_threshold, math.log(threshold)) else math.exp(log_threshold)
            for name, log_threshold in log_thresholds.items()
        }
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "threshold", threshold)
        object.__setattr__(self, "_thresholds", thresholds)
        object.__setattr__(self, "_log_thresholds", log_thresholds)

    def alpha_of(self, name: str) -> float:
        """A metric's part of alpha: the chance of an abort by it, in a whole rollout of a canary that is not worse."""
        return math.exp(-self._log_thresholds[name])

    def threshold_of(self, name: str) -> float:
        """The e-value at which a metric aborts: 1 over its part of alpha."""
        return self._thresholds[name]

    def log_threshold_of(self, name: str) -> float:
        """The logarithm of it."""
        return self._log_thresholds[name]
