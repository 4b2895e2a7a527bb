"""Latency: whose are the slow requests?

Every request is a bet: a ratio for its bin, rising with latency, says how much more likely the canary is to have made
it. Such bets win only if the canary is slower beyond the margin, whatever both arms' latencies are (docs/judge.md
derives it). Bets are fitted to what earlier looks showed, never to the look that they are bet on.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from crossfade.judge.bets import AGAINST, PRIOR, PROMOTION_PRIOR, Bets, fitted_bets
from crossfade.judge.bins import log_moments
from crossfade.judge.capital import Floats, frozen, grown, shared_anew
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

    `learnt` are faded counts by arm and bin, `step_counts` those of this step; `taught` is how many looks of the step
    only taught; `earlier` the log latency ratio over the steps before: the sums of precision times ratio, and of
    precision. Counts of steps are never pooled: their shares differ (Simpson's paradox). `shown` is what looks before
    have shown of a canary that is slower, and of one that is healthy (capital.Growth). `moments` are those of the bins
    (bins.log_moments).
    """

    edges_ms: tuple[float, ...]
    moments: Floats
    learnt: Floats
    seen: float
    bets: Bets | None
    log_capital: Floats
    log_promotion: Floats
    step_counts: Floats
    earlier: tuple[float, float]
    taught: int = 0
    shown: tuple[float, float] = (0.0, 0.0)
    log_e: float = 0.0
    """Logarithm of the e-value of 'the canary is not slower beyond the margin'."""
    log_e_promotion: float = 0.0
    """Logarithm of the e-value of 'the canary is slower by the tolerance or more', in this step."""

    @classmethod
    def unlearnt(cls, edges_ms: tuple[float, ...]) -> "LatencyLabels":
        """Nothing seen yet, in bins with these edges."""
        return cls(
            edges_ms=edges_ms,
            moments=log_moments(edges_ms),
            learnt=frozen(np.zeros((2, len(edges_ms) + 1))),
            seen=0.0,
            bets=None,
            log_capital=PRIOR,
            log_promotion=PROMOTION_PRIOR,
            step_counts=frozen(np.zeros((2, len(edges_ms) + 1))),
            earlier=(0.0, 0.0),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatencyLabels) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        arrays = (self.learnt, self.log_capital, self.log_promotion, self.step_counts)
        return (
            self.edges_ms,
            self.seen,
            self.earlier,
            self.taught,
            self.shown,
            self.bets,
            *(array.tobytes() for array in arrays),
        )

    def at_new_step(self) -> "LatencyLabels":
        """The same evidence against the canary; none yet for its promotion."""
        return replace(
            self,
            log_promotion=PROMOTION_PRIOR,
            log_e_promotion=0.0,
            step_counts=frozen(np.zeros_like(self.step_counts)),
            earlier=self._ratio_sums(),
            taught=0,
            shown=(0.0, 0.0),
        )

    def after(self, baseline: LatencyHistogram, canary: LatencyHistogram, settings: JudgeSettings) -> "LatencyLabels":
        """The evidence after a look; edges must be those seen before.

        The first looks of a step only teach: caches may be cold. So does whatever comes before the first bets.
        """
        counts = np.array((baseline.counts, canary.counts), dtype=float)
        n_baseline, n_canary = float(sum(baseline.counts)), float(sum(canary.counts))
        if n_baseline + n_canary == 0:
            return self
        both = bool(n_baseline and n_canary)
        learnt = frozen(self.learnt * 0.5 ** (n_baseline / REMEMBERED) + counts)
        seen = self.seen + n_baseline + n_canary
        bets = self._refitted(learnt, seen, settings)
        if both and self.taught < settings.settling_looks:
            judged = replace(self, learnt=learnt, seen=seen, bets=bets, taught=self.taught + 1)
        elif both and self.bets is not None:
            judged = self._judged(self.bets, counts, (n_baseline, n_canary), learnt, bets)
        else:
            judged = replace(self, learnt=learnt, seen=seen, bets=bets)
        if self.bets is None and bets is not None and both:
            # The look that taught the first bets is bet on by none; it may still bear out the next one.
            payoffs = bets.log_payoffs(counts[BASELINE], counts[CANARY], n_canary / (n_canary + n_baseline))
            judged = replace(judged, shown=(grown(PRIOR, payoffs[:AGAINST], 0.0, 0.0).shown, 0.0))
        return judged

    def _refitted(self, learnt: Floats, seen: float, settings: JudgeSettings) -> Bets | None:
        """The bets for the next look, after so many requests seen and these learnt."""
        if seen < (self.bets.refit_at if self.bets else FIRST_FIT):
            return self.bets
        refit_at = min(seen * REFIT_GROWTH, seen + 2 * REMEMBERED)
        return fitted_bets(self.edges_ms, learnt[BASELINE], learnt[CANARY], settings, refit_at) or self.bets

    def _judged(
        self, bets: Bets, counts: Floats, requests: tuple[float, float], learnt: Floats, following: Bets | None
    ) -> "LatencyLabels":
        """After a look that is bet on, with what was learnt of it and the bets that follow."""
        n_baseline, n_canary = requests
        payoffs = bets.log_payoffs(counts[BASELINE], counts[CANARY], n_canary / (n_canary + n_baseline))
        part = -math.expm1(min(n_baseline, n_canary) * math.log1p(-SHARED_PER_REQUEST))
        slower, healthy = self.shown
        against = grown(self.log_capital, payoffs[:AGAINST], self.log_e, slower)
        promotion = grown(self.log_promotion, payoffs[AGAINST:], self.log_e_promotion, healthy)
        return LatencyLabels(
            edges_ms=self.edges_ms,
            moments=self.moments,
            learnt=learnt,
            seen=self.seen + n_baseline + n_canary,
            bets=following,
            log_capital=frozen(shared_anew(against.log_capital, PRIOR, part, against.log_e)),
            log_promotion=frozen(promotion.log_capital),
            step_counts=frozen(self.step_counts + counts),
            earlier=self.earlier,
            taught=self.taught,
            shown=(against.shown, promotion.shown),
            log_e=against.log_e,
            log_e_promotion=promotion.log_e,
        )

    def step_ratio(self) -> tuple[float, float] | None:
        """Log ratio of the arms' geometric mean latencies in this step, and its variance; None with too little data."""
        baseline, canary = self.step_counts.dot(self.moments).tolist()
        if min(baseline[0], canary[0]) < 2:
            return None
        mean, variance = _mean_and_variance(*canary)
        baseline_mean, baseline_variance = _mean_and_variance(*baseline)
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
