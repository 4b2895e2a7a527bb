"""Paths between the sites without a network."""

from collections.abc import Iterable
from datetime import timedelta

from crossfade.model.seen import Link
from crossfade.model.terms import NoData
from crossfade.network.port import LinksDown, NoLinks


class InMemoryNetwork:
    """Paths that are up unless their name is in `down`; of the `redundant` one is enough."""

    def __init__(self, names: Iterable[str] = ("vpn",), redundant: Iterable[str] = ()) -> None:
        self.down: set[str] = set()
        self._names, self._redundant = tuple(names), frozenset(redundant)

    def connect(self) -> None:
        if not self._names:
            raise NoLinks
        broken = tuple(name for name in self._names if name in self.down and name not in self._redundant)
        if self._redundant and self._redundant <= self.down:
            broken += tuple(name for name in self._names if name in self._redundant)
        if broken:
            raise LinksDown(broken, ("it was taken down",) * len(broken))

    def links(self) -> tuple[Link, ...] | NoData:
        if not self._names:
            return NoData(reason=str(NoLinks()))
        return tuple(
            Link(
                name=name,
                up=name not in self.down,
                round_trip=None if name in self.down else timedelta(0),
                redundant=name in self._redundant,
            )
            for name in self._names
        )
