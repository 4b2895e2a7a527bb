"""Bets on which arm made a request of some latency: fitted to what was learnt, paid by what comes next."""

from dataclasses import dataclass

import numpy as np

from crossfade.judge.bins import bandwidth, division, monotone_ratio, smoothed
from crossfade.judge.capital import Floats, frozen, log_prior
from crossfade.judge.lessening import FewPlaces, ManyPlaces, lessening
from crossfade.judge.settings import JudgeSettings

# How much slower than the margin a bet supposes the canary to be; the last bet follows what the canary has shown.
SLOWER = (1.08, 1.17, 1.35, 1.7, 2.6)
PRIOR = log_prior((0.18, 0.34, 0.17, 0.11, 0.06, 0.14), cash=0.05)
AGAINST = len(SLOWER) + 1
# How slow a healthy canary may be, for the bets that it is within the tolerance.
HEALTHY = (0.93, 1.0, 1.06)
PROMOTION_PRIOR = log_prior((0.15, 0.6, 0.25), cash=0.02)

SHRINK_REQUESTS = 40.0  # the canary's own shape counts half once it has shown as many requests
LEAST_LEARNT = 25.0  # requests of the baseline, fading included, that a fit needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Bets:
    """Ratios less 1, by bet and bin: first those against the canary, then those for its promotion.

    `ratios` are the same with the 1, `lessening` tells where the canary's requests lie without the allowance, divided
    by margin or tolerance. `refit_at` is how many requests must have been seen before the next fit.
    """

    excess: Floats
    ratios: Floats
    lessening: FewPlaces | ManyPlaces
    refit_at: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bets) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return (self.refit_at, self.excess.tobytes())

    def log_payoffs(self, baseline: Floats, canary: Floats, share: float) -> Floats:
        """What each bet gains from a look at the canary's observed share w, as logarithms.

        A request of the baseline pays 1 / (1 - w + w rho), one of the canary rho / (1 - w + w rho), averaged over the
        bins in which it may lie after the division.
        """
        odds = self.excess * share
        odds += 1.0
        of_canary = self.lessening.means(self.ratios / odds)
        gained: Floats = np.log(of_canary, of_canary).dot(canary)
        gained -= np.log(odds, odds).dot(baseline)
        return gained


def fitted_bets(
    edges_ms: tuple[float, ...], baseline: Floats, canary: Floats, settings: JudgeSettings, refit_at: float
) -> Bets | None:
    """Bets for the next looks, from faded counts of both arms: the baseline scaled, and the canary's own shape.

    None where the baseline has shown too little.
    """
    if baseline.sum() < LEAST_LEARNT:
        return None
    allowed = settings.latency_allowance_ms
    slower = division(edges_ms, baseline, 1 + settings.latency_margin, rising=True, allowance_ms=allowed)
    healthy = division(edges_ms, baseline, 1 + settings.latency_tolerance, rising=False, allowance_ms=allowed)
    faster = tuple(factor / (1 + settings.latency_tolerance) for factor in HEALTHY)
    width = bandwidth(edges_ms, baseline)
    rows = smoothed(edges_ms, baseline, width, (1.0, *SLOWER, *faster))
    ratios = [monotone_ratio(row, rows[0], rising=True) for row in rows[1:AGAINST]]
    ratios.append(_shown_by_canary(edges_ms, canary @ slower, rows[0], width))
    ratios.extend(monotone_ratio(row, rows[0], rising=False) for row in rows[AGAINST:])
    excess = np.array(ratios) - 1.0
    return Bets(
        excess=frozen(excess),
        ratios=frozen(excess + 1.0),
        lessening=lessening(slower, healthy, AGAINST, len(excess)),
        refit_at=refit_at,
    )


def _shown_by_canary(edges_ms: tuple[float, ...], canary: Floats, reference: Floats, width: float) -> Floats:
    requests = float(canary.sum())
    if requests < 1:
        return np.ones_like(canary)
    # The same width for both arms, or the wider kernel would look like a slower tail.
    shape = smoothed(edges_ms, canary, width, (1.0,))[0]
    mixed = (requests * shape + SHRINK_REQUESTS * reference) / (requests + SHRINK_REQUESTS)
    return monotone_ratio(mixed, reference, rising=True)
