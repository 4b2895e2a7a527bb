"""A burn rate alert without a minimum count: the canary spends its error budget ten times too fast for one minute.

Source: Google, 'The Site Reliability Workbook', chapter 5, 'Alerting on SLOs', alert on burn rate, with one short
window, no second one and no least number of errors, as canary recipes use it; availability 99.9 %.
"""

import numpy as np

from benchmarks.peers.batch import Alarms, Batch, Counts

BUDGET, RATE = 0.001, 10.0


def burns_fast(rollouts: Batch) -> Alarms:
    """After each look: in one of its minutes the canary failed on more than 1 % of its requests.

    Looks are longer than a minute, so their requests and errors are dealt to minutes by lot.
    """
    rng = np.random.default_rng([rollouts.seed, 1])
    return too_many(*by_minute(rng, rollouts.canary.requests, rollouts.canary.errors, rollouts.minutes))


def too_many(requests: Counts, errors: Counts) -> Alarms:
    """Whether in any minute, the last axis, the budget burns too fast; nothing burns without requests."""
    return np.asarray((errors > RATE * BUDGET * requests).any(axis=-1))


def by_minute(rng: np.random.Generator, requests: Counts, errors: Counts, minutes: int) -> tuple[Counts, Counts]:
    """Requests and errors of each look, dealt to so many minutes, a further axis."""
    dealt = rng.multinomial(requests, np.full(minutes, 1 / minutes))
    failed = np.zeros_like(dealt)
    bad, left = errors.copy(), requests.copy()
    for minute in range(minutes):
        taken = dealt[..., minute]
        failed[..., minute] = rng.hypergeometric(bad, left - bad, taken)
        bad, left = bad - failed[..., minute], left - taken
    return dealt, failed
