"""How much of a server a verification may take."""

import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from psycopg import sql

from crossfade.verify.errors import VerificationTooLong
from crossfade.verify.session import Session

_LOOK_AGAIN_SECONDS = 0.2
_LONGEST_REST_SECONDS = 10.0

# what any receiver of this server has yet to replay; without pg_monitor others' positions are hidden: nothing is known
_BEHIND = sql.SQL("""
    SELECT coalesce(max(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                             ELSE pg_current_wal_lsn() END, replay_lsn)), 0)::int8
    FROM pg_stat_replication
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLimits:
    """Limits of a verification's load; None: no limit.

    `statements_per_second` holds for each server, whatever the number of workers of this process.
    `replication_lag_bytes`: no chunk is begun while a receiver of the source is further behind its WAL.
    `slowdown`: a chunk whose rows took more than this many times as long as those of the table's fastest chunk on the
    source means that the source is busy; then the worker rests as long as that chunk took, at most ten seconds.
    `share`, above 0 and at most 1: all workers together have statements running on either server for at most this share
    of the time; each rests after its chunk for as long as it takes, at most ten seconds.
    """

    statements_per_second: float | None = None
    replication_lag_bytes: int | None = None
    slowdown: float | None = None
    share: float | None = None


class Deadline:
    """The end of the time that a verification has, from now; None: there is none."""

    def __init__(self, limit: timedelta | None) -> None:
        self._limit, self._began = limit, time.monotonic()

    def keep(self) -> None:
        """Raises `VerificationTooLong` when the time is over."""
        if self._limit is not None and time.monotonic() - self._began > self._limit.total_seconds():
            raise VerificationTooLong(self._limit)


class Pace:
    """Statements of several threads, spaced evenly."""

    def __init__(self, statements_per_second: float | None) -> None:
        self._interval = 1 / statements_per_second if statements_per_second else 0.0
        self._lock, self._next = Lock(), 0.0

    def wait(self) -> None:
        """Returns when one more statement may be sent."""
        if not self._interval:
            return
        with self._lock:
            now = time.monotonic()
            due = max(now, self._next)
            self._next = due + self._interval
        time.sleep(max(0.0, due - now))  # the rate that was asked for: each statement has its moment


class Yielding:
    """Lets the source have its time: waits for its receivers, and rests when its own answers have become slow."""

    def __init__(self, limits: LoadLimits, *, workers: int = 1) -> None:
        self._limits, self._workers = limits, workers
        self._fastest: dict[str, float] = {}
        self.rested_seconds = 0.0

    @property
    def by_share(self) -> bool:
        """Whether there is a limit on the share of time: then statements are kept as short as was asked for."""
        return self._limits.share is not None

    def wait_for_receivers(self, source: Session) -> None:
        limit = self._limits.replication_lag_bytes
        while limit is not None and source.row(_BEHIND)[0] > limit:
            self._rest(_LOOK_AGAIN_SECONDS)

    def after(self, table: str, *, rows: int, seconds: float) -> None:
        """A chunk of the table with so many rows took the source so long."""
        if self._limits.slowdown is None or rows <= 0:
            return
        per_row = seconds / rows
        fastest = self._fastest[table] = min(per_row, self._fastest.get(table, per_row))
        if per_row > self._limits.slowdown * fastest:
            self._rest(min(seconds, _LONGEST_REST_SECONDS))

    def keep_share(self, *, busy_seconds: float, seconds: float) -> None:
        """For `busy_seconds` of the last `seconds` a worker's statement ran on the server that had more of them."""
        if self._limits.share is not None:
            due = busy_seconds * self._workers / self._limits.share - seconds
            if due > 0:
                self._rest(min(due, _LONGEST_REST_SECONDS))

    def _rest(self, seconds: float) -> None:
        self.rested_seconds += seconds
        time.sleep(seconds)  # time that the servers have for others
