"""What the comparison of a part of a table found, gathered while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.model.seen import Difference
from crossfade.verify.age import Ages
from crossfade.verify.relation import TablePair
from crossfade.verify.statement import Key, RowState, changed_columns, key_as_json

MOST_DIFFERENCES = 10_000  # listed for a table; beyond it the table is broken as a whole and a list helps nobody
MOST_IN_ALL = 30_000  # listed for all tables, so that memory is bounded however many there are

TextValues = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference, and what was asked to be told of its values.

    `key` is as the database writes it. `source` and `target` have the row's values on either side by column, of
    those columns that differ where the row stands on both; None where no single row stands there, or nothing was asked.
    """

    difference: Difference
    key: Key
    source: TextValues | None = None
    target: TextValues | None = None


@dataclass(slots=True, kw_only=True)
class TableOutcome:
    """Rows counted on the primary, differences of target against source, and what could not be settled.

    `waited_seconds` went by until the other side had replayed; `doubtful`: it did not pass at the first look.
    """

    table: TablePair
    ages: Ages = field(default_factory=Ages)
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    waited_seconds: float = 0.0
    doubtful: bool = False

    @property
    def full(self) -> bool:
        return len(self.findings) >= MOST_DIFFERENCES

    def add_difference(self, key: Key, source: tuple[RowState, ...], target: tuple[RowState, ...]) -> None:
        """`source` and `target` are the rows of one key on each side, not the same; as `lookup` reads them."""
        kind = "changed" if len(source) == len(target) else "missing" if len(source) > len(target) else "extra"
        columns = changed_columns(self.table, source, target) if kind == "changed" else ()
        difference = Difference(
            table=self.table.title,
            key=key_as_json(self.table, key),
            kind=kind,
            columns=columns,
            written_since_switch=self.ages.written_since_switch(source, target),
        )
        here, there = (self._values(states, columns) for states in (source, target))
        self.findings.append(Finding(difference=difference, key=key, source=here, target=there))

    def add_unresolved(self, key: Key) -> None:
        """The key's row changed at every look; nothing is known of it."""
        self.unresolved.append(f"{self.table.title} {key_as_json(self.table, key)}: changed at every look")

    def _values(self, states: tuple[RowState, ...], columns: tuple[str, ...]) -> TextValues | None:
        if len(states) != 1 or not states[0].values:
            return None
        told = zip((column.name for column in self.table.columns), states[0].values, strict=True)
        return {name: value for name, value in told if not columns or name in columns}


def unlike(here: dict[Key, tuple[RowState, ...]], there: dict[Key, tuple[RowState, ...]]) -> list[Key]:
    """Keys whose rows have other signatures on the two sides, in a stable order."""
    return sorted(key for key in here.keys() | there.keys() if signatures(here.get(key)) != signatures(there.get(key)))


def signatures(states: tuple[RowState, ...] | None) -> tuple[str, ...]:
    """What the rows of one key hold, whatever transactions wrote them; empty without a row."""
    return tuple(state.signature for state in states or ())
