"""Rows that do not keep a rule yet are completed as they are written, and by the backfill.

A BEFORE ROW trigger sets columns of the row at hand where the rule does not hold in it. It issues no statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.shape import LockMode, Objects, Work
from crossfade.expand.triggers import beforehand, counted, function, trigger
from crossfade.expand.two_way import Made, assigned, declared, variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """`rule` holds in a row, or is null, or `values` are set. `counts`: each repair is a write of the old shape."""

    change: str
    table: Table
    rule: sql.Composable
    values: tuple[Made, ...]
    counts: bool

    @property
    def broken(self) -> sql.Composable:
        """The predicate of rows that the trigger would repair."""
        return sql.SQL("(({}\n) IS FALSE)").format(self.rule)

    @property
    def function(self) -> sql.Composable:
        """The trigger's function."""
        made = Objects(self.change)
        body = _BODY.format(
            variables=sql.SQL(" ").join(declared("cf_new", self.values)),
            rule=self.rule,
            ups=sql.SQL(", ").join(each.cast for each in self.values),
            values=variables("cf_new", self.values),
            follow=assigned("cf_new", self.values),
            count=counted(made.old_writes) if self.counts else sql.SQL(""),
        )
        return function(made, self.table, body)

    def standing(self, name: str) -> tuple[Work, ...]:
        """Rows are repaired as they are written, and whoever reads does not wait for that to begin."""
        made, identifier = Objects(self.change), self.table.identifier
        statements = trigger(made, identifier)
        return (
            beforehand(made, self.function),
            Work(name=name, locks=(identifier,), mode=LockMode.SHARE_ROW_EXCLUSIVE, statements=statements),
        )


# what the backfill touches without a change is no write of anybody's
_BODY = sql.SQL("""
DECLARE {variables} kept boolean;
BEGIN
    SELECT ({rule}
    ) INTO kept FROM (SELECT NEW.*) AS r;
    IF kept IS FALSE THEN
        IF TG_OP = 'INSERT' OR record_image_ne(NEW, OLD) THEN {count} END IF;
        SELECT {ups} INTO {values} FROM (SELECT NEW.*) AS r;
        {follow}
    END IF;
    RETURN NEW;
END
""")


def without_trigger(made: Objects, table: Table, more: Iterable[sql.Composable] = ()) -> Work:
    """The trigger is gone, and `more` is done in the same transaction."""
    return Work(
        name="take the trigger away",
        locks=(table.identifier,),
        statements=(sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(made.trigger, table.identifier), *more),
    )
