"""What the comparison of a table found, gathered while it runs."""

from dataclasses import dataclass, field

from crossfade.model.seen import Difference
from crossfade.verify.age import Ages
from crossfade.verify.relation import TablePair
from crossfade.verify.statement import Key, RowState, changed_columns, key_as_json

MOST_DIFFERENCES = 10_000  # listed for a table; beyond it the table is broken as a whole and a list helps nobody


@dataclass(slots=True, kw_only=True)
class TableOutcome:
    """Rows counted on the primary, differences of target against source, and what could not be settled."""

    table: TablePair
    ages: Ages = field(default_factory=Ages)
    rows: int = 0
    differences: list[Difference] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.differences) >= MOST_DIFFERENCES

    def add_difference(self, key: Key, source: tuple[RowState, ...], target: tuple[RowState, ...]) -> None:
        """`source` and `target` are the rows of one key on each side, not the same; as `lookup` reads them."""
        kind = "changed" if len(source) == len(target) else "missing" if len(source) > len(target) else "extra"
        columns = changed_columns(self.table, source, target) if kind == "changed" else ()
        self.differences.append(
            Difference(
                table=self.table.title,
                key=key_as_json(self.table, key),
                kind=kind,
                columns=columns,
                written_since_switch=self.ages.written_since_switch(source, target),
            )
        )

    def add_unresolved(self, key: Key) -> None:
        """The key's row changed at every look; nothing is known of it."""
        self.unresolved.append(f"{self.table.title} {key_as_json(self.table, key)}: changed at every look")

    def close(self) -> None:
        """Say so when the list of differences was cut short."""
        if self.full:
            self.unresolved.append(
                f"{self.table.title}: {MOST_DIFFERENCES} differences were listed; rows after them were not compared"
            )


def unlike(here: dict[Key, tuple[RowState, ...]], there: dict[Key, tuple[RowState, ...]]) -> list[Key]:
    """Keys whose rows have other signatures on the two sides, in a stable order."""
    return sorted(key for key in here.keys() | there.keys() if signatures(here.get(key)) != signatures(there.get(key)))


def signatures(states: tuple[RowState, ...] | None) -> tuple[str, ...]:
    """What the rows of one key hold, whatever transactions wrote them; empty without a row."""
    return tuple(state.signature for state in states or ())
