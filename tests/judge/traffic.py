"""Simulated traffic for two arms: what a router would count."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from crossfade.judge import Decision, JudgeSettings, JudgeState, Look, Verdict, begin, judge
from crossfade.model.counts import ArmCounts, LatencyHistogram

EDGES_MS = tuple(float(edge) for edge in np.geomspace(5, 3000, 60))
_LOG_EDGES = np.log(EDGES_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How an arm answers: chance of an error, median latency and its lognormal spread."""

    error_rate: float = 0.001
    median_ms: float = 80.0
    sigma: float = 0.55

    def times(self, *, latency: float = 1.0, errors: float = 1.0) -> "Arm":
        return replace(self, median_ms=self.median_ms * latency, error_rate=self.error_rate * errors)


HEALTHY = Arm()


def arm_counts(rng: np.random.Generator, arm: Arm, requests: int) -> ArmCounts:
    drawn = rng.normal(np.log(arm.median_ms), arm.sigma, requests)
    counts = np.bincount(np.searchsorted(_LOG_EDGES, drawn), minlength=len(EDGES_MS) + 1)
    return ArmCounts(
        requests=requests,
        errors=int(rng.binomial(requests, arm.error_rate)),
        latency=LatencyHistogram(edges_ms=EDGES_MS, counts=tuple(counts.tolist())),
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
