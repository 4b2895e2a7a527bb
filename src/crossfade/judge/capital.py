"""Capital spread over bets: the e-value is the sum, and may be shifted between bets at any time.

A bettor who starts with 1, and whose every bet is fair or unfavourable under the null hypothesis, holds a nonnegative
supermartingale; Ville's inequality bounds the chance that it ever reaches 1/alpha by alpha.
Source: Ville 1939; Shafer 2021, 'Testing by betting'; fixed share: Herbster & Warmuth 1998, Machine Learning 32.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST_LOG = 700.0
UNSHOWN = 2.9
"""How much the logarithm of all capital may grow in a look that the one before does not bear out: less than log(20)."""


def frozen(values: Floats) -> Floats:
    """The same array, which nobody can write to any more."""
    values.setflags(write=False)
    return values


def log_prior(weights: tuple[float, ...], *, cash: float) -> Floats:
    """Logarithms of the starting capital: cash first, then the bets in proportion to their weights; together 1.

    A common incident may ruin every bet; cash is what is left to bet with afterwards.
    """
    total = math.fsum(weights)
    return frozen(np.log(np.array([cash, *((1 - cash) * weight / total for weight in weights)])))


def shared_anew(log_capital: Floats, prior: Floats, part: float, total: float) -> Floats:
    """The capital after `part` of it, in [0, 1], was collected and spread again as at the start.

    `total` is the logarithm of the sum.
    The sum stays, so this needs no luck; it is what lets a bet come back after an incident.
    """
    if part <= 0:
        return log_capital
    if part >= 1:  # tens of thousands of errors in one look leave nothing that can be told from 0
        return np.asarray(prior + total)
    shared: Floats = np.logaddexp(log_capital + math.log1p(-part), prior + (total + math.log(part)))
    return shared


@dataclass(frozen=True, slots=True)
class Growth:
    """What a look did: the capital after every bet but cash was paid, the logarithm of its sum, and what it has shown.

    `shown` is how much that logarithm would have grown if nothing were given up, at least 0.
    """

    log_capital: Floats
    log_e: float
    shown: float


def grown(log_capital: Floats, log_payoff: Floats, log_before: float, shown: float) -> Growth:
    """The capital after a look, of which is given up what grows beyond UNSHOWN and what the look before has `shown`.

    `log_before` is the logarithm of the sum before. Giving up breaks no promise: what is nowhere more than the step of
    a supermartingale is one, too. It keeps one look, whose requests may all share one cause, from deciding alone; what
    lasts is shown by the next look again.
    """
    paid = log_capital.copy()
    bets = paid[1:]
    bets += log_payoff
    after = log_total(paid)
    growth = after - log_before
    surplus = growth - UNSHOWN - shown
    if surplus > 0:
        paid -= surplus
        after -= surplus
    return Growth(paid, after, max(growth, 0.0))


def log_total(log_capital: Floats) -> float:
    """The logarithm of the sum of all capital."""
    return float(np.logaddexp.reduce(log_capital))


def e_value(log_e: float) -> float:
    """exp, short of overflow."""
    return math.exp(min(log_e, LARGEST_LOG))
