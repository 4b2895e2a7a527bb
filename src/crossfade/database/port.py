"""What the engine asks of a database move, whoever carries it out."""

from typing import Protocol

from crossfade.model.seen import Finding, Replication, SourceHealth, SwitchReport, WayBack, Writer
from crossfade.model.terms import NoData, Side

SWITCH_POINTS = (
    "preparing",
    "fencing",
    "fenced",
    "locked",
    "marked",
    "drained",
    "taken_over",
    "advanced",
    "guarded",
    "opened",
)
"""The points of a switch in their order: before and after each statement that changes something.

What ends at one point is followed by the next statement at once: there is nothing between `fenced` and the locks.
Before `preparing` nothing was done; what is done until `fencing` is done while the old side takes writes.
"""


class Database(Protocol):
    """A database on two sides with one writer.

    Every verb that changes something names an end: it looks first, and calling it again when the end is reached
    does nothing. Looks return NO_DATA instead of raising. Errors are `CrossfadeError`s, retryable or not.
    """

    def preflight(self) -> tuple[Finding, ...]:
        """Everything that would make the move fail later; empty when clean."""
        ...

    def create_schema(self) -> None:
        """The first half of the schema stands on the target: tables, keys, no application write grants."""
        ...

    def start_replication(self) -> None:
        """Publication and subscription stand; the full load runs by itself and CDC follows."""
        ...

    def complete_schema(self) -> None:
        """The second half: indexes, foreign keys, triggers. Call once the full load is done."""
        ...

    def build_way_back(self) -> None:
        """Replication from target to source stands, asleep."""
        ...

    def remove_replication(self) -> None:
        """The source is as before: no publication, subscription or slot of ours on either side; target emptied."""
        ...

    def prepare_switch(self, to: Side) -> None:
        """Whatever makes the coming switch short: statistics, slot advanced. Outside the write window."""
        ...

    def switch(self, to: Side, epoch: int) -> SwitchReport:
        """`to` is the only side that takes writes, under `epoch`. Goes on where an earlier attempt stopped.

        On failure before the new side opened, the old side takes writes again and an error is raised.
        Raises `StaleEpoch` when the databases hold a later epoch.
        """
        ...

    def wake_way_back(self, primary: Side) -> None:
        """Replication from `primary` back to the other side is live: a marker written after the switch was seen."""
        ...

    def end_way_back(self) -> None:
        """Reverse replication ends: nothing of ours is left on either side. The point of no return."""
        ...

    def replication(self, primary: Side) -> Replication | NoData: ...

    def way_back(self, primary: Side) -> WayBack | NoData: ...

    def writer(self) -> Writer | NoData: ...


class SourceWatch(Protocol):
    """Whoever looks after the source while the migration takes of its room."""

    def health(self) -> SourceHealth | NoData:
        """How much room the source has left. Costs it a few milliseconds; the answer may be a few seconds old."""
        ...


class Unwatched:
    """Nobody looks."""

    def health(self) -> NoData:
        return NoData(reason="nobody looks after the source")
