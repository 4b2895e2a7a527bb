"""Work under locks that nobody waits for long: short waits, many attempts, pauses that differ.

What happens under a lock is one message to the server: no round trip lies inside, and a client that is slow or gone
keeps nobody waiting. Its commit waits for no disk and no standby; what the step notes after it does, and the log of the
server holds them in that order. Source: docs/adr/0026-one-message-under-a-lock.md.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import sql

from crossfade.expand.errors import LockNotGot, StatementRefused
from crossfade.expand.session import CANCELLED, DEADLOCK, LOCK_TIMEOUT, Session
from crossfade.expand.shape import Work
from crossfade.expand.state import State

_LONGEST_PAUSE_S = 2.0
_AGAIN = frozenset({LOCK_TIMEOUT, DEADLOCK, CANCELLED})
_HOLDERS = sql.SQL(
    "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'relation' AND granted AND (relation = to_regclass(%(table)s)"
    " OR relation IN (SELECT relid FROM pg_partition_tree(to_regclass(%(table)s))))"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
)
_BEGIN, _COMMIT, _NOW = sql.SQL("BEGIN"), sql.SQL("COMMIT"), sql.SQL("SELECT clock_timestamp()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a lock is waited for at once, which is how long others may queue behind us, and how long in all.

    `hold` is how long one statement may take under it; then the server ends it, and all of it is tried again.
    """

    each: timedelta = timedelta(milliseconds=80)
    hold: timedelta = timedelta(milliseconds=150)
    pause: timedelta = timedelta(milliseconds=100)
    in_all: timedelta = timedelta(minutes=2)


@dataclass(slots=True)
class LockTimes:
    """What locks cost, by the server's clock: the longest wait, and the longest hold, from granted to after the commit.

    A wait that was given up counts by this side's clock.
    """

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
        if work.when is not None and not self._session.value(sql.SQL("SELECT {}").format(work.when)):
            return
        if work.index is not None:
            self._beside_writers(work, step)
        elif work.locks:
            self._attempts(work, step)
        else:
            self._session.script((_BEGIN, *work.statements, self._state.made(step, work.name), _COMMIT))

    def _attempts(self, work: Work, step: str) -> None:
        began, pause = time.monotonic(), self._patience.pause.total_seconds()
        attempts = 0
        while True:
            attempts += 1
            asked = time.monotonic()
            try:
                self._once(work, step)
            except StatementRefused as refusal:
                if refusal.sqlstate not in _AGAIN:
                    raise
            else:
                return
            self.times.waited_ms = max(self.times.waited_ms, (time.monotonic() - asked) * 1000)
            waited = timedelta(seconds=time.monotonic() - began)
            table = work.locks[0].as_string()
            if waited > self._patience.in_all:
                holders = tuple(pid for (pid,) in self._session.rows(_HOLDERS, {"table": table}))
                raise LockNotGot(table, attempts, waited, holders)
            time.sleep(pause * random.uniform(0.5, 1.5))  # who queued behind us goes first; two of us never in step
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _once(self, work: Work, step: str) -> None:
        self.times.attempts += 1
        exists = sql.SQL("SELECT to_regclass(%s) IS NOT NULL")
        tables = [table for table in work.locks if self._session.value(exists, (table.as_string(),))]
        note = self._state.made(step, work.name)
        if not tables:
            self._session.script((_BEGIN, *work.statements, note, _COMMIT))
            return
        before = tuple(self._limits())
        # one statement for all tables, so that its limit of time is one for all of them
        lock = sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.SQL(", ").join(tables), sql.SQL(work.mode.value))
        under = (_limit("statement_timeout", self._patience.hold), *work.statements, note)
        found = self._session.script((_BEGIN, *before, _NOW, lock, _NOW, *under, _COMMIT, _NOW))
        asked, granted, ended = (each[0][0] for each in found if each and isinstance(each[0][0], datetime))
        self.times.waited_ms = max(self.times.waited_ms, (granted - asked) / timedelta(milliseconds=1))
        self.times.held_ms = max(self.times.held_ms, (ended - granted) / timedelta(milliseconds=1))

    def _limits(self) -> Iterator[sql.Composable]:
        each = self._patience.each
        yield _limit("lock_timeout", each)
        yield _limit("statement_timeout", each)
        if self._sooner:
            yield _limit("deadlock_timeout", each / 2)
        # nobody is kept waiting by a disk or a standby: the step's own note, after this, waits for both
        yield sql.SQL("SET LOCAL synchronous_commit = off")

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
        self._session.rows(self._state.made(step, work.name))


def _limit(setting: str, time_: timedelta) -> sql.Composable:
    """A limit of time until the end of the transaction."""
    milliseconds = max(1, round(time_ / timedelta(milliseconds=1)))
    return sql.SQL("SET LOCAL {} = {}").format(sql.SQL(setting), sql.Literal(milliseconds))
