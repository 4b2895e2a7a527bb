"""Kayenta's judge, NetflixACAJudge-v1.0: two time series for each metric, one value of each arm a look.

A metric is High if the confidence interval of the shift between the arms (Mann-Whitney's, level 98 %) lies above a
quarter of the estimated shift (Hodges-Lehmann's). Its group's score is 100 where it passes; the score of the analysis
is the groups' mean by weight, and below `marginal` the canary fails.
Source: Kayenta, kayenta-judge: NetflixACAJudge.scala (tolerance 0.25, level 0.98), MannWhitneyClassifier.scala,
WeightedSumScorer.scala, kayenta-mannwhitney: MannWhitney.scala (after R's wilcox.test with correction); effect size
thresholds and outliers are left at their defaults, which change nothing. Thresholds 75 and 95 are those of its guide.
"""

import numpy as np
from scipy.special import ndtri

from benchmarks.peers.batch import Alarms, Arms, Batch, Floats

TOLERANCE, LEVEL = 0.25, 0.98
MARGINAL = 75.0


def scores_low(rollouts: Batch) -> Alarms:
    """After each step, from that step's looks: mean latency and error rate, of equal weight, both to be no higher."""
    values = np.exp(rollouts.log_middles)
    high = [
        is_high(*(_by_step(series(arms, values), rollouts) for arms in (rollouts.canary, rollouts.baseline)))
        for series in (_mean_latency, _error_rate)
    ]
    score = 100.0 - 50.0 * (high[0].astype(float) + high[1].astype(float))
    return rollouts.after_steps(score < MARGINAL)


def _mean_latency(arms: Arms, values: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(arms.bins @ values / arms.bins.sum(axis=-1))


def _error_rate(arms: Arms, _: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(arms.errors / arms.requests)


def _by_step(series: Floats, rollouts: Batch) -> Floats:
    return np.asarray(series.reshape(len(series), rollouts.steps, rollouts.looks))


def is_high(canary: Floats, baseline: Floats) -> Alarms:
    """Whether the metric is higher on the canary; a step's values are the last axis, and those missing are removed.

    A step without any value of an arm has no data, which is no reason to abort.
    """
    complete = np.isfinite(canary).all(axis=-1) & np.isfinite(baseline).all(axis=-1)
    high = np.zeros(complete.shape, dtype=np.bool_)
    high[complete] = _is_high(canary[complete], baseline[complete])
    for step in zip(*np.nonzero(~complete), strict=True):
        ours, theirs = (values[step][np.isfinite(values[step])] for values in (canary, baseline))
        high[step] = len(ours) > 0 and len(theirs) > 0 and bool(_is_high(ours, theirs))
    return high


def _is_high(canary: Floats, baseline: Floats) -> Alarms:
    lower, estimate = shift(canary, baseline)
    return np.asarray(lower > TOLERANCE * np.abs(estimate))


def shift(canary: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """The lower end of the confidence interval of the shift, and the estimated shift; values are the last axis.

    The standardised rank sum, less continuity's correction, falls with the shift that is subtracted from the canary's
    values, and jumps at their differences to the baseline's: where it passes a quantile is a difference.
    """
    n, m = canary.shape[-1], baseline.shape[-1]
    apart = canary[..., :, None] - baseline[..., None, :]
    differences = np.sort(apart.reshape(*apart.shape[:-2], n * m), axis=-1)
    ties = sum(_ties(values) for values in (canary, baseline))
    sigma = np.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    quantile = ndtri((1 + LEVEL) / 2)
    return _passing(differences, sigma, float(quantile)), _passing(differences, sigma, 0.0)


def _ties(values: Floats) -> Floats:
    """The sum of t**3 - t over groups of t equal values."""
    alike = (values[..., :, None] == values[..., None, :]).sum(axis=-1)
    return np.asarray((alike**2 - 1).sum(axis=-1).astype(float))


def _passing(differences: Floats, sigma: Floats, quantile: float) -> Floats:
    """The difference at which the statistic passes the quantile from above; all tied gives their common value."""
    pairs = differences.shape[-1]
    above = pairs - 1 - np.arange(pairs)  # pairs that differ by more, just beyond each difference
    beyond = above - pairs / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (beyond - 0.5 * np.sign(beyond)) / sigma[..., None]
    at = (statistic > quantile).sum(axis=-1)
    return np.asarray(np.take_along_axis(differences, np.minimum(at, pairs - 1)[..., None], axis=-1)[..., 0])
