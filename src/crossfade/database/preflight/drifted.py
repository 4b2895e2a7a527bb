"""What was changed on the source while the migration runs, and not on the target: DDL does not replicate."""

from collections.abc import Iterator

from crossfade.database import state
from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Found, Place
from crossfade.database.session import Session
from crossfade.model.terms import Side


def _drift(name: str, why: str, advice: str = "", *, blocks: bool = False, care: bool = False) -> Check:
    severity = BLOCKER if blocks else WARNING
    return Check(name=name, severity=severity, place=Place.BETWEEN, why=why, advice=advice, care=care)


TABLE = _drift(
    "ddl-table-missing",
    "Once it is published, its first row stops replication; until then its rows stay behind.",
    "Make it there as on the source, then publish and subscribe it, as the look at replication says.",
    blocks=True,
)
COLUMN = _drift(
    "ddl-column-missing",
    "The next row of the table stops replication; nothing is lost, and it goes on when the column is there.",
    blocks=True,
)
TYPE = _drift(
    "ddl-type-differs",
    "A value that does not fit the target's type stops replication, in one direction or the other.",
    "It rewrites the table; CDC waits meanwhile.",
    care=True,
)
NOT_NULL = _drift(
    "ddl-not-null-differs",
    "A row without the value, which the source takes, stops replication.",
    "Or set the source's column NOT NULL, too.",
)
DEFAULT = _drift(
    "ddl-default-differs",
    "Rows that the application writes after the cutover get another value.",
)
INDEX = _drift(
    "ddl-index-missing",
    "Replication does not need it; the application does, from the cutover on.",
    "CDC into the table waits while it is made; CONCURRENTLY lets it go on.",
)
CONSTRAINT = _drift(
    "ddl-constraint-missing",
    "After the cutover nothing would keep rows out that the source refuses, and they could not come back.",
)
CHECKS = (TABLE, COLUMN, TYPE, NOT_NULL, DEFAULT, INDEX, CONSTRAINT)


def drifted(schemas: list[str], source: Session, target: Session) -> Iterator[Found]:
    """Nothing before the target has its schema; of indexes and constraints, nothing before their half is made."""
    if not state.is_installed(target):
        return
    halves = state.remembered(target, "half")
    if "first" in halves:
        yield from _columns(schemas, source, target)
    if "second" in halves:
        for check, query in ((INDEX, _INDEXES), (CONSTRAINT, _CONSTRAINTS)):
            yield from _definitions(check, query, schemas, source, target)


def _columns(schemas: list[str], source: Session, target: Session) -> Iterator[Found]:
    there = {(table, column): facts for table, column, *facts in target.rows(_COLUMNS, (schemas,))}
    tables = {table for table, _ in there}
    missing: set[str] = set()
    for table, column, kind, not_null, default in source.rows(_COLUMNS, (schemas,)):
        alter, subject = f"ALTER TABLE {table}", f"column {table}.{column}"
        if table not in tables:
            if table not in missing:
                missing.add(table)
                yield _found(TABLE, f"table {table}", "it stands on the source only")
        elif (table, column) not in there:
            more = f" DEFAULT {default}" if default else ""
            more += " NOT NULL" if not_null and default else ""
            yield _found(COLUMN, subject, "it stands on the source only", f"{alter} ADD COLUMN {column} {kind}{more};")
        else:
            kind_there, not_null_there, default_there = there[table, column]
            if kind != kind_there:
                told = f"it is {kind} on the source and {kind_there} on the target"
                yield _found(TYPE, subject, told, f"{alter} ALTER COLUMN {column} TYPE {kind} USING {column}::{kind};")
            if not_null_there and not not_null:
                told = "it may be null on the source, and not on the target"
                yield _found(NOT_NULL, subject, told, f"{alter} ALTER COLUMN {column} DROP NOT NULL;")
            if default != default_there:
                told = f"its default is {default or 'none'} on the source and {default_there or 'none'} on the target"
                change = f"SET DEFAULT {default}" if default else "DROP DEFAULT"
                yield _found(DEFAULT, subject, told, f"{alter} ALTER COLUMN {column} {change};")


def _definitions(check: Check, query: str, schemas: list[str], source: Session, target: Session) -> Iterator[Found]:
    """By name: how a definition is spelt differs from version to version."""
    tables = {table for (table,) in target.rows(_TABLES, (schemas,))}
    there = {(table, name) for table, name, *_ in target.rows(query, (schemas,))}
    for table, name, definition in source.rows(query, (schemas,)):
        if table in tables and (table, name) not in there:
            kind = "index" if check is INDEX else "constraint"
            yield _found(check, f"{kind} {name} on {table}", "it stands on the source only", f"{definition};")


def _found(check: Check, subject: str, problem: str, sql: str = "") -> Found:
    return Found(check=check, side=Side.TARGET, subject=subject, problem=problem, sql=sql, advice=check.advice)


_TABLES = """
SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p')
"""
# what a column generates or numbers is no default: both sides make it themselves
_COLUMNS = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(a.attname),
       format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' ORDER BY 1, a.attnum
"""
_INDEXES = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(x.relname), pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND i.indisvalid AND c.relpersistence = 'p' AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY 1, 2
"""
# from PostgreSQL 18 on NOT NULL is a constraint, too; here it is a property of the column
_CONSTRAINTS = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(k.conname),
       format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I %%s', n.nspname, c.relname, k.conname,
              pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conislocal AND NOT c.relispartition
  AND c.relpersistence = 'p' ORDER BY 1, 2
"""
