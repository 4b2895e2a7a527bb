"""What a modelled server stores: rows, log, transactions, locks and slots, and when each is on disk."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.postgres.catalog import ENTRIES, MARKER, Catalog
from crossfade.simulation.postgres.latency import Latency
from crossfade.simulation.postgres.locks import Lock, Mode
from crossfade.simulation.postgres.tables import Table
from crossfade.simulation.postgres.task import FOREVER, Gate, ServerError, Task, Work
from crossfade.simulation.postgres.transaction import Transaction
from crossfade.simulation.postgres.wal import Commit, Slot, Wal

WRITER_ROW = "crossfade.writer"
_COMMIT_BYTES, _ROW_BYTES = 96, 160
_WAL_WRITER_SECONDS = 0.2
_CHECKPOINT_SECONDS = 300.0


class Storage:
    """A commit is visible once it is durable, or at once if it is asynchronous; see `Server` for the rest."""

    def __init__(self, hub: Hub, side: Side, latency: Latency) -> None:
        self.hub, self.side, self.latency = hub, side, latency
        self.up, self.disk_full = True, False
        self.clock_skew = timedelta(0)
        self.on_grant_change: list[Callable[[Any], None]] = []
        self.on_flush: list[Callable[[], None]] = []
        self.wal = Wal()
        self.catalog = Catalog()
        self.tables: dict[str, Table] = {}
        self.versions: dict[str | None, int] = {}  # by an entry's key, where in the log its newest version is
        self.slots: dict[str, Slot] = {}
        self.running: dict[int, Transaction] = {}
        self.pending: dict[str, Transaction] = {}
        self.arrived, self.ended = Gate(), Gate()
        self.statistics_due = False
        self.latest_seen = 0
        self._locks: dict[str, Lock] = {}
        self._tasks: dict[int, Task] = {}
        self._pids = count(100)
        self._unflushed: list[tuple[int, Callable[[], None]]] = []
        self._flush_due = False

    def now(self) -> datetime:
        """By this server's clock."""
        return self.hub.now() + self.clock_skew

    def table(self, name: str) -> Table:
        """Raises 42P01 where it does not exist: whoever waited for a lock may find it taken away meanwhile."""
        table = self.tables.get(name)
        if table is None:
            raise ServerError("42P01", f'relation "{name}" does not exist')
        return table

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
            if change.table == ENTRIES:
                self.versions[change.new] = commit.lsn
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
