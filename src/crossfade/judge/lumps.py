"""Failures that come in lumps: how many separate ones they amount to, and whether chance alone explains them.

One user who tries ten times, one pause that delays fifty requests, one look that saw an incident on one arm before it
saw it on the other: such failures come together and say no more than one. How much they scatter from look to look tells
how large the lumps are, so failures divided by scatter count lumps (a design effect).
Source: docs/judge.md, 'Guards'; von Neumann 1941, 'Distribution of the ratio of the mean square successive difference';
Kish 1965, 'Survey Sampling', on design effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from scipy.special import betainc


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Requests of both arms in a window, those that failed in whatever sense, and the size of the lumps, at least 1.

    Where there is no baseline, its counts are 0.
    """

    canary: float
    canary_requests: int
    baseline: float = 0.0
    baseline_requests: int = 0
    scatter: float = 1.0

    @property
    def canary_rate(self) -> float:
        return self.canary / self.canary_requests if self.canary_requests else 0.0

    @property
    def baseline_rate(self) -> float:
        return self.baseline / self.baseline_requests if self.baseline_requests else 0.0

    @property
    def lumps(self) -> float:
        """How many separate failures of the canary there were."""
        return self.canary / self.scatter

    def chance_of_lot(self) -> float:
        """The chance of so many lumps of the canary or more, if lumps fell on both arms by lot, as requests do.

        1 where nothing failed or only one arm had requests.
        """
        if not self.canary or not self.baseline_requests:
            return 1.0
        share = self.canary_requests / (self.canary_requests + self.baseline_requests)
        return float(betainc(self.lumps, self.baseline / self.scatter + 1, share))

    def chance_at(self, rate: float) -> float:
        """The chance of so many lumps of the canary or more, if its requests failed at `rate`."""
        if not self.canary:
            return 1.0
        return float(betainc(self.lumps, (self.canary_requests - self.canary) / self.scatter + 1, rate))


def scatter(arm: Sequence[float]) -> float:
    """How much failures differ from look to look: 1 if each came by itself, about ten if they come ten at a time.

    The mean square of successive differences over twice the mean, with nothing before the first look and nothing after
    the last. A level that changes once adds little; a single look that has them all gives their number.
    """
    total = sum(arm)
    if not total:
        return 1.0
    return max(1.0, sum((after - before) ** 2 for before, after in pairwise((0.0, *arm, 0.0))) / (2 * total))


# How many failures' worth of 'they come one by one' is believed before anything was seen.
_ASSUMED = 5.0
_REMEMBERED = 0.98  # of what was seen, after one more look
_BY_CHANCE = 1.5  # times as much scatter is no sign of lumps where failures are few


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """How much the failures of one arm differ from look to look: the same idea, look by look and for any rate.

    `squares` are the squared differences of successive rates, `expected` what they would be of single failures; both
    fade. Rates, not counts, so that neither load nor share matter.
    """

    failures: int = 0
    requests: int = 0
    squares: float = 0.0
    expected: float = 0.0

    def after(self, failures: int, requests: int) -> "Scatter":
        """With one more look; one without requests changes nothing, nor one without failures after another such."""
        if not requests or (self.requests and not failures and not self.failures):
            return self
        squares, expected = self.squares, self.expected
        both = self.requests + requests
        if self.requests and 0 < (failed := self.failures + failures) < both:
            size = 2 * self.requests * requests / both
            difference = (failures / requests - self.failures / self.requests) * size
            squares = _REMEMBERED * squares + difference * difference / 2
            expected = _REMEMBERED * expected + size * failed * (both - failed) / (both * both)
        return Scatter(failures=failures, requests=requests, squares=squares, expected=expected)

    @property
    def size(self) -> float:
        """How many failures make a lump, at least 1."""
        return max(1.0, (_ASSUMED + self.squares) / (_BY_CHANCE * (_ASSUMED + self.expected)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmScatters:
    """The scatter of both arms; `size` is the larger one."""

    canary: Scatter = Scatter()
    baseline: Scatter = Scatter()

    def after(self, canary: tuple[int, int], baseline: tuple[int, int]) -> "ArmScatters":
        """With one more look, of which failures and requests of each arm are given."""
        of_canary, of_baseline = self.canary.after(*canary), self.baseline.after(*baseline)
        if of_canary is self.canary and of_baseline is self.baseline:
            return self
        return ArmScatters(canary=of_canary, baseline=of_baseline)

    @property
    def size(self) -> float:
        return max(self.canary.size, self.baseline.size)
