"""Is a field's difference a regression, or noise that the control has by itself? By e-values from counts.

In a pair whose control was asked twice, look whether the candidate and whether the control's second answer differ from
the first. If the candidate is as good as another control, the two may be exchanged: of the pairs in which just one of
them differs, it is the candidate in at most half. Bets on that are bets on labels with a share of one half. Pairs whose
control was asked once are put beside the second answers of the others: of the differences of both, the candidate's
should be no more than its share of the comparisons.
Source: docs/shadow.md; docs/judge.md, 'Errors'; Ville 1939.
"""

import math
from enum import StrEnum

import numpy as np

from crossfade.judge.capital import Floats, frozen, log_prior, log_total
from crossfade.judge.error_labels import log_payoff
from crossfade.model.comparing import FieldCounts

# How many times as often the candidate may differ; what a deployment breaks, it mostly breaks always: hence 1000.
RATIOS = frozen(np.array([1.0, 1.2, 1.5, 2.0, 3.0, 6.0, 20.0, 1000.0]))
PRIOR = log_prior((0.10, 0.14, 0.12, 0.10, 0.10, 0.14, 0.30), cash=0.02)
# Parts of the capital that are bet on noise, and how it is spread over them.
STAKES = frozen(np.array([0.05, 0.15, 0.3, 0.6, 0.9]))
STAKES_PRIOR = frozen(np.log(np.array([0.15, 0.25, 0.25, 0.2, 0.15])))


class FieldVerdict(StrEnum):
    """What a field's differences are."""

    REGRESSION = "regression"
    NOISE = "noise"
    UNCLEAR = "unclear"


def log_e_regression(counts: FieldCounts, repeated: int, single: int) -> float:
    """Logarithm of the e-value of 'the candidate differs no more often than the control from itself'.

    `repeated` and `single` are all pairs compared, with and without a second answer of the control. Without repeated
    pairs nothing is known of noise, and the e-value is 1.
    """
    if not repeated:
        return 0.0
    paired = _log_mixture(log_payoff(RATIOS, counts.candidate_only, counts.noise_only, 0.5))
    share = single / (single + repeated)
    if not share:
        return paired
    across = _log_mixture(log_payoff(RATIOS, counts.single, counts.noise, share))
    # The mean of e-values is one, whatever depends on whatever; how often the control was asked twice is no evidence.
    return float(np.logaddexp(paired + math.log1p(-share), across + math.log(share)))


def log_e_noise(counts: FieldCounts, ratio: float) -> float:
    """Logarithm of the e-value of 'the candidate differs `ratio` times as often as the control from itself, or more'.

    Under that, candidate_only - (ratio - 1) * both - ratio * noise_only has no negative expectation, so a stake s on
    the opposite pays 1 - s, 1 + s * (ratio - 1) and 1 + s * ratio. Source: Waudby-Smith & Ramdas 2024, JRSS B 86,
    'Estimating means of bounded random variables by betting'. `ratio` is above 1.
    """
    gained = (
        counts.candidate_only * np.log1p(-STAKES)
        + counts.both * np.log1p(STAKES * (ratio - 1))
        + counts.noise_only * np.log1p(STAKES * ratio)
    )
    return log_total(np.asarray(STAKES_PRIOR + gained))


def verdict(counts: FieldCounts, log_e: float, threshold: float, noise_alpha: float, ratio: float) -> FieldVerdict:
    """Regression if the e-value reached the threshold; else noise if that is shown; else not enough is known."""
    if log_e >= math.log(threshold):
        return FieldVerdict.REGRESSION
    if log_e_noise(counts, ratio) >= -math.log(noise_alpha):
        return FieldVerdict.NOISE
    return FieldVerdict.UNCLEAR


def _log_mixture(payoffs: Floats) -> float:
    # The first bet of the prior is cash, which pays 1.
    return log_total(PRIOR + payoffs)
