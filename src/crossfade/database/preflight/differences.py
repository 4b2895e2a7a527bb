"""Where the two sides do not fit each other."""

from collections.abc import Callable, Iterator

from crossfade.database import state
from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Found, Place
from crossfade.database.session import Session
from crossfade.model.terms import Side


def _between(name: str, why: str, advice: str, *, blocks: bool = False, **more: bool) -> Check:
    severity = BLOCKER if blocks else WARNING
    return Check(name=name, severity=severity, place=Place.BETWEEN, why=why, advice=advice, **more)  # type: ignore[arg-type]


TARGET_IN_USE = _between(
    "target-in-use",
    "The schema is made on the target by the migration; what stands there is somebody's.",
    "Or take another database.",
    blocks=True,
    care=True,
)
VERSIONS = _between(
    "target-is-older",
    "A schema of a later version may not stand on an earlier one, and nobody tests that way.",
    "Move to the same or a later major version.",
    blocks=True,
)
ENCODING = _between(
    "encodings-differ",
    "Text that one side cannot store stops replication, in either direction.",
    "It is fixed when a database is made: make the target's from template0 in the source's encoding.",
    blocks=True,
)
COLLATION = _between(
    "collations-differ",
    "Orders and ranges of text come out differently on the two sides.",
    "It is fixed when a database is made: make the target's with the source's LC_COLLATE where the order matters.",
)
COLLATION_MISSING = _between(
    "collation-missing",
    "A column or an index names a collation that the target lacks: the schema could not be made.",
    "Or change the column's collation on the source.",
    blocks=True,
)
EXTENSION_MISSING = _between(
    "extension-missing",
    "The schema is made with its extensions first; without one of them nothing is made.",
    "Install it on the target's server, or drop it from the source if nothing uses it.",
    blocks=True,
)
EXTENSION_OLDER = _between(
    "extension-older",
    "Rows or functions of the newer version may mean nothing to the older one.",
    "Install as new a version on the target's server.",
)
SETTINGS = _between(
    "settings-differ",
    "The same statement means something else on the other side: times, dates, bytes and searches come out differently.",
    "",
)
CONNECTIONS = _between(
    "fewer-connections",
    "All application servers come at once in the cutover; those for whom there is no connection fail.",
    "It counts after a restart.",
    restart=True,
)
DATABASE_SETTINGS = _between(
    "database-settings-stay",
    "What ALTER DATABASE and ALTER ROLE … SET is not copied: without its search_path an application breaks.",
    "",
)
PASSWORDS = _between(
    "password-not-copied",
    "Passwords cannot be read: the role is made on the target, and nobody can log in as it.",
    "ALTER ROLE … PASSWORD on the target, after the schema was created.",
)
CHECKS = (
    TARGET_IN_USE, VERSIONS, ENCODING, COLLATION, COLLATION_MISSING, EXTENSION_MISSING, EXTENSION_OLDER, SETTINGS,
    CONNECTIONS, DATABASE_SETTINGS, PASSWORDS,
)  # fmt: skip


def on_target(schemas: list[str], target: Session) -> Iterator[Found]:
    """What can be said of the target alone."""
    if state.is_installed(target):
        return
    for (name,) in target.rows("SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY 1", (schemas,)):
        quoted = target.value("SELECT quote_ident(%s)", (name,))
        yield _found(
            TARGET_IN_USE, f"schema {name}", "it exists on the target already", f"DROP SCHEMA {quoted} CASCADE;"
        )


def between(schemas: list[str], source: Session, target: Session) -> Iterator[Found]:
    for compare in (_servers, _collations, _extensions, _settings, _database_settings):
        yield from compare(source, target)
    for (role,) in source.rows(_LOGINS, (schemas,)):
        if not target.rows("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)):
            yield _found(PASSWORDS, f"role {role}", "it is made on the target without a password")


def _found(check: Check, subject: str, problem: str, sql: str = "", side: Side = Side.TARGET) -> Found:
    return Found(check=check, side=side, subject=subject, problem=problem, sql=sql, advice=check.advice)


def _servers(source: Session, target: Session) -> Iterator[Found]:
    versions = [int(s.value("SHOW server_version_num")) // 10000 for s in (source, target)]
    if versions[1] < versions[0]:
        yield _found(VERSIONS, "versions", f"the target ({versions[1]}) is older than the source ({versions[0]})")
    here, there = source.one(_TEXT), target.one(_TEXT)
    if here[0] != there[0]:
        yield _found(ENCODING, "encoding", f"the source is in {here[0]}, the target in {there[0]}")
    if here[1] != there[1]:
        problem = f"the source sorts by {here[1]}, the target by {there[1]}: orders and ranges of text may differ"
        yield _found(COLLATION, "collation", problem)


def _collations(source: Session, target: Session) -> Iterator[Found]:
    has = {name for (name,) in target.rows("SELECT collname FROM pg_collation WHERE collnamespace = 11")}
    for name, users in source.rows(_COLLATIONS_USED):
        if name not in has:
            yield _found(COLLATION_MISSING, f"collation {name}", f"the target lacks it, and {users} uses it")


def _extensions(source: Session, target: Session) -> Iterator[Found]:
    offered: dict[str, str] = dict(target.rows("SELECT name, default_version FROM pg_available_extensions"))
    for name, version in source.rows("SELECT extname, extversion FROM pg_extension ORDER BY 1"):
        if name not in offered:
            yield _found(EXTENSION_MISSING, f"extension {name}", "the target does not offer it")
        elif _numbers(offered[name]) < _numbers(version):
            problem = f"the source has version {version}, the target offers {offered[name]}"
            yield _found(EXTENSION_OLDER, f"extension {name}", problem)


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in (version or "").split(".")]


def _settings(source: Session, target: Session) -> Iterator[Found]:
    here: dict[str, str] = dict(source.rows(_DEFAULTS))
    there: dict[str, str] = dict(target.rows(_DEFAULTS))
    database = target.value("SELECT quote_ident(current_database())")
    for name, value in here.items():
        if name in there and there[name] != value:
            sql = f"ALTER DATABASE {database} SET {name} = {target.value('SELECT quote_literal(%s)', (value,))};"
            yield _found(
                SETTINGS, f"setting {name}", f"it is {value} on the source and {there[name]} on the target", sql
            )
    wanted, given = (int(s.value("SHOW max_connections")) for s in (source, target))
    if given < wanted:
        sql = f"ALTER SYSTEM SET max_connections = {wanted};"
        problem = f"the source allows {wanted} connections, the target {given}"
        yield _found(CONNECTIONS, "setting max_connections", problem, sql)


def _database_settings(source: Session, target: Session) -> Iterator[Found]:
    database = target.value("SELECT quote_ident(current_database())")
    stands = set(target.rows(_SET))
    roles = {name for (name,) in target.rows("SELECT rolname FROM pg_roles")}
    for role, setting, value, everywhere in source.rows(_SET):
        if (role, setting, value, everywhere) in stands:
            continue
        of = f"ROLE {target.value('SELECT quote_ident(%s)', (role,))}" if role else f"DATABASE {database}"
        within = f" IN DATABASE {database}" if role and not everywhere else ""
        told = _list_or_literal(target, setting, value)
        sql = f"ALTER {of}{within} SET {setting} = {told};" if not role or role in roles else ""
        subject = f"setting {setting} of {role or 'the database'}"
        found = _found(DATABASE_SETTINGS, subject, "it is set on the source, and not on the target", sql)
        yield found if sql else _later(found, f"ALTER {of}{within} SET {setting} = {told}; once the role is there.")


def _later(found: Found, advice: str) -> Found:
    return Found(check=found.check, side=found.side, subject=found.subject, problem=found.problem, advice=advice)


def _list_or_literal(target: Session, setting: str, value: str) -> str:
    """Settings that are lists are told as they stand: quoted as a whole they would be one name."""
    quote: Callable[[str], str] = lambda text: str(target.value("SELECT quote_literal(%s)", (text,)))  # noqa: E731
    if setting in {"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}:
        return ", ".join(quote(part.strip().strip('"')) for part in value.split(","))
    return quote(value)


# where another provider than the system's sorts, its locale stands in a column that later versions have
_TEXT = """
SELECT pg_encoding_to_char(encoding),
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', datcollate)
FROM pg_database d WHERE datname = current_database()
"""
_COLLATIONS_USED = """
SELECT k.collname, min(format('%I.%I', c.oid::regclass, a.attname)) FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation k ON k.oid = a.attcollation
WHERE k.collnamespace = 11 AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace
    WHERE nspname IN ('information_schema', 'crossfade') OR nspname ~ '^pg_') GROUP BY 1 ORDER BY 1
"""
# what each side gives to a session that asks for nothing, our own sessions left aside
_DEFAULTS = """
SELECT name, coalesce((SELECT split_part(e, '=', 2) FROM pg_db_role_setting d, unnest(d.setconfig) e
                       WHERE d.setrole = 0 AND d.setdatabase = (SELECT oid FROM pg_database
                           WHERE datname = current_database()) AND split_part(e, '=', 1) = name), reset_val)
FROM pg_settings WHERE name IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'bytea_output', 'extra_float_digits',
    'standard_conforming_strings', 'backslash_quote', 'array_nulls', 'transform_null_equals', 'xmlbinary', 'xmloption',
    'default_text_search_config', 'default_transaction_isolation', 'lc_monetary', 'lc_numeric', 'lc_time')
ORDER BY 1
"""
_SET = """
SELECT coalesce(r.rolname, ''), split_part(e, '=', 1), substr(e, strpos(e, '=') + 1), d.setdatabase = 0
FROM pg_db_role_setting d CROSS JOIN unnest(d.setconfig) e LEFT JOIN pg_roles r ON r.oid = d.setrole
WHERE d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND (d.setrole = 0 OR (r.rolname <> current_user AND NOT r.rolsuper)) AND NOT (d.setrole = 0 AND d.setdatabase = 0)
ORDER BY 1, 2
"""
_LOGINS = """
SELECT DISTINCT r.rolname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v') AND r.rolcanlogin AND NOT r.rolsuper ORDER BY 1
"""
