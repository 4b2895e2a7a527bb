"""How long the candidate takes against the control, request by request."""

import math
from dataclasses import dataclass

from scipy.special import stdtrit


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRatio:
    """Geometric mean of candidate over control, and the ends of its confidence interval."""

    ratio: float
    low: float
    high: float


@dataclass(slots=True)
class LatencyPairs:
    """Sums over the logarithms of the ratios; pairs in which a side took no time at all are left out."""

    pairs: int = 0
    _mean: float = 0.0
    _squares: float = 0.0

    def add(self, control_ms: float, candidate_ms: float) -> None:
        """One more pair. Source: Welford 1962, for a variance without cancellation."""
        if control_ms <= 0 or candidate_ms <= 0:
            return
        log_ratio = math.log(candidate_ms / control_ms)
        self.pairs += 1
        away = log_ratio - self._mean
        self._mean += away / self.pairs
        self._squares += away * (log_ratio - self._mean)

    def ratio(self, alpha: float) -> LatencyRatio | None:
        """The ratio with its interval at confidence 1 - alpha, for one look at the end; None with fewer than two pairs.

        Student's interval of the mean logarithm: load that both sides share cancels within each pair.
        """
        if self.pairs < 2:
            return None
        error = math.sqrt(self._squares / (self.pairs - 1) / self.pairs)
        reach = float(stdtrit(self.pairs - 1, 1 - alpha / 2)) * error
        low, middle, high = (math.exp(min(end, 700.0)) for end in (self._mean - reach, self._mean, self._mean + reach))
        return LatencyRatio(ratio=middle, low=low, high=high)
