"""What a tool's sheet looks like: its columns, how it is told from others, and what a row of it says."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossfade.planning.inventory.headings import known_by
from crossfade.planning.inventory.records import Kind, Place

Values = dict[str, Any]
"""Fields of a record, as the dataclasses in `records` name them; values of the cells' types."""


class RowRefused(ValueError):
    """A row says nothing that can be used. `column` empty: the row as a whole."""

    def __init__(self, problem: str, remedy: str, column: str = "") -> None:
        self.problem, self.remedy, self.column = problem, remedy, column
        super().__init__(problem)


class RowPassedOver(Exception):
    """A row is understood and is no record, such as a connection that was refused. `reason` is said of all such rows.

    `listens`: address and port that the row shows to be listened on, which tells the direction of other rows.
    """

    def __init__(self, reason: str, listens: tuple[str, int] | None = None) -> None:
        self.reason, self.listens = reason, listens
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What one row says of one record. `apart`: scopes and values; what differs in one scope is not the same record."""

    kind: Kind
    place: Place
    layout: str
    values: Values
    apart: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row with its cells read. `values` has what was said and understood, `cells` the texts by heading."""

    place: Place
    values: Values
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field it tells, the headings it is known by (see `headings.known_by`), how its cells are read."""

    field: str
    names: tuple[str, ...]
    read: Callable[[str], Any]


Build = Callable[["Layout", Row], Iterator[Fragment]]


def one_record(layout: "Layout", row: Row) -> Iterator[Fragment]:
    """The row is a record, and its values are the record's."""
    yield layout.fragment(row, row.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One kind of sheet. A header fits if each group of `needs` has a heading in it; of several, most columns win.

    `build` yields the row's record first, then what it tells besides. `key`: fields whose first told one tells rows
    of this layout apart, in whichever file they stand. `why_unused` not empty: rows are passed over for this reason.
    """

    format: str
    table: str
    kind: Kind
    columns: tuple[Column, ...] = ()
    needs: tuple[frozenset[str], ...]
    key: tuple[str, ...] = ()
    build: Build = one_record
    why_unused: str = ""
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {name: column for column in self.columns for name in column.names}
        object.__setattr__(self, "by_name", by_name)

    @property
    def title(self) -> str:
        return f"{self.format} {self.table}".strip()

    def fits(self, headings: Sequence[str]) -> int:
        """How many headings are known; 0 if the header is not of this layout."""
        there = set(headings)
        if not all(there & group for group in self.needs):
            return 0
        return sum(name in self.by_name for name in there) or 1

    def fragment(self, row: Row, values: Values, kind: Kind | None = None) -> Fragment:
        """What `row` says of a record of `kind`, by default the layout's own."""
        apart = []
        if "uuid" in values:
            apart.append(("uuid", str(values["uuid"])))
        for name in self.key if kind is None else ():
            if values.get(name):
                value = values[name] if isinstance(values[name], str) else values[name][0]
                apart.append((f"{self.title}:{name}", value.casefold()))
                break
        return Fragment(kind=kind or self.kind, place=row.place, layout=self.title, values=values, apart=tuple(apart))


def needs(*groups: str) -> tuple[frozenset[str], ...]:
    """Each group is headings with bars between them, one of which has to be there."""
    return tuple(frozenset(group.split("|")) for group in groups)


def column(told: str, names: str, read: Callable[[str], Any]) -> Column:
    """`names`: headings with spaces between them, in any spelling that has none."""
    return Column(told, tuple(known_by(name) for name in names.split()), read)
