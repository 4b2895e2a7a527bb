"""The usual threshold: abort if the canary's 95th percentile is more than 1.2 times the baseline's.

Source: the form of a metric with a fixed threshold in Argo Rollouts' AnalysisTemplate and Flagger's metric analysis,
its value computed as Prometheus' histogram_quantile does: linear within the bin, the last edge for the open one.
"""

import numpy as np

from benchmarks.peers.batch import Alarms, Batch, Counts, Floats

QUANTILE, LIMIT = 0.95, 1.2


def has_slower_p95(rollouts: Batch) -> Alarms:
    """After each step, from that step's requests; without requests of both arms there is nothing to divide."""
    canary, baseline = rollouts.canary.by_step(rollouts.looks), rollouts.baseline.by_step(rollouts.looks)
    theirs = quantile_ms(baseline.bins, rollouts.edges_ms, QUANTILE)
    return rollouts.after_steps(quantile_ms(canary.bins, rollouts.edges_ms, QUANTILE) > LIMIT * theirs)


def quantile_ms(bins: Counts, edges_ms: tuple[float, ...], q: float) -> Floats:
    """The quantile in milliseconds; bins are the last axis. Not a number where there are no requests."""
    edges = np.array(edges_ms)
    seen = np.cumsum(bins, axis=-1)
    total = seen[..., -1]
    rank = q * total
    at = np.minimum((seen < rank[..., None]).sum(axis=-1), len(edges))
    count = np.take_along_axis(bins, at[..., None], axis=-1)[..., 0]
    before = np.take_along_axis(seen, at[..., None], axis=-1)[..., 0] - count
    low = np.concatenate(([0.0], edges))[at]
    high = np.concatenate((edges, edges[-1:]))[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.clip((rank - before) / count, 0.0, 1.0)
    return np.where(total > 0, low + (high - low) * inside, np.nan)
