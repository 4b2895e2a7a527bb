"""What the migration's role needs where it is no superuser: from PostgreSQL 16 on, and on RDS."""

from collections.abc import Iterator

from psycopg.conninfo import conninfo_to_dict

from crossfade.database.preflight.check import BLOCKER, Check, Found, Place
from crossfade.database.preflight.servers import RDS
from crossfade.database.schema import ROLES
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.terms import Side

# ruff: noqa: S608 - queries are made of the constants here
_BACK = "Take it back when the migration has ended."
_WEAK = f"""
(SELECT FROM pg_roles me WHERE me.rolname = current_user AND NOT me.rolsuper
 AND (current_setting('server_version_num')::int >= 160000 OR {RDS}))
"""
_SPEAKERS = """
SELECT c.relowner AS oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v')
UNION SELECT a.grantor FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) a
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v')
"""
_OWNED = """
SELECT 'SCHEMA' AS kind, nspname AS schema, format('%%I', nspname) AS name, nspowner AS owner FROM pg_namespace
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                      WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
       n.nspname, format('%%I.%%I', n.nspname, c.relname), c.relowner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND (d.deptype IN ('i', 'e') OR (c.relkind = 'S' AND d.deptype = 'a')))
UNION ALL
SELECT 'ROUTINE', n.nspname, p.oid::regprocedure::text, p.proowner
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind IN ('f', 'p', 'w')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, format('%%I.%%I', n.nspname, t.typname),
       t.typowner
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
"""

OWNER_ABOVE = Check(
    name="owner-is-superuser",
    severity=BLOCKER,
    place=Place.BETWEEN,
    why="Who is no superuser can neither speak for one in the fence, nor give it anything on the target.",
    advice="Or take superusers as the migration's roles, where there are some.",
    care=True,
)
ROLE_ON_TARGET = Check(
    name="role-on-target",
    severity=BLOCKER,
    place=Place.BETWEEN,
    why="Owners of the schema exist on the target already, or must be made: the migration's role may do neither.",
    advice=_BACK,
)
SUBSCRIBER_PASSWORD = Check(
    name="subscription-without-password",
    severity=BLOCKER,
    place=Place.BETWEEN,
    why="A subscription of who is no superuser must log in with a password, and the server must have asked for it.",
    advice="Put a password into its connection string, and demand one in pg_hba.conf (scram-sha-256).",
)
CHECKS = (
    Check(
        name="role-lacks",
        severity=BLOCKER,
        place=Place.EACH,
        why="Without a superuser each is needed by itself: for state, slots, subscription, way back and looks.",
        advice=_BACK,
        query=f"""
        SELECT NULL, format('role %%s %%s', current_user, problem), remedy FROM (
            SELECT 'may not replicate' AS problem, format('ALTER ROLE %%I REPLICATION;', current_user) AS remedy
            FROM pg_roles WHERE rolname = current_user AND NOT rolreplication AND NOT {RDS}
            UNION ALL
            SELECT 'is no member of ' || r.rolname, format('GRANT %%I TO %%I;', r.rolname, current_user)
            FROM pg_roles r WHERE r.rolname IN ('pg_monitor', 'pg_create_subscription')
                AND NOT pg_has_role(current_user, r.oid, 'USAGE')
            UNION ALL
            SELECT 'may make no schema and no publication in this database',
                   format('GRANT CREATE ON DATABASE %%I TO %%I;', current_database(), current_user)
            WHERE NOT has_database_privilege(current_database(), 'CREATE')
            UNION ALL
            SELECT format('may not call %%s', f.name),
                   format('GRANT EXECUTE ON FUNCTION %%s TO %%I;', f.name, current_user)
            FROM (VALUES ('pg_replication_origin_advance(text, pg_lsn)'),
                         ('pg_replication_origin_progress(text, boolean)')) f (name)
            WHERE NOT has_function_privilege(f.name, 'EXECUTE')
        ) lacking WHERE EXISTS {_WEAK} ORDER BY 3
        """,
    ),
    Check(
        name="role-speaks-for-owners",
        severity=BLOCKER,
        place=Place.SOURCE,
        since=16,
        why="The fence takes each grant as whoever gave it: the migration's role must be able to act as all of them.",
        advice=_BACK,
        query=f"""
        SELECT format('role %%s', r.rolname),
               format('it owns or grants what moves, and %%s cannot act as it', current_user),
               format('GRANT %%I TO %%I;', r.rolname, current_user)
        FROM pg_roles r WHERE r.oid IN ({_SPEAKERS}) AND NOT r.rolsuper AND r.rolname <> current_user
          AND EXISTS {_WEAK}
          AND NOT (pg_has_role(current_user, r.oid, 'SET') AND pg_has_role(current_user, r.oid, 'USAGE'))
        ORDER BY 1
        """,
    ),
    Check(
        name="role-writes-by-owners",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="The fence takes the owners' rights: what returns by the way back is then written by the role's own.",
        advice="On the target the migration gives them to itself. " + _BACK,
        query=f"""
        SELECT DISTINCT format('schema %%s', n.nspname),
               format('role %%s has no rights of its own on all its tables', current_user),
               format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA %%I TO %%I;',
                      n.nspname, current_user)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND EXISTS {_WEAK} AND (
            SELECT count(DISTINCT a.privilege_type) FROM aclexplode(c.relacl) a
            WHERE a.grantee = (SELECT oid FROM pg_roles WHERE rolname = current_user)
              AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')) < 5
        """,
    ),
    Check(
        name="role-reads-sequences",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="A sequence that cannot be read is not set ahead in a switch, unseen: its next numbers are taken already.",
        advice=_BACK,
        query=f"""
        SELECT format('sequence %%I.%%I', n.nspname, c.relname),
               format('role %%s may not read or set it', current_user),
               format('GRANT SELECT, UPDATE ON SEQUENCE %%I.%%I TO %%I;', n.nspname, c.relname, current_user)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'S' AND EXISTS {_WEAK}
          AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE')) ORDER BY 1
        """,
    ),
)
BETWEEN = (OWNER_ABOVE, ROLE_ON_TARGET, SUBSCRIBER_PASSWORD)


def on_both(settings: NativeSettings, source: Session, target: Session) -> Iterator[Found]:
    """What a role that is no superuser lacks on one side, of what the other asks for."""
    for session in (source, target):
        reach = settings.reach(session.side.other).subscriber_dsn
        if reach and not _is_superuser(session) and not conninfo_to_dict(reach).get("password"):
            told = "it would have no password for the other side, and its owner is no superuser"
            yield _found(SUBSCRIBER_PASSWORD, f"subscription on the {session.side}", told, side=session.side)
    if not (_is_superuser(source) and _is_superuser(target)):
        for thing, owner, sql in source.rows(_SUPERUSERS_OWN, {"schemas": list(settings.schemas)}):
            yield _found(OWNER_ABOVE, thing, f"it belongs to the superuser {owner}", sql or "", Side.SOURCE)
    if not _is_superuser(target):
        yield from _roles_on_target(source, target)


def _roles_on_target(source: Session, target: Session) -> Iterator[Found]:
    me = target.value("SELECT quote_ident(current_user)")
    can_make = bool(target.value("SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    missing = False
    for name, *_ in source.rows(ROLES):
        stands = target.rows(_ON_TARGET, {"name": name})
        missing = missing or not stands
        for quoted, can_speak in stands:
            if not can_speak:
                told = "it stands on the target, and the migration's role cannot act as it"
                yield _found(ROLE_ON_TARGET, f"role {name}", told, f"GRANT {quoted} TO {me};")
    if missing and not can_make:
        told = "roles of the source are missing, and the migration's role may make none"
        yield _found(ROLE_ON_TARGET, "roles", told, f"ALTER ROLE {me} CREATEROLE;")


def _is_superuser(session: Session) -> bool:
    return bool(session.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))


def _found(check: Check, subject: str, problem: str, sql: str = "", side: Side = Side.TARGET) -> Found:
    return Found(check=check, side=side, subject=subject, problem=problem, sql=sql, advice=check.advice)


# before 16 who is a member may act as the role
_ON_TARGET = """
SELECT quote_ident(rolname), pg_has_role(current_user, oid, CASE
    WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
FROM pg_roles WHERE rolname = %(name)s
"""
_SUPERUSERS_OWN = f"""
SELECT format('%%s %%s', lower(o.kind), o.name), r.rolname, CASE WHEN heir.rolname IS NOT NULL
           THEN format('ALTER %%s %%s OWNER TO %%I;', o.kind, o.name, heir.rolname) END
FROM ({_OWNED}) o JOIN pg_roles r ON r.oid = o.owner
LEFT JOIN LATERAL (
    SELECT w.rolname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles w ON w.oid = c.relowner
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND NOT w.rolsuper
    GROUP BY w.rolname ORDER BY count(*) DESC, 1 LIMIT 1) heir ON true
WHERE o.schema = ANY(%(schemas)s) AND r.rolsuper ORDER BY 1
"""
