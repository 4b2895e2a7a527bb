"""How much worse, or better: every metric's ratio, and the quantiles of both arms, with intervals right at all times.

Nothing here decides; it is for people who ask.
"""

import math
from dataclasses import dataclass

from crossfade.judge.capital import e_value
from crossfade.judge.counted_labels import CountedLabels, likeliest_odds, odds_interval
from crossfade.judge.error_labels import ErrorLabels, likeliest_ratio, ratio_interval
from crossfade.judge.intervals import Interval, QuantileComparison, compared_quantiles, log_mean_interval
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.judge.settings import JudgeSettings
from crossfade.judge.state import JudgeState


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One metric over the whole rollout: its evidence, its part of alpha, and the canary's ratio to the baseline.

    The ratio is of error rates; of geometric mean latencies; of a counted metric's odds of going badly.
    """

    name: str
    e_value: float
    threshold: float
    alpha: float
    ratio: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that is known of how the arms differ; `confidence` is that of each interval."""

    confidence: float
    metrics: tuple[MetricComparison, ...]
    quantiles: tuple[QuantileComparison, ...]


def compare(state: JudgeState, settings: JudgeSettings) -> Comparison:
    """How much worse the canary is, after the looks so far. Intervals hold with 1 - `settings.alpha` each."""
    metrics = tuple(
        MetricComparison(
            name=name,
            e_value=e_value(state.log_e(name, settings)),
            threshold=settings.threshold_of(name),
            alpha=settings.alpha_of(name),
            ratio=_ratio(state.labels(name, settings), settings.alpha),
        )
        for name in settings.names
    )
    quantiles = compared_quantiles(state.latency, settings.alpha) if state.latency else ()
    return Comparison(confidence=1 - settings.alpha, metrics=metrics, quantiles=quantiles)


def _ratio(labels: ErrorLabels | LatencyLabels | CountedLabels | None, alpha: float) -> Interval:
    if isinstance(labels, LatencyLabels) and (estimate := labels.rollout_ratio()):
        low, high = log_mean_interval(estimate, alpha)
        return Interval(estimate=math.exp(estimate[0]), low=math.exp(low), high=math.exp(high))
    if isinstance(labels, ErrorLabels) and labels.rollout.any():
        return Interval(estimate=likeliest_ratio(labels.rollout), **_opened(ratio_interval(labels.rollout, alpha), 256))
    if isinstance(labels, CountedLabels) and labels.rollout.any():
        return Interval(estimate=likeliest_odds(labels.rollout), **_opened(odds_interval(labels.rollout, alpha), 64))
    return Interval(estimate=math.nan, low=0.0, high=math.inf)


_LEAST = 1.001 / 64  # the grids of ratios begin here: below, they are open


def _opened(ends: tuple[float, float], most: float) -> dict[str, float]:
    low, high = ends
    return {"low": low if low > _LEAST else 0.0, "high": high if high < 0.999 * most else math.inf}
