"""Intervals that are right at all times: of means, and of the quantiles of both arms' latencies.

A confidence sequence holds the truth at all looks together with the chance that is named, so one may look at it as
often as one likes.
Source: Howard & Ramdas 2022, Bernoulli 28, 'Sequential estimation of quantiles'; Robbins 1970, Annals of Mathematical
Statistics 41 (mixtures); Waudby-Smith et al. 2024, Annals of Statistics 52 (asymptotic confidence sequences).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from crossfade.judge.capital import Floats
from crossfade.judge.latency_labels import BASELINE, CANARY, LatencyLabels
from crossfade.model.counts import LatencyHistogram

QUANTILES = (0.5, 0.95, 0.99)
# The interval of a mean is narrowest for effects of about this size: 10 %, as a logarithm.
_EFFECT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and its confidence sequence. Open ends are 0 and infinity; nothing known yet is NaN between them."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileComparison:
    """A quantile of all latencies of this step by arm, in milliseconds, and the canary's over the baseline's.

    The ends of the arms' intervals are edges of bins, so bins that are wide make them wide.
    """

    quantile: float
    baseline_ms: Interval
    canary_ms: Interval
    ratio: Interval


def log_mean_interval(estimate: tuple[float, float], alpha: float) -> tuple[float, float]:
    """The interval around a mean, here a log ratio, of which estimate and variance are given: right at all times.

    A normal mixture of likelihood ratios; right where both arms have enough requests for the variance to be known.
    """
    mean, variance = estimate
    total, mixed = variance + _EFFECT**2, _EFFECT**2
    reach = math.sqrt(2 * variance * total / mixed * (0.5 * math.log(total / variance) - math.log(alpha)))
    return mean - reach, mean + reach


def compared_quantiles(labels: LatencyLabels, alpha: float) -> tuple[QuantileComparison, ...]:
    """Each of QUANTILES in this step; the ratio holds with chance 1 - alpha. Empty where an arm has shown nothing."""
    arms = []
    for counts in (labels.step_counts[BASELINE], labels.step_counts[CANARY]):
        if not counts.sum():
            return ()
        arms.append(quantile_intervals(labels.edges_ms, counts, QUANTILES, alpha / 2))
    return tuple(
        QuantileComparison(
            quantile=quantile,
            baseline_ms=baseline,
            canary_ms=canary,
            ratio=Interval(
                estimate=canary.estimate / baseline.estimate,
                low=canary.low / baseline.high,
                high=canary.high / baseline.low if baseline.low else math.inf,
            ),
        )
        for quantile, baseline, canary in zip(QUANTILES, *arms, strict=True)
    )


def quantile_intervals(
    edges_ms: tuple[float, ...], counts: Floats, quantiles: tuple[float, ...], alpha: float
) -> tuple[Interval, ...]:
    """A confidence sequence for each quantile of one arm, in milliseconds, from requests by bin; there must be some.

    If x is the quantile p, requests that take up to x come like heads of a coin of chance p: a beta mixture of
    likelihood ratios refutes each edge at which they came too often or too seldom. Where latencies change with time,
    it is of the quantile of all requests so far. Each holds by itself with chance 1 - alpha.
    """
    total = float(counts.sum())
    below = np.cumsum(counts[:-1])
    above = total - below
    mixture = betaln(below + 0.5, above + 0.5) - betaln(0.5, 0.5)
    histogram = LatencyHistogram(edges_ms=edges_ms, counts=tuple(map(int, counts)))
    found = []
    for p in quantiles:
        refuted = mixture - below * math.log(p) - above * math.log1p(-p) >= -math.log(alpha)
        slower, faster = np.flatnonzero(refuted & (below < p * total)), np.flatnonzero(refuted & (below > p * total))
        found.append(
            Interval(
                estimate=histogram.quantile_ms(p) or edges_ms[0],
                low=edges_ms[slower[-1]] if len(slower) else 0.0,
                high=edges_ms[faster[0]] if len(faster) else math.inf,
            )
        )
    return tuple(found)
