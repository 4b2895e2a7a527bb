"""What a collector of shadow answers counts: pairs while requests are mirrored, some wrong as the scenario says."""

from random import Random

from crossfade.model.comparing import ShadowReading
from crossfade.model.terms import NoData
from crossfade.shadowing.memory import InMemoryShadow
from crossfade.simulation.hub import Hub
from crossfade.simulation.router import SimulatedRouter

_PAIRS_A_SECOND = 150.0
_MOST_AT_ONCE = 300
_NOISE = 0.003


class SimulatedShadow:
    """The port. Nobody is compared while the router is away or does not mirror."""

    def __init__(self, hub: Hub, router: SimulatedRouter, wrong: float, rng: Random) -> None:
        self._hub, self._router, self._wrong, self._rng = hub, router, wrong, rng
        self._collected = InMemoryShadow()
        self._counted_until = 0.0
        self.compared_wrong = 0

    def reading(self) -> ShadowReading | NoData:
        seconds, self._counted_until = self._hub.seconds - self._counted_until, self._hub.seconds
        if self._router.up and self._router.mirrored:
            pairs = min(int(seconds * _PAIRS_A_SECOND), _MOST_AT_ONCE)
            wrong, noise = self._of(pairs, self._wrong), self._of(pairs, _NOISE)
            self.compared_wrong += wrong
            self._collected.compare(pairs, wrong=wrong, noise=noise)
        return self._collected.reading()

    def restart(self) -> None:
        """It was killed, and begins anew."""
        self._collected.restart()

    def _of(self, pairs: int, share: float) -> int:
        return sum(self._rng.random() < share for _ in range(pairs)) if share else 0
