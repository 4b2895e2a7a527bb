"""What the engine asks of whatever rebuilds the legacy servers on the other side."""

from typing import Protocol

from crossfade.model.seen import ServerStatus
from crossfade.model.terms import NoData


class Servers(Protocol):
    """Legacy servers and their twins, with MGN's states. Each verb names an end for all; repeating is harmless."""

    def replicate(self) -> None:
        """Each server's release and settings are on the target and kept in step: READY_FOR_TEST."""
        ...

    def launch_test(self) -> None:
        """A test instance of each server runs and answers, apart from users: TESTING."""
        ...

    def end_test(self) -> None:
        """Test instances are gone and the servers READY_FOR_CUTOVER."""
        ...

    def launch_cutover(self) -> None:
        """The instance that will take users runs and answers, warmed up: CUTTING_OVER."""
        ...

    def end_cutover(self) -> None:
        """The instances that took users in an earlier cutover are gone; replicas stay: READY_FOR_TEST.

        For a later cutover after a fail back. Whoever calls it has seen that no user is sent to them.
        """
        ...

    def finalize(self) -> None:
        """CUTOVER is final: replication of servers ends (DISCONNECTED afterwards) and cannot be reverted."""
        ...

    def retire_source(self) -> None:
        """The legacy servers are stopped. Only after finalize."""
        ...

    def revert(self) -> None:
        """Nothing of ours runs or lies on the target; states as before replicate."""
        ...

    def states(self) -> tuple[ServerStatus, ...] | NoData: ...
