"""What cannot be done to a partitioned table while others use it, kind by kind, and why."""

from collections.abc import Iterator

from crossfade.expand.catalog import Table
from crossfade.expand.change import ChangeFile

_MOVES = (
    "A trigger cannot move a row to another partition, nor can the column be dropped: make a table that is divided"
    " otherwise, and move the rows."
)
_BY_HAND = "Build it CONCURRENTLY on each partition, then CREATE INDEX ON ONLY the table, and attach them one by one."


def misfits_of_partitions(file: ChangeFile, table: Table, columns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Reasons why the change of these columns does not fit a table with partitions, each with its remedy.

    Columns are added, renamed, split, merged and made of another type as anywhere: the trigger of the table is one of
    each partition, of those to come too, and locking the table locks them all, in one statement with one limit of time.
    """
    for name in columns:
        if name in table.divided_by:
            yield f"{name} says into which partition of {table} a row goes", _MOVES
    if table.divided_by_expressions and columns:
        yield f"{table} is divided by an expression, whose columns are not looked for", _MOVES
    if file.extract_table is not None:
        remedy = "Make the table with partitions of its own, and move the columns by hand."
        yield f"{table} has partitions, and a table that is taken out of it would have none", remedy
    if file.add_index is not None or (file.add_constraint is not None and file.add_constraint.unique):
        yield f"{table} has partitions, over which no index is built beside the writers", _BY_HAND
    if file.add_constraint is not None and file.add_constraint.foreign_key is not None:
        remedy = "Add it NOT VALID to each partition and validate it there, then add it to the table."
        yield f"{table} has partitions, and PostgreSQL before 18 takes no foreign key NOT VALID there", remedy
