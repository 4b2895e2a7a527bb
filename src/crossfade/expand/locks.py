"""Work under locks that nobody waits for long: short waits, many attempts, pauses that differ."""

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg import sql

from crossfade.expand.errors import LockNotGot, StatementRefused
from crossfade.expand.session import DEADLOCK, LOCK_TIMEOUT, Session
from crossfade.expand.shape import Work
from crossfade.expand.state import State

_LONGEST_PAUSE_S = 2.0
_HOLDERS = sql.SQL(
    "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'relation' AND relation = to_regclass(%s) AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a lock is waited for at once, which is how long others may queue behind us, and how long in all."""

    each: timedelta = timedelta(milliseconds=80)
    pause: timedelta = timedelta(milliseconds=100)
    in_all: timedelta = timedelta(minutes=2)


@dataclass(slots=True)
class LockTimes:
    """What locks cost, by this side's clock, so round trips are in it: the longest wait, the longest hold."""

    waited_ms: float = 0.0
    held_ms: float = 0.0
    attempts: int = field(default=0)


class ShortLocks:
    """Carries out work. Raises `LockNotGot`, and whatever the server refuses."""

    def __init__(self, session: Session, state: State, patience: Patience) -> None:
        self._session, self._state, self._patience = session, state, patience
        self.times = LockTimes()
        # ask the server sooner whether an autovacuum is in the way: it then gives way at once. A superuser's right
        self._sooner = bool(session.value(sql.SQL("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")))

    def carry_out(self, work: Work, step: str) -> None:
        """All statements of `work`, and that they were carried out, in one transaction; or nothing at all."""
        if work.index is not None:
            self._beside_writers(work, step)
        else:
            self._attempts(work, step)

    def _attempts(self, work: Work, step: str) -> None:
        began, pause = time.monotonic(), self._patience.pause.total_seconds()
        attempts = 0
        while True:
            attempts += 1
            try:
                self._once(work, step)
            except StatementRefused as refusal:
                if refusal.sqlstate not in {LOCK_TIMEOUT, DEADLOCK}:
                    raise
            else:
                return
            waited = timedelta(seconds=time.monotonic() - began)
            table = work.locks[0][0].as_string() if work.locks else "the table"
            if waited > self._patience.in_all:
                holders = tuple(pid for (pid,) in self._session.rows(_HOLDERS, (table,)))
                raise LockNotGot(table, attempts, waited, holders)
            time.sleep(pause * random.uniform(0.5, 1.5))  # who queued behind us goes first; two of us never in step
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _once(self, work: Work, step: str) -> None:
        self.times.attempts += 1
        with self._session.transaction():
            each = max(1, round(self._patience.each.total_seconds() * 1000))
            if work.locks:
                self._session.rows(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(each)))
                if self._sooner:
                    self._session.rows(
                        sql.SQL("SET LOCAL deadlock_timeout = {}").format(sql.Literal(max(1, each // 2)))
                    )
            asked = held = time.monotonic()
            for number, (table, mode) in enumerate(work.locks):
                if self._session.value(sql.SQL("SELECT to_regclass(%s)"), (table.as_string(),)) is None:
                    continue
                self._session.rows(sql.SQL("LOCK TABLE {} IN {} MODE").format(table, sql.SQL(mode.value)))
                if number == 0:
                    held = time.monotonic()
            for statement in work.statements:
                self._session.rows(statement)
            self._state.made(step, work.name)
        if work.locks:
            self.times.waited_ms = max(self.times.waited_ms, (held - asked) * 1000)
            self.times.held_ms = max(self.times.held_ms, (time.monotonic() - held) * 1000)

    def _beside_writers(self, work: Work, step: str) -> None:
        """One statement outside of a transaction; what a killed one left invalid is dropped first."""
        assert work.index is not None  # asked by the caller
        name = work.index.as_string()
        left = sql.SQL("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid)")
        whole = sql.SQL("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid)")
        drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(work.index)
        self._session.rows(sql.SQL("SET lock_timeout = 0"))
        if self._session.value(left, (name,)):
            self._session.rows(drop)
        dropping = work.statements[0].as_string().startswith("DROP")
        if dropping or not self._session.value(whole, (name,)):
            for statement in work.statements:
                try:
                    self._session.rows(statement)
                except StatementRefused:
                    self._session.rows(drop)
                    raise
        self._state.made(step, work.name)
