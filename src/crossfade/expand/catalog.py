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
    """`key` are the columns that find a row: the primary key, or else a unique index without nulls. Empty: none.

    `names` are the table's and those of its partitions; `divided_by` the columns that say into which of them a row
    goes, empty for a table without partitions.
    """

    schema: str
    name: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    rows: int
    names: tuple[str, ...] = ()
    divided_by: tuple[str, ...] = ()
    divided_by_expressions: bool = False
    partitioned: bool = False

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
    SELECT c.oid::bigint, c.relkind = 'p',
        c.relkind NOT IN ('r', 'p') OR c.relpersistence = 't' OR c.relispartition OR tree.foreign_ones
            OR c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid OR inhrelid = c.oid),
        pg_has_role(c.relowner, 'USAGE'), tree.rows, tree.names, tree.oids, divided.columns, divided.by_expressions
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(greatest(t.reltuples, 0)) FILTER (WHERE t.relkind <> 'p'), 0)::bigint AS rows,
                array_agg(t.relname::text) AS names, array_agg(t.oid::bigint) AS oids,
                bool_or(t.relkind = 'f') AS foreign_ones
            FROM (SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid)) AS r(oid) JOIN pg_class t USING (oid)
        ) AS tree
        CROSS JOIN LATERAL (
            SELECT array_agg(DISTINCT attname::text) FILTER (WHERE attname IS NOT NULL) AS columns,
                coalesce(bool_or(partexprs IS NOT NULL), false) AS by_expressions
            FROM pg_partitioned_table LEFT JOIN pg_attribute ON attrelid = partrelid AND attnum = ANY (partattrs)
            WHERE partrelid = ANY (tree.oids)
        ) AS divided
    WHERE nspname = %s AND relname = %s
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
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%s) AND a.attname = ANY(%s)
        -- what a partition has from its table goes with that
        AND i.relispartition IS NOT TRUE AND coalesce(k.coninhcount, 0) = 0
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
    oid, partitioned, other, ours, rows, names, _, divided_by, by_expressions = found[0]
    reasons = []
    if other:
        what = "is no ordinary table: a partition, or with inheritance, temporary, foreign, or a view"
        remedy = "Of a partitioned table name the table itself; change others by hand."
        reasons.append((f"{schema}.{name} {what}", remedy))
    if not ours:
        reasons.append((f"{schema}.{name} belongs to another role", "Connect as its owner."))
    if reasons:
        raise ChangeImpossible(change, tuple(reasons))
    columns = {
        column: Column(name=column, type=kind, not_null=full, default=default, generated=made, identity=identity)
        for column, kind, full, default, made, identity in session.rows(_COLUMNS, (oid,))
    }
    key = session.value(_KEY, {"table": oid})
    return Table(
        schema=schema,
        name=name,
        columns=columns,
        key=tuple(key or ()),
        rows=rows,
        names=tuple(names),
        divided_by=tuple(divided_by or ()),
        divided_by_expressions=by_expressions,
        partitioned=partitioned,
    )


def dependents(session: Session, table: Table, columns: Iterable[str], but: Iterable[str] = ()) -> list[Dependent]:
    """What hangs on the columns, those of partitions too, without the views named in `but`."""
    oids = session.rows(_TABLE, (table.schema, table.name))[0][6]
    found = session.rows(_DEPENDENTS, (oids, list(columns), list(but)))
    return [Dependent(what=what, name=name, goes_silently=silently) for what, name, silently in found]
