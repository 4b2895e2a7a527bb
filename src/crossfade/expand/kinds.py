"""A change and a table become the statements of the change; first, everything that does not fit is found."""

from collections.abc import Iterable, Iterator

from psycopg import sql

from crossfade.expand import columns, constraints, expressions
from crossfade.expand.catalog import Table, read_table
from crossfade.expand.change import ChangeFile
from crossfade.expand.checks import stands
from crossfade.expand.errors import ChangeImpossible
from crossfade.expand.extraction import Extraction
from crossfade.expand.partitions import misfits_of_partitions
from crossfade.expand.session import Session
from crossfade.expand.shape import Shape
from crossfade.expand.triggers import search_path
from crossfade.expand.two_way import Made

Reason = tuple[str, str]


def shape_of(file: ChangeFile, table: Table) -> Shape:
    """The statements; the change must fit."""
    if (both := columns.renamed(file, table)) is not None:
        return both.shape()
    if file.add_column is not None:
        return columns.added(file.name, table, file.add_column)
    if file.not_null is not None:
        return columns.required(file.name, table, file.not_null)
    if file.extract_table is not None:
        entry = file.extract_table
        return Extraction(change=file.name, table=table, to=entry.to, columns=entry.columns).shape()
    if file.add_constraint is not None:
        return constraints.constrained(file.name, table, file.add_constraint)
    assert file.add_index is not None  # one of the kinds is given: the file was read
    return constraints.indexed(table, file.add_index)


def look(session: Session, file: ChangeFile, *, begun: bool) -> tuple[Table, Shape]:
    """The table and what is to be done. Raises `ChangeImpossible` with everything that does not fit.

    `begun`: part of it may stand already, so that only the table itself is looked at.
    """
    table = read_table(session, file.name, file.schema_name, file.table_name)
    session.rows(sql.SQL("SET search_path = {}").format(search_path(table)))
    if not begun:
        reasons = tuple(_misfits(session, file, table))
        if reasons:
            raise ChangeImpossible(file.name, reasons)
    return table, shape_of(file, table)


def _misfits(session: Session, file: ChangeFile, table: Table) -> Iterator[Reason]:
    old, new = _names(file)
    unknown = [name for name in old if name not in table.columns]
    for name in unknown:
        yield f"{table} has no column {name}", f"Its columns are {', '.join(table.columns)}."
    for name in new:
        if name in table.columns:
            yield f"{table} has a column {name} already", "Choose another name."
    if not table.key and ((file.add_constraint is None and file.add_index is None) or _repairs(file)):
        yield f"{table} has no key by which a backfill could walk", "Give it a primary key."
    if unknown:
        return
    if table.partitioned:
        yield from misfits_of_partitions(file, table, old)
    if _both_ways(file):
        yield from _of_columns(table, old)
    if file.add_constraint is not None:
        yield from _of_constraint(session, table, file.add_constraint.name)
    if file.extract_table is not None:
        yield from _of_extraction(session, file, table)
    yield from _expressions(session, file, table)


def _of_columns(table: Table, names: Iterable[str]) -> Iterator[Reason]:
    for name in names:
        column = table.columns[name]
        if column.generated or column.identity or "nextval(" in (column.default or ""):
            yield f"{name} gets its values from the server", "Only columns that are written can be followed."
        if name in table.key:
            yield f"{name} is in the key by which rows are found", "Give the table another key first."


def _of_constraint(session: Session, table: Table, name: str) -> Iterator[Reason]:
    if session.value(sql.SQL("SELECT {}").format(stands(table, name))):
        yield f"{table} has a constraint {name} already", "Choose another name."


def _of_extraction(session: Session, file: ChangeFile, table: Table) -> Iterator[Reason]:
    assert file.extract_table is not None  # asked for by the caller
    for name in file.extract_table.columns:
        column = table.columns[name]
        if column.not_null and column.default is None:
            remedy = f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL, or give it a default."
            yield f"{name} must be given in every insert, which the new version will not do", remedy
    if session.value(sql.SQL("SELECT to_regclass(%s)"), (f'"{table.schema}"."{file.extract_table.to}"',)):
        yield f"{table.schema}.{file.extract_table.to} exists already", "Choose another name."


def _expressions(session: Session, file: ChangeFile, table: Table) -> Iterator[Reason]:
    """Every expression is put to the server, against a copy of the table's columns that nobody else sees."""
    with expressions.probe(session, table) as probe:
        both = columns.renamed(file, table)
        if both is not None:
            made, added = (*both.new, *both.old), both.new
        else:
            made = tuple(_single(file, table))
            added = made if file.add_column is not None else ()
        found = [*probe.adds(added)]
        for each in made:
            found += probe.value(each)
        yield from found
        if made and not found:  # a text that is no expression must not get as far as a statement
            yield from probe.computes(both.new if both is not None else made)
        for rule in _rules(file):
            yield from probe.rule(rule)


def _single(file: ChangeFile, table: Table) -> Iterator[Made]:
    """Values that are computed one by one."""
    if (entry := file.add_column) is not None:
        yield Made(name=entry.column, type=entry.type, by=entry.up or "NULL")
    if (full := file.not_null) is not None:
        yield Made(name=full.column, type=table.columns[full.column].type, by=full.up)
    for each in file.add_constraint.repair if file.add_constraint is not None else ():
        yield Made(name=each.column, type=table.columns[each.column].type, by=each.up)


def _rules(file: ChangeFile) -> Iterator[str]:
    if file.add_constraint is not None and file.add_constraint.check is not None:
        yield file.add_constraint.check
    if file.add_index is not None and file.add_index.where is not None:
        yield file.add_index.where


def _names(file: ChangeFile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns that must be there, and columns that must not."""
    if (add := file.add_column) is not None:
        return (), (add.column,)
    if (rename := file.rename_column or file.change_type) is not None:
        return (rename.column,), (rename.to,)
    if (split := file.split_column) is not None:
        return (split.column,), tuple(each.name for each in split.into)
    if (merge := file.merge_columns) is not None:
        return tuple(each.name for each in merge.columns), (merge.into.name,)
    if (full := file.not_null) is not None:
        return (full.column,), ()
    if (extract := file.extract_table) is not None:
        return extract.columns, ()
    if (constraint := file.add_constraint) is not None:
        key = constraint.foreign_key.columns if constraint.foreign_key is not None else ()
        return (*key, *constraint.unique, *(each.column for each in constraint.repair)), ()
    return (file.add_index.columns if file.add_index is not None else ()), ()


def _both_ways(file: ChangeFile) -> bool:
    both = (file.rename_column, file.change_type, file.split_column, file.merge_columns, file.extract_table)
    return any(each is not None for each in both)


def _repairs(file: ChangeFile) -> bool:
    return file.add_constraint is not None and bool(file.add_constraint.repair)
