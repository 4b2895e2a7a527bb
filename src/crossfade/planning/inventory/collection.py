"""What was read so far, before it is merged: fragments, problems, and an account of every sheet."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from crossfade.planning.inventory.layout import Fragment, Values
from crossfade.planning.inventory.records import Account, Kind, Place, Problem

MOST_PROBLEMS_A_SHEET = 10_000
MOST_PLACES = 5
_SUMMED = ("volume_bytes", "connections")


@dataclass(slots=True)
class Repeated:
    """The same dependency, however often it was told. `rows` of it are records of their own."""

    fragment: Fragment
    rows: int
    connections: int
    volume_bytes: int | None
    places: list[Place]


@dataclass(slots=True)
class Collection:
    """Grows while sources are read. Dependencies are counted as they come: connection lists repeat them endlessly."""

    fragments: list[Fragment] = field(default_factory=list)
    derived: list[Fragment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    listened: set[tuple[str, int]] = field(default_factory=set)
    _dependencies: dict[tuple[object, ...], Repeated] = field(default_factory=dict)

    def add(self, fragment: Fragment, *, is_derived: bool) -> None:
        """Takes what a row says; `is_derived`: besides the record that the row is."""
        if is_derived:
            self.derived.append(fragment)
        elif fragment.kind is Kind.DEPENDENCY:
            self._count(fragment)
        else:
            self.fragments.append(fragment)

    def of(self, kind: Kind) -> Iterator[tuple[Fragment, bool]]:
        """Fragments of a kind in the order they were read, rows' own records first; and whether each is one."""
        yield from ((fragment, True) for fragment in self.fragments if fragment.kind is kind)
        yield from ((fragment, False) for fragment in self.derived if fragment.kind is kind)

    @property
    def dependencies(self) -> Iterator[Repeated]:
        return iter(self._dependencies.values())

    def _count(self, fragment: Fragment) -> None:
        said: Values = {name: value for name, value in fragment.values.items() if name not in _SUMMED}
        key = (fragment.layout, *sorted(said.items(), key=lambda item: item[0]))
        told = int(fragment.values.get("connections", 1))
        volume = fragment.values.get("volume_bytes")
        known = self._dependencies.get(key)
        if known is None:
            self._dependencies[key] = Repeated(fragment, 1, told, volume, [fragment.place])
            return
        known.rows += 1
        known.connections += told
        if volume is not None:
            known.volume_bytes = (known.volume_bytes or 0) + volume
        if len(known.places) < MOST_PLACES:
            known.places.append(fragment.place)
