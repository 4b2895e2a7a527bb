"""Old and new columns of one table in step, whichever of them a statement writes: one trigger, no loop.

A BEFORE ROW trigger compares what the statement wrote with what stood there, and completes the same row: old columns
written, the new ones follow by `up`; new ones written, the old ones follow by `down`. It issues no statement, so
nothing can call it again. Values are compared as they are stored (`record_image_eq`), so that a type needs no equality,
and 1.0 is not taken for 1.00. Source: docs/adr/0025-one-trigger-that-completes-the-row.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.shape import LockMode, Objects, Shape, Work

_ADDED = "add the new columns and keep both shapes in step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A column and the expression, over the columns of the other shape, that gives its value."""

    name: str
    type: str
    by: str

    @property
    def cast(self) -> sql.Composable:
        # the line break ends a comment that the expression may end with
        return sql.SQL("({}\n)::{}").format(sql.SQL(self.by), sql.SQL(self.type))


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWay:
    """The old columns by `down`, the new ones by `up`."""

    change: str
    table: Table
    old: tuple[Made, ...]
    new: tuple[Made, ...]
    keeps_default: bool = False

    def shape(self) -> Shape:
        """The statements of it all."""
        table, made = self.table.identifier, Objects(self.change)
        everything = ((table, LockMode.ACCESS_EXCLUSIVE),)
        added = [
            sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(table, sql.Identifier(new.name), sql.SQL(new.type))
            for new in self.new
        ]
        drop_trigger = sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(made.trigger, table)
        drop_function = sql.SQL("DROP FUNCTION IF EXISTS {}()").format(made.function)
        ends = (*self._required(made), drop_trigger, drop_function)
        return Shape(
            table=self.table,
            expand=(
                counters(made),
                Work(
                    name=_ADDED,
                    locks=everything,
                    statements=(*added, self._function(made), *trigger(made, table)),
                ),
            ),
            undo=(
                Work(
                    name="take the trigger and the new columns away",
                    undoes=_ADDED,
                    locks=everything,
                    statements=(drop_trigger, drop_function, *_dropped(table, self.new)),
                ),
                no_counters(made),
            ),
            validate=tuple(self._proofs(made)),
            contract=(
                Work(
                    name="take the trigger and the old columns away",
                    locks=everything,
                    statements=(*ends, *_dropped(table, self.old)),
                ),
                no_counters(made),
            ),
            touch=self.old[0].name,
            unfilled=sql.SQL("(NOT ({}) OR {})").format(self._in_step, self._unfilled),
            diverging=sql.SQL("NOT ({})").format(self._in_step),
            gone=tuple(each.name for each in self.old),
            new=tuple(each.name for each in self.new),
            counted=True,
        )

    @property
    def _in_step(self) -> sql.Composable:
        return sql.SQL("record_image_eq({new}, {ups}) OR record_image_eq({old}, {downs})").format(
            new=row_of(self.new), ups=made_row(self.new), old=row_of(self.old), downs=made_row(self.old)
        )

    @property
    def _unfilled(self) -> sql.Composable:
        nulls = nulls_of(self.new)
        return sql.SQL("record_image_eq({}, {}) AND record_image_ne({}, {})").format(
            row_of(self.new), nulls, made_row(self.new), nulls
        )

    def _proofs(self, made: Objects) -> Iterator[Work]:
        """NOT NULL passes from the old columns to the new by a check that is proven while writers go on."""
        if not self._must_be_full:
            return
        table = self.table.identifier
        checks = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(n.name)) for n in self.new)
        standing = (
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(table, made.constraint),
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({}) NOT VALID").format(table, made.constraint, checks),
        )
        locks = ((table, LockMode.ACCESS_EXCLUSIVE),)
        yield Work(name="refuse nulls in the new columns", locks=locks, statements=standing)
        valid = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(table, made.constraint)
        yield Work(name="prove that the new columns hold no null", statements=(valid,))

    def _required(self, made: Objects) -> Iterator[sql.Composable]:
        """Before the old columns go: their default and NOT NULL, where the new one simply takes their place."""
        table = self.table.identifier
        if self.keeps_default and (default := self.table.column(self.old[0].name).default):
            yield sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
                table, sql.Identifier(self.new[0].name), sql.SQL(default)
            )
        if self._must_be_full:
            for new in self.new:
                yield sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(table, sql.Identifier(new.name))
            yield sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, made.constraint)

    @property
    def _must_be_full(self) -> bool:
        return len(self.old) == len(self.new) == 1 and self.table.column(self.old[0].name).not_null

    def _function(self, made: Objects) -> sql.Composable:
        defaults = sql.SQL(", ").join(
            sql.SQL("({})::{}").format(sql.SQL(self.table.column(each.name).default or "NULL"), sql.SQL(each.type))
            for each in self.old
        )
        filled = sql.SQL("\n").join(
            sql.SQL("IF record_image_eq(ROW({new}), ROW({was})) THEN {new} := {value}; END IF;").format(
                new=of("new", each), was=of("old", each), value=sql.Identifier(f"cf_new{number}")
            )
            for number, each in enumerate(self.new)
        )
        return function(
            made,
            self.table,
            _BODY.format(
                variables=sql.SQL(" ").join([*declared("cf_new", self.new), *declared("cf_old", self.old)]),
                new=row_of(self.new, "new"),
                old=row_of(self.old, "new"),
                was_new=row_of(self.new, "old"),
                was_old=row_of(self.old, "old"),
                nulls=nulls_of(self.new),
                defaults=sql.SQL("ROW({})").format(defaults),
                ups=sql.SQL(", ").join(each.cast for each in self.new),
                downs=sql.SQL(", ").join(each.cast for each in self.old),
                new_values=variables("cf_new", self.new),
                old_values=variables("cf_old", self.old),
                new_row=sql.SQL("ROW({})").format(variables("cf_new", self.new)),
                old_row=sql.SQL("ROW({})").format(variables("cf_old", self.old)),
                follow_up=assigned("cf_new", self.new),
                follow_down=assigned("cf_old", self.old),
                fill=filled,
                count_old=counted(made.old_writes),
                count_new=counted(made.new_writes),
            ),
        )


_BODY = sql.SQL("""
DECLARE {variables} wrote_old boolean; wrote_new boolean; in_step boolean; unfilled boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        wrote_new := record_image_ne({new}, {nulls});
        wrote_old := NOT wrote_new AND record_image_ne({old}, {defaults});
    ELSE
        wrote_new := record_image_ne({new}, {was_new});
        wrote_old := record_image_ne({old}, {was_old});
    END IF;
    SELECT {ups} INTO {new_values} FROM (SELECT NEW.*) AS r;
    SELECT {downs} INTO {old_values} FROM (SELECT NEW.*) AS r;
    in_step := record_image_eq({new}, {new_row}) OR record_image_eq({old}, {old_row});
    IF wrote_old AND NOT wrote_new THEN {count_old} END IF;
    IF wrote_new AND NOT wrote_old THEN {count_new} END IF;
    IF NOT wrote_new THEN
        IF NOT in_step OR record_image_eq({new}, {nulls}) THEN {follow_up} END IF;
        RETURN NEW;
    END IF;
    IF in_step THEN RETURN NEW; END IF;
    IF TG_OP = 'UPDATE' THEN
        -- a row from before the change, of which the statement writes a part: the rest comes from the old columns
        SELECT {ups} INTO {new_values} FROM (SELECT OLD.*) AS r;
        unfilled := record_image_eq({was_new}, {nulls}) AND record_image_ne({new_row}, {nulls});
        IF unfilled THEN {fill}
            SELECT {downs} INTO {old_values} FROM (SELECT NEW.*) AS r;
        END IF;
    END IF;
    {follow_down}
    RETURN NEW;
END
""")


def function(made: Objects, table: Table, body: sql.Composable) -> sql.Composable:
    """A trigger function; its own search path, so that whoever writes cannot change what an expression means."""
    text = sql.SQL("#variable_conflict use_column{}").format(body).as_string()
    return sql.SQL(
        "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = {} AS {}"
    ).format(made.function, search_path(table), sql.Literal(text))


def search_path(table: Table) -> sql.Composable:
    """Where names in expressions are looked for."""
    return sql.SQL("pg_catalog, {}, public, pg_temp").format(sql.Identifier(table.schema))


def trigger(made: Objects, table: sql.Identifier) -> tuple[sql.Composable, ...]:
    """ALWAYS: rows that replication applies come in step too; what arrives complete is left as it is."""
    return (
        sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(made.trigger, table),
        sql.SQL("CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()").format(
            made.trigger, table, made.function
        ),
        sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(table, made.trigger),
    )


def counters(made: Objects) -> Work:
    """Sequences count who writes which shape: no row is locked, and no writer waits for another."""
    return Work(
        name="counters of who writes which shape",
        statements=tuple(
            statement
            for sequence in (made.old_writes, made.new_writes)
            for statement in (
                sql.SQL("CREATE SEQUENCE IF NOT EXISTS {}").format(sequence),
                sql.SQL("GRANT USAGE ON SEQUENCE {} TO PUBLIC").format(sequence),
            )
        ),
    )


def no_counters(made: Objects) -> Work:
    return Work(
        name="take the counters away",
        statements=tuple(
            sql.SQL("DROP SEQUENCE IF EXISTS {}").format(each) for each in (made.old_writes, made.new_writes)
        ),
    )


def counted(sequence: sql.Identifier) -> sql.Composable:
    return sql.SQL("PERFORM nextval({}::regclass);").format(sql.Literal(sequence.as_string()))


def of(record: str, each: Made) -> sql.Composable:
    return sql.SQL("{}.{}").format(sql.SQL(record.upper()), sql.Identifier(each.name))


def row_of(columns: tuple[Made, ...], record: str = "") -> sql.Composable:
    return sql.SQL("ROW({})").format(
        sql.SQL(", ").join(of(record, each) if record else sql.Identifier(each.name) for each in columns)
    )


def made_row(columns: tuple[Made, ...]) -> sql.Composable:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(each.cast for each in columns))


def nulls_of(columns: tuple[Made, ...]) -> sql.Composable:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.SQL(f"NULL::{each.type}") for each in columns))


def declared(prefix: str, columns: tuple[Made, ...]) -> Iterator[sql.Composable]:
    for number, each in enumerate(columns):
        yield sql.SQL("{} {};").format(sql.Identifier(f"{prefix}{number}"), sql.SQL(each.type))


def variables(prefix: str, columns: tuple[Made, ...]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(f"{prefix}{number}") for number in range(len(columns)))


def assigned(prefix: str, columns: tuple[Made, ...]) -> sql.Composable:
    return sql.SQL(" ").join(
        sql.SQL("{} := {};").format(of("new", each), sql.Identifier(f"{prefix}{number}"))
        for number, each in enumerate(columns)
    )


def _dropped(table: sql.Identifier, columns: tuple[Made, ...]) -> Iterator[sql.Composable]:
    for each in columns:
        yield sql.SQL("ALTER TABLE {} DROP COLUMN IF EXISTS {}").format(table, sql.Identifier(each.name))
