"""Many drawn rollouts as arrays, so that a rule judges all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossfade.judge import Look
from crossfade.model.counts import ArmCounts

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Alarms = NDArray[np.bool_]

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """What one arm did, by rollout and look: requests, errors, and requests by rollout, look and bin of latency."""

    requests: Counts
    errors: Counts
    bins: Counts

    def by_step(self, looks: int) -> "Arms":
        """The sums of each step of so many looks."""
        return Arms(
            requests=_summed(self.requests, looks), errors=_summed(self.errors, looks), bins=_summed(self.bins, looks)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rollouts of equal length, in steps of `looks` looks, each of `minutes`; `seed` is for rules that need a lot.

    `planned` are the steps of a whole rollout, which are corrected for even where only some of them were drawn.
    """

    edges_ms: tuple[float, ...]
    looks: int
    minutes: int
    planned: int
    canary: Arms
    baseline: Arms
    seed: int = 0

    @property
    def steps(self) -> int:
        return int(self.canary.requests.shape[1]) // self.looks

    @property
    def log_middles(self) -> Floats:
        """Where requests of a bin are taken to lie; the open bins are as wide as their neighbours."""
        edges = np.log(np.array(self.edges_ms))
        bounds = np.concatenate(([2 * edges[0] - edges[1]], edges, [2 * edges[-1] - edges[-2]]))
        return np.asarray((bounds[1:] + bounds[:-1]) / 2)

    def after_steps(self, said: Alarms) -> Alarms:
        """Alarms by step as alarms by look: after the last look of the step."""
        alarms = np.zeros(self.canary.requests.shape, dtype=np.bool_)
        alarms[:, self.looks - 1 :: self.looks] = said
        return alarms


def batch(rollouts: Sequence[Sequence[Look]], *, looks: int, minutes: int, planned: int, seed: int = 0) -> Batch:
    """The same rollouts as arrays; all of them must have latencies, in the same bins."""
    first = rollouts[0][0].baseline.latency
    assert first is not None
    return Batch(
        edges_ms=first.edges_ms,
        looks=looks,
        minutes=minutes,
        planned=planned,
        canary=_arms([[look.canary for look in rollout] for rollout in rollouts]),
        baseline=_arms([[look.baseline for look in rollout] for rollout in rollouts]),
        seed=seed,
    )


def _arms(counted: Sequence[Sequence[ArmCounts]]) -> Arms:
    return Arms(
        requests=np.array([[arm.requests for arm in row] for row in counted], dtype=np.int64),
        errors=np.array([[arm.errors for arm in row] for row in counted], dtype=np.int64),
        bins=np.array([[arm.latency.counts if arm.latency else () for arm in row] for row in counted], dtype=np.int64),
    )


def _summed(counts: Counts, looks: int) -> Counts:
    rollouts, all_looks, *rest = counts.shape
    return np.asarray(counts.reshape(rollouts, all_looks // looks, looks, *rest).sum(axis=2))
