"""Fisher's exact test of a step's errors: does the canary fail more often?

Source: Fisher 1935, 'The logic of inductive inference', JRSS 98; the p-value is that of
scipy.stats.fisher_exact(alternative="greater"). Alpha is divided by the number of steps (Bonferroni).
"""

import numpy as np
from scipy.stats import hypergeom

from benchmarks.peers.batch import ALPHA, Alarms, Arms, Batch, Floats


def fails_more_often(rollouts: Batch) -> Alarms:
    """After each step, from that step's counts."""
    canary, baseline = rollouts.canary.by_step(rollouts.looks), rollouts.baseline.by_step(rollouts.looks)
    return rollouts.after_steps(p_value_worse(canary, baseline) < ALPHA / rollouts.planned)


def p_value_worse(canary: Arms, baseline: Arms) -> Floats:
    """The chance, if both arms were alike, of at least so many of all errors on the canary."""
    requests = canary.requests + baseline.requests
    errors = canary.errors + baseline.errors
    chance = np.ones(requests.shape)
    any_canary = canary.errors > 0  # otherwise it is 1
    told = hypergeom.sf(
        canary.errors[any_canary] - 1, requests[any_canary], errors[any_canary], canary.requests[any_canary]
    )
    chance[any_canary] = told
    return chance
