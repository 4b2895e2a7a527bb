"""Everything that would make the move fail later, found before anything is changed."""

from collections.abc import Callable, Iterator

from crossfade.database import state
from crossfade.database.needs import FREE_SENDERS, FREE_SLOTS, WORKERS
from crossfade.database.preflight_queries import (
    BLOCKERS_OF_SOURCE,
    SERVER,
    TARGET_TABLES,
    WARNINGS_OF_SOURCE,
    Query,
)
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Finding, Severity
from crossfade.model.terms import Side

Connect = Callable[[Side], Session]


def examine(settings: NativeSettings, connect: Connect) -> tuple[Finding, ...]:
    """All findings together, blockers first. A side that cannot be reached is itself a finding."""
    found: list[Finding] = []
    sessions: dict[Side, Session] = {}
    try:
        for side in Side:
            try:
                sessions[side] = connect(side)
            except CrossfadeError as exc:
                found.append(_blocker(f"{side} database", str(exc), exc.remedy))
        for session in sessions.values():
            found += _server(session)
        if (source := sessions.get(Side.SOURCE)) is not None:
            found += _source(settings, source)
        if (target := sessions.get(Side.TARGET)) is not None:
            found += _target(settings, target, source)
    finally:
        for session in sessions.values():
            session.close()
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.BLOCKER))


def _blocker(subject: str, problem: str, remedy: str) -> Finding:
    return Finding(severity=Severity.BLOCKER, subject=subject, problem=problem, remedy=remedy)


def _warning(subject: str, problem: str, remedy: str) -> Finding:
    return Finding(severity=Severity.WARNING, subject=subject, problem=problem, remedy=remedy)


def _server(session: Session) -> Iterator[Finding]:
    """Settings without which there is no logical replication out of this side; both send, one after the other."""
    of = f"{session.side} server"
    facts = dict(zip(SERVER.columns, session.one(SERVER.text), strict=True))
    if int(facts["version"]) < 130000:
        yield _blocker(of, f"version {facts['version']} is too old", "Upgrade it to PostgreSQL 13 or later.")
    if facts["wal_level"] != "logical":
        yield _blocker(
            of,
            f"wal_level is {facts['wal_level']}: changes cannot be decoded",
            "ALTER SYSTEM SET wal_level = logical; then restart the server.",
        )
    for setting, free, needed in (
        ("max_replication_slots", facts["free_slots"], FREE_SLOTS),
        ("max_wal_senders", facts["free_senders"], FREE_SENDERS),
        ("max_logical_replication_workers", facts["workers"], WORKERS),
    ):
        if int(free) < needed:
            yield _blocker(
                of, f"{setting} leaves {free}, {needed} are needed", f"Raise {setting} and restart the server."
            )
    if not facts["superuser"]:
        yield _blocker(
            of,
            f"role {facts['me']} is no superuser: it can neither fence every role nor own the subscription",
            f"ALTER ROLE {facts['me']} SUPERUSER; take it back when the migration has ended.",
        )
    if facts["keep_size"] == "-1":
        yield _warning(
            of,
            "max_slot_wal_keep_size is unlimited: a subscriber that stands still fills the disk",
            "ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'; SELECT pg_reload_conf();",
        )
    if facts["fsync"] != "on":
        yield _blocker(of, "fsync is off: what is committed may be lost", "ALTER SYSTEM SET fsync = on;")
    for role, application in session.rows(_SUPERUSERS_AT_WORK):
        yield _warning(
            f"role {role}",
            f"a superuser is connected ({application or 'no application name'}); the fence stops no superuser",
            "Let the application log in as a role that is not a superuser.",
        )


def _source(settings: NativeSettings, source: Session) -> Iterator[Finding]:
    scope = {"schemas": list(settings.schemas), "margin": settings.sequence_margin}
    missing = source.rows(
        "SELECT s FROM unnest(%(schemas)s::name[]) s WHERE to_regnamespace(quote_ident(s)) IS NULL", scope
    )
    for (name,) in missing:
        yield _blocker(f"schema {name}", "it does not exist on the source", "Name the schemas as the source has them.")
    for severity, queries in ((_blocker, BLOCKERS_OF_SOURCE), (_warning, WARNINGS_OF_SOURCE)):
        for query in queries:
            yield from _told(severity, query, source.rows(query.text, scope))
    yield from _roles(settings, source)
    if not missing:
        yield from _fence(settings, source)


def _told(
    severity: Callable[[str, str, str], Finding], query: Query, rows: list[tuple[object, ...]]
) -> Iterator[Finding]:
    for row in rows:
        facts = dict(zip(query.columns, row, strict=True))
        yield severity(*(text.format(**facts) for text in (query.subject, query.problem, query.remedy)))


def _roles(settings: NativeSettings, source: Session) -> Iterator[Finding]:
    for name in settings.application_roles:
        found = source.rows("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = %s", (name,))
        if not found:
            yield _blocker(
                f"role {name}", "it does not exist on the source", "Name the role the application logs in as."
            )
            continue
        superuser, creates_roles = found[0]
        if superuser:
            yield _blocker(
                f"role {name}",
                "the application is a superuser: no fence stops it",
                f"Give the application a role of its own, or: ALTER ROLE {name} NOSUPERUSER;",
            )
        if creates_roles:
            yield _warning(
                f"role {name}",
                "the application may grant itself what the fence took (CREATEROLE)",
                f"ALTER ROLE {name} NOCREATEROLE;",
            )
        for (table,) in source.rows(_OWNED, (list(settings.schemas), name)):
            yield _warning(
                f"role {name}",
                f"the application owns {table}: the fence takes its writes, but an owner can grant itself new ones",
                f"Let a role without login own the tables: ALTER TABLE {table} OWNER TO …;",
            )


def _fence(settings: NativeSettings, source: Session) -> Iterator[Finding]:
    """Fence the source in a transaction that is rolled back, and see who could still write."""
    source.rows("BEGIN")
    try:
        state.install(source, settings.schemas)
        epoch = state.state_of(source).epoch
        leaks = source.rows("SELECT role_name, relation FROM crossfade.plan_fence(%s)", (epoch,))
    except CrossfadeError as exc:
        yield _blocker("fence", f"a trial of the fence failed: {exc}", exc.remedy)
        return
    finally:
        if not source.closed:
            source.roll_back()
    for role, relation in leaks:
        yield _blocker(
            f"role {role}",
            f"it could write to {relation} through a fence, by a role that no REVOKE on the table reaches",
            f"REVOKE pg_write_all_data FROM {role};",
        )


def _target(settings: NativeSettings, target: Session, source: Session | None) -> Iterator[Finding]:
    schemas = list(settings.schemas)
    ours = state.is_installed(target)
    for (table,) in target.rows(TARGET_TABLES, (schemas,)) if not ours else []:
        yield _blocker(
            f"schema {table}", "it exists on the target already", f"DROP SCHEMA {table} CASCADE; on the target."
        )
    for (role,) in target.rows(_WRITE_ALL):
        yield _blocker(
            f"role {role}",
            "on the target it may write everything by pg_write_all_data: the fence does not reach it",
            f"REVOKE pg_write_all_data FROM {role}; on the target.",
        )
    if source is None:
        return
    for name in {n for (n,) in source.rows("SELECT extname FROM pg_extension")} - {
        n for (n,) in target.rows("SELECT name FROM pg_available_extensions")
    }:
        yield _blocker(f"extension {name}", "the target does not offer it", f"Install {name} on the target's server.")
    here, there = source.one(_TEXT), target.one(_TEXT)
    if here[0] != there[0]:
        yield _blocker(
            "encoding",
            f"the source is in {here[0]}, the target in {there[0]}",
            f"Create the target database with ENCODING '{here[0]}' from template0.",
        )
    if here[1] != there[1]:
        yield _warning(
            "collation",
            f"the source sorts by {here[1]}, the target by {there[1]}: orders and ranges of text may differ",
            f"Create the target database with LC_COLLATE '{here[1]}' where the order matters.",
        )
    versions = [int(s.value("SHOW server_version_num")) // 10000 for s in (source, target)]
    if versions[1] < versions[0]:
        yield _blocker(
            "versions",
            f"the target ({versions[1]}) is older than the source ({versions[0]})",
            "Move to the same or a later major version.",
        )
    for role, login in source.rows(_LOGINS, (schemas,)):
        if login and not target.rows("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)):
            yield _warning(
                f"role {role}",
                "it is made on the target without a password",
                f"ALTER ROLE {role} PASSWORD …; on the target, after the schema was created.",
            )


_TEXT = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()"
_SUPERUSERS_AT_WORK = """
SELECT DISTINCT a.usename, a.application_name FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename
WHERE r.rolsuper AND a.backend_type = 'client backend' AND a.datname = current_database()
  AND a.usename <> current_user ORDER BY 1, 2
"""
_OWNED = """
SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) = %s ORDER BY 1 LIMIT 1
"""
_WRITE_ALL = """
SELECT r.rolname FROM pg_roles r JOIN pg_roles w ON w.rolname = 'pg_write_all_data'
WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND r.rolname <> current_user AND pg_has_role(r.oid, w.oid, 'MEMBER')
"""
_LOGINS = """
SELECT DISTINCT r.rolname, r.rolcanlogin FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v') AND NOT r.rolsuper
"""
