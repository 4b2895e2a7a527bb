"""Changes of columns: added, renamed, of another type, split, merged, without nulls."""

from dataclasses import replace

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.change import AddColumn, ChangeFile, MergeColumns, NotNull, SplitColumn
from crossfade.expand.checks import proof
from crossfade.expand.repair import Repaired, without_trigger
from crossfade.expand.shape import Objects, Shape, Work
from crossfade.expand.triggers import afterwards, altered, beforehand, trigger
from crossfade.expand.two_way import Made, TwoWay

_FILLED = "add the column and fill it as rows are written"


def quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def renamed(file: ChangeFile, table: Table) -> TwoWay | None:
    """The two-way change that the file describes; None where it describes another. Its columns exist."""
    if (rename := file.rename_column) is not None:
        kind = table.column(rename.column).type
        old = (Made(name=rename.column, type=kind, by=quoted(rename.to)),)
        new = (Made(name=rename.to, type=kind, by=quoted(rename.column)),)
        return TwoWay(change=file.name, table=table, old=old, new=new, keeps_default=True)
    if (change := file.change_type) is not None:
        old = (Made(name=change.column, type=table.column(change.column).type, by=change.down),)
        new = (Made(name=change.to, type=change.type, by=change.up),)
        return TwoWay(change=file.name, table=table, old=old, new=new)
    if file.split_column is not None:
        return _split(file.name, table, file.split_column)
    if file.merge_columns is not None:
        return _merged(file.name, table, file.merge_columns)
    return None


def _split(change: str, table: Table, split: SplitColumn) -> TwoWay:
    old = (Made(name=split.column, type=table.column(split.column).type, by=split.down),)
    new = tuple(Made(name=each.name, type=each.type, by=each.up) for each in split.into)
    return TwoWay(change=change, table=table, old=old, new=new)


def _merged(change: str, table: Table, merge: MergeColumns) -> TwoWay:
    old = tuple(Made(name=each.name, type=table.column(each.name).type, by=each.down) for each in merge.columns)
    new = (Made(name=merge.into.name, type=merge.into.type, by=merge.into.up),)
    return TwoWay(change=change, table=table, old=old, new=new)


def added(change: str, table: Table, entry: AddColumn) -> Shape:
    """A column that the new version writes, and that `up` fills where it does not."""
    made, identifier = Objects(change), table.identifier
    column, locks = sql.Identifier(entry.column), (identifier,)
    add = sql.SQL("ADD COLUMN {} {}").format(column, sql.SQL(entry.type))
    drop = altered(identifier, (sql.SQL("DROP COLUMN IF EXISTS {}").format(column),))
    if entry.up is None:
        statements = (altered(identifier, (add,)),)
        return Shape(
            table=table,
            expand=(Work(name="add the column", locks=locks, statements=statements),),
            undo=(Work(name="take the column away", locks=locks, statements=(drop,), undoes="add the column"),),
            new=(entry.column,),
        )
    value = Made(name=entry.column, type=entry.type, by=entry.up)
    # where `up` gives null there is nothing to fill
    rule = sql.SQL("({} IS NOT NULL OR {} IS NULL)").format(column, value.cast)
    repaired = Repaired(change=change, table=table, rule=rule, values=(value,), counts=True)
    return Shape(
        table=table,
        expand=(
            beforehand(made, repaired.function),
            Work(name=_FILLED, locks=locks, statements=trigger(made, identifier, (add,))),
        ),
        undo=(replace(without_trigger(made, table, (drop,)), undoes=_FILLED), afterwards(made)),
        contract=(without_trigger(made, table), afterwards(made)),
        touch=entry.column,
        unfilled=repaired.broken,
        diverging=repaired.broken,
        new=(entry.column,),
        counted=True,
    )


def required(change: str, table: Table, entry: NotNull) -> Shape:
    """Nulls give way to `up`; a check that is proven beside the writers then makes NOT NULL a matter of moments."""
    made, identifier, column = Objects(change), table.identifier, sql.Identifier(entry.column)
    value = Made(name=entry.column, type=table.column(entry.column).type, by=entry.up)
    rule = sql.SQL("({} IS NOT NULL)").format(column)
    repaired = Repaired(change=change, table=table, rule=rule, values=(value,), counts=True)
    no_check = altered(identifier, (sql.SQL("DROP CONSTRAINT IF EXISTS {}").format(made.constraint),))
    full = altered(identifier, (sql.SQL("ALTER COLUMN {} SET NOT NULL").format(column),))
    return Shape(
        table=table,
        expand=repaired.standing("fill nulls as rows are written"),
        undo=(without_trigger(made, table, (no_check,)), afterwards(made)),
        validate=proof(made.constraint_name, table, rule),
        contract=(without_trigger(made, table, (full, no_check)), afterwards(made)),
        touch=entry.column,
        unfilled=repaired.broken,
        diverging=repaired.broken,
        counted=True,
    )
