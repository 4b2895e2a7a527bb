"""Rows from before the change are brought in step: batch by batch along the key, yielding to everybody else.

A batch takes only rows that nobody holds, so it never waits while it holds some, and no deadlock can come of it; what
it passed over is looked for again. It rewrites rows without changing them, and the trigger does the rest. It is one
message, and its commit waits for no disk and no standby, so that whoever wants one of its rows waits for the server's
own work alone. Source: docs/adr/0026-one-message-under-a-lock.md.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from psycopg import sql

from crossfade.expand.errors import StatementRefused
from crossfade.expand.session import CANCELLED, Session
from crossfade.expand.shape import Shape
from crossfade.expand.state import Place, State

_SMALLEST, _FIRST, _LARGEST = 50, 500, 20_000
_LONGEST_BATCH = 3  # times what one should take; then the server ends it, and it is tried with fewer rows
_LONGEST_PAUSE_S = 5.0
_MOST_PASSES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How much of the server a backfill takes.

    `batch`: how long a batch should take, which is how long its rows stay locked. `share`: of the time, in percent.
    It pauses while reading one row takes longer than `latency`, or a standby is further behind than `replay_bytes`.
    """

    batch: timedelta = timedelta(milliseconds=50)
    share_percent: float = 50.0
    latency: timedelta = timedelta(milliseconds=50)
    replay_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Rows walked along so far, of how many by the server's estimate; time left, None where nothing can be said."""

    rows: int
    of: int
    brought_in_step: int
    left: timedelta | None
    paused_by: str | None


Told = Callable[[Progress], None]


def keyed(shape: Shape, first: tuple[str, ...] | None, last: tuple[str, ...] | None) -> sql.Composable:
    """The condition that a row's key lies after `first`, up to and with `last`."""
    table = shape.table
    key = sql.SQL(", ").join(map(sql.Identifier, table.key))
    parts = []
    for sign, bound in ((">", first), ("<=", last)):
        if bound is not None:
            values = sql.SQL(", ").join(
                sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(table.columns[name].type))
                for name, value in zip(table.key, bound, strict=True)
            )
            parts.append(sql.SQL("({}) {} ({})").format(key, sql.SQL(sign), values))
    return sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")


def next_key(session: Session, shape: Shape, after: tuple[str, ...] | None, rows: int) -> Place | None:
    """The last key of the next `rows` rows and how many they are; None at the end."""
    table = shape.table
    plain = sql.SQL(", ").join(map(sql.Identifier, table.key))
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.key)
    # by the key itself: a bare name would mean its text, by which 99 comes after 500
    backwards = sql.SQL(", ").join(sql.SQL("b.{} DESC").format(sql.Identifier(name)) for name in table.key)
    statement = sql.SQL(
        "SELECT count(*) OVER (), {} FROM (SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}) AS b ORDER BY {} LIMIT 1"
    ).format(texts, plain, table.identifier, keyed(shape, after, None), plain, sql.Literal(rows), backwards)
    found = session.rows(statement)
    return Place(key=tuple(found[0][1:]), rows=found[0][0]) if found else None


class Backfill:
    """One run, from where the one before it stopped; ends when a walk over all rows found none left."""

    def __init__(self, session: Session, state: State, shape: Shape, pacing: Pacing) -> None:
        self._session, self._state, self._shape, self._pacing = session, state, shape, pacing
        self._began, self._walked, self._done = time.monotonic(), 0, 0
        self._size, self._limit = _FIRST, _LONGEST_BATCH * pacing.batch

    def run(self, told: Told) -> int:
        """Rows brought in step by this run."""
        asleep = self._leave_other_triggers_asleep()
        for _ in range(_MOST_PASSES):
            if self._walk(told) == 0:
                break
            self._state.walked(Place(key=None, rows=0))
        if asleep:
            self._session.rows(sql.SQL("RESET session_replication_role"))
        return self._done

    def _leave_other_triggers_asleep(self) -> bool:
        """Our trigger is ALWAYS enabled; with a superuser's right, none of the application's sees a touched row."""
        may = bool(self._session.value(sql.SQL("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")))
        if may:
            self._session.rows(sql.SQL("SET session_replication_role = replica"))
        return may

    def _walk(self, told: Told) -> int:
        """Once along the key; rows that were passed over because somebody held them."""
        place, passed_over = self._state.place(), 0
        while True:
            paused_by = self._yield_to_others(place)
            began = time.monotonic()
            found = next_key(self._session, self._shape, place.key, self._size)
            if found is None:
                return passed_over
            reached = replace(found, rows=place.rows + found.rows)
            counts = self._batch(place.key, reached)
            if counts is None:
                self._take_less()
                continue
            place, (due, done) = reached, counts
            passed_over += due - done
            self._done += done
            self._walked += found.rows
            took = time.monotonic() - began
            self._size = self._fitting(took)
            told(self._progress(place, paused_by))
            if done:  # the rest of the time is the application's, by `Pacing.share_percent`
                time.sleep(min(took * (100 / self._pacing.share_percent - 1), _LONGEST_PAUSE_S))

    def _batch(self, after: tuple[str, ...] | None, place: Place) -> tuple[int, int] | None:
        """Rows that were not in step, and those of them that now are; None where it took too long and was undone."""
        shape, table = self._shape, self._shape.table
        assert shape.unfilled is not None and shape.touch is not None  # noqa: PT018 - a backfill has both
        key = sql.SQL(", ").join(map(sql.Identifier, table.key))
        same = sql.SQL(" AND ").join(sql.SQL("t.{0} = free.{0}").format(sql.Identifier(name)) for name in table.key)
        statement = sql.SQL(
            "WITH due AS MATERIALIZED (SELECT {key} FROM {table} WHERE {within} AND {unfilled}),"
            " free AS MATERIALIZED (SELECT {key} FROM {table} WHERE {within} AND {unfilled}"
            " FOR NO KEY UPDATE SKIP LOCKED),"
            " touched AS (UPDATE {table} AS t SET {touch} = t.{touch} FROM free WHERE {same} RETURNING 1)"
            " SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM touched)"
        ).format(
            key=key,
            table=table.identifier,
            within=keyed(shape, after, place.key),
            unfilled=shape.unfilled,
            touch=sql.Identifier(shape.touch),
            same=same,
        )
        limit = sql.SQL("SET LOCAL statement_timeout = {}").format(round(self._limit / timedelta(milliseconds=1)))
        begin, commit, unflushed = map(sql.SQL, ("BEGIN", "COMMIT", "SET LOCAL synchronous_commit = off"))
        try:
            found = self._session.script((begin, limit, unflushed, statement, self._state.walking(place), commit))
        except StatementRefused as refusal:
            if refusal.sqlstate != CANCELLED:
                raise
            return None
        due, done = next(rows[0] for rows in found if rows)
        return due, done

    def _take_less(self) -> None:
        """Fewer rows at once; where even the fewest take too long, the server is given the time it needs."""
        if self._size == _SMALLEST:
            self._limit *= 2
        self._size = max(_SMALLEST, self._size // 2)

    def _fitting(self, took: float) -> int:
        """The next batch: as large as fits the time, and never more than double or less than half."""
        factor = self._pacing.batch.total_seconds() / max(took, 0.001)
        return max(_SMALLEST, min(_LARGEST, round(self._size * max(0.5, min(2.0, factor)))))

    def _yield_to_others(self, place: Place) -> str | None:
        """Wait while the server answers slowly or a standby is behind; what it was, None when nothing was."""
        paused_by, pause = None, 0.1
        while (reason := self._busy(place)) is not None:
            paused_by = reason
            time.sleep(pause)  # the server or a standby needs it; then both are asked again
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        return paused_by

    def _busy(self, place: Place) -> str | None:
        began = time.monotonic()
        next_key(self._session, self._shape, place.key, 1)
        if time.monotonic() - began > self._pacing.latency.total_seconds():
            return "the server answers slowly"
        behind = self._session.value(
            sql.SQL("SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication")
        )
        return "a standby is behind" if behind is not None and behind > self._pacing.replay_bytes else None

    def _progress(self, place: Place, paused_by: str | None) -> Progress:
        total = max(self._shape.table.rows, place.rows)
        spent = time.monotonic() - self._began
        left = timedelta(seconds=spent / self._walked * (total - place.rows)) if self._walked else None
        return Progress(rows=place.rows, of=total, brought_in_step=self._done, left=left, paused_by=paused_by)
