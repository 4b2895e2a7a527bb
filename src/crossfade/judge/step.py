"""What one step of the rollout has counted so far: for minimum counts, the share check and the words of a verdict."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from crossfade.judge.bins import log_middles
from crossfade.judge.look import Look
from crossfade.model.counts import LatencyHistogram

# The share is doubted beyond so many standard deviations: looks are many, so a chance of one in thirty thousand.
DOUBT = 4.0
STRAY = 0.005  # of all requests may be under way to the other side while a share changes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLatency:
    """Requests, and the sums of their log latency and of its square."""

    requests: float = 0.0
    sum: float = 0.0
    squares: float = 0.0

    def after(self, histogram: LatencyHistogram) -> "LogLatency":
        """With the requests of a histogram, each in the middle of its bin."""
        counts, middles = np.array(histogram.counts, dtype=float), log_middles(histogram.edges_ms)
        weighted = counts * middles
        return LogLatency(
            requests=self.requests + float(counts.sum()),
            sum=self.sum + float(weighted.sum()),
            squares=self.squares + float(weighted @ middles),
        )

    def mean_and_variance(self) -> tuple[float, float]:
        """Mean of log latency and the variance of that mean; `requests` must be above 1."""
        mean = self.sum / self.requests
        variance = max(self.squares / self.requests - mean * mean, 1e-6) / (self.requests - 1)
        return mean, variance


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCheck:
    """Canary requests counted and expected, and the variance of their difference."""

    canary: int = 0
    expected: float = 0.0
    total: int = 0
    binomial: float = 0.0

    def after(self, look: Look) -> "ShareCheck":
        """With the requests of a look."""
        requests = look.baseline.requests + look.canary.requests
        return ShareCheck(
            canary=self.canary + look.canary.requests,
            expected=self.expected + requests * look.share,
            total=self.total + requests,
            binomial=self.binomial + requests * look.share * (1 - look.share),
        )

    def fits(self, sticky_users: int) -> bool:
        """Whether the canary received about the share that was wanted.

        Users stay on their side, so the share scatters as that of `sticky_users` users, not only as that of requests.
        Source: Fabijan et al., KDD 2019, 'Diagnosing sample ratio mismatch', with the variance of clusters.
        """
        variance = self.binomial * (1 + self.total / sticky_users)
        return abs(self.canary - self.expected) <= DOUBT * math.sqrt(variance) + STRAY * self.total + 1

    @property
    def observed_share(self) -> float:
        """The canary's part of all requests; there must be some."""
        return self.canary / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """Counts of the present step; `looks` counts the looks that were judged in it."""

    step: int
    looks: int = 0
    baseline_requests: int = 0
    baseline_errors: int = 0
    canary_requests: int = 0
    canary_errors: int = 0
    share: ShareCheck = field(default_factory=ShareCheck)
    baseline_latency: LogLatency = field(default_factory=LogLatency)
    canary_latency: LogLatency = field(default_factory=LogLatency)

    def after(self, look: Look) -> "StepCounts":
        """With the counts of a look."""
        counted = replace(
            self,
            looks=self.looks + 1,
            baseline_requests=self.baseline_requests + look.baseline.requests,
            baseline_errors=self.baseline_errors + look.baseline.errors,
            canary_requests=self.canary_requests + look.canary.requests,
            canary_errors=self.canary_errors + look.canary.errors,
            share=self.share.after(look),
        )
        if look.baseline.latency is None or look.canary.latency is None:
            return counted
        return replace(
            counted,
            baseline_latency=self.baseline_latency.after(look.baseline.latency),
            canary_latency=self.canary_latency.after(look.canary.latency),
        )

    def latency_ratio(self) -> tuple[float, float] | None:
        """Log of the ratio of geometric mean latencies and its variance; None with less than two requests in an arm."""
        if min(self.baseline_latency.requests, self.canary_latency.requests) < 2:
            return None
        mean, variance = self.canary_latency.mean_and_variance()
        baseline_mean, baseline_variance = self.baseline_latency.mean_and_variance()
        return mean - baseline_mean, variance + baseline_variance
