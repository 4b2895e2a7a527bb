"""One modelled PostgreSQL server with the application's database."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.link import Link
from crossfade.simulation.postgres.application import Write, WriteOutcome
from crossfade.simulation.postgres.catalog import (
    ACCOUNTS,
    BEAT,
    ENTRIES,
    MARKER,
    SEQUENCE,
    SUPERUSERS,
    Grant,
    application_grants,
)
from crossfade.simulation.postgres.latency import Latency
from crossfade.simulation.postgres.storage import Storage
from crossfade.simulation.postgres.tables import Beats, Entries, Plain, Table
from crossfade.simulation.postgres.task import Gate
from crossfade.simulation.postgres.wal import Key, Slot

if TYPE_CHECKING:
    from crossfade.simulation.postgres.subscription import Subscription

VERSIONS = {Side.SOURCE: 130000, Side.TARGET: 180000}
_SEQUENCE_LOGGED_AHEAD = 32  # Source: PostgreSQL, sequence.c, SEQ_LOG_VALS
_COUNTS_FROM = 140000  # pg_stat_replication_slots


class Attached(Protocol):
    """A session of this server, by its pid."""

    application: str

    def die(self) -> None:
        """The server is gone."""
        ...

    def terminate(self) -> None:
        """pg_terminate_backend."""
        ...


class Server(Storage):
    """Rows, log, locks and sessions of one side; `crash` and `start` as a power cut and a start would.

    The source begins with the application's tables, open to its roles; the target begins empty. `on_grant_change`
    is called at each change of who may write. `disk_full` lets nothing be stored that needs room. `retry_seconds` is
    wal_retrieve_retry_interval. `duplicates` counts writes that failed on an id that was there already: a sequence
    that was left behind. `clock_skew` is how far the server's clock is ahead of the world's.
    """

    def __init__(
        self, hub: Hub, side: Side, rng: random.Random, *, retry_seconds: float = 5.0, calm: bool = False
    ) -> None:
        super().__init__(hub, side, Latency(rng, calm=calm))
        self.version, self.retry_seconds = VERSIONS[side], retry_seconds
        self.starting = False
        self.system_id, self.timeline = 7_000_000 + list(Side).index(side), "00000001"
        self.on_down: list[Callable[[], None]] = []
        self.on_up: list[Callable[[], None]] = []
        self.duplicates = 0
        self.peer: Server = self  # the other side; set where both are made
        self.link = Link(hub, rng)
        self.sequences: dict[str, int | None] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.backends: dict[int, Attached] = {}
        self.counted_since = 0
        """How often its counters began anew."""
        self.clients: dict[int, Callable[[], None]] = {}
        """What breaks each of Crossfade's connections, by pid."""
        self.advisory: dict[tuple[int, ...], Attached] = {}
        self.senders: dict[int, Callable[[], None]] = {}  # pid of a walsender -> what ends it
        if side is Side.SOURCE:
            self.create_application((ENTRIES, ACCOUNTS))

    # the application's schema

    def create_application(self, tables: tuple[str, ...]) -> None:
        """Its tables stand, open to its roles, and its sequence."""
        columns: dict[str, tuple[str, ...]] = dict.fromkeys(tables, ("id", "key"))
        self.catalog = replace(
            self.catalog,
            columns=columns,
            grants=application_grants(tables),
            version=self.catalog.version + 1,
        )
        for table in tables:
            self.tables.setdefault(table, self.new_table(table))
        self.sequences.setdefault(SEQUENCE, None)

    def add_column(self, table: str, column: str) -> None:
        """ALTER TABLE … ADD COLUMN, by somebody, on this side only."""
        columns = {**self.catalog.columns, table: (*self.catalog.columns[table], column)}
        self.catalog = replace(self.catalog, columns=columns, version=self.catalog.version + 1)

    @staticmethod
    def new_table(name: str) -> Table:
        if name == BEAT:
            return Beats()
        return Entries(name) if name not in {MARKER, ACCOUNTS} else Plain(name)

    # what is to be seen from outside

    def committed(self) -> Mapping[str, int]:
        """How many rows there are with each key, visible now."""
        table = self.tables.get(ENTRIES)
        return table.keys if isinstance(table, Entries) else {}

    def app_may_write(self) -> bool:
        """Whether any role but superusers may write to any table, by what is granted now."""
        return bool(self.catalog.unstoppable) or any(grant.role not in SUPERUSERS for grant in self.catalog.grants)

    def on_their_way(self, table: str) -> set[Key]:
        """Rows that a subscription of this server will still bring."""
        keys: set[Key] = set()
        for subscription in self.subscriptions.values():
            there = subscription.publisher
            slot = there.slots.get(subscription.slot_name or "")
            if subscription.enabled and slot is not None and not slot.lost:
                for commit in there.wal.between(max(subscription.origin, slot.confirmed), there.wal.inserted):
                    keys.update(change.key for change in commit.changes if change.table == table)
        return keys

    # grants and slots changed behind our back

    def grant(self, role: str, table: str = ENTRIES) -> None:
        self._regrant((*(g for g in self.catalog.grants if g != (table, role)), Grant(table, role)))

    def revoke(self, role: str, table: str = ENTRIES) -> None:
        self._regrant(tuple(g for g in self.catalog.grants if g != (table, role)))

    def drop_slot(self, name: str) -> None:
        """Whoever is attached to it is cut off."""
        slot = self.slots.get(name)
        if slot is not None:
            if slot.active_pid in self.senders:
                self.senders[slot.active_pid]()
            del self.slots[name]

    def make_slot(self, name: str, *, temporary: bool = False) -> Slot:
        lsn = self.wal.flushed
        slot = self.slots[name] = Slot(name, "pgoutput", lsn, lsn, temporary, saved=lsn, restart_saved=lsn)
        return slot

    def recounted(self, name: str) -> str | None:
        """Why a slot is lost: what `crossfade.recounted` notes and answers."""
        slot, records = self.slots.get(name), []
        for record in self.catalog.slot_records:
            noted = record
            if record.name == name and slot is not None and self.version >= _COUNTS_FROM:
                fell = record.counted_since == self.counted_since and slot.sent < (record.sent or 0)
                why = "it was made again: it has sent fewer transactions than it had" if fell else None
                noted = record._replace(
                    sent=slot.sent, counted_since=self.counted_since, lost_reason=record.lost_reason or why
                )
            records.append(noted)
        self.catalog = replace(self.catalog, slot_records=tuple(records))
        return next((record.lost_reason for record in records if record.name == name), None)

    def _regrant(self, grants: tuple[Grant, ...]) -> None:
        self.catalog = replace(self.catalog, grants=grants, version=self.catalog.version + 1)
        self._tell_grants()

    # the end of everything, and a new beginning

    def crash(self) -> None:
        """As if the power was cut: at once, and what was not flushed is lost. Nothing happens when it is down."""
        self.starting = False
        if not self.up:
            return
        self.up = False
        durable = self._last_flush()
        for task in list(self._tasks.values()):
            task.kill()
        self._tasks.clear()
        backends, self.backends = list(self.backends.values()), {}
        for backend in backends:
            backend.die()
        for lsn, undo in reversed(self._unflushed):
            if lsn > durable:
                undo()
        self._unflushed.clear()
        self.wal.flushed = max(durable, self.wal.flushed)
        committing = [tx for tx in self.running.values() if tx.commit is not None and not tx.commit.seen]
        for tx in sorted(committing, key=lambda tx: tx.commit.lsn if tx.commit else 0):
            if tx.commit is not None and tx.commit.lsn <= durable:
                self._make_visible(tx, tx.commit)
        self.wal.cut(durable)
        self.running.clear()
        self.pending.clear()
        self._locks.clear()
        self.advisory.clear()
        self.arrived, self.ended = Gate(), Gate()
        self._forget_memory()
        for listener in list(self.on_down):
            listener()

    def _last_flush(self) -> int:
        """A flush that was under way may have reached any of the commits that waited for it."""
        waiting = [commit.lsn for commit in self.wal.between(self.wal.flushed, self.wal.inserted)]
        return self.latency.rng.choice([self.wal.flushed, *waiting])

    def _forget_memory(self) -> None:
        for name, slot in list(self.slots.items()):
            if slot.temporary:
                del self.slots[name]
                continue
            slot.active_pid, slot.confirmed, slot.restart = None, slot.saved, slot.restart_saved
            slot.sent = 0
        self.counted_since += 1
        for name, value in self.sequences.items():
            if value is not None:
                self.sequences[name] = value + self.latency.rng.randrange(_SEQUENCE_LOGGED_AHEAD)
        self.senders.clear()

    def start(self) -> None:
        """Recovery, then up. Nothing happens when it is up or starting already."""
        if self.up or self.starting:
            return
        self.starting = True
        self.hub.after(self.latency.between(0.2, 2.0), self._started)

    def _started(self) -> None:
        if not self.starting:
            return
        self.starting, self.up = False, True
        self.log_snapshot()
        for listener in list(self.on_up):
            listener()

    # the application

    def write(self, key: str, *, role: str, seconds: float, done: Callable[[WriteOutcome], None]) -> Write:
        """An application's transaction: one row under `key`, unless there is one; committed after `seconds`."""
        return Write(self, key, role, seconds, done)
