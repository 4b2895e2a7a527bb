"""Paths between the sites without a network."""

from collections.abc import Iterable
from datetime import timedelta

from crossfade.model.seen import Link
from crossfade.model.terms import NoData
from crossfade.network.port import LinksDown, NoLinks


class InMemoryNetwork:
    """Paths that are up unless their name is in `down`."""

    def __init__(self, names: Iterable[str] = ("vpn",)) -> None:
        self.down: set[str] = set()
        self._names = tuple(names)

    def connect(self) -> None:
        if not self._names:
            raise NoLinks
        if broken := tuple(name for name in self._names if name in self.down):
            raise LinksDown(broken, ("it was taken down",) * len(broken))

    def links(self) -> tuple[Link, ...] | NoData:
        if not self._names:
            return NoData(reason=str(NoLinks()))
        return tuple(
            Link(name=name, up=False) if name in self.down else Link(name=name, up=True, round_trip=timedelta(0))
            for name in self._names
        )
