"""Constraints and indexes: built beside the writers, so that none of them waits."""

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.change import AddConstraint, AddIndex, ForeignKey
from crossfade.expand.columns import proof
from crossfade.expand.repair import Repaired, without_trigger
from crossfade.expand.shape import LockMode, Objects, Shape, Work
from crossfade.expand.two_way import Made, counters, no_counters


def constrained(change: str, table: Table, entry: AddConstraint) -> Shape:
    """A constraint of any of the three kinds."""
    if entry.foreign_key is not None:
        return _referring(table, entry.name, entry.foreign_key)
    if entry.unique:
        return _unique(table, entry.name, entry.unique)
    return _checked(change, table, entry)


def _checked(change: str, table: Table, entry: AddConstraint) -> Shape:
    """A check. With a repair, what breaks it is mended until contract; without one, it is told and stops `check`."""
    made, name = Objects(change), sql.Identifier(entry.name)
    rule = sql.SQL("({}\n)").format(sql.SQL(entry.check or "true"))
    values = tuple(Made(name=each.column, type=table.column(each.column).type, by=each.up) for each in entry.repair)
    repaired = Repaired(change=change, table=table, rule=rule, values=values, counts=True)
    gone = _without(table, name)
    if not values:
        return Shape(
            table=table,
            expand=(),
            undo=(_alone(table, "take the constraint away", gone),),
            validate=proof(name, table, rule),
            diverging=repaired.broken,
        )
    everything = ((table.identifier, LockMode.ACCESS_EXCLUSIVE),)
    mend = Work(name="mend rows as they are written", locks=everything, statements=repaired.statements())
    return Shape(
        table=table,
        expand=(counters(made), mend),
        undo=(without_trigger(made, table, (gone,)), no_counters(made)),
        validate=proof(name, table, rule),
        contract=(without_trigger(made, table), no_counters(made)),
        touch=values[0].name,
        unfilled=repaired.broken,
        diverging=repaired.broken,
        counted=True,
    )


def _referring(table: Table, name: str, key: ForeignKey) -> Shape:
    """A foreign key; orphans are what diverges."""
    identifier, constraint = table.identifier, sql.Identifier(name)
    other = sql.Identifier(*key.references.split("."))
    ours, theirs = ([sql.Identifier(column) for column in columns] for columns in (key.columns, key.referenced))
    listed = sql.SQL(", ")
    full = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(column) for column in ours)
    match = sql.SQL("({}) = ({})").format(
        listed.join(sql.SQL("{}.{}").format(identifier, column) for column in ours),
        listed.join(sql.SQL("cf_other.{}").format(column) for column in theirs),
    )
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) NOT VALID").format(
        identifier, constraint, listed.join(ours), other, listed.join(theirs)
    )
    locks = ((identifier, LockMode.SHARE_ROW_EXCLUSIVE), (other, LockMode.SHARE_ROW_EXCLUSIVE))
    valid = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(identifier, constraint)
    gone = Work(
        name="take the foreign key away",
        locks=((identifier, LockMode.ACCESS_EXCLUSIVE), (other, LockMode.ACCESS_EXCLUSIVE)),
        statements=(_without(table, constraint),),
    )
    return Shape(
        table=table,
        expand=(),
        undo=(gone,),
        validate=(
            Work(name="refuse new orphans", locks=locks, statements=(_without(table, constraint), add)),
            Work(name="prove that there is no orphan", statements=(valid,)),
        ),
        diverging=sql.SQL("({} AND NOT EXISTS (SELECT FROM {} AS cf_other WHERE {}))").format(full, other, match),
    )


def _unique(table: Table, name: str, columns: tuple[str, ...]) -> Shape:
    """A unique constraint by an index that is built beside the writers."""
    index, constraint = sql.Identifier(table.schema, name), sql.Identifier(name)
    using = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {}").format(
        table.identifier, constraint, constraint
    )
    everything = ((table.identifier, LockMode.ACCESS_EXCLUSIVE),)
    built = _built(table, name, columns, unique=True, method="btree", where=None)
    return Shape(
        table=table,
        expand=(),
        undo=(
            _alone(table, "take the constraint away", _without(table, constraint)),
            Work(name="take the index away", statements=(_no_index(index),), index=index),
        ),
        validate=(
            # both undone first: the step may be taken again
            _alone(table, "no such constraint yet", _without(table, constraint)),
            built,
            Work(name="make a constraint of the index", locks=everything, statements=(using,)),
        ),
    )


def indexed(table: Table, entry: AddIndex) -> Shape:
    """An index, built and dropped beside the writers."""
    index = sql.Identifier(table.schema, entry.name)
    built = _built(table, entry.name, entry.columns, unique=entry.unique, method=entry.method, where=entry.where)
    gone = Work(name="take the index away", statements=(_no_index(index),), index=index)
    return Shape(table=table, expand=(built,), undo=(gone,))


def _built(table: Table, name: str, columns: tuple[str, ...], *, unique: bool, method: str, where: str | None) -> Work:
    statement = sql.SQL("CREATE {}INDEX CONCURRENTLY {} ON {} USING {} ({}){}").format(
        sql.SQL("UNIQUE " if unique else ""),
        sql.Identifier(name),
        table.identifier,
        sql.SQL(method),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(f" WHERE ({where}\n)" if where else ""),
    )
    return Work(name="build the index", statements=(statement,), index=sql.Identifier(table.schema, name))


def _no_index(index: sql.Identifier) -> sql.Composable:
    return sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index)


def _without(table: Table, constraint: sql.Identifier) -> sql.Composable:
    return sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(table.identifier, constraint)


def _alone(table: Table, name: str, statement: sql.Composable) -> Work:
    return Work(name=name, locks=((table.identifier, LockMode.ACCESS_EXCLUSIVE),), statements=(statement,))
