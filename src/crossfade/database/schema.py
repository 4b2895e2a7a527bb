"""The source's schema on the target, in two halves.

First what the full load needs: tables, sequences, keys by which rows are found, grants. Then, when the rows are there,
what would only slow the load down or break it: other indexes, foreign keys, triggers.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from psycopg import sql

from crossfade.database import dump, fence, second_half, state
from crossfade.database.second_half import LONG
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.terms import Side


class Schema:
    """Copies the definitions of the scope's schemas from source to target. Both verbs may be called again."""

    def __init__(self, settings: NativeSettings, connect: Callable[[Side], Session]) -> None:
        self._settings, self._connect = settings, connect

    def create_first_half(self, source: Session, target: Session) -> None:
        """Tables, sequences, keys, and all grants but those to write: these the target keeps for the day it opens."""
        if "first" in state.remembered(target, "half"):
            return
        self._create_roles(source, target)
        self._create_extensions(source, target)
        with self._archive() as archive:
            wanted = {*archive.entries("pre-data"), *self._row_keys(archive, source)}
            ordered = [e for e in (*archive.entries("pre-data"), *archive.entries("post-data")) if e in wanted]
            grants = [entry for entry in ordered if entry.rest.startswith("ACL ")]  # an archive has them last, too
            text = archive.sql([entry for entry in ordered if entry not in grants])
            text += _AS_A_ROLE.sub(r"\1 ROLE\2;", archive.sql(grants)) if grants else ""
            text += self._own_grants(target)
        # one transaction: no instant at which a grant to write stands before the fence has noted and taken it
        fenced = "SELECT crossfade.fence(0); INSERT INTO crossfade.made VALUES ('half', 'first')"
        target.run(f"BEGIN;\n{text}\n;{fenced}; COMMIT", patience=LONG)
        target.rows("RESET ALL; SET synchronous_commit = on; SET client_min_messages = error")

    def create_second_half(self, source: Session, target: Session) -> None:
        """Everything else, several objects at once. A crash repeats at most those that were at work.

        Raises `ObjectsNotMade`; what stands by then is not made again.
        """
        if "second" in state.remembered(target, "half"):
            return
        with self._archive() as archive:
            first = set(self._row_keys(archive, source))
            entries = [entry for entry in archive.entries("post-data") if entry not in first]
            connect = partial(self._connect, Side.TARGET)
            second_half.make(archive, entries, source, target, connect, self._settings.schema_sessions)
        state.remember(target, "half", "second")

    def drop(self, target: Session) -> None:
        """The target holds none of the schemas, nor the roles and extensions that were made for them."""
        fence.end_makers(target)
        extensions = state.remembered(target, "extension") if state.is_installed(target) else set()
        roles = state.remembered(target, "role") if state.is_installed(target) else set()
        for schema in self._settings.schemas:
            target.rows(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)), patience=LONG)
        for extension in extensions:
            target.rows(sql.SQL("DROP EXTENSION IF EXISTS {}").format(sql.Identifier(extension)))
        for role in sorted(roles):
            if target.rows("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)):
                target.rows(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                target.rows(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    @contextmanager
    def _archive(self) -> Iterator[dump.Archive]:
        with tempfile.TemporaryDirectory(prefix="crossfade-schema-") as folder:
            yield dump.take(
                self._settings.source.dsn,
                self._settings.schemas,
                self._settings.programs,
                Path(folder) / "schema.dump",
            )

    def _row_keys(self, archive: dump.Archive, source: Session) -> list[dump.Entry]:
        """Primary keys, replica identities, and what finds rows of tables that have neither."""
        rows = source.rows(_ROW_KEYS, (list(self._settings.schemas),))
        oids = {oid for row in rows for oid in row[:2] if oid}
        attached = {f"INDEX ATTACH {schema} {name} " for _, _, schema, name in rows}
        return [
            entry
            for entry in archive.entries("post-data")
            if entry.oid in oids or any(entry.rest.startswith(words) for words in attached)
        ]

    def _create_roles(self, source: Session, target: Session) -> None:
        """Roles that own or are granted something exist; without passwords, and never as superusers."""
        rows = source.rows(ROLES)
        superuser = _is_superuser(target)
        for name, login, inherit in rows:
            if target.rows("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)):
                continue
            words = f"{'LOGIN' if login else 'NOLOGIN'} {'INHERIT' if inherit else 'NOINHERIT'}"
            target.rows(sql.SQL("CREATE ROLE {} " + words).format(sql.Identifier(name)))
            state.remember(target, "role", name)
            if (
                not superuser
            ):  # who makes a role may give it away, but not act as it: owners are spoken for by the fence
                target.rows(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
        names = [name for name, *_ in rows]
        made = state.remembered(target, "role")
        for role, member in source.rows(_MEMBERS, {"names": names}):
            if {role, member} & made:
                target.rows(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))

    def _own_grants(self, target: Session) -> str:
        """What a role that is no superuser needs to apply rows: the fence takes the owners' rights, not its own."""
        if _is_superuser(target):
            return ""
        granted = sql.SQL(
            "\n;GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA {} TO CURRENT_USER"
        )
        return "".join(granted.format(sql.Identifier(schema)).as_string() for schema in self._settings.schemas)

    def _create_extensions(self, source: Session, target: Session) -> None:
        for (name,) in source.rows("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid"):
            if not target.rows("SELECT 1 FROM pg_extension WHERE extname = %s", (name,)):
                target.rows(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(name)))
                state.remember(target, "extension", name)


def _is_superuser(session: Session) -> bool:
    return bool(session.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))


# an archive lets whoever granted say it in a session of his own, which only a superuser may begin; his role says it too
_AS_A_ROLE = re.compile(r"^(SET|RESET) SESSION AUTHORIZATION( .*)?;$", re.MULTILINE)
_ROW_KEYS = """
SELECT i.indexrelid::bigint, coalesce(k.oid, 0)::bigint, n.nspname, x.relname
FROM pg_index i
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
WHERE n.nspname = ANY(%s) AND (i.indisprimary OR i.indisreplident
    OR (t.relreplident = 'f' AND i.indisunique AND i.indimmediate AND i.indpred IS NULL))
"""
ROLES = """
WITH RECURSIVE named AS (
    SELECT DISTINCT refobjid AS oid FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
), kin AS (
    SELECT oid FROM named
    UNION
    SELECT CASE WHEN m.member = k.oid THEN m.roleid ELSE m.member END
    FROM pg_auth_members m JOIN kin k ON k.oid IN (m.member, m.roleid)
)
SELECT rolname, rolcanlogin, rolinherit FROM pg_roles r JOIN kin ON kin.oid = r.oid
WHERE rolname !~ '^pg_' AND NOT rolsuper AND rolname <> current_user ORDER BY 1
"""
_MEMBERS = """
SELECT pg_get_userbyid(roleid), pg_get_userbyid(member) FROM pg_auth_members
WHERE pg_get_userbyid(member) = ANY(%(names)s) AND pg_get_userbyid(roleid) = ANY(%(names)s)
"""
