"""Whole rollouts in which the canary is not worse, but something makes that hard to see.

Unless said otherwise a look is five minutes of 166 requests a minute.
"""

import math
from dataclasses import replace

import numpy as np

from crossfade.judge import Look
from crossfade.model.counts import ArmCounts
from tests.judge.scenarios import LOOKS, REQUESTS, SHARES
from tests.judge.traffic import HEALTHY, Arm, Traffic, arm_counts

HEAVY = Arm(median_ms=40.0, sigma=1.4)  # 95 % within 400 ms, 99 % within a second
FAST, SLOW, SLOW_PART = Arm(median_ms=40.0, sigma=0.4), Arm(median_ms=900.0, sigma=0.2, error_rate=0.001), 0.04


def alike(rng: np.random.Generator, look: int, share: float, *, arm: Arm, requests: int = REQUESTS) -> Look:
    return Traffic(share=share, requests=requests, baseline=arm, canary=arm).look(rng, look // LOOKS)


def heavy_tails(rng: np.random.Generator, look: int, share: float) -> Look:
    return alike(rng, look, share, arm=HEAVY)


def two_modes(rng: np.random.Generator, look: int, share: float) -> Look:
    """One request in 25 takes about 900 ms instead of 40."""
    slow = int(rng.binomial(REQUESTS, SLOW_PART))
    usual = alike(rng, look, share, arm=FAST, requests=REQUESTS - slow)
    late = alike(rng, look, share, arm=SLOW, requests=slow)
    return replace(usual, baseline=both(usual.baseline, late.baseline), canary=both(usual.canary, late.canary))


def both(one: ArmCounts, two: ArmCounts) -> ArmCounts:
    assert one.latency is not None
    assert two.latency is not None
    return ArmCounts(
        requests=one.requests + two.requests, errors=one.errors + two.errors, latency=one.latency + two.latency
    )


def cold_caches(rng: np.random.Generator, look: int, share: float) -> Look:
    """As each step begins the canary's caches are cold: 50 % slower in its first look, 7 % in the next, 1 % after."""
    canary = HEALTHY.times(latency=round(1 + 0.5 * math.exp(-2 * (look % LOOKS)), 3))
    return Traffic(share=share, requests=REQUESTS, canary=canary).look(rng, look // LOOKS)


def pauses(rng: np.random.Generator, look: int, share: float) -> Look:
    """In one of a hundred looks an arm takes five times as long for everything, and the other does not."""
    canary, baseline = (HEALTHY.times(latency=5.0 if rng.random() < 0.01 else 1.0) for _ in range(2))
    return Traffic(share=share, requests=REQUESTS, baseline=baseline, canary=canary).look(rng, look // LOOKS)


def incident_apart(rng: np.random.Generator, look: int, share: float) -> Look:
    """The incident of two steps begins and ends on the canary one look earlier."""
    during = HEALTHY.times(latency=3, errors=50)
    canary, baseline = (during if first <= look < first + 24 else HEALTHY for first in (30, 31))
    return Traffic(share=share, requests=REQUESTS, baseline=baseline, canary=canary).look(rng, look // LOOKS)


def changing_shares(rng: np.random.Generator, look: int, share: float) -> Look:
    """The share changes from look to look while load and latency of both arms rise and fall.

    A step's first look still has the share of the step before for half of its time.
    """
    day = math.sin(2 * math.pi * look / 18)
    arm = HEALTHY.times(latency=round(math.exp(0.3 * day), 3), errors=math.exp(0.7 * day))
    told = share * (0.75 if look % 2 else 1.0)
    real = told if look % LOOKS or not look else (told + SHARES[look // LOOKS - 1]) / 2
    drawn = alike(rng, look, real, arm=arm, requests=int(REQUESTS * (1 + 0.5 * day)))
    return replace(drawn, share=told)


def ten_a_minute(rng: np.random.Generator, look: int, share: float) -> Look:
    return alike(rng, look, share, arm=HEALTHY, requests=50)


def hundred_thousand_a_second(rng: np.random.Generator, look: int, share: float) -> Look:
    return alike(rng, look, share, arm=HEALTHY, requests=30_000_000)


def silent_canary(rng: np.random.Generator, look: int, share: float) -> Look:
    """From the second step on nothing reaches the canary, whatever its share should be."""
    if look < LOOKS:
        return alike(rng, look, share, arm=HEALTHY)
    return replace(alike(rng, look, 0.0, arm=HEALTHY), share=share)


def silent_baseline(rng: np.random.Generator, look: int, share: float) -> Look:
    """From the second step on only the canary's requests are counted."""
    drawn = alike(rng, look, share, arm=HEALTHY)
    return drawn if look < LOOKS else replace(drawn, baseline=arm_counts(rng, HEALTHY, 0))


ADVERSE = (
    heavy_tails,
    two_modes,
    cold_caches,
    pauses,
    incident_apart,
    changing_shares,
    ten_a_minute,
    hundred_thousand_a_second,
    silent_canary,
    silent_baseline,
)
