"""What the engine asks of whoever collects shadow answers."""

from typing import Protocol

from crossfade.model.comparing import ShadowReading
from crossfade.model.terms import NoData


class ShadowTraffic(Protocol):
    """Answers of both sides to a sample of mirrored requests, compared as they come.

    No live request waits for it. It asks only for what is free of side effects, keeps no answer, and nothing personal
    leaves it.
    """

    def reading(self) -> ShadowReading | NoData:
        """All that was counted since it began. Never raises."""
        ...


class NothingCollected:
    """Where nobody collects."""

    def reading(self) -> ShadowReading | NoData:
        return NoData(reason="nobody collects shadow answers here")
