"""What the engine asks of the connection between the sites."""

from typing import Protocol

from crossfade.model.seen import Link
from crossfade.model.terms import NoData


class Network(Protocol):
    def connect(self) -> None:
        """Every path that the migration needs carries traffic; raises naming the ones that do not."""
        ...

    def links(self) -> tuple[Link, ...] | NoData: ...
