"""A change as a strict YAML file: one table, one kind of change, expressions from the old shape to the new and back."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from crossfade.model.file.fault import Fault
from crossfade.model.file.form import Form
from crossfade.model.file.rules.finding import Finding, unique
from crossfade.model.file.section import Section
from crossfade.model.file.strict import read_section
from crossfade.model.file.texts import DatabaseName, Slug

QualifiedName = Annotated[
    str, Form(r"[A-Za-z_][A-Za-z0-9_$]{0,62}\.[A-Za-z_][A-Za-z0-9_$]{0,62}", "`schema.table`", 127)
]
TypeName = Annotated[
    str,
    Form(
        r"[A-Za-z_][A-Za-z0-9_. ]*(\(\d{1,4}(, ?\d{1,4})?\))?[A-Za-z ]*(\[\])*",
        "a type as PostgreSQL names it, such as bigint, numeric(12,2) or timestamp with time zone",
        200,
    ),
]
Expression = Annotated[str, Form(r"[^\x00]*\S[^\x00]*", "an SQL expression over columns of the row", 4000)]
KINDS = (
    "add_column",
    "rename_column",
    "change_type",
    "split_column",
    "merge_columns",
    "not_null",
    "extract_table",
    "add_constraint",
    "add_index",
)


class AddColumn(Section):
    """A column that the old version knows nothing of."""

    column: DatabaseName
    """Its name."""
    type: TypeName
    """Its type."""
    up: Expression | None = None
    """Its value in rows that do not have one, from the other columns; without it, it stays null there."""


class RenameColumn(Section):
    """A column gets another name; type, default and NOT NULL stay."""

    column: DatabaseName
    """The name it has."""
    to: DatabaseName
    """The name it gets."""


class ChangeType(Section):
    """A column becomes one of another type, under another name, so that both versions find their own."""

    column: DatabaseName
    """The column as it is."""
    to: DatabaseName
    """Name of the one that takes its place."""
    type: TypeName
    """Type of the one that takes its place."""
    up: Expression
    """The new value, from the old column."""
    down: Expression
    """The old value, from the new column."""


class NewColumn(Section):
    """A column that is made from others."""

    name: DatabaseName
    """Its name."""
    type: TypeName
    """Its type."""
    up: Expression
    """Its value, from the old columns."""


class OldColumn(Section):
    """A column that another takes the place of."""

    name: DatabaseName
    """Its name."""
    down: Expression
    """Its value, from the new columns."""


class SplitColumn(Section):
    """One column becomes several."""

    column: DatabaseName
    """The column as it is."""
    into: Annotated[tuple[NewColumn, ...], Field(min_length=1, max_length=50)]
    """The columns that take its place."""
    down: Expression
    """The old value, from the new columns."""


class MergeColumns(Section):
    """Several columns become one."""

    columns: Annotated[tuple[OldColumn, ...], Field(min_length=1, max_length=50)]
    """The columns as they are."""
    into: NewColumn
    """The column that takes their place."""


class NotNull(Section):
    """A column takes no null any more."""

    column: DatabaseName
    """The column."""
    up: Expression
    """The value in place of null, from the other columns; also for what the old version writes."""


class ExtractTable(Section):
    """Columns move into a table of their own, a row for each row. Until contract, the new table is a view."""

    to: DatabaseName
    """Name of the new table, in the schema of the old one."""
    columns: Annotated[tuple[DatabaseName, ...], Field(min_length=1, max_length=50)]
    """The columns that move; the key is copied."""


class ForeignKey(Section):
    """Columns that name a row of another table."""

    columns: Annotated[tuple[DatabaseName, ...], Field(min_length=1, max_length=16)]
    """Columns of this table."""
    references: QualifiedName
    """The other table."""
    referenced: Annotated[tuple[DatabaseName, ...], Field(min_length=1, max_length=16)]
    """Its columns."""


class Repair(Section):
    """A value by which a row that breaks the constraint keeps it."""

    column: DatabaseName
    """The column that is set."""
    up: Expression
    """To what, from the columns of the row."""


class AddConstraint(Section):
    """Exactly one of check, foreign_key and unique."""

    name: DatabaseName
    """Name of the constraint."""
    check: Expression | None = None
    """What must hold in every row."""
    foreign_key: ForeignKey | None = None
    """A reference that must hold in every row."""
    unique: Annotated[tuple[DatabaseName, ...], Field(max_length=32)] = ()
    """Columns that no two rows have in common."""
    repair: Annotated[tuple[Repair, ...], Field(max_length=50)] = ()
    """With `check`: what is done to rows that break it, old ones and new ones, instead of refusing them."""


class AddIndex(Section):
    """An index over columns."""

    name: DatabaseName
    """Name of the index."""
    columns: Annotated[tuple[DatabaseName, ...], Field(min_length=1, max_length=32)]
    """Its columns, in order."""
    unique: bool = False
    """Whether no two rows may have them in common."""
    method: Literal["btree", "hash", "gin", "gist", "brin", "spgist"] = "btree"
    """How it is organised."""
    where: Expression | None = None
    """Only rows for which this holds are in it."""


class ChangeFile(Section):
    """One change of the shape of one table; exactly one of the kinds."""

    version: Literal[1]
    """Version of this format: 1."""
    name: Slug
    """Name of the change, once in a database."""
    table: QualifiedName
    """The table, as schema.table."""
    add_column: AddColumn | None = None
    """A new column."""
    rename_column: RenameColumn | None = None
    """A column under another name."""
    change_type: ChangeType | None = None
    """A column of another type."""
    split_column: SplitColumn | None = None
    """One column becomes several."""
    merge_columns: MergeColumns | None = None
    """Several columns become one."""
    not_null: NotNull | None = None
    """A column that takes no null."""
    extract_table: ExtractTable | None = None
    """Columns into a table of their own."""
    add_constraint: AddConstraint | None = None
    """A constraint."""
    add_index: AddIndex | None = None
    """An index."""
    drops: Annotated[tuple[DatabaseName, ...], Field(max_length=100)] = ()
    """Indexes and constraints that may go with the columns that contract takes away."""

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def schema_name(self) -> str:
        return self.table.split(".")[0]

    @property
    def table_name(self) -> str:
        return self.table.split(".")[1]

    @property
    def digest(self) -> str:
        """Same digest, same change; `drops` may be filled in later."""
        return hashlib.sha256(self.model_dump_json(exclude={"drops"}).encode()).hexdigest()


def read_change(text: str, name: str) -> ChangeFile | tuple[Fault, ...]:
    """What `text` (YAML) describes, or all its faults, ordered by place. Raises nothing for any text."""
    return read_section(text, name, ChangeFile, _rules)


def _rules(file: ChangeFile) -> Iterator[Finding]:
    given = [kind for kind in KINDS if getattr(file, kind) is not None]
    if len(given) != 1:
        problem = f"has {len(given)} kinds of change" if given else "has no kind of change"
        remedy = f"write exactly one of {', '.join(KINDS)}; several changes are several files"
        yield Finding(places=tuple((kind,) for kind in given[1:]) or ((),), problem=problem, remedy=remedy)
    if file.rename_column is not None and file.rename_column.column == file.rename_column.to:
        yield _same(("rename_column", "to"))
    if file.change_type is not None and file.change_type.column == file.change_type.to:
        yield _same(("change_type", "to"))
    if file.split_column is not None:
        yield from unique(("split_column", "into"), "name", (each.name for each in file.split_column.into))
    if file.merge_columns is not None:
        yield from unique(("merge_columns", "columns"), "name", (each.name for each in file.merge_columns.columns))
    if file.extract_table is not None:
        yield from unique(("extract_table", "columns"), "", file.extract_table.columns)
    if file.add_constraint is not None:
        yield from _of_constraint(file.add_constraint)


def _of_constraint(entry: AddConstraint) -> Iterator[Finding]:
    given = [what for what in ("check", "foreign_key", "unique") if getattr(entry, what)]
    if len(given) != 1:
        remedy = "write exactly one of check, foreign_key and unique"
        problem = f"has {len(given)} of them" if given else "has none of them"
        yield Finding(places=(("add_constraint",),), problem=problem, remedy=remedy)
    if entry.repair and entry.check is None:
        remedy = "leave it out: only what breaks a check can be repaired row by row"
        yield Finding(places=(("add_constraint", "repair"),), problem="has no check beside it", remedy=remedy)
    key = entry.foreign_key
    if key is not None and len(key.columns) != len(key.referenced):
        remedy = "name as many columns here as there"
        place = ("add_constraint", "foreign_key", "referenced")
        yield Finding(places=(place,), problem="has another number of columns", remedy=remedy)


def _same(place: tuple[str, ...]) -> Finding:
    return Finding(places=(place,), problem="is the name it has already", remedy="name the new column otherwise")
