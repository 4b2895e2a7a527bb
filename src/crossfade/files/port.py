"""What the engine asks of whatever copies files between the sites."""

from typing import Protocol

from crossfade.model.seen import FileSync
from crossfade.model.terms import NoData, Side


class Files(Protocol):
    """A share on each side, kept in step incrementally with checksums, in one direction at a time."""

    def follow(self, primary: Side) -> None:
        """Whatever is written on `primary` appears on the other side, continuously. Returns at once.

        When the direction turns, the final delta of the old direction is delivered first, in the background:
        readers on the new primary fall back to the other share until then.
        """
        ...

    def stop(self) -> None:
        """Nothing is copied any more; both shares stay as they are."""
        ...

    def revert(self) -> None:
        """Copying has ended and the target's copy is removed."""
        ...

    def state(self) -> FileSync | NoData: ...
