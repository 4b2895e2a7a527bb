"""One modelled PostgreSQL server with the application's database."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
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
    Catalog,
    Grant,
    application_grants,
)
from crossfade.simulation.postgres.latency import Latency
from crossfade.simulation.postgres.locks import Lock, Mode
from crossfade.simulation.postgres.tables import Beats, Entries, Plain, Table
from crossfade.simulation.postgres.task import FOREVER, Gate, ServerError, Task, Work
from crossfade.simulation.postgres.transaction import Transaction
from crossfade.simulation.postgres.wal import Commit, Slot, Wal

if TYPE_CHECKING:
    from crossfade.simulation.postgres.subscription import Subscription

VERSIONS = {Side.SOURCE: 130000, Side.TARGET: 180000}
WRITER_ROW = "crossfade.writer"
_COMMIT_BYTES, _ROW_BYTES = 96, 160
_WAL_WRITER_SECONDS = 0.2
_CHECKPOINT_SECONDS = 300.0
_SEQUENCE_LOGGED_AHEAD = 32  # Source: PostgreSQL, sequence.c, SEQ_LOG_VALS


class Attached(Protocol):
    """A session of this server, by its pid."""

    application: str

    def die(self) -> None:
        """The server is gone."""
        ...

    def terminate(self) -> None:
        """pg_terminate_backend."""
        ...


class Server:
    """Rows, log, locks and sessions of one side; `crash` and `start` as a power cut and a start would.

    The source begins with the application's tables, open to its roles; the target begins empty. `on_grant_change`
    is called at each change of who may write. `disk_full` lets nothing be stored that needs room. `retry_seconds` is
    wal_retrieve_retry_interval. `duplicates` counts writes that failed on an id that was there already: a sequence
    that was left behind. `clock_skew` is how far the server's clock is ahead of the world's.
    """

    def __init__(
        self, hub: Hub, side: Side, rng: random.Random, *, retry_seconds: float = 5.0, calm: bool = False
    ) -> None:
        self.hub, self.side, self.latency = hub, side, Latency(rng, calm=calm)
        self.version, self.retry_seconds = VERSIONS[side], retry_seconds
        self.up, self.disk_full, self.starting = True, False, False
        self.clock_skew = timedelta(0)
        self.system_id, self.timeline = 7_000_000 + list(Side).index(side), "00000001"
        self.on_grant_change: list[Callable[[Server], None]] = []
        self.on_flush: list[Callable[[], None]] = []
        self.on_down: list[Callable[[], None]] = []
        self.on_up: list[Callable[[], None]] = []
        self.duplicates = 0
        self.peer: Server = self  # the other side; set where both are made
        self.link = Link(hub, rng)
        self.wal = Wal()
        self.catalog = Catalog()
        self.tables: dict[str, Table] = {}
        self.sequences: dict[str, int | None] = {}
        self.slots: dict[str, Slot] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.backends: dict[int, Attached] = {}
        self.running: dict[int, Transaction] = {}
        self.pending: dict[str, Transaction] = {}
        self.advisory: Attached | None = None
        self.arrived, self.ended = Gate(), Gate()
        self.senders: dict[int, Callable[[], None]] = {}  # pid of a walsender -> what ends it
        self.statistics_due = False
        self.latest_seen = 0
        self._locks: dict[str, Lock] = {}
        self._tasks: dict[int, Task] = {}
        self._pids = count(100)
        self._unflushed: list[tuple[int, Callable[[], None]]] = []
        self._flush_due = False
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

    def drop_application(self) -> None:
        for table in self.catalog.columns:
            del self.tables[table]
        self.catalog = replace(self.catalog, columns={}, grants=(), version=self.catalog.version + 1)
        self.sequences.clear()

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

    def now(self) -> datetime:
        """By this server's clock."""
        return self.hub.now() + self.clock_skew

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

    def _regrant(self, grants: tuple[Grant, ...]) -> None:
        self.catalog = replace(self.catalog, grants=grants, version=self.catalog.version + 1)
        self._tell_grants()

    # tasks and transactions

    def new_pid(self) -> int:
        return next(self._pids)

    def run(self, body: Callable[[Task], Work[None]], done: Callable[[ServerError | None], None] | None = None) -> Task:
        """Work that dies with the server."""
        key = self.new_pid()

        def over(error: ServerError | None) -> None:
            self._tasks.pop(key, None)
            if done is not None:
                done(error)

        task = self._tasks[key] = Task(self.hub, body, over)
        return task.start()

    def begin(self, role: str, application: str, pid: int) -> Transaction:
        tx = Transaction(
            pid=pid, role=role, application=application, started=self.hub.seconds, begun_at=self.wal.inserted
        )
        self.running[id(tx)] = tx
        return tx

    def lock(self, task: Task, tx: Transaction, name: str, mode: Mode) -> Work[None]:
        """Held until the transaction ends."""
        lock, timeout = self.lock_of(name), tx.lock_timeout or FOREVER
        if lock not in tx.locks:
            tx.locks.append(lock)
        yield from lock.acquire(self.hub, task, tx, mode, timeout=timeout)

    def lock_of(self, name: str) -> Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = Lock()
        return lock

    def commit(self, task: Task, tx: Transaction, *, synchronous: bool = True) -> Work[None]:
        """Visible afterwards, and durable if `synchronous`. Raises 53100 on a full disk, and is rolled back then."""
        if not tx.writes:
            self.end(tx)
            return
        if self.disk_full and (tx.changes or self.latency.happens(2)):
            self.end(tx)
            raise ServerError("53100", "could not extend file: No space left on device")
        size = _COMMIT_BYTES + _ROW_BYTES * (len(tx.changes) + len(tx.staged))
        tx.commit = self.wal.append(tuple(tx.changes), size, replicated=tx.replicated)
        if synchronous:
            task.shielded = True
            yield from self.flush(tx.commit.lsn)
            task.shielded = False
        else:
            self._flush_soon()
        self._make_visible(tx, tx.commit)
        self.end(tx)

    def end(self, tx: Transaction) -> None:
        """Commit has made it visible, or it is rolled back: what it held is free."""
        if self.running.pop(id(tx), None) is None:
            return
        for lock in tx.locks:
            lock.release(tx)
        for key in tx.keys:
            if self.pending.get(key) is tx:
                del self.pending[key]
        self.ended.open()

    def flush(self, lsn: int) -> Work[None]:
        while self.wal.flushed < lsn:
            upto = self.wal.inserted
            yield self.latency.flush()
            self.flushed_to(upto)

    def flushed_to(self, lsn: int) -> None:
        if lsn <= self.wal.flushed:
            return
        self.wal.flushed = lsn
        if self._unflushed:
            self._unflushed = [entry for entry in self._unflushed if entry[0] > lsn]
        for listener in list(self.on_flush):
            listener()

    def undoable(self, lsn: int, undo: Callable[[], None]) -> None:
        """What a crash takes back unless the log is flushed to `lsn` before."""
        if lsn > self.wal.flushed:
            self._unflushed.append((lsn, undo))

    def _flush_soon(self) -> None:
        """The WAL writer, for commits that did not wait."""
        if self._flush_due:
            return
        self._flush_due = True

        def write() -> None:
            self._flush_due = False
            if self.up:
                self.flushed_to(self.wal.inserted)

        self.hub.after(self.latency.between(0.02, _WAL_WRITER_SECONDS), write)

    def _make_visible(self, tx: Transaction, commit: Commit) -> None:
        self.latest_seen += 1
        commit.seen = self.latest_seen
        for action in tx.on_visible:
            action(commit.lsn)
        marked = False
        for change in tx.changes:
            table = self.tables.get(change.table)
            if table is None:
                continue
            before = table.get(change.key)
            table.put(change.key, change.new)
            marked = marked or change.table == MARKER
            self.undoable(commit.lsn, lambda table=table, key=change.key, row=before: table.put(key, row))  # type: ignore[misc]
        self.statistics_due = self.statistics_due or bool(tx.changes)
        if tx.staged:
            self.catalog = tx.seen(self.catalog)
            if "grants" in tx.staged:
                self._tell_grants()
        if marked:
            self.arrived.open()

    def _tell_grants(self) -> None:
        for listener in self.on_grant_change:
            listener(self)

    # slots

    def slot_moved(self, slot: Slot, confirmed: int) -> None:
        """Its position is in memory; on disk only after a logged snapshot was passed, or at the next checkpoint.

        Source: PostgreSQL, logical.c, LogicalConfirmReceivedLocation; manual, pg_replication_slot_advance.
        """
        if confirmed <= slot.confirmed:
            return
        slot.confirmed = confirmed
        oldest = min((tx.begun_at for tx in self.running.values() if tx.writes), default=confirmed)
        if slot.restart < self.wal.snapshot <= confirmed:
            slot.restart = max(slot.restart, min(self.wal.snapshot, oldest))
            slot.save()
        elif not slot.save_due:
            slot.save_due = True
            self.hub.after(self.latency.between(0.0, _CHECKPOINT_SECONDS), lambda: self._checkpoint(slot))
        self.wal.forget(min((s.saved for s in self.slots.values()), default=confirmed))

    def log_snapshot(self) -> None:
        self.wal.snapshot = self.wal.grow(64)
        self._flush_soon()

    def retained(self, slot: Slot) -> int:
        return self.wal.inserted - slot.restart

    def _checkpoint(self, slot: Slot) -> None:
        slot.save_due = False
        if self.up:
            slot.restart = max(slot.restart, slot.confirmed)
            slot.save()

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
        self.advisory = None
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
