"""The data center on this computer: how fast, how large, how loaded."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from crossfade.model.file.quantities import Count, Duration, Port, Span
from crossfade.model.file.section import Section

_RehearsalPort = Annotated[int, Field(ge=20_000, le=31_999)]


class ServiceTime(Section):
    """The time that a legacy server takes for a request, lognormal, without the database."""

    median: Span = timedelta(milliseconds=12)
    """Median."""
    sigma: Annotated[float, Field(ge=0, le=2)] = 0.55
    """Standard deviation of its logarithm."""


class Ports(Section):
    """Ports of the rehearsal on 127.0.0.1, below those that outgoing connections may hold."""

    first: _RehearsalPort = 20_000
    """First port of the range in which free ones are taken."""
    last: _RehearsalPort = 31_999
    """Last port of the range."""
    router: Port | None = None
    """Port at which users reach the application; a free one by default."""
    source_database: Port | None = None
    """Port of the source database; a free one by default."""
    target_database: Port | None = None
    """Port of the target database; a free one by default."""


class Rehearsal(Section):
    """The whole migration on this computer, with real parts."""

    time_scale: Annotated[float, Field(ge=1, le=100_000)] = 60.0
    """How many times faster than planned waits pass; `--speed` multiplies it."""
    longest_wait: Span = timedelta(seconds=30)
    """No single planned wait takes longer, whatever its scaled time."""
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] = 300.0
    """Requests that users send, at times drawn in advance."""
    write_fraction: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of requests that write."""
    users: Count = 2000
    """Different users."""
    service_time: ServiceTime = ServiceTime()
    """Time that a server takes."""
    rows: Annotated[int, Field(ge=100, le=1_000_000_000)] = 100_000
    """Rows of the ledger at the start, at least 2,000; two thirds are those of its largest table."""
    documents: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Statements on the file share at the start, at most one for each transfer; without it, one for each 50 `rows`."""
    wan_round_trip: Duration = timedelta(0)
    """Round trip between the sites."""
    approve: bool = True
    """Give the approvals by itself; otherwise it waits for `crossfade approve`."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    """Seed of users, data and faults."""
    ports: Ports = Ports()
    """Ports."""
