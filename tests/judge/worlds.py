"""Worlds for the guards: healthy ones, incidents that both arms share, and canaries that are worse."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tests.judge.guarded import ALL_LOOKS, COMPARED, RUNGS, Conditions, Rates, World, ladder, steady

HEAVY = ((1.0, 40.0, 1.4),)  # 95 % within 400 ms, 99 % within a second
TWO_MODES = ((0.96, 40.0, 0.4), (0.04, 900.0, 0.2))  # 4 % are beyond the limit of 500 ms, where 5 % may be


def drifting(rng: np.random.Generator, looks: int) -> Conditions:
    """Errors and latency rise and fall with the day, in both arms."""
    day: Rates = np.sin(2 * math.pi * (np.arange(looks) / looks + rng.random()))
    slower, errors = np.exp(0.4 * day).round(2), 0.001 * np.exp(0.9 * day)
    return Conditions(canary_errors=errors, baseline_errors=errors, canary_slower=slower, baseline_slower=slower)


def noisy(rng: np.random.Generator, looks: int) -> Conditions:
    """The canary is up to 5 % slower or faster, fails up to 5 % more or less often, anew in each look."""
    how = steady(looks)
    return replace(
        how,
        canary_errors=how.canary_errors * rng.uniform(0.95, 1.05, looks),
        canary_slower=np.round(rng.uniform(0.95, 1.05, looks), 2),
    )


def cold(rng: np.random.Generator, looks: int) -> Conditions:
    """When a step's first look begins the canary takes half as long again: its caches are cold for two seconds."""
    _, starts = ladder(looks)
    since = np.arange(looks) - starts
    return replace(steady(looks), canary_slower=np.round(1 + 0.5 * np.exp(-since / 2.0), 2))


def pausing(rng: np.random.Generator, looks: int) -> Conditions:
    """Now and then an arm pauses, and all that it answers in that look takes five times as long."""
    canary, baseline = (np.where(rng.random(looks) < 0.01, 5.0, 1.0) for _ in range(2))
    return replace(steady(looks), canary_slower=canary, baseline_slower=baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Both arms fail and slow down from some moment on, in any step, for so many looks.

    With `apart` one arm begins up to so many looks after the other, and ends as independently.
    """

    errors: float = 0.001
    slower: float = 1.0
    lasting: int = ALL_LOOKS
    apart: int = 0

    def __call__(self, rng: np.random.Generator, looks: int) -> Conditions:
        rung = int(rng.integers(len(RUNGS) - 1))
        began = sum(count for _, count in RUNGS[:rung]) + int(rng.integers(RUNGS[rung][1]))
        arms = []
        for _ in range(2):
            first = began + int(rng.integers(self.apart + 1))
            last = began + self.lasting + int(rng.integers(self.apart + 1))
            on = (np.arange(looks) >= first) & (np.arange(looks) < last)
            arms.append((np.where(on, self.errors, 0.001), np.where(on, self.slower, 1.0)))
        (canary_errors, canary_slower), (baseline_errors, baseline_slower) = arms
        return Conditions(
            canary_errors=canary_errors,
            baseline_errors=baseline_errors,
            canary_slower=canary_slower,
            baseline_slower=baseline_slower,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """The canary alone fails and slows down from a look on."""

    first: int
    errors: float = 0.001
    slower: float = 1.0

    def __call__(self, rng: np.random.Generator, looks: int) -> Conditions:
        on = np.arange(looks) >= self.first
        return replace(
            steady(looks),
            canary_errors=np.where(on, self.errors, 0.001),
            canary_slower=np.where(on, self.slower, 1.0),
        )


compared = partial(World, looks=COMPARED)  # the rollout ends before the canary is alone: then nothing excuses it


HEALTHY_WORLDS: dict[str, World] = {
    "lognormal latency": World(),
    "heavy tails": World(latency=HEAVY),
    "two modes, the slow one 4 %": World(latency=TWO_MODES),
    "a day's drift": World(course=drifting),
    "5 % noise between the arms": World(course=noisy),
    "bursts of ten by user, users counted": World(burst=10, users=True),
    "10 requests a minute": World(requests=5),
    "10 a minute, two modes": World(requests=5, latency=TWO_MODES),
    "100,000 requests a second": World(requests=50_000, latency=TWO_MODES, course=noisy),
    "cold caches as each step begins": World(course=cold),
    "pauses of one look": World(course=pausing),
}
UNCOUNTED_WORLDS: dict[str, World] = {
    "bursts of ten, users not counted": World(burst=10),
    "5 % errors in bursts of ten, users not counted": compared(course=Incident(errors=0.05), burst=10),
}
INCIDENT_WORLDS: dict[str, World] = {
    **{f"{100 * rate:g} % errors": compared(course=Incident(errors=rate)) for rate in (0.005, 0.01, 0.05, 0.2)},
    **{
        f"{100 * rate:g} % errors, arms one look apart": compared(course=Incident(errors=rate, apart=1, lasting=20))
        for rate in (0.005, 0.01, 0.05, 0.2)
    },
    "5 % errors in bursts by user, users counted": compared(course=Incident(errors=0.05), burst=10, users=True),
    "latency doubled": compared(course=Incident(slower=2.0)),
    "latency doubled, arms one look apart": compared(course=Incident(slower=2.0, apart=1, lasting=20)),
    "latency doubled, heavy tails": compared(course=Incident(slower=2.0), latency=HEAVY),
    "latency doubled, two modes": compared(course=Incident(slower=2.0), latency=TWO_MODES),
    "20 % errors, 10 requests a minute": compared(course=Incident(errors=0.2), requests=5),
    "latency doubled, 10 requests a minute": compared(course=Incident(slower=2.0), requests=5),
    "1 % errors, 100,000 requests a second": compared(course=Incident(errors=0.01), requests=50_000),
    "20 % errors, 100,000 a second, arms one look apart": compared(
        course=Incident(errors=0.2, slower=2.0, apart=1, lasting=20), requests=50_000
    ),
}
WORSE: dict[str, dict[str, float]] = {
    "+1 % errors": {"errors": 0.011},
    "+5 % errors": {"errors": 0.051},
    "nothing but errors": {"errors": 1.0},
    "p95 doubled": {"slower": 2.0},
}
