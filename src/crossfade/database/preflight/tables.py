"""How rows are found again on the other side, and tables whose rows do not get there."""

from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Place

_TABLES = """
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p')
"""
_NAME = "format('%%I.%%I', n.nspname, c.relname)"
# a deferrable key is none for replication. Source: PostgreSQL manual, ALTER TABLE, REPLICA IDENTITY
_NO_IDENTITY = """
AND (c.relreplident = 'n'
     OR (c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
         AND i.indimmediate AND i.indisvalid))
     OR (c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident
         AND i.indisvalid)))
"""
# types that cannot be compared: no row is found by them. Source: PostgreSQL manual, REPLICA IDENTITY FULL
_NOT_COMPARABLE = """
SELECT a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
JOIN pg_type e ON e.oid = CASE WHEN b.typlen = -1 AND b.typelem <> 0 THEN b.typelem ELSE b.oid END
WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND e.typtype = 'b'
  AND NOT EXISTS (SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
      WHERE m.amname IN ('btree', 'hash') AND o.opcdefault AND (o.opcintype = e.oid
          OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = e.oid AND k.casttarget = o.opcintype
                     AND k.castmethod = 'b' AND k.castcontext = 'i')))
"""
# what makes rows findable: the key where there is one, an index that can be one, a key of its own, or the whole row
_IDENTITY_SQL = f"""
CASE WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate
    AND i.indisvalid)
     THEN format('ALTER TABLE %%s REPLICA IDENTITY DEFAULT;', {_NAME})
     WHEN usable.relname IS NOT NULL
     THEN format('ALTER TABLE %%s REPLICA IDENTITY USING INDEX %%I;', {_NAME}, usable.relname)
"""
_USABLE_INDEX = """
LEFT JOIN LATERAL (
    SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
      AND i.indexprs IS NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
          AND a.attnum = ANY(i.indkey) AND NOT a.attnotnull) ORDER BY 1 LIMIT 1) usable ON true
"""
_FROM = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" + _USABLE_INDEX + "WHERE true "
_IN_SCOPE = "AND n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'"
_OWN_KEY = (
    f"format('ALTER TABLE %%1$s ADD COLUMN crossfade_key bigint GENERATED ALWAYS AS IDENTITY UNIQUE;"
    f" ALTER TABLE %%1$s REPLICA IDENTITY USING INDEX %%2$I;', {_NAME}, left(c.relname, 45) || '_crossfade_key_key')"
)
# ruff: noqa: S608 - queries are made of the constants above

CHECKS = (
    Check(
        name="schema-missing",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="A schema that is not there was misspelt; the one that is meant would stay behind.",
        advice="Name the schemas as the source has them.",
        query="""
        SELECT format('schema %%s', s), 'it does not exist on the source', NULL
        FROM unnest(%(schemas)s::name[]) s WHERE to_regnamespace(quote_ident(s)) IS NULL
        """,
    ),
    Check(
        name="schema-name-taken",
        severity=BLOCKER,
        place=Place.EACH,
        why="The migration keeps its own state in a schema of this name.",
        advice="It can have its name back when the migration has ended.",
        care=True,
        query="""
        SELECT 'schema crossfade', 'it exists, and is not the migration''s',
            'ALTER SCHEMA crossfade RENAME TO crossfade_of_old;'
        WHERE to_regnamespace('crossfade') IS NOT NULL AND to_regclass('crossfade.writer') IS NULL
        """,
    ),
    Check(
        name="no-replica-identity",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="Once it is published, each UPDATE and DELETE on it fails, on the source, for the application.",
        advice="A primary key is better where the rows have one.",
        query=f"""
        SELECT format('table %%s', {_NAME}),
               'it has no replica identity: once published, its updates and deletes would fail on the source',
               {_IDENTITY_SQL} WHEN EXISTS ({_NOT_COMPARABLE}) THEN {_OWN_KEY}
               ELSE format('ALTER TABLE %%s REPLICA IDENTITY FULL;', {_NAME}) END
        {_FROM} {_IN_SCOPE} {_NO_IDENTITY} ORDER BY 1
        """,
    ),
    Check(
        name="identity-not-comparable",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="Rows are found by the whole row, and a type in it has no equality: the first UPDATE stops replication.",
        advice="A primary key is better where the rows have one; SELECT * sees the new column.",
        care=True,
        query=f"""
        SELECT format('table %%s', {_NAME}),
               format('its replica identity is FULL, and %%s cannot be compared: an update would stop replication',
                      (SELECT string_agg(quote_ident(k.attname), ', ') FROM ({_NOT_COMPARABLE}) k)),
               {_IDENTITY_SQL} ELSE {_OWN_KEY} END
        {_FROM} {_IN_SCOPE} AND c.relreplident = 'f' AND EXISTS ({_NOT_COMPARABLE})
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) ORDER BY 1
        """,
    ),
    Check(
        name="identity-is-whole-row",
        severity=WARNING,
        place=Place.SOURCE,
        why="Each UPDATE and DELETE searches the whole table on the other side; a large one falls behind for ever.",
        advice="A primary key is better where the rows have one; SELECT * sees the new column.",
        care=True,
        query=f"""
        SELECT format('table %%s', {_NAME}),
               'its replica identity is FULL: each update and delete searches the whole table on the other side',
               {_IDENTITY_SQL} ELSE {_OWN_KEY} END
        {_FROM} {_IN_SCOPE} AND c.relreplident = 'f' AND (NOT EXISTS ({_NOT_COMPARABLE})
            OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) ORDER BY 1
        """,
    ),
    Check(
        name="unlogged-table",
        severity=WARNING,
        place=Place.SOURCE,
        why="What is not in the WAL does not replicate: the table is empty on the target.",
        advice="Only if its rows matter.",
        query=f"""
        SELECT format('table %%s', {_NAME}), 'it is unlogged and does not replicate: it will be empty on the target',
               format('ALTER TABLE %%s SET LOGGED;', {_NAME}) {_TABLES} AND c.relpersistence = 'u' AND c.relkind = 'r'
        ORDER BY 1
        """,
    ),
    Check(
        name="partitions-end",
        severity=WARNING,
        place=Place.SOURCE,
        why="A partition that is made on the source while the migration runs must be made on the target "
        "too, or CDC stops.",
        advice="Or make the partitions of the coming weeks now.",
        query=f"""
        SELECT format('table %%s', {_NAME}), 'its partitions end, and a new one must be made on both sides',
               format('CREATE TABLE %%I.%%I PARTITION OF %%s DEFAULT;', n.nspname, left(c.relname, 55) || '_rest',
                   {_NAME})
        FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND p.partdefid = 0 AND p.partstrat IN ('r', 'l')
          AND NOT EXISTS (SELECT FROM pg_inherits h JOIN pg_class part ON part.oid = h.inhrelid
              WHERE h.inhparent = c.oid
              AND pg_get_expr(part.relpartbound, part.oid) ~ 'TO \\(MAXVALUE')
        ORDER BY 1
        """,
    ),
    Check(
        name="rows-elsewhere",
        severity=WARNING,
        place=Place.SOURCE,
        why="Replication carries rows of tables; what a view has stored, or another server holds, it does not.",
        advice="Refresh or connect it on the target once the full load is done.",
        query=f"""
        SELECT CASE c.relkind WHEN 'm' THEN 'materialized view ' ELSE 'foreign table ' END || {_NAME},
               'its contents do not replicate', NULL
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('m', 'f') ORDER BY 1
        """,
    ),
    Check(
        name="row-security",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="Policies hide rows from a role that is no superuser: the full load would miss them, or be refused.",
        advice="Or give the migration's role BYPASSRLS.",
        care=True,
        query=f"""
        SELECT format('table %%s', {_NAME}), 'its policies hide rows from the migration''s role',
               format('ALTER TABLE %%s DISABLE ROW LEVEL SECURITY;', {_NAME})
        {_TABLES} AND c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'MEMBER'))
        AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)) ORDER BY 1
        """,
    ),
)
