"""What preflight asks the source, one row of text for each kind of finding."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`text` gives rows of `columns`; each becomes a finding by filling them into the three texts."""

    text: str
    columns: tuple[str, ...]
    subject: str = ""
    problem: str = ""
    remedy: str = ""


SERVER = Query(
    text="""
    SELECT current_setting('server_version_num'), current_setting('wal_level'),
           current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots
               WHERE slot_name !~ '^crossfade_'),
           current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication
               WHERE application_name !~ '^crossfade_'),
           current_setting('max_logical_replication_workers'), current_setting('max_slot_wal_keep_size'),
           current_setting('fsync'), current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    """,
    columns=(
        "version", "wal_level", "free_slots", "free_senders", "workers", "keep_size", "fsync", "me", "superuser",
    ),
)  # fmt: skip

_TABLES = """
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p')
"""
# a deferrable key is none for replication. Source: PostgreSQL manual, ALTER TABLE, REPLICA IDENTITY
_NO_IDENTITY = """
AND (c.relreplident = 'n'
     OR (c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
         AND i.indimmediate AND i.indisvalid))
     OR (c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)))
"""
_NAME = "format('%%I.%%I', n.nspname, c.relname)"

BLOCKERS_OF_SOURCE = (
    Query(
        text=f"SELECT {_NAME} {_TABLES} AND c.relpersistence = 'p' {_NO_IDENTITY} ORDER BY 1",
        columns=("table",),
        subject="table {table}",
        problem="it has no replica identity: once published, its updates and deletes would fail on the source",
        remedy="ALTER TABLE {table} ADD PRIMARY KEY (…); or: ALTER TABLE {table} REPLICA IDENTITY FULL;",
    ),
    Query(
        text="SELECT count(*) FROM pg_largeobject_metadata HAVING count(*) > 0",
        columns=("count",),
        subject="large objects",
        problem="there are {count} of them, and they do not replicate",
        remedy="Move them into bytea columns or files, then: SELECT lo_unlink(oid) FROM pg_largeobject_metadata;",
    ),
    Query(
        text="""
        SELECT format('%%I.%%I', schemaname, sequencename) FROM pg_sequences
        WHERE schemaname = ANY(%(schemas)s) AND NOT cycle AND last_value IS NOT NULL AND CASE
            WHEN increment_by > 0 THEN last_value::numeric + increment_by * %(margin)s > max_value
            ELSE last_value::numeric + increment_by * %(margin)s < min_value END
        """,
        columns=("sequence",),
        subject="sequence {sequence}",
        problem="the margin that each switch skips would run it past its end",
        remedy="Widen it: ALTER SEQUENCE {sequence} AS bigint MAXVALUE …; and the column that it fills.",
    ),
    Query(
        text="""
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND r.rolsuper AND p.provolatile = 'v' AND p.prorettype <> 'trigger'::regtype
          AND p.prorettype <> 'event_trigger'::regtype
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crossfade')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
        """,
        columns=("function",),
        subject="function {function}",
        problem="it runs as a superuser for whoever calls it (SECURITY DEFINER): the fence would not stop its writes",
        remedy="ALTER FUNCTION {function} OWNER TO the role that owns the tables;",
    ),
)

WARNINGS_OF_SOURCE = (
    Query(
        text=f"SELECT {_NAME} {_TABLES} AND c.relreplident = 'f' ORDER BY 1",
        columns=("table",),
        subject="table {table}",
        problem="its replica identity is FULL: each update and delete searches the whole table on the other side",
        remedy="ALTER TABLE {table} ADD PRIMARY KEY (…); ALTER TABLE {table} REPLICA IDENTITY DEFAULT;",
    ),
    Query(
        text=f"SELECT {_NAME} {_TABLES} AND c.relpersistence = 'u' ORDER BY 1",
        columns=("table",),
        subject="table {table}",
        problem="it is unlogged and does not replicate: it will be empty on the target",
        remedy="ALTER TABLE {table} SET LOGGED; if its rows matter.",
    ),
    Query(
        text="""
        SELECT t.tgname, format('%%I.%%I', n.nspname, c.relname), t.tgenabled::text
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R')
        """,
        columns=("trigger", "table", "mode"),
        subject="trigger {trigger} on {table}",
        problem="it fires when replicated rows are applied (ENABLE {mode}): what it writes is written twice",
        remedy="ALTER TABLE {table} ENABLE TRIGGER {trigger};",
    ),
    Query(
        text="""
        SELECT pg_get_userbyid(d.defaclrole), coalesce(n.nspname, 'every schema') FROM pg_default_acl d
        LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace CROSS JOIN LATERAL aclexplode(d.defaclacl) a
        WHERE d.defaclobjtype = 'r' AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
          AND a.grantee <> d.defaclrole AND (n.nspname IS NULL OR n.nspname = ANY(%(schemas)s)) GROUP BY 1, 2
        """,
        columns=("role", "schema"),
        subject="default privileges of {role} in {schema}",
        problem="a table made while the migration runs would be writable behind the fence, and is not replicated",
        remedy="Make no tables until the migration has ended.",
    ),
    Query(
        text="SELECT gid, owner FROM pg_prepared_xacts WHERE database = current_database()",
        columns=("gid", "owner"),
        subject="prepared transaction {gid}",
        problem="it is open, and would keep the fence and the first copy waiting (owner {owner})",
        remedy="COMMIT PREPARED '{gid}'; or: ROLLBACK PREPARED '{gid}';",
    ),
    Query(
        text="""
        SELECT pid, usename, date_trunc('second', clock_timestamp() - xact_start)::text FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND datname = current_database() AND xact_start IS NOT NULL
          AND clock_timestamp() - xact_start > interval '30 s' AND pid <> pg_backend_pid()
        """,
        columns=("pid", "user", "age"),
        subject="session {pid} of {user}",
        problem="its transaction has been open for {age}: it keeps the first copy and the fence waiting",
        remedy="Let it end, or: SELECT pg_terminate_backend({pid});",
    ),
    Query(
        text="""
        SELECT format('%%I.%%I', n.nspname, c.relname),
               CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('m', 'f')
        """,
        columns=("relation", "kind"),
        subject="{kind} {relation}",
        problem="its contents do not replicate",
        remedy="Refresh or connect it on the target once the full load is done.",
    ),
)

TARGET_TABLES = "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY 1"
