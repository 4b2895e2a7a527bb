"""What only the rows tell: numbers that are taken already, values that are too large to be sent."""

from collections.abc import Iterator

from psycopg import sql

from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Found, Place
from crossfade.database.session import Session

SEQUENCE_BEHIND = Check(
    name="sequence-behind",
    severity=WARNING,
    place=Place.SOURCE,
    why="Rows were put in past the sequence: its next numbers are taken, and inserts fail, on whichever side is open.",
    advice="",
)
VALUE_TOO_LARGE = Check(
    name="value-too-large",
    severity=BLOCKER,
    place=Place.SOURCE,
    why="A value is sent as text in one piece of at most 1 GiB; a bytea's text is twice as long as itself.",
    advice="Move such values into files, or split them.",
)
CHECKS = (SEQUENCE_BEHIND, VALUE_TOO_LARGE)
_PIECE_BYTES = 1996  # of an out-of-line value, by default. Source: PostgreSQL manual, TOAST


def in_the_rows(source: Session, scope: dict[str, object]) -> Iterator[Found]:
    """Reads the highest number of each column that a sequence fills, by its index, and the pieces of large values."""
    yield from _sequences_behind(source, scope)
    yield from _values_too_large(source, scope)


def _sequences_behind(source: Session, scope: dict[str, object]) -> Iterator[Found]:
    for schema, table, column, sequence, last in source.rows(_FILLED, scope):
        highest = source.value(
            sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(column), sql.Identifier(schema, table))
        )
        if highest is None or highest <= (last or 0):
            continue
        yield Found(
            check=SEQUENCE_BEHIND,
            side=source.side,
            subject=f"sequence {sequence}",
            problem=f"it is behind {schema}.{table}.{column}, which holds {highest}",
            sql=f"SELECT setval({source.value('SELECT quote_literal(%s)', (sequence,))}, {highest});",
        )


def _values_too_large(source: Session, scope: dict[str, object]) -> Iterator[Found]:
    for table, toast in source.rows(_LARGE, scope):
        pieces = source.value(sql.SQL("SELECT max(chunk_seq) FROM {}").format(sql.Identifier("pg_toast", toast)))
        size = (pieces or 0) * _PIECE_BYTES
        if size > int(str(scope["lob_limit"])):
            yield Found(
                check=VALUE_TOO_LARGE,
                side=source.side,
                subject=f"table {table}",
                problem=f"it holds a value of about {size:,} bytes",
                advice=VALUE_TOO_LARGE.advice,
            )


# only where an index leads to the highest number at once
_FILLED = """
SELECT m.nspname, c.relname, a.attname, format('%%I.%%I', n.nspname, s.relname),
       pg_sequence_last_value(s.oid::regclass)
FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace m ON m.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE n.nspname = ANY(%(schemas)s) AND a.atttypid IN (20, 21, 23) AND q.seqincrement > 0 AND c.relkind IN ('r', 'p')
  AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid
              AND i.indpred IS NULL)
  AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(s.oid, 'SELECT') ORDER BY 4
"""
_LARGE = """
SELECT format('%%I.%%I', n.nspname, c.relname), t.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE n.nspname = ANY(%(schemas)s) AND pg_relation_size(t.oid) > %(lob_limit)s AND has_table_privilege(t.oid, 'SELECT')
ORDER BY 1
"""
