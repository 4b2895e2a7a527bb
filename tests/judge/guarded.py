"""Whole rollouts up the ladder of the reference case, as the runbook lets guards and judge look at them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from crossfade.judge import (
    BurnLimit,
    Decision,
    GuardLimits,
    GuardState,
    JudgeSettings,
    Look,
    begin,
    check_guards,
    guard_window,
    judge,
)
from crossfade.model.counts import ArmCounts, LatencyHistogram
from tests.judge.traffic import EDGES_MS

Counts = NDArray[np.int64]
Rates = NDArray[np.float64]

# What `plan_for_rehearsal` makes of examples/ledger/migration.yaml: a look every half second, a step of ten seconds of
# which the first warms up, thirty seconds at 90 % and of bake after 100 %. On AWS looks, steps and windows are sixty
# times as long: as many looks.
LOOK = timedelta(seconds=0.5)
LIMITS = GuardLimits(
    error_rate=0.03,
    p95_ms=500.0,
    window=timedelta(seconds=10),
    availability=0.999,
    burn=(
        BurnLimit(rate=10, window=timedelta(seconds=5), short_window=timedelta(seconds=2)),
        BurnLimit(rate=5, window=timedelta(seconds=60), short_window=timedelta(seconds=5)),
    ),
    minimum_requests=100,
    minimum_errors=10,
)
SETTINGS = JudgeSettings(error_rate_limit=0.03)
RUNGS = ((0.05, 18), *((0.05 + 0.1 * i, 18) for i in range(1, 9)), (0.90, 58), (1.0, 78))
COMPARED = sum(looks for share, looks in RUNGS if share < 1)
ALL_LOOKS = sum(looks for _, looks in RUNGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How both arms answer, look by look: chances of an error, and how much slower than usual."""

    canary_errors: Rates
    baseline_errors: Rates
    canary_slower: Rates
    baseline_slower: Rates


def steady(looks: int, errors: float = 0.001) -> Conditions:
    rate, one = np.full(looks, errors), np.ones(looks)
    return Conditions(canary_errors=rate, baseline_errors=rate.copy(), canary_slower=one, baseline_slower=one.copy())


Course = Callable[[np.random.Generator, int], Conditions]
"""What happens in a rollout of so many looks."""


def uneventful(rng: np.random.Generator, looks: int) -> Conditions:
    return steady(looks)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`latency` is a mixture: chance, median in milliseconds and lognormal spread of each part.

    `burst` errors come at a time, from one user; `users` are counted where the source can tell.
    """

    requests: int = 150
    latency: tuple[tuple[float, float, float], ...] = ((1.0, 120.0, 0.55),)
    burst: int = 1
    users: bool = False
    looks: int = ALL_LOOKS
    course: Course = uneventful


@lru_cache(maxsize=4096)
def chances(latency: tuple[tuple[float, float, float], ...], slower: float) -> tuple[float, ...]:
    """The chances of the histogram's bins."""
    edges = np.log(EDGES_MS)
    below = sum(part * ndtr((edges - np.log(median * slower)) / sigma) for part, median, sigma in latency)
    return tuple(np.maximum(np.diff(np.concatenate(([0.0], np.asarray(below), [1.0]))), 0.0).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnArm:
    requests: Counts
    errors: Counts
    users: Counts | None
    bins: Counts

    def counts(self, look: int) -> ArmCounts:
        return ArmCounts(
            requests=int(self.requests[look]),
            errors=int(self.errors[look]),
            latency=LatencyHistogram(edges_ms=EDGES_MS, counts=tuple(self.bins[look].tolist())),
            users_with_errors=None if self.users is None else int(self.users[look]),
        )


@lru_cache(maxsize=4)
def ladder(looks: int) -> tuple[Rates, Counts]:
    """The share of each look, and the look with which its step began."""
    shares = np.repeat([share for share, _ in RUNGS], [count for _, count in RUNGS])[:looks]
    starts = np.repeat(np.cumsum([0, *(count for _, count in RUNGS[:-1])]), [count for _, count in RUNGS])[:looks]
    return shares, starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Everything that both arms did in one rollout."""

    canary: DrawnArm
    baseline: DrawnArm
    shares: Rates
    starts: Counts
    cache: dict[int, Look] = field(default_factory=dict)

    def look(self, at: int) -> Look:
        if at not in self.cache:
            self.cache[at] = Look(
                step=1 + int(self.starts[at]),
                share=float(self.shares[at]),
                duration=LOOK,
                baseline=self.baseline.counts(at),
                canary=self.canary.counts(at),
            )
        return self.cache[at]


def drawn(world: World, seed: int) -> Rollout:
    rng = np.random.default_rng(seed)
    shares, starts = ladder(world.looks)
    how = world.course(rng, world.looks)
    canary = rng.binomial(world.requests, shares)
    return Rollout(
        canary=_arm(rng, world, canary, how.canary_errors, how.canary_slower),
        baseline=_arm(rng, world, world.requests - canary, how.baseline_errors, how.baseline_slower),
        shares=shares,
        starts=starts,
    )


def _arm(rng: np.random.Generator, world: World, requests: Counts, rates: Rates, slower: Rates) -> DrawnArm:
    users = rng.binomial(requests, np.minimum(rates / world.burst, 1.0))
    bins = rng.multinomial(requests, [chances(world.latency, round(float(factor), 3)) for factor in slower])
    errors = np.minimum(users * world.burst, requests)
    return DrawnArm(
        requests=requests, errors=errors, users=np.minimum(users, errors) if world.users else None, bins=bins
    )


def breached_at(rollout: Rollout, *, first: int = 0) -> int | None:
    """The first look, not before `first`, at which a guard is breached; None if none ever is."""
    for at in np.flatnonzero(suspicious(rollout)):
        if at >= first:
            looks = [rollout.look(i) for i in range(int(rollout.starts[at]), int(at) + 1)]
            if check_guards(guard_window(looks, LIMITS), LIMITS).state is GuardState.BREACHED:
                return int(at)
    return None


def suspicious(rollout: Rollout) -> NDArray[np.bool_]:
    """Looks at which the canary is near a limit and about twice as bad as the baseline: elsewhere no guard is breached.

    Spares looking there; a little wider than the guards, which decide.
    """
    canary, baseline, found = rollout.canary, rollout.baseline, np.zeros(len(rollout.starts), dtype=bool)
    below, above = (int(np.searchsorted(EDGES_MS, factor * (LIMITS.p95_ms or 0))) for factor in (0.85, 1.15))
    errors = (canary.errors, baseline.errors)
    slow = (canary.bins[:, below:].sum(axis=1), baseline.bins[:, above:].sum(axis=1))
    rules = [(LIMITS.window, LIMITS.error_rate or 1.0, errors), (LIMITS.window, 0.05, slow)]
    rules += [(burn.window, burn.rate * (1 - LIMITS.availability), errors) for burn in LIMITS.burn]
    at = np.arange(len(found))
    for span, rate, (failed, shared) in rules:
        began = np.maximum(at - span // LOOK + 1, rollout.starts)
        counted = []
        for each in (canary.requests, failed, baseline.requests, shared):
            sums = np.concatenate(([0], np.cumsum(each)))
            counted.append(sums[at + 1] - sums[began])
        requests, failures, others, theirs = counted
        twice = failures * others >= 0.9 * LIMITS.common_ratio * theirs * requests
        found |= (requests >= LIMITS.minimum_requests) & (failures >= 0.99 * rate * requests) & (failures > 0) & twice
    return found


def aborted_at(rollout: Rollout, *, first: int = 0) -> int | None:
    """The first look, not before `first`, after which the judge aborts; None if none."""
    state = begin(SETTINGS)
    for at in range(len(rollout.starts)):
        state, verdict = judge(state, rollout.look(at), SETTINGS)
        if at >= first and verdict.decision is Decision.ABORT:
            return at
    return None
