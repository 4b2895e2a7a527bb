"""The trigger of a change: what is made before its table is locked, under the lock, and what is left to do after."""

from collections.abc import Iterable

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.shape import Objects, Work


def function(made: Objects, table: Table, body: sql.Composable) -> sql.Composable:
    """A trigger function; its own search path, so that whoever writes cannot change what an expression means."""
    text = sql.SQL("#variable_conflict use_column{}").format(body).as_string()
    return sql.SQL(
        "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = {} AS {}"
    ).format(made.function, search_path(table), sql.Literal(text))


def search_path(table: Table) -> sql.Composable:
    """Where names in expressions are looked for."""
    return sql.SQL("pg_catalog, {}, public, pg_temp").format(sql.Identifier(table.schema))


def trigger(
    made: Objects, table: sql.Identifier, more: Iterable[sql.Composable] = (), when: str = "BEFORE"
) -> tuple[sql.Composable, ...]:
    """The trigger, and `more` changes of the table. The function stands already: none of this reads a row.

    ALWAYS: rows that replication applies come in step too; what arrives complete is left as it is.
    """
    always = sql.SQL("ENABLE ALWAYS TRIGGER {}").format(made.trigger)
    return (
        sql.SQL("CREATE TRIGGER {} {} INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()").format(
            made.trigger, sql.SQL(when), table, made.function
        ),
        altered(table, (*more, always)),
    )


def altered(table: sql.Identifier, clauses: Iterable[sql.Composable]) -> sql.Composable:
    """One statement for several changes of a table."""
    return sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(clauses))


def beforehand(made: Objects, *functions: sql.Composable) -> Work:
    """What needs no lock on the table, before one is taken. Sequences count who writes which shape: no row is locked
    by counting, and no writer waits for another.
    """
    return Work(
        name="counters of who writes which shape, and the functions of the triggers",
        statements=(
            *(
                statement
                for sequence in (made.old_writes, made.new_writes)
                for statement in (
                    sql.SQL("CREATE SEQUENCE IF NOT EXISTS {}").format(sequence),
                    sql.SQL("GRANT USAGE ON SEQUENCE {} TO PUBLIC").format(sequence),
                )
            ),
            *functions,
        ),
    )


def afterwards(made: Objects, *more: sql.Composable) -> Work:
    """What needs no lock on the table, when nothing uses it any more."""
    sequences = (made.old_writes, made.new_writes)
    return Work(
        name="take the functions and the counters away",
        statements=(
            sql.SQL("DROP FUNCTION IF EXISTS {}()").format(made.function),
            *more,
            *(sql.SQL("DROP SEQUENCE IF EXISTS {}").format(each) for each in sequences),
        ),
    )


def counted(sequence: sql.Identifier) -> sql.Composable:
    return sql.SQL("PERFORM nextval({}::regclass);").format(sql.Literal(sequence.as_string()))
