"""Where the counts come from that the judge judges."""

from typing import Protocol

from crossfade.model.counts import ArmReading
from crossfade.model.terms import NoData


class Metrics(Protocol):
    def arms(self) -> ArmReading | NoData:
        """Cumulative counters of both arms, read at one instant: counts and histogram belong together."""
        ...
