"""What of the tables is not the same on source and target: DDL does not replicate. By the two catalogs."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import StrEnum

from crossfade.database import state
from crossfade.database.session import Rows, Session


class ChangeKind(StrEnum):
    """By the name of the check that tells it."""

    TABLE = "ddl-table-missing"
    COLUMN = "ddl-column-missing"
    TYPE = "ddl-type-differs"
    NOT_NULL = "ddl-not-null-differs"
    DEFAULT = "ddl-default-differs"
    INDEX = "ddl-index-missing"
    CONSTRAINT = "ddl-constraint-missing"
    REFUSING = "ddl-constraint-on-target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`sql` brings the target along; empty where a person must make it. `problem` tells definitions as they stand."""

    kind: ChangeKind
    subject: str
    problem: str
    sql: str = ""

    def is_accepted(self, accepted: Container[str]) -> bool:
        """Whether its subject, or 'check: subject', is among `accepted`."""
        return self.subject in accepted or f"{self.kind}: {self.subject}" in accepted


def changes(source: Session, target: Session) -> Iterator[Change]:
    """Nothing before the target has its schema; of indexes and constraints, nothing before their half is made.

    Objects are matched by name, for how a definition is spelt may differ from version to version; types, and defaults,
    which both sides keep as the source's dump had them, by their text.
    """
    halves = state.remembered(target, "half")
    if "first" not in halves:
        return
    here, there = source.rows(_COLUMNS), target.rows(_COLUMNS)
    yield from _of_columns(here, there)
    if "second" in halves:
        tables = {table for table, *_ in there}
        yield from _of_objects(source.rows(_OBJECTS), target.rows(_OBJECTS), tables)


def _of_columns(here: Rows, there: Rows) -> Iterator[Change]:
    stands = {(table, column): facts for table, column, *facts in there}
    tables, missing = {table for table, _ in stands}, set[str]()
    for table, column, kind, not_null, default in here:
        if table in tables:
            yield from _of_column(f"{table}.{column}", (table, column), (kind, not_null, default), stands)
        elif table not in missing:
            missing.add(table)
            yield Change(kind=ChangeKind.TABLE, subject=f"table {table}", problem="it stands on the source only")


def _of_column(
    name: str, place: tuple[str, str], facts: tuple[str, bool, str | None], there: dict[tuple[str, str], list[object]]
) -> Iterator[Change]:
    subject, (table, column), (kind, not_null, default) = f"column {name}", place, facts
    if place not in there:
        more = f" DEFAULT {default}" if default else ""
        more += " NOT NULL" if not_null and default else ""
        sql = f"ALTER TABLE {table} ADD COLUMN {column} {kind}{more};"
        yield Change(kind=ChangeKind.COLUMN, subject=subject, problem="it stands on the source only", sql=sql)
        return
    alter, (kind_there, not_null_there, default_there) = f"ALTER TABLE {table} ALTER COLUMN {column}", there[place]
    if kind != kind_there:
        told = f"it is {kind} on the source and {kind_there} on the target"
        yield Change(
            kind=ChangeKind.TYPE, subject=subject, problem=told, sql=f"{alter} TYPE {kind} USING {column}::{kind};"
        )
    if not_null_there and not not_null:
        told = "it may be null on the source, and not on the target"
        yield Change(kind=ChangeKind.NOT_NULL, subject=subject, problem=told, sql=f"{alter} DROP NOT NULL;")
    if default != default_there:
        told = f"its default is {default or 'none'} on the source and {default_there or 'none'} on the target"
        sql = f"{alter} SET DEFAULT {default};" if default else f"{alter} DROP DEFAULT;"
        yield Change(kind=ChangeKind.DEFAULT, subject=subject, problem=told, sql=sql)


def _of_objects(here: Rows, there: Rows, tables: set[str]) -> Iterator[Change]:
    on_source, on_target = ({row[:3]: row[3] for row in rows} for rows in (here, there))
    for (what, table, name), definition in on_source.items():
        if table in tables and (what, table, name) not in on_target:
            kind = ChangeKind.INDEX if what == "index" else ChangeKind.CONSTRAINT
            subject = f"{'index' if what == 'index' else 'constraint'} {name} on {table}"
            yield Change(kind=kind, subject=subject, problem="it stands on the source only", sql=f"{definition};")
    for what, table, name in sorted(on_target.keys() - on_source.keys()):
        if what == "constraint":
            told = "it stands on the target only, and refuses rows there that the source takes"
            sql = f"ALTER TABLE {table} DROP CONSTRAINT {name};"
            yield Change(kind=ChangeKind.REFUSING, subject=f"constraint {name} on {table}", problem=told, sql=sql)


# what a column generates or numbers is no default: both sides make it themselves
_COLUMNS = """
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(a.attname),
       format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' ORDER BY 1, a.attnum
"""
# from PostgreSQL 18 on NOT NULL is a constraint, too; here it is a property of the column. Foreign keys refuse nothing
# where rows are applied, so one that only the target has is none of ours.
_OBJECTS = """
SELECT 'index', format('%I.%I', n.nspname, c.relname), quote_ident(x.relname), pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
WHERE i.indisvalid AND c.relpersistence = 'p' AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END, format('%I.%I', n.nspname, c.relname),
       quote_ident(k.conname), format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname,
                                      pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conislocal AND NOT c.relispartition AND c.relpersistence = 'p'
ORDER BY 2, 1, 3
"""
