"""Tables as the catalogs of both sides describe them, and how they are matched."""

from dataclasses import dataclass

from crossfade.model.terms import Side
from crossfade.verify.kinds import not_compared
from crossfade.verify.rules import NO_RULE, TableRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of one side. Domains are already resolved to the type below them.

    `type_name` is the type as SQL, without length or precision; `kind` is pg_type.typname if the type is
    PostgreSQL's own and ordinary, else empty (enums, composites and types of extensions). `sorts_alike`: values
    sort by their bytes or numerically, the same on every server. `generated`: computed by the server.
    """

    name: str
    type_name: str
    kind: str
    nullable: bool
    has_typmod: bool
    sorts_alike: bool
    generated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """An ordinary or a partitioned table of one side. `key` is empty for a table without a unique, not null key.

    `mixed_order`: the key's index has both ascending and descending columns, so that no walk over it is in the key's
    order.
    """

    schema: str
    name: str
    partitioned: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    estimated_rows: int
    mixed_order: bool = False

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPair:
    """A column that stands on both sides."""

    source: Column
    target: Column

    def on(self, side: Side) -> Column:
        return self.source if side is Side.SOURCE else self.target

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def same_type(self) -> bool:
        return self.source.type_name == self.target.type_name and self.source.kind == self.target.kind

    @property
    def nullable(self) -> bool:
        return self.source.nullable or self.target.nullable


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """A table that stands on both sides, with the columns they share in the source's order.

    `key` is a unique key of the source whose columns the target has too; empty without one, then rows are compared
    as a multiset. `problems` tell what cannot be compared.
    """

    source: Relation
    target: Relation
    columns: tuple[ColumnPair, ...]
    key: tuple[ColumnPair, ...]
    problems: tuple[str, ...]
    rule: TableRule = NO_RULE

    def on(self, side: Side) -> Relation:
        return self.source if side is Side.SOURCE else self.target

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def ordered(self) -> bool:
        """Whether ranges of the key hold the same rows on both sides, however each of them sorts text."""
        if self.source.mixed_order or self.target.mixed_order:
            return False
        return bool(self.key) and all(k.same_type and k.source.sorts_alike and k.target.sorts_alike for k in self.key)


def pair(source: Relation, target: Relation, rule: TableRule = NO_RULE) -> TablePair:
    """Match the columns of a table by name, or as the rule says; their order may differ."""
    there = {column.name: column for column in target.columns if column.name not in rule.ignored_on_target}
    here = {column.name: column for column in source.columns if column.name not in rule.ignore}
    matched = {name: there[rule.name_on_target(name)] for name in here if rule.name_on_target(name) in there}
    problems = [f"{source.title}: column {name} is missing on the target" for name in here if name not in matched]
    found = {column.name for column in matched.values()}
    problems += [f"{source.title}: column {name} stands only on the target" for name in there if name not in found]
    shared = []
    for name, column in matched.items():
        if not_compared(here[name].kind) or not_compared(column.kind):
            problems.append(f"{source.title}: column {name} is of type {here[name].type_name}, which is not compared")
        else:
            shared.append(ColumnPair(source=here[name], target=column))
    return TablePair(
        source=source,
        target=target,
        columns=tuple(shared),
        key=_key(source, target, shared),
        problems=tuple(problems),
        rule=rule,
    )


def _key(source: Relation, target: Relation, shared: list[ColumnPair]) -> tuple[ColumnPair, ...]:
    for names, by_name in (
        (source.key, {column.source.name: column for column in shared}),
        (target.key, {column.target.name: column for column in shared}),
    ):
        if names and all(name in by_name for name in names):
            return tuple(by_name[name] for name in names)
    return ()
