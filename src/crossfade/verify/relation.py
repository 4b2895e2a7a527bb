"""Tables as the catalogs of both sides describe them, and how they are matched."""

from dataclasses import dataclass

from crossfade.model.terms import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of one side. Domains are already resolved to the type below them.

    `type_name` is the type as SQL, without length or precision; `kind` is pg_type.typname if the type is
    PostgreSQL's own and ordinary, else empty (enums, composites and types of extensions). `sorts_alike`: values
    sort by their bytes or numerically, the same on every server.
    """

    name: str
    type_name: str
    kind: str
    nullable: bool
    has_typmod: bool
    sorts_alike: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """An ordinary or a partitioned table of one side. `key` is empty for a table without a unique, not null key."""

    schema: str
    name: str
    partitioned: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    estimated_rows: int

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

    def on(self, side: Side) -> Relation:
        return self.source if side is Side.SOURCE else self.target

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def ordered(self) -> bool:
        """Whether ranges of the key hold the same rows on both sides, however each of them sorts text."""
        return bool(self.key) and all(k.same_type and k.source.sorts_alike and k.target.sorts_alike for k in self.key)


def pair(source: Relation, target: Relation) -> TablePair:
    """Match the columns of a table by name; their order may differ."""
    there = {column.name: column for column in target.columns}
    shared = tuple(ColumnPair(source=c, target=there[c.name]) for c in source.columns if c.name in there)
    here = {column.name for column in source.columns}
    problems = [
        f"{source.title}: column {c.name} is missing on the target" for c in source.columns if c.name not in there
    ]
    problems += [
        f"{source.title}: column {c.name} stands only on the target" for c in target.columns if c.name not in here
    ]
    by_name = {column.name: column for column in shared}
    names = next((key for key in (source.key, target.key) if key and all(name in by_name for name in key)), ())
    return TablePair(
        source=source,
        target=target,
        columns=shared,
        key=tuple(by_name[name] for name in names),
        problems=tuple(problems),
    )
