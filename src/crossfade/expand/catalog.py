"""What the database says of a table: columns, key, and what hangs on its columns."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.errors import ChangeImpossible
from crossfade.expand.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`type` as format_type writes it; `default` as SQL, None without one."""

    name: str
    type: str
    not_null: bool
    default: str | None
    generated: bool
    identity: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`key` are the columns that find a row: the primary key, or else a unique index without nulls. Empty: none."""

    schema: str
    name: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    rows: int

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """The column; one that contract has dropped already is only spoken of, so any type does for it."""
        gone = Column(name=name, type="text", not_null=False, default=None, generated=False, identity=False)
        return self.columns.get(name, gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """What goes, or stands in the way, when a column is dropped."""

    what: str
    name: str
    goes_silently: bool


_TABLE = sql.SQL("""
    SELECT c.oid::bigint, c.relkind::text, c.relpersistence::text, greatest(c.reltuples, 0)::bigint,
        c.relispartition OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid OR inhrelid = c.oid),
        pg_has_role(c.relowner, 'USAGE')
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s AND relname = %s
""")
_COLUMNS = sql.SQL("""
    SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid),
        attgenerated <> '', attidentity <> ''
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
""")
_KEY = sql.SQL("""
    SELECT array_agg(attname::text ORDER BY place)
    FROM (SELECT indkey::int2[] AS numbers, indnkeyatts AS length FROM pg_index
          WHERE indrelid = %(table)s AND indisunique AND indisvalid AND indimmediate
              AND indpred IS NULL AND indexprs IS NULL AND NOT EXISTS (
              SELECT FROM pg_attribute WHERE attrelid = %(table)s AND attnum = ANY(indkey) AND NOT attnotnull)
          ORDER BY indisprimary DESC, indnkeyatts, indexrelid LIMIT 1) AS i
        CROSS JOIN LATERAL unnest(numbers) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute ON attrelid = %(table)s AND attnum = number
    WHERE place <= length
""")
_DEPENDENTS = sql.SQL("""
    SELECT DISTINCT CASE WHEN k.oid IS NOT NULL THEN CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END
            WHEN i.relkind = 'i' THEN 'index' WHEN r.oid IS NOT NULL THEN 'view' WHEN t.oid IS NOT NULL THEN 'trigger'
            WHEN p.oid IS NOT NULL THEN 'policy' WHEN s.oid IS NOT NULL THEN 'statistics'
            ELSE d.classid::regclass::text END,
        coalesce(k.conname, i.relname, v.relname, t.tgname, p.polname, s.stxname, '?')::text,
        d.deptype = 'a' AND r.oid IS NULL AND p.oid IS NULL OR k.conrelid = d.refobjid
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
        LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
        LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_class v ON v.oid = r.ev_class
        LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
        LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
        LEFT JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = %s AND a.attname = ANY(%s)
        AND d.classid NOT IN ('pg_attrdef'::regclass, 'pg_type'::regclass) AND k.contype IS DISTINCT FROM 'n'
        AND (i.oid IS NULL OR i.relkind IN ('i', 'I')) AND (v.oid IS NULL OR v.relname <> ALL(%s))
    ORDER BY 1, 2
""")


def read_table(session: Session, change: str, schema: str, name: str) -> Table:
    """The table. Raises `ChangeImpossible` where there is none that a change can be made to."""
    found = session.rows(_TABLE, (schema, name))
    if not found:
        remedy = "Name it as it stands in the catalogue, as schema.table."
        raise ChangeImpossible(change, ((f"there is no table {schema}.{name}", remedy),))
    oid, kind, persistence, rows, inherits, ours = found[0]
    reasons = []
    if kind != "r" or persistence == "t" or inherits:
        what = "is no ordinary table: partitions, inheritance, views and foreign tables are not changed"
        reasons.append((f"{schema}.{name} {what}", "Change it by hand."))
    if not ours:
        reasons.append((f"{schema}.{name} belongs to another role", "Connect as its owner."))
    if reasons:
        raise ChangeImpossible(change, tuple(reasons))
    columns = {
        column: Column(name=column, type=kind, not_null=full, default=default, generated=made, identity=identity)
        for column, kind, full, default, made, identity in session.rows(_COLUMNS, (oid,))
    }
    key = session.value(_KEY, {"table": oid})
    return Table(schema=schema, name=name, columns=columns, key=tuple(key or ()), rows=rows)


def dependents(session: Session, table: Table, columns: Iterable[str], but: Iterable[str] = ()) -> list[Dependent]:
    """What hangs on the columns, without the views named in `but`."""
    oid = session.rows(_TABLE, (table.schema, table.name))[0][0]
    found = session.rows(_DEPENDENTS, (oid, list(columns), list(but)))
    return [Dependent(what=what, name=name, goes_silently=silently) for what, name, silently in found]
