"""What a person says of a table: where it stands on the target, which columns to leave out, which rows to compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.model.terms import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRule:
    """How one table of the source is compared.

    `target` is its name on the target as `schema.table`, if it has another one. `columns` maps columns of the source to
    those of the target; `ignore` names columns of the source that are left out, `ignore_on_target` those that stand
    only there. `where` is a condition in SQL: only rows that fulfil it are compared; `where_on_target` where the
    target needs other words for it.
    """

    target: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    ignore_on_target: tuple[str, ...] = ()
    where: str | None = None
    where_on_target: str | None = None

    def name_on_target(self, column: str) -> str:
        return self.columns.get(column, column)

    @property
    def ignored_on_target(self) -> frozenset[str]:
        return frozenset({*self.ignore_on_target, *(self.name_on_target(column) for column in self.ignore)})

    def condition(self, side: Side) -> str | None:
        return self.where if side is Side.SOURCE else self.where_on_target or self.where


NO_RULE = TableRule()
