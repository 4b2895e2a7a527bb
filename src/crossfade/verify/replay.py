"""A position of the primary, and the wait until the other side has replayed it."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from psycopg import sql

from crossfade.verify.errors import ReplayStalled, ReplicationNotFound
from crossfade.verify.session import Session

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05

# A transactional message: its commit is flushed, so the position is one that replication will reach.
# pg_current_wal_insert_lsn() may be one that nobody flushes for seconds. Source: docs/verification.md.
_MARK = sql.SQL("SELECT pg_logical_emit_message(true, 'crossfade.verify', '')::text")

# Without pg_monitor the replay position of others is hidden, and the confirmed one, which comes later, has to do.
# The functions below pg_replication_slots and pg_stat_replication: the views join every session and role as well, and
# this is asked again and again.
_REPLAYED = sql.SQL("""
    SELECT count(*), coalesce(bool_and(coalesce(
             greatest(r.replay_lsn, s.confirmed_flush_lsn) >= %s::pg_lsn, false)), false)
    FROM pg_get_replication_slots() s LEFT JOIN pg_stat_get_wal_senders() r ON r.pid = s.active_pid
    WHERE s.slot_name = ANY (%s)
""")
_SUBSCRIBED = sql.SQL("""
    SELECT s.subslotname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database() AND s.subenabled AND s.subslotname IS NOT NULL
""")
_FED = sql.SQL("""
    SELECT slot_name FROM pg_replication_slots
    WHERE slot_type = 'logical' AND database = current_database() AND slot_name = ANY (%s) ORDER BY slot_name
""")


class Replay(Protocol):
    """Tells when the other side is as new as a position of the primary, whatever carries the changes there."""

    def wait_replayed(self, position: str, meanwhile: Callable[[], None]) -> None:
        """Returns when everything up to `position` (a WAL position as text) can be read on the other side.

        Calls `meanwhile` between two looks. Raises `ReplayStalled`.
        """
        ...


def mark(primary: Session) -> str:
    """A flushed position behind every transaction that a snapshot of the primary could see until now."""
    return str(primary.row(_MARK)[0])


class SlotReplay:
    """Native subscriptions: what their slots' receivers report to the primary as replayed."""

    def __init__(self, primary: Session, slots: tuple[str, ...], *, patience: timedelta) -> None:
        self._primary, self._slots, self._patience = primary, slots, patience

    def wait_replayed(self, position: str, meanwhile: Callable[[], None]) -> None:
        deadline = time.monotonic() + self._patience.total_seconds()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            standing, replayed = self._primary.row(_REPLAYED, (position, list(self._slots)))
            if standing < len(self._slots):
                raise ReplicationNotFound(f"slot {', '.join(self._slots)} does not stand on the {self._primary.side}")
            if replayed:
                return
            if time.monotonic() > deadline:
                raise ReplayStalled(self._slots, self._patience)
            meanwhile()
            time.sleep(pause)  # the other side replays meanwhile; its position is asked for again
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def find_slots(primary: Session, replica: Session) -> tuple[str, ...]:
    """Slots of the primary that enabled subscriptions of the replica are fed by; empty when there are none."""
    subscribed = [row[0] for row in replica.rows(_SUBSCRIBED)]
    return tuple(row[0] for row in primary.rows(_FED, (subscribed,)))
