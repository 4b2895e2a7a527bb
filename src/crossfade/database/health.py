"""How the source is: room on its disk, connections, and what the migration takes of them.

Asked through a session of its own, at most every few seconds, in one statement: about two milliseconds of its server's.
"""

import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from crossfade.database.session import PostgresSession, Session
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import SourceHealth
from crossfade.model.terms import NoData, Side

Answer = SourceHealth | NoData
_PATIENCE = timedelta(seconds=2)
_EVERY = timedelta(seconds=5)
_NAME = "crossfade watch"


def free_disk_of(folder: Path) -> Callable[[], int | None]:
    """What the disk under `folder` has left for users; None where nobody can say."""

    def free() -> int | None:
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            return None

    return free


def nobody_knows() -> None:
    """A server does not tell by SQL what its disk has left; its operating system or CloudWatch does."""


class PostgresWatch:
    """`free_disk_bytes` says what only the server's site can know. Looks never raise."""

    def __init__(
        self, dsn: str, *, free_disk_bytes: Callable[[], int | None] = nobody_knows, every: timedelta = _EVERY
    ) -> None:
        self._dsn, self._free_disk_bytes, self._every_s = dsn, free_disk_bytes, every.total_seconds()
        self._session: Session | None = None
        self._last: tuple[float, Answer] | None = None

    def health(self) -> Answer:
        if self._last is None or time.monotonic() - self._last[0] >= self._every_s:
            answer = self._look()
            self._last = time.monotonic(), answer
        return self._last[1]

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _look(self) -> Answer:
        try:
            if self._session is None or self._session.closed:
                self._session = PostgresSession(Side.SOURCE, self._dsn, application_name=_NAME, patience=_PATIENCE)
                self._session.rows(f"SET statement_timeout = {round(_PATIENCE.total_seconds() * 1000)}")
            began = time.monotonic()
            connections, most, ours, wal_bytes, slot_limit = self._session.one(_HEALTH)
            look = timedelta(seconds=time.monotonic() - began)
        except CrossfadeError as exc:
            self.close()
            return NoData(reason=str(exc))
        return SourceHealth(
            connections=connections,
            most_connections=most,
            our_sessions=ours,
            wal_bytes=int(wal_bytes),
            slot_wal_limit_bytes=slot_limit,
            free_disk_bytes=self._free_disk_bytes(),
            look=look,
        )


# Senders of WAL do not count among max_connections, but they are ours and work for us. `reserved_connections` is new in
# PostgreSQL 16, `max_slot_wal_keep_size` (in megabytes, -1 without limit) in 13.
_HEALTH = """
SELECT count(*) FILTER (WHERE backend_type = 'client backend'),
       (SELECT setting::int FROM pg_settings WHERE name = 'max_connections') - coalesce((SELECT sum(setting::int)
           FROM pg_settings WHERE name IN ('superuser_reserved_connections', 'reserved_connections')), 0)::int,
       count(*) FILTER (WHERE application_name LIKE 'crossfade%%' OR usename = current_user),
       (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()),
       (SELECT nullif(setting::bigint, -1) * 1048576 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
FROM pg_stat_activity
"""
