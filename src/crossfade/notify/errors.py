"""What can go wrong with telling people. No message holds an address's secret part, a recipient or a password."""

from pathlib import Path

from crossfade.model.errors import CrossfadeError


class NotTaken(CrossfadeError):
    """A receiver did not take a notice: away, too slow, or it refused."""

    retryable = True
    remedy = "See that the receiver is up and accepts notices; they are sent again by themselves, in order."

    def __init__(self, *, channel: str, reason: str) -> None:
        self.channel = channel
        self.reason = reason
        super().__init__(f"{channel} did not take a notice: {reason}")


class ChannelUnfit(CrossfadeError):
    """A channel cannot work as it is described."""

    remedy = "Correct the channel in the migration file, or set the named environment variable."

    def __init__(self, *, channel: str, problem: str) -> None:
        self.channel = channel
        self.problem = problem
        super().__init__(f"channel {channel}: {problem}")


class CursorDamaged(CrossfadeError):
    """It is not known what a channel has delivered already; nothing is sent rather than everything again."""

    remedy = "Remove the file to have every notice sent again."

    def __init__(self, place: Path) -> None:
        self.place = place
        super().__init__(f"{place} is not a cursor")
