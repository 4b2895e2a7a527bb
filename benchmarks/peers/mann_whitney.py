"""Mann-Whitney's test of a step's latencies: is the canary slower?

Source: Mann & Whitney 1947, Annals of Mathematical Statistics 18, with the correction for ties and for continuity that
scipy.stats.mannwhitneyu(method="asymptotic") makes. Beware of its direction: with the canary first, "slower" is
alternative="greater"; with the baseline first it is "less".
"""

import numpy as np
from scipy.special import ndtr

from benchmarks.peers.batch import ALPHA, Alarms, Batch, Counts, Floats


def is_slower(rollouts: Batch) -> Alarms:
    """After each step: p below 0.05 in that step, as if there were no other."""
    return _alarms(rollouts, ALPHA)


def is_slower_corrected(rollouts: Batch) -> Alarms:
    """The same with alpha divided by the number of steps. Source: Bonferroni 1936; Dunn 1961, JASA 56."""
    return _alarms(rollouts, ALPHA / rollouts.planned)


def _alarms(rollouts: Batch, alpha: float) -> Alarms:
    canary, baseline = rollouts.canary.by_step(rollouts.looks), rollouts.baseline.by_step(rollouts.looks)
    return rollouts.after_steps(p_value_slower(canary.bins, baseline.bins) < alpha)


def p_value_slower(canary: Counts, baseline: Counts) -> Floats:
    """The chance, if both arms were alike, of a canary at least as slow; bins are the last axis.

    Requests of one bin are ties. 1 where an arm has no request or all are in one bin.
    """
    ours, theirs = canary.astype(float), baseline.astype(float)
    n, m = ours.sum(axis=-1), theirs.sum(axis=-1)
    below = np.cumsum(theirs, axis=-1) - theirs
    u = (ours * (below + theirs / 2)).sum(axis=-1)
    both, total = ours + theirs, n + m
    with np.errstate(divide="ignore", invalid="ignore"):
        ties = (both**3 - both).sum(axis=-1) / (total * (total - 1))
        z = (u - n * m / 2 - 0.5) / np.sqrt(n * m / 12 * (total + 1 - ties))
    return np.where(np.isfinite(z), ndtr(-z), 1.0)
