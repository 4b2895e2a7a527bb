"""What DMS cannot do, where it moves the rows. Source: AWS DMS User Guide, Using a PostgreSQL database as a source."""

from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Place

_COLUMNS = """
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0
  AND NOT a.attisdropped
"""


CHECKS = (
    Check(
        name="dms-no-primary-key",
        severity=BLOCKER,
        place=Place.SOURCE,
        dms=True,
        why="DMS ignores updates and deletes of a table without a primary key, whatever its replica identity.",
        advice="Or replicate natively.",
        care=True,
        query="""
        SELECT format('table %%I.%%I', n.nspname, c.relname),
            'it has no primary key: DMS ignores its updates and deletes',
               format('ALTER TABLE %%I.%%I ADD COLUMN dms_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;',
                      n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) ORDER BY 1
        """,
    ),
    Check(
        name="dms-numeric",
        severity=BLOCKER,
        place=Place.SOURCE,
        dms=True,
        why="DMS takes NUMERIC without precision as (28,6): digits after the sixth are cut, and that is often money.",
        advice="Or set replication.dms.numeric_scale, or replicate natively.",
        care=True,
        query=f"""
        SELECT format('column %%I.%%I.%%I', n.nspname, c.relname, a.attname),
               'it is numeric without precision: DMS rounds it to six digits',
               format('ALTER TABLE %%I.%%I ALTER COLUMN %%I TYPE numeric(38, 10);', n.nspname, c.relname, a.attname)
        {_COLUMNS} AND t.typname = 'numeric' AND a.atttypmod = -1 AND a.attgenerated = '' AND NOT %(numeric_scale)s
        ORDER BY 1
        """,
    ),
    Check(
        name="dms-large-objects",
        severity=WARNING,
        place=Place.SOURCE,
        dms=True,
        why="To DMS these are large objects: with a limited mode it cuts what is longer, without failing.",
        advice="Choose replication.lob by the sizes; `full` cuts nothing and is slow.",
        query=f"""
        SELECT format('table %%I.%%I', n.nspname, c.relname),
               format('DMS moves %%s as large objects; %%s of the table lie out of line',
                      string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
                      pg_size_pretty(coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0))), NULL
        {_COLUMNS} AND (t.typname IN ('text', 'bytea', 'json', 'jsonb', 'xml', 'hstore', 'tsvector') OR t.typelem <> 0
            AND t.typlen = -1) GROUP BY n.nspname, c.relname, c.reltoastrelid ORDER BY 1
        """,
    ),
    Check(
        name="dms-names-by-case",
        severity=BLOCKER,
        place=Place.SOURCE,
        dms=True,
        why="DMS does not tell tables apart whose names differ in case only.",
        advice="The application must know the new name.",
        care=True,
        query="""
        SELECT format('table %%I.%%I', n.nspname, c.relname), 'another table has its name, in other letters',
               format('ALTER TABLE %%I.%%I RENAME TO %%I;', n.nspname, c.relname, left(lower(c.relname),
                   50) || '_renamed')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND c.relname <> lower(c.relname)
          AND EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = c.relnamespace AND o.relkind IN ('r', 'p')
                      AND o.oid <> c.oid AND lower(o.relname) = lower(c.relname)) ORDER BY 1
        """,
    ),
    Check(
        name="dms-partitions",
        severity=WARNING,
        place=Place.SOURCE,
        dms=True,
        why="DMS captures changes of partitions, not of the table above them, and creates no partitions on the target.",
        advice="Select the partitions in the table mappings and load the schema before; or replicate natively.",
        query="""
        SELECT format('table %%I.%%I', n.nspname, c.relname),
            'DMS captures no changes by the name of a partitioned table', NULL
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'p' AND NOT c.relispartition ORDER BY 1
        """,
    ),
)
