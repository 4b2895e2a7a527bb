"""What tables and sequences there are, from the catalog of a side."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from crossfade.verify.kinds import SORTED_ALIKE, SORTED_BY_COLLATION
from crossfade.verify.relation import Column, Relation
from crossfade.verify.session import Session

_COLUMNS = sql.SQL("""
    WITH RECURSIVE bases (type, base) AS (
        SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
        UNION ALL SELECT d.oid, b.base FROM pg_type d JOIN bases b ON b.type = d.typbasetype WHERE d.typtype = 'd'
    )
    SELECT n.nspname, c.relname, c.relkind = 'p', greatest(c.reltuples, 0)::int8, a.attname,
           format_type(t.oid, NULL),
           CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' THEN t.typname ELSE '' END,
           NOT a.attnotnull, a.atttypmod <> -1,
           CASE WHEN o.collname = 'default' THEN
                 coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'b' OR d.datcollate IN ('C', 'POSIX')
                 AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'
                ELSE coalesce(o.collname IN ('C', 'POSIX') OR o.collprovider = 'b', false) END,
           a.attgenerated <> ''
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN bases b ON b.type = a.atttypid
    JOIN pg_type t ON t.oid = b.base
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    JOIN pg_database d ON d.datname = current_database()
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND (n.nspname NOT LIKE 'pg\\_%%' AND n.nspname NOT IN ('information_schema', 'crossfade')
           AND (cardinality(%(schemas)s::text[]) = 0 OR n.nspname = ANY (%(schemas)s::text[]))
           -- large objects belong to no schema; their owners and grants are kept as numbers of this server
           OR cardinality(%(schemas)s::text[]) = 0 AND EXISTS (SELECT FROM pg_largeobject_metadata)
           AND (c.oid = 'pg_largeobject'::regclass
                OR c.oid = 'pg_largeobject_metadata'::regclass AND a.attname = 'oid'))
    ORDER BY n.nspname, c.relname, a.attnum
""")

# the primary key, else the shortest unique index over whole, not null columns
_KEYS = sql.SQL("""
    SELECT DISTINCT ON (n.nspname, c.relname) n.nspname, c.relname,
           (SELECT array_agg(a.attname::text ORDER BY k.place)
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts),
           (SELECT count(DISTINCT o.bits & 1) > 1 FROM unnest(i.indoption::int2[]) AS o (bits))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND (i.indisprimary OR i.indimmediate)
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                      AND NOT a.attnotnull)
    ORDER BY n.nspname, c.relname, i.indisprimary DESC, i.indnkeyatts, i.indexrelid
""")

_SEQUENCES = sql.SQL("""
    SELECT s.schemaname, s.sequencename, s.increment_by, s.last_value, s.start_value, on_.nspname, oc.relname
    FROM pg_sequences s
    JOIN pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename AND c.relkind = 'S'
    LEFT JOIN pg_depend p ON p.classid = 'pg_class'::regclass AND p.objid = c.oid AND p.deptype IN ('a', 'i')
                         AND p.refclassid = 'pg_class'::regclass AND p.refobjsubid > 0
    LEFT JOIN pg_class oc ON oc.oid = p.refobjid
    LEFT JOIN pg_namespace on_ ON on_.oid = oc.relnamespace
    WHERE s.schemaname NOT LIKE 'pg\\_%%' AND s.schemaname NOT IN ('information_schema', 'crossfade')
      AND (cardinality(%(schemas)s::text[]) = 0 OR s.schemaname = ANY (%(schemas)s::text[]))
    ORDER BY s.schemaname, s.sequencename
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A sequence and the table that owns it, if one does. `last_value` is None before its first use."""

    title: str
    increment: int
    start: int
    last_value: int | None
    owner: str | None

    def is_behind(self, other: "Sequence") -> bool:
        """Whether it could give out a value that `other` has given out already."""
        if other.last_value is None:
            return False
        if self.last_value is None:
            return True
        return (other.last_value - self.last_value) * (1 if self.increment > 0 else -1) > 0


def read_relations(session: Session, schemas: Iterable[str]) -> dict[tuple[str, str], Relation]:
    """Every ordinary and partitioned table of the schemas (all but the system's and our own when none is named).

    Partitions are read through their parent. Foreign and temporary tables are left out. Large objects, where there are
    any and no schema is named, are the rows of `pg_catalog.pg_largeobject`, 2 kB each, for those who may read it.
    """
    keys = {(row[0], row[1]): (tuple(row[2] or ()), bool(row[3])) for row in session.rows(_KEYS)}
    columns: dict[tuple[str, str], list[Column]] = {}
    facts: dict[tuple[str, str], tuple[bool, int]] = {}
    for row in session.rows(_COLUMNS, {"schemas": list(schemas)}):
        schema, table, partitioned, estimated, name, type_name, kind, nullable, has_typmod, bytewise, generated = row
        sorts_alike = kind in SORTED_ALIKE or (kind in SORTED_BY_COLLATION and bytewise)
        columns.setdefault((schema, table), []).append(
            Column(
                name=name,
                type_name=type_name,
                kind=kind,
                nullable=nullable,
                has_typmod=has_typmod,
                sorts_alike=sorts_alike,
                generated=generated,
            )
        )
        facts[schema, table] = (partitioned, estimated)
    return {
        (schema, table): Relation(
            schema=schema,
            name=table,
            partitioned=facts[schema, table][0],
            columns=tuple(found),
            key=keys.get((schema, table), ((), False))[0],
            mixed_order=keys.get((schema, table), ((), False))[1],
            estimated_rows=facts[schema, table][1],
        )
        for (schema, table), found in columns.items()
    }


def read_sequences(session: Session, schemas: Iterable[str]) -> dict[str, Sequence]:
    """Every sequence of the schemas, identity columns' too, by its title."""
    found = {}
    for schema, name, increment, last, start, owner_schema, owner in session.rows(
        _SEQUENCES, {"schemas": list(schemas)}
    ):
        title = f"{schema}.{name}"
        owned_by = f"{owner_schema}.{owner}" if owner else None
        found[title] = Sequence(title=title, increment=increment, start=start, last_value=last, owner=owned_by)
    return found


def read_encoding(session: Session) -> str:
    return str(session.row(sql.SQL("SELECT current_setting('server_encoding')"))[0])
