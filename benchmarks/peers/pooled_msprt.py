"""The mixture sequential probability ratio test as A/B platforms use it: means of everything seen so far, pooled.

It is valid however often one looks, if all requests are alike; counts of steps with different shares are not.
Source: Robbins 1970, Annals of Mathematical Statistics 41; Johari, Koomen, Pekelis & Walsh, 'Always valid inference',
Operations Research 70 (2022), section 5: the normal mixture over the difference of two means with estimated variance.
"""

import numpy as np

from benchmarks.peers.batch import ALPHA, Alarms, Batch, Counts, Floats

# The spread of the effects that the mixture expects: 10 % of latency, as a difference of logarithms.
EXPECTED = 0.1


def has_slower_pooled_mean(rollouts: Batch) -> Alarms:
    """After each look, from all requests since the rollout began: the canary's mean log latency is larger."""
    canary, baseline = (
        _sums(np.cumsum(arms.bins, axis=1), rollouts.log_middles) for arms in (rollouts.canary, rollouts.baseline)
    )
    return np.asarray(log_ratio(canary, baseline) >= np.log(1 / ALPHA))


def log_ratio(canary: tuple[Floats, ...], baseline: tuple[Floats, ...], expected: float = EXPECTED) -> Floats:
    """Logarithm of the mixture likelihood ratio, from number, mean and variance of both arms.

    Minus infinity where the canary is not slower or an arm has too little.
    """
    n, mean, variance = canary
    m, other_mean, other_variance = baseline
    with np.errstate(divide="ignore", invalid="ignore"):
        error = variance / n + other_variance / m
        apart = mean - other_mean
        grown = error + expected**2
        told = 0.5 * np.log(error / grown) + apart**2 * expected**2 / (2 * error * grown)
    return np.where((apart > 0) & (error > 0), told, -np.inf)


def _sums(bins: Counts, values: Floats) -> tuple[Floats, Floats, Floats]:
    n = bins.sum(axis=-1).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = bins @ values / n
        variance = (bins @ values**2 / n - mean**2) * n / (n - 1)
    return n, np.asarray(mean), np.asarray(variance)
