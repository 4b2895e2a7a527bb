"""What the switch says to one side, and who stands in its way there.

Each function gives a script: statements in transactions of their own, to be sent in one round trip. A row
('name', seconds) in a script's answer tells when that point was reached, by the server's clock.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from psycopg import sql

from crossfade.database.errors import BlockingSession, SwitchInProgress
from crossfade.database.session import Session, eventually
from crossfade.model.errors import CrossfadeError

OPENED = "opened"
"""Purpose of the marker that is the first to leave a side that was opened: what loses it loses what came after it."""
_LOCK = (16_721, 1)  # any two numbers, the same for all of us
_SWITCHING = (16_721, 2)
_MAKING = (16_721, 3)
_OTHER_ENGINE = timedelta(seconds=15)  # a dead engine's session is gone by its keepalives before that
_PLANNING = timedelta(seconds=20)
_KEEPALIVES = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
# a statement that runs for hours, of an engine that was killed: the server looks whether anybody still waits for it
_CLIENT_CHECK = """
SELECT set_config('client_connection_check_interval', '1s', false)
WHERE current_setting('server_version_num')::int >= 140000
"""
_END_HOLDERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND (classid, objid, objsubid) = (%s, %s, 2) AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class FenceLeaks(CrossfadeError):
    """A trial of the fence (rolled back) left roles that could still write. Nothing was fenced."""

    def __init__(self, session: Session, roles: tuple[str, ...]) -> None:
        self.side, self.roles = session.side, roles
        self.remedy = f"Revoke pg_write_all_data and its like from {', '.join(roles)}, or make preflight clean again."
        super().__init__(f"a fence of the {session.side} database would not stop {', '.join(roles)}")


def hold(session: Session) -> None:
    """The session alone may switch here, and change what a switch needs, until it ends. Raises `SwitchInProgress`."""
    session.rows(_KEEPALIVES)
    session.rows(_CLIENT_CHECK)

    def got_it() -> bool:
        return bool(session.value("SELECT pg_try_advisory_lock(%s, %s)", _LOCK))

    if not eventually(got_it, within=_OTHER_ENGINE, pause=0.05, pace=session.pace):
        raise SwitchInProgress(session.side)


def say_that_it_switches(session: Session) -> None:
    """Whoever holds the side says so: see `end_switches`."""
    session.value("SELECT pg_try_advisory_lock(%s, %s)", _SWITCHING)


def end_switches(session: Session) -> None:
    """A session that is within a switch here is ended, and what it did not commit is undone.

    For whoever takes everything away: a late engine's fence would otherwise meet nobody who refuses its epoch.
    """
    session.rows(_END_HOLDERS, _SWITCHING)


def say_that_it_makes(session: Session) -> None:
    """The session works for whoever holds the side: see `end_makers`."""
    session.rows(_KEEPALIVES)
    session.rows(_CLIENT_CHECK)
    session.rows("SELECT pg_advisory_lock_shared(%s, %s)", _MAKING)


def end_makers(session: Session) -> None:
    """Whoever holds the side ends the sessions that work for an engine that is dead; returns when they are gone.

    What they had at work is undone. Raises `SwitchInProgress` where one does not go.
    """

    def gone() -> bool:
        return not session.rows(_END_HOLDERS, _MAKING)

    if not eventually(gone, within=_OTHER_ENGINE, pause=0.05, pace=session.pace):
        raise SwitchInProgress(session.side)


@contextmanager
def held_if_free(session: Session) -> Iterator[bool]:
    """Whether nobody switches here; while the block runs, nobody begins to."""
    free = bool(session.value("SELECT pg_try_advisory_lock(%s, %s)", _LOCK))
    try:
        yield free
    finally:
        if free and not session.closed:
            session.rows("SELECT pg_advisory_unlock(%s, %s)", _LOCK)


def lockable(session: Session) -> tuple[str, ...]:
    """Every table that holds rows of the application or marks of ours, quoted."""
    rows = session.rows(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND (n.nspname IN (SELECT schema_name FROM crossfade.scope)"
        " OR (n.nspname = 'crossfade' AND c.relname IN ('marker', 'beat'))) ORDER BY n.nspname = 'crossfade', 1"
    )
    return tuple(name for (name,) in rows)


def fence_script(epoch: int) -> str:
    """No role of the application may begin to write: durable when this returns."""
    return f"BEGIN; SELECT crossfade.fence({epoch}); COMMIT; {_now('fenced')}"


def lock_script(tables: tuple[str, ...], lock_timeout: timedelta) -> str:
    """Waits for the writers that were inside, each table in its own transaction: together they would deadlock."""
    limit = f"SET LOCAL lock_timeout = '{round(lock_timeout.total_seconds() * 1000)}ms'"
    each = (f"BEGIN; {limit}; LOCK TABLE ONLY {table} IN SHARE MODE; COMMIT;" for table in tables)
    return "\n".join([*each, _now("locked")])


def mark_script(purpose: str, token: str) -> str:
    return f"BEGIN; SELECT crossfade.mark('{purpose}', '{token}'); COMMIT; {_now('marked')}"


def recount_script(slot: str) -> str:
    """A row ('lost', why or None). After the marker: a slot that is whole now has carried all that came before it."""
    return f"SELECT 'lost', crossfade.recounted('{slot}')"


def await_script(token: str, patience: timedelta) -> str:
    return f"BEGIN; SELECT crossfade.await('{token}', '{patience.total_seconds()} s'); COMMIT; {_now('drained')}"


def take_over_script(token: str, margin: int) -> str:
    """Sequences are ahead, and everything that was applied is on disk: only then can a slot be advanced over it."""
    flushed = "BEGIN; SET LOCAL synchronous_commit = on"
    return f"{flushed}; SELECT crossfade.take_over('{token}', {margin}); COMMIT; {_now('taken_over')}"


def advance_script(slot: str) -> str:
    return (
        f"BEGIN; SELECT pg_replication_slot_advance('{slot}', pg_current_wal_flush_lsn()); COMMIT; {_now('advanced')}"
    )


def guard_script(slot: str) -> str:
    return f"BEGIN; SELECT 'unskipped', crossfade.unskipped('{slot}'); COMMIT; {_now('guarded')}"


def open_script(epoch: int, way_back: str | None = None) -> str:
    """The grants are back and listeners are told: durable when this returns.

    With `way_back`, a slot, so is where it stands now: nothing before that may ever return, and a marker is the first
    that will.
    """
    opened = f"BEGIN; SET LOCAL synchronous_commit = on; SELECT crossfade.open({epoch})"
    if way_back is not None:
        opened += f"; {_BEGINS.format(slot=way_back)}; SELECT crossfade.mark('{OPENED}', '{uuid.uuid4()}')"
    return f"{opened}; COMMIT; {_now('opened')}"


def plan_fence(session: Session, epoch: int) -> None:
    """Work the fence out in full, and take it back: what is left to do in the window is to say it.

    Raises `FenceLeaks`, `StaleEpoch`.
    """
    leaks = session.rows("SELECT role_name FROM crossfade.plan_fence(%s)", (epoch,))
    if leaks:
        raise FenceLeaks(session, tuple(str(name) for (name,) in leaks))
    # once more as the window will say it: every cache is warm then
    session.run(f"BEGIN; SELECT crossfade.fence({epoch}); ROLLBACK", patience=_PLANNING)


def plan_opening(session: Session, epoch: int) -> None:
    """Work the opening out, and try it in a transaction that is rolled back. Raises `StaleEpoch`."""
    session.rows("SELECT crossfade.plan_opening()")
    try:
        session.run(f"BEGIN; SELECT crossfade.open({epoch}); ROLLBACK", patience=_PLANNING)
    finally:
        if not session.closed:
            session.roll_back()


def writers_inside(session: Session, *, older_than: timedelta = timedelta(0)) -> tuple[BlockingSession, ...]:
    """Transactions that hold a lock for writing on a table in scope, the oldest first; also prepared ones (pid 0)."""
    rows = session.rows(_WRITERS, (older_than,))
    return tuple(
        BlockingSession(pid=pid, user=user, application_name=application, age=age)
        for pid, user, application, age in rows
    )


def end_sessions(session: Session, sessions: tuple[BlockingSession, ...]) -> None:
    for blocking in sessions:
        session.rows("SELECT pg_terminate_backend(%s)", (blocking.pid,))


def cancel_autovacuum_soon(session: Session) -> None:
    """An autovacuum holds a lock up for `deadlock_timeout` (1 s) before it is cancelled: make that 10 ms."""
    superuser = session.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if superuser:
        session.rows(sql.SQL("SET deadlock_timeout = '10ms'"))


def _now(point: str) -> str:
    return f"SELECT '{point}', extract(epoch FROM clock_timestamp())"  # noqa: S608 - our own names of points


_BEGINS = (
    "UPDATE crossfade.slot_record r SET begins_at = s.confirmed_flush_lsn"
    " FROM pg_replication_slots s WHERE s.slot_name = r.slot_name AND r.slot_name = '{slot}'"
)
_WRITERS = """
WITH held AS (
    SELECT DISTINCT l.pid, l.virtualtransaction FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN crossfade.scope s ON s.schema_name = n.nspname
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      AND l.pid IS DISTINCT FROM pg_backend_pid()
)
SELECT pid, coalesce(usename, ''), application_name, age FROM (
    SELECT a.pid, a.usename, a.application_name, clock_timestamp() - a.xact_start AS age
    FROM held h JOIN pg_stat_activity a ON a.pid = h.pid WHERE a.backend_type = 'client backend'
    UNION ALL
    SELECT 0, p.owner, 'prepared transaction ' || p.gid, clock_timestamp() - p.prepared
    FROM pg_prepared_xacts p WHERE EXISTS (SELECT FROM held WHERE pid IS NULL) AND p.database = current_database()
) found WHERE age >= %s ORDER BY age DESC
"""
