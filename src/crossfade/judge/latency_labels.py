"""Latency: whose are the slow requests?

Every request is a bet: a ratio for its bin, rising with latency, says how much more likely the canary is to have made
it. Such bets win only if the canary is slower beyond the margin, whatever both arms' latencies are (docs/judge.md
derives it). Bets are fitted to what earlier looks showed, never to the look that they are bet on.
"""

import math
from dataclasses import dataclass

import numpy as np

from crossfade.judge.bets import AGAINST, PRIOR, PROMOTION_PRIOR, Bets, fitted_bets
from crossfade.judge.bins import log_moments
from crossfade.judge.capital import Floats, frozen, log_total, shared_anew
from crossfade.judge.settings import JudgeSettings
from crossfade.model.counts import LatencyHistogram

SHARED_PER_REQUEST = 1 / 1000  # of the capital, for each request of the smaller arm
REMEMBERED = 20_000.0  # requests of the baseline until one counts half, so that bets follow the time of day
FIRST_FIT = 50.0  # requests of the baseline before the first bet
REFIT_GROWTH = 1.5  # a fit costs as much as ten looks, so there is one only where it teaches something

BASELINE, CANARY = 0, 1  # rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyLabels:
    """Evidence from the labels of requests by latency, and what was learnt so far.

    `learnt` are faded counts by arm and bin; `step_sums` by arm the requests of this step, the sum of their log latency
    and of its square; `earlier` the log latency ratio over the steps before: the sums of precision times ratio, and of
    precision. Counts of steps are never pooled: their shares differ (Simpson's paradox).
    """

    edges_ms: tuple[float, ...]
    learnt: Floats
    seen: float
    bets: Bets | None
    log_capital: Floats
    log_promotion: Floats
    step_sums: Floats
    earlier: tuple[float, float]
    log_e: float = 0.0
    """Logarithm of the e-value of 'the canary is not slower beyond the margin'."""

    @classmethod
    def unlearnt(cls, edges_ms: tuple[float, ...]) -> "LatencyLabels":
        """Nothing seen yet, in bins with these edges."""
        return cls(
            edges_ms=edges_ms,
            learnt=frozen(np.zeros((2, len(edges_ms) + 1))),
            seen=0.0,
            bets=None,
            log_capital=PRIOR,
            log_promotion=PROMOTION_PRIOR,
            step_sums=frozen(np.zeros((2, 3))),
            earlier=(0.0, 0.0),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatencyLabels) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        arrays = (self.learnt, self.log_capital, self.log_promotion, self.step_sums)
        return (self.edges_ms, self.seen, self.earlier, self.bets, *(array.tobytes() for array in arrays))

    @property
    def log_e_promotion(self) -> float:
        """Logarithm of the e-value of 'the canary is slower by the tolerance or more', in this step."""
        return log_total(self.log_promotion)

    def at_new_step(self) -> "LatencyLabels":
        """The same evidence against the canary; none yet for its promotion."""
        return LatencyLabels(
            edges_ms=self.edges_ms,
            learnt=self.learnt,
            seen=self.seen,
            bets=self.bets,
            log_capital=self.log_capital,
            log_promotion=PROMOTION_PRIOR,
            step_sums=frozen(np.zeros((2, 3))),
            earlier=self._ratio_sums(),
            log_e=self.log_e,
        )

    def after(self, baseline: LatencyHistogram, canary: LatencyHistogram, settings: JudgeSettings) -> "LatencyLabels":
        """The evidence after a look; empty histograms are harmless."""
        counts = np.array((baseline.counts, canary.counts), dtype=float)
        sums = counts @ log_moments(self.edges_ms)
        n_baseline, n_canary = float(sums[BASELINE, 0]), float(sums[CANARY, 0])
        if n_baseline + n_canary == 0:
            return self
        capital, promotion, log_e = self.log_capital, self.log_promotion, self.log_e
        if self.bets is not None and n_baseline and n_canary:
            gained = self.bets.log_payoffs(counts[BASELINE], counts[CANARY], n_canary / (n_canary + n_baseline))
            part = -math.expm1(min(n_baseline, n_canary) * math.log1p(-SHARED_PER_REQUEST))
            capital = capital.copy()
            capital[1:] += gained[:AGAINST]
            log_e = log_total(capital)
            capital = frozen(shared_anew(capital, PRIOR, part, log_e))
            promotion = promotion.copy()
            promotion[1:] += gained[AGAINST:]
            frozen(promotion)
        learnt = frozen(self.learnt * 0.5 ** (n_baseline / REMEMBERED) + counts)
        seen = self.seen + n_baseline + n_canary
        bets = self.bets
        if seen >= (bets.refit_at if bets else FIRST_FIT):
            refit_at = min(seen * REFIT_GROWTH, seen + 2 * REMEMBERED)
            bets = fitted_bets(self.edges_ms, learnt[BASELINE], learnt[CANARY], settings, refit_at) or bets
        return LatencyLabels(
            edges_ms=self.edges_ms,
            learnt=learnt,
            seen=seen,
            bets=bets,
            log_capital=capital,
            log_promotion=promotion,
            step_sums=frozen(self.step_sums + sums),
            earlier=self.earlier,
            log_e=log_e,
        )

    def step_ratio(self) -> tuple[float, float] | None:
        """Log ratio of the arms' geometric mean latencies in this step, and its variance; None with too little data."""
        (n_baseline, *_), (n_canary, *_) = self.step_sums.tolist()
        if min(n_baseline, n_canary) < 2:
            return None
        mean, variance = _mean_and_variance(*self.step_sums[CANARY].tolist())
        baseline_mean, baseline_variance = _mean_and_variance(*self.step_sums[BASELINE].tolist())
        return mean - baseline_mean, variance + baseline_variance

    def rollout_ratio(self) -> tuple[float, float] | None:
        """The same over all steps, each weighted by its precision."""
        weighted, precision = self._ratio_sums()
        return (weighted / precision, 1 / precision) if precision else None

    def _ratio_sums(self) -> tuple[float, float]:
        weighted, precision = self.earlier
        estimate = self.step_ratio()
        if estimate is None:
            return weighted, precision
        mean, variance = estimate
        return weighted + mean / variance, precision + 1 / variance


def _mean_and_variance(requests: float, total: float, squares: float) -> tuple[float, float]:
    """Mean of log latency and the variance of that mean; a single bin still has the width of a bin."""
    mean = total / requests
    return mean, max(squares / requests - mean * mean, 1e-4) / (requests - 1)
