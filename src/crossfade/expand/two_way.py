"""Old and new columns of one table in step, whichever of them a statement writes: one trigger, no loop.

A BEFORE ROW trigger compares what the statement wrote with what stood there, and completes the same row: old columns
written, the new ones follow by `up`; new ones written, the old ones follow by `down`. It issues no statement, so
nothing can call it again. Values are compared as they are stored (`record_image_eq`), so that a type needs no equality,
and 1.0 is not taken for 1.00. Source: docs/adr/0025-one-trigger-that-completes-the-row.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.checks import proof
from crossfade.expand.shape import Objects, Shape, Work
from crossfade.expand.triggers import afterwards, altered, beforehand, counted, function, trigger

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
        added = (sql.SQL("ADD COLUMN {} {}").format(sql.Identifier(new.name), sql.SQL(new.type)) for new in self.new)
        drop_trigger = sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(made.trigger, table)
        no_check = (sql.SQL("DROP CONSTRAINT {}").format(made.constraint),) if self._must_be_full else ()
        return Shape(
            table=self.table,
            expand=(
                beforehand(made, self._function(made)),
                Work(name=_ADDED, locks=(table,), statements=trigger(made, table, added)),
            ),
            undo=(
                Work(
                    name="take the trigger and the new columns away",
                    undoes=_ADDED,
                    locks=(table,),
                    statements=(drop_trigger, altered(table, dropped(self.new))),
                ),
                afterwards(made),
            ),
            validate=tuple(self._proofs(made)),
            contract=(
                Work(
                    name="take the trigger and the old columns away",
                    locks=(table,),
                    statements=(*self._required(), drop_trigger, altered(table, (*no_check, *dropped(self.old)))),
                ),
                afterwards(made),
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
        checks = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(n.name)) for n in self.new)
        yield from proof(made.constraint_name, self.table, checks)

    def _required(self) -> Iterator[sql.Composable]:
        """Before the old columns go: their default and NOT NULL, where the new one simply takes their place.

        A statement before the one that drops the check: it is the check that spares the server looking at every row.
        """
        clauses = []
        if self.keeps_default and (default := self.table.column(self.old[0].name).default):
            new = sql.Identifier(self.new[0].name)
            clauses.append(sql.SQL("ALTER COLUMN {} SET DEFAULT {}").format(new, sql.SQL(default)))
        if self._must_be_full:
            clauses += [sql.SQL("ALTER COLUMN {} SET NOT NULL").format(sql.Identifier(new.name)) for new in self.new]
        if clauses:
            yield altered(self.table.identifier, clauses)

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


def dropped(columns: Iterable[Made]) -> Iterator[sql.Composable]:
    """Columns that go, as changes of their table."""
    for each in columns:
        yield sql.SQL("DROP COLUMN IF EXISTS {}").format(sql.Identifier(each.name))
