"""What a rule says: two or more values, each fine by itself, that do not fit together."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from crossfade.model.file.tree import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`places` are all values that the rule looked at. The first that the file writes is where people are sent."""

    places: tuple[Path, ...]
    problem: str
    remedy: str


def repeated(values: Iterable[Hashable]) -> Iterator[tuple[int, int]]:
    """(later place, first place) of each value that was there before; None does not count."""
    first: dict[Hashable, int] = {}
    for place, value in enumerate(values):
        if value is not None and first.setdefault(value, place) != place:
            yield place, first[value]


def unique(path: Path, name: str, values: Iterable[Hashable]) -> Iterator[Finding]:
    """A finding for each entry of the list at `path` whose `name` another entry before it has too."""
    for later, earlier in repeated(values):
        places = tuple((*path, entry, name) if name else (*path, entry) for entry in (later, earlier))
        yield Finding(places=places, problem="is given twice in the list", remedy="name each one once")
