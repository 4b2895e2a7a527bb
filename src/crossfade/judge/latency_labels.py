"""Latency: whose are the slow requests?

Every request is a bet: a ratio for its bin, rising with latency, says how much more likely the canary is to have made
it. Such bets win only if the canary is slower beyond the margin, whatever both arms' latencies are (docs/judge.md
derives it). Bets are fitted to what earlier looks showed, never to the look that they are bet on.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from crossfade.judge.bins import bandwidth, division, monotone_ratio, smoothed
from crossfade.judge.capital import Floats, frozen, log_prior, log_total, shared_anew
from crossfade.judge.settings import JudgeSettings
from crossfade.model.counts import LatencyHistogram

# How much slower than the margin a bet supposes the canary to be; the last bet follows what the canary has shown.
SLOWER = (1.08, 1.17, 1.35, 1.7, 2.6)
PRIOR = log_prior((0.18, 0.34, 0.17, 0.11, 0.06, 0.14), cash=0.05)
# How much slower a healthy canary may be, for the bets that it is within the tolerance.
HEALTHY = (0.93, 1.0, 1.06)
PROMOTION_PRIOR = log_prior((0.15, 0.6, 0.25), cash=0.02)
SHARED_PER_REQUEST = 1 / 1000  # of the capital, for each request of the smaller arm
SHRINK_REQUESTS = 40.0  # the canary's own shape counts half once it has shown as many requests
REMEMBERED = 20_000.0  # requests of the baseline; older ones fade, so that bets follow the time of day
FIRST_FIT = 50.0  # requests of the baseline before the first bet
REFIT_GROWTH = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """Ratios by bet and bin: first those against the canary, then those for its promotion."""

    ratios: Floats
    fitted_to: float  # requests known when they were made


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyLabels:
    """Evidence from the labels of requests by latency, and the histograms learnt so far."""

    edges_ms: tuple[float, ...]
    baseline: Floats
    canary: Floats
    seen: float = 0.0
    bets: Bets | None = None
    log_capital: Floats = field(default_factory=lambda: PRIOR)
    log_promotion: Floats = field(default_factory=lambda: PROMOTION_PRIOR)

    @classmethod
    def unlearnt(cls, edges_ms: tuple[float, ...]) -> "LatencyLabels":
        """Nothing seen yet, in bins with these edges."""
        nothing = frozen(np.zeros(len(edges_ms) + 1))
        return cls(edges_ms=edges_ms, baseline=nothing, canary=nothing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatencyLabels) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        arrays = (self.baseline, self.canary, self.log_capital, self.log_promotion)
        ratios = self.bets.ratios.tobytes() if self.bets else b""
        return (self.edges_ms, self.seen, ratios, *(array.tobytes() for array in arrays))

    @property
    def log_e(self) -> float:
        """Logarithm of the e-value of 'the canary is not slower beyond the margin'."""
        return log_total(self.log_capital)

    @property
    def log_e_promotion(self) -> float:
        """Logarithm of the e-value of 'the canary is slower by the tolerance or more', in this step."""
        return log_total(self.log_promotion)

    def at_new_step(self) -> "LatencyLabels":
        """The same evidence against the canary; none yet for its promotion."""
        return replace(self, log_promotion=PROMOTION_PRIOR)

    def after(self, baseline: LatencyHistogram, canary: LatencyHistogram, settings: JudgeSettings) -> "LatencyLabels":
        """The evidence after a look; empty histograms are harmless."""
        new_baseline, new_canary = np.array(baseline.counts, dtype=float), np.array(canary.counts, dtype=float)
        n_baseline, n_canary = float(new_baseline.sum()), float(new_canary.sum())
        if n_baseline + n_canary == 0:
            return self
        capital, promotion = self.log_capital, self.log_promotion
        if self.bets is not None and n_baseline and n_canary:
            gained = payoffs(self.bets.ratios, new_baseline, new_canary, self.edges_ms, settings)
            against = len(PRIOR) - 1
            part = -math.expm1(min(n_baseline, n_canary) * math.log1p(-SHARED_PER_REQUEST))
            capital = capital + np.concatenate(([0.0], gained[:against]))
            capital = frozen(shared_anew(capital, PRIOR, part))
            promotion = frozen(promotion + np.concatenate(([0.0], gained[against:])))
        fade = 0.5 ** (n_baseline / REMEMBERED)
        learnt = replace(
            self,
            baseline=frozen(self.baseline * fade + new_baseline),
            canary=frozen(self.canary * fade + new_canary),
            seen=self.seen + n_baseline + 4 * n_canary,
            log_capital=capital,
            log_promotion=promotion,
        )
        return learnt.with_fitted_bets(settings)

    def with_fitted_bets(self, settings: JudgeSettings) -> "LatencyLabels":
        """Bets made anew where enough was learnt since they were made; a fit costs a millisecond, a look must not."""
        due = (
            FIRST_FIT
            if self.bets is None
            else min(self.bets.fitted_to * REFIT_GROWTH, self.bets.fitted_to + REMEMBERED)
        )
        if self.seen < due or self.baseline.sum() < FIRST_FIT:
            return self
        return replace(self, bets=fitted_bets(self, settings))


def payoffs(
    ratios: Floats, baseline: Floats, canary: Floats, edges_ms: tuple[float, ...], settings: JudgeSettings
) -> Floats:
    """What each bet gains from a look, as logarithms.

    At the observed share w a request of the baseline pays 1 / (1 - w + w rho), one of the canary rho / (1 - w + w rho),
    averaged over the bins in which it may lie after division by the margin (for promotion: by the tolerance).
    """
    share = canary.sum() / (canary.sum() + baseline.sum())
    of_baseline = 1.0 / (1.0 + share * (ratios - 1.0))
    of_canary = of_baseline * ratios
    against = len(PRIOR) - 1
    slower = of_canary[:against] @ division(edges_ms, 1 + settings.latency_margin, rising=True).T
    healthy = of_canary[against:] @ division(edges_ms, 1 + settings.latency_tolerance, rising=False).T
    return np.asarray(np.log(of_baseline) @ baseline + np.log(np.vstack((slower, healthy))) @ canary)


def fitted_bets(labels: LatencyLabels, settings: JudgeSettings) -> Bets:
    """Bets for the next looks, from what was learnt: the baseline scaled, and the canary's own shape."""
    edges, baseline = labels.edges_ms, labels.baseline
    faster = tuple(factor / (1 + settings.latency_tolerance) for factor in HEALTHY)
    rows = smoothed(edges, baseline, bandwidth(edges, baseline), (1.0, *SLOWER, *faster))
    ratios = [monotone_ratio(row, rows[0], rising=True) for row in rows[1 : len(SLOWER) + 1]]
    ratios.append(_shown_by_canary(labels, settings))
    ratios.extend(monotone_ratio(row, rows[0], rising=False) for row in rows[len(SLOWER) + 1 :])
    return Bets(ratios=frozen(np.array(ratios)), fitted_to=labels.seen)


def _shown_by_canary(labels: LatencyLabels, settings: JudgeSettings) -> Floats:
    edges, requests = labels.edges_ms, float(labels.canary.sum())
    if requests == 0:
        return np.ones(len(edges) + 1)
    moved = labels.canary @ division(edges, 1 + settings.latency_margin, rising=True)
    width = bandwidth(edges, moved)  # the same for both arms, or the wider kernel would look like a slower tail
    canary = smoothed(edges, moved, width, (1.0,))[0]
    baseline = smoothed(edges, labels.baseline, width, (1.0,))[0]
    mixed = (requests * canary + SHRINK_REQUESTS * baseline) / (requests + SHRINK_REQUESTS)
    return monotone_ratio(mixed, baseline, rising=True)
