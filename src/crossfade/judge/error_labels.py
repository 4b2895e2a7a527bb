"""Errors: whose is the next one?

If the canary is not worse, an error carries the canary's label with a chance of at most the canary's share w of the
requests, whatever load or incident both arms share. A bet on the ratio rho of the error rates pays
rho / (1 - w + w rho) for an error of the canary and 1 / (1 - w + w rho) for one of the baseline.
Source: docs/judge.md; Lindon & Malek, NeurIPS 2022, 'Anytime-valid inference for multinomial count data'.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from crossfade.judge.capital import Floats, frozen, grown, log_prior, log_total, shared_anew
from crossfade.judge.look import Look
from crossfade.judge.lumps import ArmScatters

RATIOS = frozen(np.array([1.3, 1.7, 2.3, 3.2, 4.5, 6.5, 9.5, 14.0, 22.0, 40.0]))
PRIOR = log_prior((0.03, 0.04, 0.06, 0.10, 0.15, 0.20, 0.21, 0.14, 0.05, 0.02), cash=0.03)
# Of all capital, spread again for each error: a regression is found in about ten errors, an incident brings hundreds.
SHARED_PER_ERROR = 0.002

# The confidence sequence of the ratio: a mixture likelihood ratio over this grid, its weights centred at 'no change'.
GRID = frozen(np.geomspace(1 / 64, 256, 113))
_DENSITY = np.exp(-0.5 * (np.log(GRID) / 1.1) ** 2)
GRID_PRIOR = frozen(np.log(_DENSITY / _DENSITY.sum()))
_POINTS = frozen(np.concatenate((RATIOS, GRID)))
_LOG_POINTS = frozen(np.log(_POINTS))
_ZEROS = frozen(np.zeros_like(GRID))
# Against a limit of the rate: half the weight on 'no errors at all', half on a fifth of the limit.
_NO_ERROR_WEIGHT, _RATE_PART = 0.45, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLabels:
    """Evidence from the labels of errors: against the canary (capital), and on the ratio (log-likelihoods)."""

    log_capital: Floats = field(default_factory=lambda: PRIOR)
    rollout: Floats = field(default_factory=lambda: _ZEROS)
    step: Floats = field(default_factory=lambda: _ZEROS)
    scatters: ArmScatters = field(default_factory=ArmScatters)
    shown: float = 0.0
    log_e: float = 0.0
    """Logarithm of the e-value of 'the canary makes no more errors than the baseline'."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ErrorLabels) and all(
            np.array_equal(mine, theirs)
            for mine, theirs in (
                (self.log_capital, other.log_capital),
                (self.rollout, other.rollout),
                (self.step, other.step),
            )
        )

    def __hash__(self) -> int:
        return hash((self.log_capital.tobytes(), self.rollout.tobytes(), self.step.tobytes()))

    def at_new_step(self) -> "ErrorLabels":
        """The same evidence against the canary; none yet for its promotion."""
        return ErrorLabels(log_capital=self.log_capital, rollout=self.rollout, scatters=self.scatters, log_e=self.log_e)

    def after(self, look: Look) -> "ErrorLabels":
        """The evidence after a look in which both arms had requests."""
        canary, baseline = errors_counted(look)
        requests = look.canary.requests + look.baseline.requests
        scatters = self.scatters.after((canary, look.canary.requests), (baseline, look.baseline.requests))
        if canary + baseline == 0:
            if scatters is self.scatters and not self.shown:
                return self
            return replace(self, scatters=scatters, shown=0.0)
        share = look.canary.requests / requests
        # Lumps count once: what earlier looks showed of their size is the root that is taken of every payoff.
        lump = self.scatters.size
        gained = log_payoff(_POINTS, canary, baseline, share) / lump
        growth = grown(self.log_capital, gained[: len(RATIOS)], self.log_e, self.shown)
        part = -math.expm1((canary + baseline) / lump * math.log1p(-SHARED_PER_ERROR))
        of_ratio = gained[len(RATIOS) :]
        return ErrorLabels(
            log_capital=frozen(shared_anew(growth.log_capital, PRIOR, part, growth.log_e)),
            rollout=frozen(self.rollout + of_ratio),
            step=frozen(self.step + of_ratio),
            scatters=scatters,
            shown=growth.shown,
            log_e=growth.log_e,
        )


def errors_counted(look: Look) -> tuple[int, int]:
    """Errors of canary and baseline; users with errors where both arms tell: a user's errors come in bursts."""
    canary, baseline = look.canary.users_with_errors, look.baseline.users_with_errors
    if canary is None or baseline is None:
        return look.canary.errors, look.baseline.errors
    return canary, baseline


def log_payoff(ratios: Floats, canary: int, baseline: int, share: float) -> Floats:
    """What bets on these ratios gain from so many errors of each arm, as logarithms."""
    logs = _LOG_POINTS if ratios is _POINTS else np.log(ratios)
    paid: Floats = canary * logs - (canary + baseline) * np.log1p(share * (ratios - 1.0))
    return paid


def ratio_interval(log_likelihood: Floats, alpha: float) -> tuple[float, float]:
    """The canary's error rate over the baseline's: a confidence sequence, right at all times with chance 1 - alpha.

    Its ends are at most 256 and at least 1/64: there it is open.
    """
    bar = log_total(log_likelihood + GRID_PRIOR) + math.log(alpha)
    inside = np.flatnonzero(log_likelihood >= bar)
    # Between grid points the truth may lie just outside the last one inside: take the next one, which is certain.
    low, high = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(GRID) - 1)
    return float(GRID[low]), float(GRID[high])


def likeliest_ratio(log_likelihood: Floats) -> float:
    """The ratio that fits best; an end of the grid where only one arm had errors."""
    return float(GRID[int(np.argmax(log_likelihood))])


def log_e_rate_below(limit: float, requests: int, errors: int) -> float:
    """Logarithm of the e-value of 'the canary's error rate is `limit` or more'; at log(1/alpha) the rate is below it.

    A mixture of likelihood ratios of lower rates against the limit, valid at all times.
    """
    good, bar = requests - errors, math.log1p(-limit)
    lower = _RATE_PART * limit
    likelihood = math.log(1 - _NO_ERROR_WEIGHT) + errors * math.log(_RATE_PART) + good * (math.log1p(-lower) - bar)
    if errors:
        return likelihood
    none = math.log(_NO_ERROR_WEIGHT) - good * bar
    return max(none, likelihood) + math.log1p(math.exp(-abs(none - likelihood)))
