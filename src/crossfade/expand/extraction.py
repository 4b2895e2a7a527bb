"""Columns move into a table of their own: a view until contract, so that there is one place where a value stands.

Two tables that write each other lock rows in opposite orders, and one of two writers would end in a deadlock. So the
new name is a view over the old table until contract; a copy follows in one direction, and contract puts it in the
view's place. Source: docs/adr/0025-one-trigger-that-completes-the-row.md.
"""

from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.catalog import Table
from crossfade.expand.checks import proven
from crossfade.expand.shape import STATE_SCHEMA, LockMode, Objects, Shape, Work
from crossfade.expand.triggers import afterwards, altered, beforehand, counted, search_path, trigger

_COPY, _FOLLOWS, _VIEW = "make the copy", "fill the copy as rows are written", "make the view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """`columns` of `table` move to the table `to` in the same schema, found by the same key."""

    change: str
    table: Table
    to: str
    columns: tuple[str, ...]

    def shape(self) -> Shape:
        made, table = Objects(self.change), self.table
        view, copy = sql.Identifier(table.schema, self.to), sql.Identifier(table.schema, made.data)
        following = sql.Identifier(STATE_SCHEMA, f"{self.change.replace('-', '_')}_view")
        drop_view = sql.SQL("DROP VIEW IF EXISTS {}").format(view)
        drop_trigger = sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(made.trigger, table.identifier)
        no_key = sql.SQL("ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}").format(copy, made.constraint)
        no_functions = afterwards(made, sql.SQL("DROP FUNCTION IF EXISTS {}()").format(following))
        drops = (sql.SQL("DROP COLUMN {}").format(sql.Identifier(column)) for column in self.columns)
        rename = sql.SQL("ALTER TABLE {} RENAME TO {}").format(copy, sql.Identifier(self.to))
        return Shape(
            table=table,
            expand=(
                beforehand(made, self._function(copy, made)),
                Work(name=_COPY, statements=self._copy(copy)),
                Work(
                    name=_FOLLOWS,
                    locks=(table.identifier,),
                    mode=LockMode.SHARE_ROW_EXCLUSIVE,  # reading goes on
                    statements=(*trigger(made, table.identifier, when="AFTER"), self._referring(copy, made)),
                ),
                Work(name=_VIEW, statements=self._view(view, following, made)),
            ),
            undo=(
                Work(name="take the view away", undoes=_VIEW, locks=(view,), statements=(drop_view,)),
                Work(
                    name="take the trigger away",
                    undoes=_FOLLOWS,
                    locks=(table.identifier, copy),
                    statements=(drop_trigger, no_key),
                ),
                # its file goes while nobody waits
                Work(
                    name="take the copy away",
                    undoes=_COPY,
                    statements=(sql.SQL("DROP TABLE IF EXISTS {}").format(copy),),
                ),
                no_functions,
            ),
            validate=(proven("prove that the copy has no orphan", copy, made.constraint_name),),
            contract=(
                Work(
                    name="put the copy in the view's place",
                    locks=(view, table.identifier, copy),
                    statements=(drop_view, drop_trigger, rename, altered(table.identifier, drops)),
                ),
                no_functions,
            ),
            touch=self.columns[0],
            unfilled=self._unfilled(copy),
            diverging=self._unfilled(copy),
            gone=self.columns,
            views=(self.to,),
            counted=True,
        )

    def _named(self, *columns: str) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, columns))

    def _of(self, record: sql.Composable, *columns: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL("{}.{}").format(record, sql.Identifier(column)) for column in columns)

    def _copy(self, copy: sql.Identifier) -> tuple[sql.Composable, ...]:
        table, key = self.table, self.table.key
        defined = sql.SQL(", ").join(
            sql.SQL("{} {}{}{}").format(
                sql.Identifier(column),
                sql.SQL(table.column(column).type),
                sql.SQL(" NOT NULL" if column in key or table.column(column).not_null else ""),
                sql.SQL(
                    f" DEFAULT {default}" if column not in key and (default := table.column(column).default) else ""
                ),
            )
            for column in (*key, *self.columns)
        )
        return (
            sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(copy, defined, self._named(*key)),
            _granted(table.identifier, copy),
        )

    def _referring(self, copy: sql.Identifier, made: Objects) -> sql.Composable:
        key = self._named(*self.table.key)
        refers = sql.SQL("ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE CASCADE NOT VALID")
        return altered(copy, (refers.format(made.constraint, key, self.table.identifier, key),))

    def _function(self, copy: sql.Identifier, made: Objects) -> sql.Composable:
        """Every row of the old table has its row in the copy; the owner's rights write it, so writers need none."""
        new, key = sql.SQL("NEW"), self.table.key
        rows = {name: sql.SQL("ROW({})").format(self._of(sql.SQL(name), *self.columns)) for name in ("NEW", "OLD")}
        defaults = sql.SQL(", ").join(
            sql.SQL("({})::{}").format(sql.SQL(column.default or "NULL"), sql.SQL(column.type))
            for column in (self.table.column(name) for name in self.columns)
        )
        body = _COPY_BODY.format(
            copy=copy,
            new=rows["NEW"],
            old=rows["OLD"],
            defaults=sql.SQL("ROW({})").format(defaults),
            count=counted(made.old_writes),
            all=self._named(*key, *self.columns),
            values=self._of(new, *key, *self.columns),
            key=self._named(*key),
            set=sql.SQL(", ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in self.columns
            ),
        )
        return _function(made.function, self.table, body, definer=True)

    def _view(self, view: sql.Identifier, following: sql.Identifier, made: Objects) -> tuple[sql.Composable, ...]:
        """The new version's table for now: an insert completes the row that is there, a delete empties it."""
        table, key = self.table.identifier, self.table.key
        match = sql.SQL("({}) = ({})").format(self._named(*key), self._of(sql.SQL("NEW"), *key))
        gone = sql.SQL("({}) = ({})").format(self._named(*key), self._of(sql.SQL("OLD"), *key))
        body = _VIEW_BODY.format(
            table=table,
            count=counted(made.new_writes),
            match=match,
            gone=gone,
            set=sql.SQL(", ").join(sql.SQL("{0} = NEW.{0}").format(sql.Identifier(column)) for column in self.columns),
            empty=sql.SQL(", ").join(sql.SQL("{} = DEFAULT").format(sql.Identifier(column)) for column in self.columns),
        )
        return (
            sql.SQL("CREATE VIEW {} AS SELECT {} FROM {}").format(view, self._named(*key, *self.columns), table),
            _function(following, self.table, body, definer=False),
            sql.SQL(
                "CREATE TRIGGER {} INSTEAD OF INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION {}()"
            ).format(made.trigger, view, following),
            _granted(table, view),
        )

    def _unfilled(self, copy: sql.Identifier) -> sql.Composable:
        table = self.table.identifier
        both = (*self.table.key, *self.columns)
        return sql.SQL(
            "NOT EXISTS (SELECT FROM {} AS cf_copy WHERE ({}) = ({}) AND record_image_eq(ROW({}), ROW({})))"
        ).format(
            copy,
            self._of(sql.SQL("cf_copy"), *self.table.key),
            self._of(table, *self.table.key),
            self._of(sql.SQL("cf_copy"), *both),
            self._of(table, *both),
        )


_COPY_BODY = sql.SQL("""
DECLARE written boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        written := record_image_ne({new}, {defaults});
    ELSE
        written := record_image_ne({new}, {old});
    END IF;
    IF written AND current_setting('crossfade_expand.by_view', true) IS DISTINCT FROM 'on' THEN {count} END IF;
    INSERT INTO {copy} ({all}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {set};
    RETURN NULL;
END
""")
_VIEW_BODY = sql.SQL("""
BEGIN
    {count}
    PERFORM set_config('crossfade_expand.by_view', 'on', true);
    IF TG_OP = 'DELETE' THEN
        UPDATE {table} SET {empty} WHERE {gone};
        PERFORM set_config('crossfade_expand.by_view', '', true);
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE {table} SET {set} WHERE {gone};
    ELSE
        UPDATE {table} SET {set} WHERE {match};
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING MESSAGE = 'there is no such row in the table that this one belongs to';
        END IF;
    END IF;
    PERFORM set_config('crossfade_expand.by_view', '', true);
    RETURN NEW;
END
""")
_GRANTS = sql.SQL("""
DO $grants$ DECLARE g record; BEGIN
    FOR g IN SELECT DISTINCT grantee, privilege_type FROM pg_class, aclexplode(relacl)
        WHERE oid = {source}::regclass AND grantee <> relowner
            AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') LOOP
        EXECUTE format('GRANT %s ON {to} TO %s', g.privilege_type,
            CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END);
    END LOOP;
END $grants$
""")


def _granted(source: sql.Identifier, to: sql.Identifier) -> sql.Composable:
    """Whoever may use the old table may use what takes columns from it."""
    return _GRANTS.format(source=sql.Literal(source.as_string()), to=to)


def _function(name: sql.Identifier, table: Table, body: sql.Composable, *, definer: bool) -> sql.Composable:
    text = sql.SQL("#variable_conflict use_column\n{}").format(body).as_string()
    return sql.SQL(
        "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql {}SET search_path = {} AS {}"
    ).format(
        name,
        sql.SQL("SECURITY DEFINER " if definer else ""),
        sql.SQL("pg_catalog, pg_temp") if definer else search_path(table),
        sql.Literal(text),
    )
