"""Counters without a router, for whoever needs to say what users experienced."""

from crossfade.metrics.latency import EDGES_MS
from crossfade.model.counts import ArmCounts, ArmReading, LatencyHistogram
from crossfade.model.terms import NoData, Side


class InMemoryMetrics:
    """Counts what `serve` is told; `restart` sets all to zero under a new boot; `silent` gives NO_DATA."""

    def __init__(self) -> None:
        self.silent: str | None = None
        self._boots = 0
        self._counts = {side: _Counter() for side in Side}

    def serve(self, side: Side, *, milliseconds: float, failed: bool = False, times: int = 1) -> None:
        """`times` requests took that long at the servers of `side`."""
        counter = self._counts[side]
        counter.errors += times if failed else 0
        place = sum(edge < milliseconds for edge in EDGES_MS)
        counter.bins[place] += times

    def restart(self) -> None:
        self._boots += 1
        self._counts = {side: _Counter() for side in Side}

    def arms(self) -> ArmReading | NoData:
        if self.silent is not None:
            return NoData(reason=self.silent)
        return ArmReading(
            boot=f"boot-{self._boots}",
            baseline=self._counts[Side.SOURCE].reading(),
            canary=self._counts[Side.TARGET].reading(),
        )


class _Counter:
    def __init__(self) -> None:
        self.errors = 0
        self.bins = [0] * (len(EDGES_MS) + 1)

    def reading(self) -> ArmCounts:
        return ArmCounts(
            requests=sum(self.bins),
            errors=self.errors,
            latency=LatencyHistogram(edges_ms=EDGES_MS, counts=tuple(self.bins)),
        )
