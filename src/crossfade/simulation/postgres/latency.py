"""How long things take within a server: mostly short, sometimes long."""

import random

_LONG_ONE_IN = 300
_LONG_STATEMENT_SECONDS, _LONG_FLUSH_SECONDS = 0.15, 0.25


class Latency:
    """Draws from one source of chance. All in seconds. `calm` leaves the long ones out."""

    def __init__(self, rng: random.Random, *, calm: bool = False) -> None:
        self.rng, self._random, self._calm = rng, rng.random, calm

    def statement(self) -> float:
        return self._drawn(0.00005, 0.0003, _LONG_STATEMENT_SECONDS)

    def flush(self) -> float:
        return self._drawn(0.0004, 0.0015, _LONG_FLUSH_SECONDS)

    def apply(self) -> float:
        return self._drawn(0.0001, 0.0004, _LONG_STATEMENT_SECONDS)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def happens(self, one_in: float) -> bool:
        return self._random() * one_in < 1.0

    def _drawn(self, low: float, high: float, long: float) -> float:
        seconds = low + (high - low) * self._random()
        if not self._calm and self._random() * _LONG_ONE_IN < 1.0:
            seconds += long * self._random()
        return seconds
