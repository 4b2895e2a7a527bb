"""What the database itself remembers of a change, in a schema of its own: at which step it stands, what was made."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from psycopg import sql

from crossfade.expand.change import ChangeFile
from crossfade.expand.errors import AnotherAtWork, ChangeDiffers
from crossfade.expand.session import Session
from crossfade.expand.shape import STATE_SCHEMA

_PATIENCE_S = 1.0


class Stands(StrEnum):
    """Where a change stands. What ends in -ing was begun and may have been cut off: the same step goes on."""

    NOTHING = "nothing"
    EXPANDING = "expanding"
    EXPANDED = "expanded"
    BACKFILLING = "backfilling"
    BACKFILLED = "backfilled"
    CHECKED = "checked"
    CONTRACTING = "contracting"
    CONTRACTED = "contracted"
    GOING_BACK = "going back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the backfill is: the key after which it goes on, as texts; None at the beginning."""

    key: tuple[str, ...] | None
    rows: int


# in one transaction, so that two that begin at once do not trip over each other
_SCHEMA = (
    sql.SQL("SELECT pg_advisory_xact_lock(hashtext('crossfade_expand'))"),
    sql.SQL("CREATE SCHEMA IF NOT EXISTS crossfade_expand"),
    # writers call sequences here from triggers; the tables are not theirs to see
    sql.SQL("GRANT USAGE ON SCHEMA crossfade_expand TO PUBLIC"),
    sql.SQL("""CREATE TABLE IF NOT EXISTS crossfade_expand.change (
        name text PRIMARY KEY, relation text NOT NULL, kind text NOT NULL, digest text NOT NULL, stands text NOT NULL,
        since timestamptz NOT NULL DEFAULT now(), after_key text[], rows_walked bigint NOT NULL DEFAULT 0)"""),
    sql.SQL("""CREATE TABLE IF NOT EXISTS crossfade_expand.made (
        change text REFERENCES crossfade_expand.change ON DELETE CASCADE, step text, what text,
        at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (change, step, what))"""),
)


class State:
    """The row of one change. Raises `ChangeDiffers` where the file is not the one by which it was begun."""

    def __init__(self, session: Session, file: ChangeFile) -> None:
        self._session, self._file = session, file

    def prepare(self) -> None:
        """The schema and its tables exist."""
        if self._session.value(sql.SQL("SELECT to_regclass('crossfade_expand.made')")) is None:
            with self._session.transaction():
                for statement in _SCHEMA:
                    self._session.rows(statement)

    @property
    def stands(self) -> Stands:
        if self._session.value(sql.SQL("SELECT to_regclass('crossfade_expand.change')")) is None:
            return Stands.NOTHING
        asked = sql.SQL("SELECT stands, digest FROM crossfade_expand.change WHERE name = %s")
        found = self._session.rows(asked, (self._file.name,))
        if not found:
            return Stands.NOTHING
        if found[0][1] != self._file.digest:
            raise ChangeDiffers(self._file.name)
        return Stands(found[0][0])

    def move(self, to: Stands) -> None:
        """The change stands there; a new one gets its row."""
        self._session.rows(
            sql.SQL(
                "INSERT INTO crossfade_expand.change (name, relation, kind, digest, stands) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (name) DO UPDATE SET stands = EXCLUDED.stands, since = now()"
            ),
            (self._file.name, self._file.table, self._file.kind, self._file.digest, to.value),
        )

    def made(self, step: str, what: str) -> sql.Composable:
        """The statement that notes it, once, for the transaction that makes it."""
        return sql.SQL("INSERT INTO crossfade_expand.made VALUES ({}, {}, {}) ON CONFLICT DO NOTHING").format(
            sql.Literal(self._file.name), sql.Literal(step), sql.Literal(what)
        )

    def has_made(self, step: str) -> frozenset[str]:
        """What of a step was made already."""
        asked = sql.SQL("SELECT what FROM crossfade_expand.made WHERE change = %s AND step = %s")
        return frozenset(what for (what,) in self._session.rows(asked, (self._file.name, step)))

    def place(self) -> Place:
        """Where the backfill goes on."""
        asked = sql.SQL("SELECT after_key, rows_walked FROM crossfade_expand.change WHERE name = %s")
        key, rows = self._session.rows(asked, (self._file.name,))[0]
        return Place(key=tuple(key) if key else None, rows=rows)

    def walking(self, place: Place) -> sql.Composable:
        """The statement that notes how far the backfill is.

        It stands in the transaction of the batch, so that a killed backfill does none twice and leaves none out.
        """
        return sql.SQL(
            "UPDATE crossfade_expand.change SET after_key = {}::text[], rows_walked = {} WHERE name = {}"
        ).format(
            sql.Literal(list(place.key) if place.key else None), sql.Literal(place.rows), sql.Literal(self._file.name)
        )

    def walked(self, place: Place) -> None:
        """The backfill is so far, by itself."""
        self._session.rows(self.walking(place))

    def forget(self) -> None:
        """Nothing is remembered of the change; the schema goes with the last one."""
        with self._session.transaction():
            self._session.rows(_SCHEMA[0])
            self._session.rows(sql.SQL("DELETE FROM crossfade_expand.change WHERE name = %s"), (self._file.name,))
            if not self._session.value(sql.SQL("SELECT count(*) FROM crossfade_expand.change")):
                self._session.rows(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(STATE_SCHEMA)))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes this table meanwhile: an advisory lock of the session. Raises `AnotherAtWork`.

        Not at once: the server notices a moment late that the process before this one has ended.
        """
        lock = sql.SQL("SELECT pg_try_advisory_lock(hashtext('crossfade_expand'), hashtext(%s))")
        until = time.monotonic() + _PATIENCE_S
        while not self._session.value(lock, (self._file.table,)):
            if time.monotonic() > until:
                raise AnotherAtWork(self._file.table)
            time.sleep(0.02)  # the process before this one may have ended a moment ago
        yield  # the lock ends with the session, however that ends
