"""Histograms of latency on the logarithmic axis: scaling, smoothing, and bets that rise with latency."""

import math
from functools import lru_cache

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

from crossfade.judge.capital import Floats, frozen

# A bet beyond this wins little more where it is right and costs much where a bin was merely empty so far.
LARGEST_RATIO = 50.0
# The spread of one imagined request that stands for what was not seen yet, in natural logarithms.
WIDE = 1.0
NEAR_ONE = 1 - 1e-15  # after very many requests a share rounds to 1, whose quantile is infinite
REACH = 12.0  # how far latencies may be scaled; a tolerance of 10 divides by 11


@lru_cache(maxsize=32)
def log_bounds(edges_ms: tuple[float, ...]) -> Floats:
    """Logarithms of the bounds of all bins, one more than bins; the open bins are as wide as their neighbours."""
    edges = np.log(np.array(edges_ms))
    first = edges[1] - edges[0] if len(edges) > 1 else math.log(2)
    last = edges[-1] - edges[-2] if len(edges) > 1 else math.log(2)
    return frozen(np.concatenate(([edges[0] - first], edges, [edges[-1] + last])))


@lru_cache(maxsize=32)
def log_middles(edges_ms: tuple[float, ...]) -> Floats:
    """Logarithms of the middles of all bins."""
    bounds = log_bounds(edges_ms)
    return frozen((bounds[1:] + bounds[:-1]) / 2)


@lru_cache(maxsize=32)
def log_moments(edges_ms: tuple[float, ...]) -> Floats:
    """A column of ones, the logarithms of the middles, and their squares: counts times this are the sums of each."""
    middles = log_middles(edges_ms)
    return frozen(np.stack((np.ones_like(middles), middles, middles**2), axis=1))


def division(
    edges_ms: tuple[float, ...], learnt: Floats, divisor: float, *, rising: bool, allowance_ms: float = 0.0
) -> Floats:
    """Where the canary's requests lie after their latency was made less: row j tells which parts of bin j come where.

    The allowance (0 or above) is subtracted, then the rest divided by `divisor` (1 or above). How requests lie within a
    bin is taken from the `learnt` baseline (at least one request), as it would be if the canary were slower by just
    that. What the learnt baseline cannot tell (the open last bin, or a bin below the allowance) goes where a bet that
    rises with latency (or falls) pays least. Nothing moves up, and rows sum to 1: so whatever was learnt, a canary that
    is not slower at all stays not slower. Where both are a whole number of bins nothing is interpolated.
    """
    lessened = np.maximum(np.array(edges_ms) - allowance_ms, 0.0) / divisor
    below, lessened_below = _shares_below(edges_ms, learnt, lessened)
    overlap = np.minimum(lessened_below[1:, None], below[1:]) - np.maximum(lessened_below[:-1, None], below[:-1])
    parts = np.maximum(overlap, 0.0)
    bounds = np.concatenate(([0.0], lessened) if rising else (lessened, [np.inf]))
    paying_least = np.searchsorted(np.array(edges_ms), bounds, side="right" if rising else "left")
    parts[np.arange(len(parts)), paying_least] += 1e-300
    parts[-1] = 0.0
    parts[-1, paying_least[-1]] = 1.0
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


def _shares_below(edges_ms: tuple[float, ...], learnt: Floats, lessened_ms: Floats) -> tuple[Floats, Floats]:
    """The shares of learnt requests below each edge and below each lessened edge, from 0 to 1.

    Between edges the normal quantile of the share is interpolated on the logarithmic axis: exact for lognormal
    latencies, near to it for most that have one peak, even if the peak is narrower than a bin.
    """
    edges = np.log(np.array(edges_ms))
    total = learnt.sum()
    centre = float(learnt @ log_middles(edges_ms)) / total
    below = (np.cumsum(learnt)[:-1] + ndtr((edges - centre) / WIDE)) / (total + 1)
    quantiles = ndtri(np.minimum(below, NEAR_ONE))
    slope = (quantiles[1] - quantiles[0]) / (edges[1] - edges[0]) if len(edges) > 1 else 1 / WIDE
    lessened = np.log(np.maximum(lessened_ms, edges_ms[0] / 1000))
    reach = edges[0] - min(float(lessened[0]), edges[0]) + 1.0
    points = np.concatenate(([edges[0] - reach], edges))
    values = np.concatenate(([quantiles[0] - slope * reach], quantiles))
    lessened_below = np.where(lessened_ms > 0, ndtr(np.interp(lessened, points, values)), 0.0)
    return np.concatenate(([0.0], below, [1.0])), np.concatenate(([0.0], lessened_below, [1.0]))


def bandwidth(edges_ms: tuple[float, ...], counts: Floats) -> float:
    """Silverman's rule on the logarithmic axis. Source: Silverman 1986, eq. 3.28."""
    total = float(counts.sum())
    middles = log_middles(edges_ms)
    mean = float(counts @ middles) / total
    deviation = math.sqrt(max(float(counts @ (middles - mean) ** 2) / total, 0.0))
    return float(1.06 * deviation * total**-0.2)


def smoothed(edges_ms: tuple[float, ...], counts: Floats, width: float, factors: tuple[float, ...]) -> Floats:
    """The chances of all bins when latency is multiplied by each factor: a row for each, above 0, summing to 1.

    `counts` must not be all zero. Each request is spread by a normal kernel of `width`; one imagined request is spread
    widely, so that no bin is impossible. Factors lie between 1 / REACH and REACH.
    """
    bounds, middles, points = log_bounds(edges_ms), log_middles(edges_ms), _points(edges_ms)
    total = counts.sum()
    centre = float(counts @ middles) / total
    above = (_kernel(edges_ms, width) @ counts + ndtr((centre - points) / WIDE)) / (total + 1)
    # Between the points the odds of being slower are interpolated: smooth where the share of requests is tiny, too.
    log_odds = np.log(above) - np.log(np.maximum(1 - above, 1e-15))
    at = bounds[1:-1] - np.log(np.array(factors))[:, None]
    survival = np.ones((len(factors), len(middles) + 1))
    survival[:, 1:-1] = 1 / (1 + np.exp(-np.interp(at, points, log_odds)))
    survival[:, -1] = 0.0
    return np.asarray(np.maximum(survival[:, :-1] - survival[:, 1:], 1e-12))


@lru_cache(maxsize=1)  # a fit spreads both arms alike, one after the other
def _kernel(edges_ms: tuple[float, ...], width: float) -> Floats:
    """The part of each bin's requests (columns) that is slower than each point (rows)."""
    bounds, middles, points = log_bounds(edges_ms), log_middles(edges_ms), _points(edges_ms)
    spread = np.sqrt(width**2 + (bounds[1:] - bounds[:-1]) ** 2 / 12)
    return frozen(ndtr((middles - points[:, None]) / spread))


@lru_cache(maxsize=32)
def _points(edges_ms: tuple[float, ...]) -> Floats:
    edges = np.log(np.array(edges_ms))
    beyond = np.linspace(0, math.log(REACH), 13)[1:]
    return frozen(np.concatenate((edges[0] - beyond[::-1], edges, edges[-1] + beyond)))


def monotone_ratio(chances: Floats, reference: Floats, *, rising: bool) -> Floats:
    """The monotone ratio of two distributions over bins that is nearest to the raw one.

    Source: isotonic regression; Robertson, Wright & Dykstra 1988.
    """
    fit = isotonic_regression(chances / reference, weights=reference, increasing=rising)
    return np.asarray(np.clip(fit.x, 1 / LARGEST_RATIO, LARGEST_RATIO))
