"""What a router counted for each arm of a rollout."""

from dataclasses import dataclass
from datetime import datetime

CONVERSION = "conversion"
"""The metric of the conversions among an arm's requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyHistogram:
    """Requests by latency in fixed bins.

    `edges_ms` rise strictly, in milliseconds; `counts` is one longer: bin i holds the requests with
    edges_ms[i-1] < latency <= edges_ms[i], the last one everything above the last edge.
    """

    edges_ms: tuple[float, ...]
    counts: tuple[int, ...]

    def __sub__(self, earlier: "LatencyHistogram") -> "LatencyHistogram":
        """The requests counted since `earlier`; both must have the same edges."""
        differences = tuple(now - then for now, then in zip(self.counts, earlier.counts, strict=True))
        return LatencyHistogram(edges_ms=self.edges_ms, counts=differences)

    def __add__(self, other: "LatencyHistogram") -> "LatencyHistogram":
        """The requests of both; both must have the same edges."""
        sums = tuple(one + two for one, two in zip(self.counts, other.counts, strict=True))
        return LatencyHistogram(edges_ms=self.edges_ms, counts=sums)

    def quantile_ms(self, q: float) -> float | None:
        """The q-quantile in milliseconds, interpolated within its bin; None without requests.

        Of the open last bin its lower edge is given: a bound from below.
        """
        total = sum(self.counts)
        if total == 0:
            return None
        rank, seen = q * total, 0
        for i, count in enumerate(self.counts):
            if count and seen + count >= rank:
                if i == len(self.edges_ms):
                    return self.edges_ms[-1]
                low = self.edges_ms[i - 1] if i else 0.0
                return low + (self.edges_ms[i] - low) * max(0.0, rank - seen) / count
            seen += count
        return self.edges_ms[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Events of one arm by a metric of its own, such as orders: of `total`, `good` went well; good <= total."""

    name: str
    good: int
    total: int

    @property
    def bad(self) -> int:
        return self.total - self.good

    def __add__(self, other: "Counted") -> "Counted":
        """The events of both."""
        return Counted(name=self.name, good=self.good + other.good, total=self.total + other.total)

    def __sub__(self, earlier: "Counted") -> "Counted":
        """The events counted since `earlier`, an older reading of the same counters."""
        return Counted(name=self.name, good=self.good - earlier.good, total=self.total - earlier.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """Requests of one arm. `errors` are answers of status 5xx and requests without an answer; errors <= requests.

    `users_with_errors` is None where the source cannot tell users apart; `conversions`, of the requests, where nobody
    counts them. `counted` are further metrics, each name once; one that was not read is not there, never 0.
    """

    requests: int
    errors: int
    latency: LatencyHistogram | None = None
    users_with_errors: int | None = None
    conversions: int | None = None
    counted: tuple[Counted, ...] = ()

    def __sub__(self, earlier: "ArmCounts") -> "ArmCounts":
        """What was counted since `earlier`, an older reading of the same counters.

        What only one of the two readings has is unknown. A user who is counted a moment after the error is not one more
        than there were errors.
        """
        latency = self.latency - earlier.latency if self.latency and earlier.latency else None
        errors, users = self.errors - earlier.errors, None
        if self.users_with_errors is not None and earlier.users_with_errors is not None:
            users = min(self.users_with_errors - earlier.users_with_errors, errors)
        known = self.conversions is not None and earlier.conversions is not None
        before = {counted.name: counted for counted in earlier.counted}
        return ArmCounts(
            requests=self.requests - earlier.requests,
            errors=errors,
            latency=latency,
            users_with_errors=users,
            conversions=(self.conversions or 0) - (earlier.conversions or 0) if known else None,
            counted=tuple(now - before[now.name] for now in self.counted if now.name in before),
        )

    def metric(self, name: str) -> Counted | None:
        """The counts of a metric by its name; conversions, of requests, go by CONVERSION."""
        if name == CONVERSION and self.conversions is not None:
            return Counted(name=CONVERSION, good=self.conversions, total=self.requests)
        return next((counted for counted in self.counted if counted.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmReading:
    """Counters of both arms since the router started, read at one instant.

    `boot` changes whenever the counters start at zero again (the router was restarted); readings of different
    boots must not be subtracted. `until` (aware) is for sources that count late: all that ended before it is counted
    on both arms, and some of what ended after it may be. None: what is counted is as young as the reading.
    """

    boot: str
    baseline: ArmCounts
    canary: ArmCounts
    until: datetime | None = None
