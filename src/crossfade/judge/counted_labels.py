"""Metrics that count events going well or badly: whose are the bad ones, given how many there were?

Of one look's n events, n_c of them the canary's, k are bad. If the canary is not worse, these are dealt like labels:
the number x of the canary's bad ones is at most hypergeometric in stochastic order. A bet that its odds of going badly
are theta times the baseline's pays theta^x / E[theta^x], and that expectation is bounded from above.

A hypergeometric number is a sum of independent trials (Vatutin & Mikhailov 1982) whose chances p_i add up to its mean
mu, and whose p_i (1 - p_i) to its variance v. With r_i = 1 - p_i, m trials, nu = m - mu and b = 1 - 1/theta,

    log E[theta^x] = m log theta + sum log(1 - b r_i) <= m log theta + (nu / r) log(1 - b r),   r = 1 - v / nu,

for theta >= 1, since log(1 - b r) / r is concave in r (Jensen, with weights r_i / nu); and log(1 + a p) / p is convex
in p, so the same sum over the p_i with a = theta - 1 bounds it from below; below theta = 1 the two change places. Mean
and variance are exact, so no power is lost whether few go badly (errors) or few go well (orders among visits): betting
on the labels of bad events alone would need 30 times the requests where 3 % go well.
Source: Vatutin & Mikhailov 1982, Theory of Probability and its Applications 27; the bounds are this project's own,
docs/judge.md derives them and tests/judge/test_counted_evidence.py computes the expectations exactly.
"""

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from crossfade.judge.capital import Floats, frozen, grown, log_prior, log_total, shared_anew
from crossfade.judge.lumps import ArmScatters
from crossfade.model.counts import Counted

# How many times the odds of going badly a bet supposes, beyond the margin.
ODDS = frozen(np.array([1.1, 1.25, 1.5, 1.9, 2.5, 3.5, 5.5, 10.0, 30.0]))
PRIOR = log_prior((0.10, 0.14, 0.16, 0.16, 0.14, 0.11, 0.09, 0.06, 0.04), cash=0.05)
# Of all capital, spread again for each unit of the variance of x: odds that are 1.1 times as high are shown in 1,000.
SHARED_PER_INFORMATION = 1 / 2000

# The confidence sequence of the odds ratio: a mixture over this grid, its weights centred at 'no change'.
# Its points lie 1 % apart around 1 and 12 % apart at the ends.
_EVEN = np.linspace(-1, 1, 145)
GRID = frozen(np.exp(math.log(64) * (0.15 * _EVEN + 0.85 * _EVEN**3)))
_DENSITY = np.exp(-0.5 * (np.log(GRID) / 0.6) ** 2) * np.gradient(np.log(GRID))
GRID_PRIOR = frozen(np.log(_DENSITY / _DENSITY.sum()))
_LOG_ODDS, _LOG_GRID = frozen(np.log(ODDS)), frozen(np.log(GRID))
_ZEROS = frozen(np.zeros((2, len(GRID))))
_LEAST_CHANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class DealtLabels:
    """The number of the canary's bad events if labels were dealt: its mean, its variance, and of how many trials.

    Both arms must have events, of which some are bad and some are not.
    """

    trials: int
    mean: float
    variance: float

    @classmethod
    def among(cls, canary: int, baseline: int, bad: int) -> "DealtLabels":
        """So many bad ones among the events of arms of this size."""
        events = canary + baseline
        share = canary / events
        variance = bad * share * (1 - share) * (events - bad) / (events - 1)
        return cls(trials=min(canary, bad), mean=bad * share, variance=variance)

    def log_growth(self, log_odds: Floats) -> tuple[Floats, Floats]:
        """Bounds of log E[theta^x], from below and from above, for the logarithms of theta."""
        missing = self.trials - self.mean
        r = max(1 - self.variance / missing, _LEAST_CHANCE)
        p = max(1 - self.variance / self.mean, _LEAST_CHANCE)
        by_missing = self.trials * log_odds + missing / r * np.log1p(r * np.expm1(-log_odds))
        by_hitting = self.mean / p * np.log1p(p * np.expm1(log_odds))
        return np.minimum(by_missing, by_hitting), np.maximum(by_missing, by_hitting)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLabels:
    """Evidence of one counted metric: against the canary (capital), and on the odds ratio (two rows by grid point).

    The rows are log-likelihoods bounded from below (what a mixture may claim) and from above (what a value of the ratio
    may claim for itself). `step_counts` are canary and baseline in this step; None before its first look.
    """

    log_capital: Floats = field(default_factory=lambda: PRIOR)
    rollout: Floats = field(default_factory=lambda: _ZEROS)
    step: Floats = field(default_factory=lambda: _ZEROS)
    step_counts: tuple[Counted, Counted] | None = None
    scatters: ArmScatters = field(default_factory=ArmScatters)
    shown: float = 0.0
    log_e: float = 0.0
    """Logarithm of the e-value of 'the odds of the canary's events to go badly are within the margin'."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CountedLabels) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        arrays = (self.log_capital, self.rollout, self.step)
        return (self.step_counts, self.scatters, *(array.tobytes() for array in arrays))

    def at_new_step(self) -> "CountedLabels":
        """The same evidence against the canary; none yet for its promotion."""
        return CountedLabels(
            log_capital=self.log_capital, rollout=self.rollout, scatters=self.scatters, log_e=self.log_e
        )

    def after(self, canary: Counted, baseline: Counted, margin: float) -> "CountedLabels":
        """The evidence after a look. An arm without events proves nothing, nor do events that all went the same way."""
        counts = (canary, baseline)
        if self.step_counts is not None:
            counts = (self.step_counts[0] + canary, self.step_counts[1] + baseline)
        scatters = self.scatters.after((canary.bad, canary.total), (baseline.bad, baseline.total))
        bad = canary.bad + baseline.bad
        if not (canary.total and baseline.total and 0 < bad < canary.total + baseline.total):
            return replace(self, shown=0.0, step_counts=counts, scatters=scatters)
        dealt = DealtLabels.among(canary.total, baseline.total, bad)
        # Lumps count once: what earlier looks showed of their size is the root that is taken of every payoff.
        lump = self.scatters.size
        below, above = dealt.log_growth(_points(margin))
        payoff = (canary.bad * _LOG_ODDS - above[: len(ODDS)] + below[len(ODDS)]) / lump
        growth = grown(self.log_capital, payoff, self.log_e, self.shown)
        part = -math.expm1(dealt.variance / lump * math.log1p(-SHARED_PER_INFORMATION))
        gained = (canary.bad * _LOG_GRID - np.stack((above, below))[:, len(ODDS) + 1 :]) / lump
        return CountedLabels(
            log_capital=frozen(shared_anew(growth.log_capital, PRIOR, part, growth.log_e)),
            rollout=frozen(self.rollout + gained),
            step=frozen(self.step + gained),
            step_counts=counts,
            scatters=scatters,
            shown=growth.shown,
            log_e=growth.log_e,
        )


@lru_cache(maxsize=32)
def _points(margin: float) -> Floats:
    """Logarithms of the odds ratios that bets suppose, then of the margin itself, then of the grid."""
    edge = math.log1p(margin)
    return frozen(np.concatenate((_LOG_ODDS + edge, [edge], _LOG_GRID)))


def odds_interval(log_likelihoods: Floats, alpha: float) -> tuple[float, float]:
    """The canary's odds of going badly over the baseline's: a confidence sequence, right at all times with 1 - alpha.

    Its ends are at most 64 and at least 1/64: there it is open.
    """
    claimed, own = log_likelihoods
    inside = np.flatnonzero(own >= log_total(claimed + GRID_PRIOR) + math.log(alpha))
    # Between grid points the truth may lie just outside the last one inside: take the next one, which is certain.
    low, high = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(GRID) - 1)
    return float(GRID[low]), float(GRID[high])


def likeliest_odds(log_likelihoods: Floats) -> float:
    """The odds ratio that fits best; an end of the grid where one arm's events all went the same way."""
    return float(GRID[int(np.argmax(log_likelihoods.sum(axis=0)))])
