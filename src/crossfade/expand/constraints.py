"""Constraints and indexes: built beside the writers, so that none of them waits."""

from dataclasses import replace

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.change import AddConstraint, AddIndex, ForeignKey
from crossfade.expand.checks import no_constraint, proof, proven, stands
from crossfade.expand.repair import Repaired, without_trigger
from crossfade.expand.shape import LockMode, Objects, Shape, Work
from crossfade.expand.triggers import afterwards, altered
from crossfade.expand.two_way import Made


def constrained(change: str, table: Table, entry: AddConstraint) -> Shape:
    """A constraint of any of the three kinds."""
    if entry.foreign_key is not None:
        return _referring(table, entry.name, entry.foreign_key)
    if entry.unique:
        return _unique(table, entry.name, entry.unique)
    return _checked(change, table, entry)


def _checked(change: str, table: Table, entry: AddConstraint) -> Shape:
    """A check. With a repair, what breaks it is mended until contract; without one, it is told and stops `check`."""
    made = Objects(change)
    rule = sql.SQL("({}\n)").format(sql.SQL(entry.check or "true"))
    values = tuple(Made(name=each.column, type=table.column(each.column).type, by=each.up) for each in entry.repair)
    repaired = Repaired(change=change, table=table, rule=rule, values=values, counts=True)
    gone = no_constraint(table, entry.name)
    if not values:
        return Shape(
            table=table,
            expand=(),
            undo=(gone,),
            validate=proof(entry.name, table, rule),
            diverging=repaired.broken,
        )
    return Shape(
        table=table,
        expand=repaired.standing("mend rows as they are written"),
        undo=(without_trigger(made, table, gone.statements), afterwards(made)),
        validate=proof(entry.name, table, rule),
        contract=(without_trigger(made, table), afterwards(made)),
        touch=values[0].name,
        unfilled=repaired.broken,
        diverging=repaired.broken,
        counted=True,
    )


def _referring(table: Table, name: str, key: ForeignKey) -> Shape:
    """A foreign key; orphans are what diverges."""
    identifier = table.identifier
    other = sql.Identifier(*key.references.split("."))
    ours, theirs = ([sql.Identifier(column) for column in columns] for columns in (key.columns, key.referenced))
    listed = sql.SQL(", ")
    full = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(column) for column in ours)
    match = sql.SQL("({}) = ({})").format(
        listed.join(sql.SQL("{}.{}").format(identifier, column) for column in ours),
        listed.join(sql.SQL("cf_other.{}").format(column) for column in theirs),
    )
    add = sql.SQL("ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) NOT VALID").format(
        sql.Identifier(name), listed.join(ours), other, listed.join(theirs)
    )
    return Shape(
        table=table,
        expand=(),
        undo=(replace(no_constraint(table, name), locks=(identifier, other)),),
        validate=(
            Work(
                name="refuse new orphans",
                locks=(identifier, other),
                mode=LockMode.SHARE_ROW_EXCLUSIVE,  # reading goes on
                statements=(altered(identifier, (add,)),),
                when=sql.SQL("NOT {}").format(stands(table, name)),
            ),
            proven("prove that there is no orphan", identifier, name),
        ),
        diverging=sql.SQL("({} AND NOT EXISTS (SELECT FROM {} AS cf_other WHERE {}))").format(full, other, match),
    )


def _unique(table: Table, name: str, columns: tuple[str, ...]) -> Shape:
    """A unique constraint by an index that is built beside the writers."""
    index, constraint = sql.Identifier(table.schema, name), sql.Identifier(name)
    using = sql.SQL("ADD CONSTRAINT {} UNIQUE USING INDEX {}").format(constraint, constraint)
    built = _built(table, name, columns, unique=True, method="btree", where=None)
    return Shape(
        table=table,
        expand=(),
        undo=(
            no_constraint(table, name),
            Work(name="take the index away", statements=(_no_index(index),), index=index),
        ),
        validate=(
            built,
            Work(
                name="make a constraint of the index",
                locks=(table.identifier,),
                statements=(altered(table.identifier, (using,)),),
                when=sql.SQL("NOT {}").format(stands(table, name)),
            ),
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
