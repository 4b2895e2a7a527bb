"""What the engine asks of the connection between the sites."""

from typing import Protocol

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Link
from crossfade.model.terms import NoData


class Network(Protocol):
    def connect(self) -> None:
        """Every path that the migration needs carries traffic, and one of the redundant ones.

        Raises `LinksDown` naming those that are needed and do not.
        """
        ...

    def links(self) -> tuple[Link, ...] | NoData:
        """Each path and whether it carries traffic; NO_DATA when there is none to look at. May be a few seconds old."""
        ...


class LinksDown(CrossfadeError):
    """Paths between the sites that do not carry traffic, each as 'name (why)'."""

    retryable = True
    remedy = "See that both ends run and that routes and firewalls between the sites let these paths through."

    def __init__(self, names: tuple[str, ...], reasons: tuple[str, ...]) -> None:
        self.names, self.reasons = names, reasons
        listed = ", ".join(f"{name} ({reason})" for name, reason in zip(names, reasons, strict=True))
        super().__init__(f"no traffic between the sites over: {listed}")


class NoLinks(CrossfadeError):
    """There is no path to look at, so nothing is known to be connected."""

    remedy = "Name the paths between the sites that the migration needs."

    def __init__(self) -> None:
        super().__init__("no path between the sites is named")
