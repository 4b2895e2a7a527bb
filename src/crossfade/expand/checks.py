"""Constraints that new rows keep at once, and that are proven for the rows from before beside the writers."""

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.shape import Work
from crossfade.expand.triggers import altered


def stands(table: Table, constraint: str) -> sql.Composable:
    """The condition that the table has such a constraint."""
    return sql.SQL("EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass({}) AND conname = {})").format(
        sql.Literal(table.identifier.as_string()), sql.Literal(constraint)
    )


def no_constraint(table: Table, constraint: str) -> Work:
    """A constraint is gone; where there is none, no lock is taken."""
    drop = sql.SQL("DROP CONSTRAINT IF EXISTS {}").format(sql.Identifier(constraint))
    return Work(
        name="take the constraint away",
        locks=(table.identifier,),
        statements=(altered(table.identifier, (drop,)),),
        when=stands(table, constraint),
    )


def proof(constraint: str, table: Table, rule: sql.Composable) -> tuple[Work, ...]:
    """The rule as a check constraint: refused for new rows at once, proven for old ones beside the writers."""
    identifier = table.identifier
    check = sql.SQL("ADD CONSTRAINT {} CHECK ({}\n) NOT VALID").format(sql.Identifier(constraint), rule)
    return (
        Work(
            name="refuse rows that break the rule",
            locks=(identifier,),
            statements=(altered(identifier, (check,)),),
            when=sql.SQL("NOT {}").format(stands(table, constraint)),
        ),
        proven("prove the rule for every row", identifier, constraint),
    )


def proven(name: str, table: sql.Identifier, constraint: str) -> Work:
    """A constraint that new rows keep already is proven for those from before; nobody waits for it."""
    valid = sql.SQL("VALIDATE CONSTRAINT {}").format(sql.Identifier(constraint))
    return Work(name=name, statements=(altered(table, (valid,)),))
