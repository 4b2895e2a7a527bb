"""What one step of the rollout has counted so far: for minimum counts, the share check and the words of a verdict."""

import math
from dataclasses import dataclass

from crossfade.judge.look import Look

# The share is doubted beyond so many standard deviations: looks are many, so a chance of one in thirty thousand.
DOUBT = 4.0
STRAY = 0.005  # of all requests may be under way to the other side while a share changes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCheck:
    """Requests of both arms, canary requests counted and expected, and the binomial variance of their difference."""

    total: int = 0
    canary: int = 0
    expected: float = 0.0
    binomial: float = 0.0

    @classmethod
    def of(cls, look: Look) -> "ShareCheck":
        """The requests of a look alone."""
        requests = look.baseline.requests + look.canary.requests
        expected = requests * look.share
        return cls(total=requests, canary=look.canary.requests, expected=expected, binomial=expected * (1 - look.share))

    def __add__(self, other: "ShareCheck") -> "ShareCheck":
        """The requests of both."""
        return ShareCheck(
            total=self.total + other.total,
            canary=self.canary + other.canary,
            expected=self.expected + other.expected,
            binomial=self.binomial + other.binomial,
        )

    def fits(self, sticky_users: int) -> bool:
        """Whether the canary received about the share that was wanted.

        Users stay on their side, so the share scatters as that of `sticky_users` users, not only as that of requests.
        Source: Fabijan et al., KDD 2019, 'Diagnosing sample ratio mismatch', with the variance of clusters.
        """
        variance = self.binomial * (1 + self.total / sticky_users)
        return abs(self.canary - self.expected) <= DOUBT * math.sqrt(variance) + STRAY * self.total + 1

    @property
    def observed(self) -> float:
        """The canary's part of all requests; there must be some."""
        return self.canary / self.total

    @property
    def wanted(self) -> float:
        """The mean share that was wanted, weighted by requests; there must be some."""
        return self.expected / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """Counts of the present step, without looks that were set aside."""

    step: int
    baseline_requests: int = 0
    baseline_errors: int = 0
    canary_requests: int = 0
    canary_errors: int = 0
    share: ShareCheck = ShareCheck()

    def after(self, look: Look, share: ShareCheck) -> "StepCounts":
        """With the counts of a look, whose own share check is given."""
        return StepCounts(
            step=self.step,
            baseline_requests=self.baseline_requests + look.baseline.requests,
            baseline_errors=self.baseline_errors + look.baseline.errors,
            canary_requests=self.canary_requests + look.canary.requests,
            canary_errors=self.canary_errors + look.canary.errors,
            share=self.share + share,
        )
