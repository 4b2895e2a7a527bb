"""Numbers that can be followed: what each is, how it was computed, and where that stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from crossfade.model.file import MigrationFile
from crossfade.model.file.tree import Tree
from crossfade.planning.risks.keys import place_of, value_at

NOT_KNOWN = "not known"
"""What stands where a number would: never a zero."""
_MOST_PLACES = 20
"""Places of one number that are listed; those beyond are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of the report. `shown` is what people read; `computed` how it came about; `places` where from.

    `key` is unique within a report and fit for an anchor. `known` False: `shown` is NOT_KNOWN, `computed` says why.
    """

    key: str
    says: str
    shown: str
    computed: str
    places: tuple[str, ...] = ()
    known: bool = True


class Traces:
    """All figures of one report, in the order in which they were made."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, key: str, says: str, shown: str, computed: str, places: Iterable[str] = ()) -> Figure:
        """A figure that is known. Raises ValueError for a key that is taken: two numbers under one anchor."""
        return self._kept(Figure(key=key, says=says, shown=shown, computed=computed, places=_few(places)))

    def missing(self, key: str, says: str, why: str, places: Iterable[str] = ()) -> Figure:
        """A figure that nobody knows, with what would make it known. Raises ValueError for a key that is taken."""
        return self._kept(Figure(key=key, says=says, shown=NOT_KNOWN, computed=why, places=_few(places), known=False))

    def _kept(self, figure: Figure) -> Figure:
        if figure.key in self._figures:
            raise ValueError(figure.key)
        self._figures[figure.key] = figure
        return figure

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(self._figures.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where values of the migration file stand. `tree` None: it was given without its text, or stands for none."""

    file: MigrationFile
    name: str
    tree: Tree | None = None

    def place(self, path: str) -> str:
        """`migration.yaml:61 planning.start`. Raises NoSuchKey."""
        value_at(self.file, path)
        return self.near(path)

    def near(self, path: str) -> str:
        """The same, for whole sections too."""
        if not self.name:
            return f"{path} (no migration file was given: its default)"
        return place_of(self.tree, self.name, path) if self.tree else f"{self.name} {path}"


def _few(places: Iterable[str]) -> tuple[str, ...]:
    told = tuple(dict.fromkeys(places))
    if len(told) <= _MOST_PLACES:
        return told
    return (*told[:_MOST_PLACES], f"and {len(told) - _MOST_PLACES:,} more places")
