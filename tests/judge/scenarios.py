"""Whole rollouts in which the canary is not worse: nothing in them should abort."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from crossfade.judge import Decision, JudgeSettings, Look, begin, judge
from tests.judge.traffic import HEALTHY, Arm, Traffic, bursts_counted

SHARES = (0.05, *(0.15 + 0.1 * i for i in range(8)), 0.90, 0.95, 0.97)
LOOKS, REQUESTS = 12, 830

Scenario = Callable[[np.random.Generator, int, float], Look]


def healthy(rng: np.random.Generator, look: int, share: float) -> Look:
    return Traffic(share=share, requests=REQUESTS).look(rng, look // LOOKS)


def no_errors(rng: np.random.Generator, look: int, share: float) -> Look:
    arm = Arm(error_rate=0.0)
    return Traffic(share=share, requests=REQUESTS, baseline=arm, canary=arm).look(rng, look // LOOKS)


def incident(rng: np.random.Generator, look: int, share: float) -> Look:
    """For two steps both arms are three times as slow and fail fifty times as often."""
    arm = HEALTHY.times(latency=3, errors=50) if 30 <= look < 54 else HEALTHY
    return Traffic(share=share, requests=REQUESTS, baseline=arm, canary=arm).look(rng, look // LOOKS)


def diurnal(rng: np.random.Generator, look: int, share: float) -> Look:
    """A day passes: load, latency and errors rise and fall together."""
    day = math.sin(2 * math.pi * look / 72)
    arm = HEALTHY.times(latency=round(math.exp(0.3 * day), 3), errors=math.exp(0.7 * day))
    requests = int(REQUESTS * (1 + 0.5 * day))
    return Traffic(share=share, requests=requests, baseline=arm, canary=arm).look(rng, look // LOOKS)


def noise(rng: np.random.Generator, look: int, share: float) -> Look:
    """In each look the canary is up to 5 % slower or faster, and fails up to 5 % more or less often."""
    canary = HEALTHY.times(latency=round(rng.uniform(0.95, 1.05), 4), errors=rng.uniform(0.95, 1.05))
    return Traffic(share=share, requests=REQUESTS, canary=canary).look(rng, look // LOOKS)


def lasting_noise(rng: np.random.Generator, look: int, share: float) -> Look:
    """The same, but the difference lasts for a whole step."""
    step = np.random.default_rng([int(rng.bit_generator.seed_seq.entropy), look // LOOKS])  # type: ignore[attr-defined]
    canary = HEALTHY.times(latency=round(step.uniform(0.95, 1.05), 4), errors=step.uniform(0.95, 1.05))
    return Traffic(share=share, requests=REQUESTS, canary=canary).look(rng, look // LOOKS)


def at_the_margin(rng: np.random.Generator, look: int, share: float) -> Look:
    """The canary is exactly as slow as it may be."""
    return Traffic(share=share, requests=REQUESTS, canary=HEALTHY.times(latency=1.05)).look(rng, look // LOOKS)


def bursts(rng: np.random.Generator, look: int, share: float) -> Look:
    """Errors come ten at a time from one user; both arms tell how many users had errors."""
    return bursts_counted(rng, Traffic(share=share, requests=REQUESTS).look(rng, look // LOOKS), 0.001, 10)


def bursts_by_request(rng: np.random.Generator, look: int, share: float) -> Look:
    """The same where the router cannot tell users apart: outside of what the judge promises."""
    told = bursts(rng, look, share)
    return replace(
        told,
        baseline=replace(told.baseline, users_with_errors=None),
        canary=replace(told.canary, users_with_errors=None),
    )


NOT_WORSE = (
    healthy,
    no_errors,
    incident,
    diurnal,
    noise,
    lasting_noise,
    at_the_margin,
    bursts,
)


def is_aborted(scenario: Scenario, seed: int, settings: JudgeSettings | None = None) -> bool:
    """Whether a whole rollout, promoted by the clock, was aborted."""
    settings = settings or JudgeSettings()
    rng, state = np.random.default_rng(seed), begin(settings)
    for look in range(len(SHARES) * LOOKS):
        state, verdict = judge(state, scenario(rng, look, SHARES[look // LOOKS]), settings)
        if verdict.decision is Decision.ABORT:
            return True
    return False
