"""What the router counts of both arms: by share, with noise, and worse where the canary is worse."""

from math import exp
from random import Random

from crossfade.model.counts import ArmCounts, ArmReading, LatencyHistogram
from crossfade.model.terms import NoData
from crossfade.simulation.hub import Hub
from crossfade.simulation.router import SimulatedRouter
from crossfade.simulation.scenario import Scenario

_EDGES = (5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)
_MANY = 12.0
_HEALTHY = (0.05, 0.30, 0.30, 0.20, 0.10, 0.03, 0.015, 0.005)


class SimulatedMetrics:
    """The port. Counters begin anew, under another boot, whenever the router was restarted."""

    def __init__(self, hub: Hub, router: SimulatedRouter, scenario: Scenario, rng: Random) -> None:
        self._hub, self._router, self._rng = hub, router, rng
        self._rate, self._common, canary = scenario.rate, scenario.common_errors, scenario.canary
        self._shapes = (_HEALTHY, _slower(canary.slower))
        self._errors = (self._common, self._common + canary.extra_errors)
        self._boot, self._counted_until = 1, 0.0
        self._counts = _nothing()
        router.on_change.append(lambda before, _: self._count(before))

    def restart(self) -> None:
        self._boot += 1
        self._counts = _nothing()
        self._counted_until = self._hub.seconds

    def arms(self) -> ArmReading | NoData:
        if not self._router.up:
            return NoData(reason="the router is away")
        self._count(self._router.percent)
        return ArmReading(boot=str(self._boot), baseline=_reading(self._counts[0]), canary=_reading(self._counts[1]))

    def _count(self, percent: float) -> None:
        """What came since the last count, while the share was `percent`."""
        seconds, self._counted_until = self._hub.seconds - self._counted_until, self._hub.seconds
        for arm, share in enumerate((1 - percent / 100, percent / 100)):
            mean = self._rate * seconds * share * min(1.0, 0.98 + 0.02 * self._rng.random())
            if mean <= 0:
                continue
            counts, requests = self._counts[arm], 0
            for place, weight in enumerate(self._shapes[arm], start=1):
                these = self._about(mean * weight)
                counts[place] += these
                requests += these
            counts[0] += min(requests, self._about(requests * self._errors[arm]))

    def _about(self, mean: float) -> int:
        """A Poisson number; near enough to one where there are many. A bias in rare latencies would be judged."""
        if mean <= 0:
            return 0
        if mean > _MANY:
            return max(0, round(self._rng.gauss(mean, mean**0.5)))
        number, left, least = 0, self._rng.random(), exp(-mean)
        while left > least:
            number += 1
            left *= self._rng.random()
        return number


def _nothing() -> tuple[list[int], list[int]]:
    return [0] * (len(_HEALTHY) + 1), [0] * (len(_HEALTHY) + 1)


def _reading(counts: list[int]) -> ArmCounts:
    errors, *bins = counts
    return ArmCounts(requests=sum(bins), errors=errors, latency=LatencyHistogram(edges_ms=_EDGES, counts=tuple(bins)))


def _slower(factor: float) -> tuple[float, ...]:
    """The healthy shape with so much of each bin moved up that the mean is about `factor` as long."""
    moved = min(0.9, factor - 1)
    shape = [weight * (1 - moved) for weight in _HEALTHY]
    for place, weight in enumerate(_HEALTHY):
        shape[min(place + 1, len(_HEALTHY) - 1)] += weight * moved
    return tuple(shape)
