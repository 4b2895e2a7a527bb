"""Simulated traffic for two arms: what a router would count."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from crossfade.judge import Decision, JudgeSettings, JudgeState, Look, Verdict, begin, judge
from crossfade.model.counts import ArmCounts, LatencyHistogram

EDGES_MS = tuple(float(edge) for edge in np.geomspace(5, 3000, 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How an arm answers: chance of an error, median latency and its lognormal spread, and what a link adds to each."""

    error_rate: float = 0.001
    median_ms: float = 80.0
    sigma: float = 0.55
    edges_ms: tuple[float, ...] = EDGES_MS
    link_ms: float = 0.0

    def times(self, *, latency: float = 1.0, errors: float = 1.0) -> "Arm":
        return replace(self, median_ms=self.median_ms * latency, error_rate=self.error_rate * errors)


HEALTHY = Arm()


@lru_cache(maxsize=4096)
def bin_chances(
    median_ms: float, sigma: float, edges_ms: tuple[float, ...] = EDGES_MS, link_ms: float = 0.0
) -> tuple[float, ...]:
    """The chances of bins under a lognormal latency to which a link adds the same each time."""
    own_ms = np.maximum(np.array(edges_ms) - link_ms, 1e-9)
    below = np.concatenate(([0.0], ndtr((np.log(own_ms) - np.log(median_ms)) / sigma), [1.0]))
    return tuple(np.diff(below).tolist())


def arm_counts(rng: np.random.Generator, arm: Arm, requests: int) -> ArmCounts:
    counts = rng.multinomial(requests, bin_chances(arm.median_ms, arm.sigma, arm.edges_ms, arm.link_ms))
    return ArmCounts(
        requests=requests,
        errors=int(rng.binomial(requests, arm.error_rate)),
        latency=LatencyHistogram(edges_ms=arm.edges_ms, counts=tuple(counts.tolist())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """A share of so many requests to the canary, the rest to the baseline."""

    share: float = 0.05
    requests: int = 150
    baseline: Arm = HEALTHY
    canary: Arm = HEALTHY

    def look(self, rng: np.random.Generator, step: int = 1) -> Look:
        canary = int(rng.binomial(self.requests, self.share))
        return Look(
            step=step,
            share=self.share,
            duration=timedelta(seconds=0.5),
            baseline=arm_counts(rng, self.baseline, self.requests - canary),
            canary=arm_counts(rng, self.canary, canary),
        )


def until_decided(
    traffic: Traffic,
    seed: int,
    *,
    wanted: Decision,
    at_most: int,
    state: JudgeState | None = None,
    settings: JudgeSettings | None = None,
) -> tuple[int | None, Verdict]:
    """Requests until `wanted` is the verdict in one step (None if not within `at_most`), and the last verdict."""
    settings = settings or JudgeSettings()
    rng, state, requests = np.random.default_rng(seed), state or begin(settings), 0
    while True:
        state, verdict = judge(state, traffic.look(rng), settings)
        requests += traffic.requests
        if verdict.decision is wanted:
            return requests, verdict
        if requests >= at_most:
            return None, verdict


def bursts_counted(rng: np.random.Generator, look: Look, error_rate: float, size: int) -> Look:
    """The look with errors that come `size` at a time, each time from one user, at the same rate in both arms."""

    def arm(counts: ArmCounts) -> ArmCounts:
        users = min(int(rng.poisson(counts.requests * error_rate / size)), counts.requests // size)
        return replace(counts, errors=users * size, users_with_errors=users)

    return replace(look, baseline=arm(look.baseline), canary=arm(look.canary))
