"""Logical replication as it arrives: the subscription, its launcher, its apply worker."""

from collections import deque
from dataclasses import dataclass, field

from crossfade.simulation.link import Link
from crossfade.simulation.postgres.catalog import ACCOUNTS, ENTRIES
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.sender import Sender
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.postgres.task import FOREVER, Gate, ServerError, Task, Work
from crossfade.simulation.postgres.transaction import Transaction
from crossfade.simulation.postgres.wal import Change, Commit

_NOTICES_SECONDS = 0.3  # a worker looks for changes of its subscription when it is idle
_AT_ONCE = 16  # transactions applied between two waits


@dataclass(slots=True)
class Relation:
    """A row of pg_subscription_rel: `i` to be copied, `r` in step. `seen` is up to where the copy held everything."""

    state: str
    seen: int = 0


@dataclass(slots=True)
class Subscription:
    """`origin` is the publisher's position up to which everything was applied here; a crash takes back what is lost."""

    server: Server
    publisher: Server
    link: Link
    name: str
    oid: int
    slot_name: str | None
    enabled: bool
    relations: dict[str, Relation]
    origin: int = 0
    worker: "Worker | None" = None
    last_start: float = -1e9
    last_error: str = ""
    _starting: bool = False
    gone: bool = field(default=False)

    def __post_init__(self) -> None:
        self.server.on_up.append(self.launch)
        self.launch()

    def enable(self) -> None:
        self.enabled = True
        self.launch()

    def disable(self) -> None:
        self.enabled = False
        worker = self.worker
        if worker is not None:
            self.server.hub.after(self.server.latency.between(0.001, _NOTICES_SECONDS), worker.leave_if_disabled)

    def advance(self, position: int) -> None:
        """By hand, while it sleeps."""
        self.origin = max(self.origin, position)

    def drop(self) -> None:
        self.enabled, self.gone = False, True
        self.server.on_up.remove(self.launch)
        self.server.subscriptions.pop(self.name, None)
        if self.worker is not None:
            self.worker.stop()

    def launch(self) -> None:
        """The launcher starts a worker where one is missing, not more often than each `retry_seconds`."""
        hub = self.server.hub
        if not self.enabled or self.worker is not None or self._starting or not self.server.up:
            return
        self._starting = True
        soonest = hub.seconds + self.server.latency.between(0.002, 0.02)
        hub.after(max(soonest, self.last_start + self.server.retry_seconds) - hub.seconds, self._start)

    def _start(self) -> None:
        self._starting = False
        if self.enabled and self.worker is None and self.server.up and not self.gone:
            self.last_start = self.server.hub.seconds
            self.worker = Worker(self)


def _set(relation: Relation, seen: int) -> None:
    relation.state, relation.seen = "r", seen


class Worker:
    """An apply worker and its walsender, from the first connection to the end of either."""

    def __init__(self, subscription: Subscription) -> None:
        self._sub, self._here, self._there = subscription, subscription.server, subscription.publisher
        self.pid = self._here.new_pid()
        self.streaming = False
        self._link = subscription.link
        self._inbox: deque[tuple[list[Commit], int]] = deque()
        self._unconfirmed: deque[tuple[int, int]] = deque()
        self._news, self._mended = Gate(), Gate()
        self._sender: Sender | None = None
        self._reached = 0
        self._here.on_flush.append(self._confirm)
        self._here.on_down.append(self._down)
        self._link.on_change.append(self._mended.open)
        self._task = self._here.run(self._work, self._ended)

    def leave_if_disabled(self) -> None:
        if not self._sub.enabled:
            self.stop()

    def stop(self) -> None:
        self._task.kill()
        self._ended(None)

    def lose_sender(self, sender: Sender) -> None:
        """The connection is broken, as this side sees it."""
        if sender is self._sender:
            self._sender, self.streaming = None, False
            if not self._task.interrupt(ServerError("08006", "the publisher closed the connection")):
                self._news.open()

    def receive(self, sender: Sender, commits: list[Commit], upto: int) -> None:
        if sender is self._sender:
            self._inbox.append((commits, upto))
            self._news.open()

    # its work

    def _work(self, task: Task) -> Work[None]:
        while not self._link.up:
            self._mended.wait(task)
            yield FOREVER
        yield self._link.one_way() * 2 + self._here.latency.statement()
        if not self._there.up or not self._link.up:
            raise ServerError("08006", "could not connect to the publisher")
        slot = self._there.slots.get(self._sub.slot_name or "")
        if slot is None:
            raise ServerError("42704", f'replication slot "{self._sub.slot_name}" does not exist')
        if slot.active_pid is not None:
            raise ServerError("55006", f'replication slot "{slot.name}" is active for PID {slot.active_pid}')
        self._sender = Sender(self, self._there, slot, self._link)
        for table, relation in self._sub.relations.items():
            if relation.state != "r":
                yield from self._copy(task, table, relation)
        yield self._here.latency.statement()
        self._reached = max(self._sub.origin, slot.confirmed)
        self._still_there().begin(self._reached)
        self.streaming = True
        yield from self._stream(task)

    def _stream(self, task: Task) -> Work[None]:
        while self._still_there():
            if not self._inbox:
                self._news.wait(task)
                yield FOREVER
                continue
            commits, upto = self._inbox.popleft()
            for number, commit in enumerate(commits):
                if number % _AT_ONCE == 0:
                    yield self._here.latency.apply()
                yield from self._apply(task, commit)
            self._reached = upto
            self._confirm()

    def _still_there(self) -> Sender:
        if self._sender is None:
            raise ServerError("08006", "the publisher closed the connection")
        return self._sender

    def _copy(self, task: Task, table: str, relation: Relation) -> Work[None]:
        """The full load of one table, by a snapshot: what it holds is left out of the stream."""
        yield self._here.latency.between(0.05, 0.5)
        if self._sender is None or not self._link.up:
            raise ServerError("08006", "the publisher closed the connection")
        tx = self._begin()
        origin = self._there.tables.get(table)
        local = self._here.tables.get(table)
        if origin is None or local is None:
            raise ServerError("42P01", f'relation "{table}" does not exist')
        try:
            yield from self._here.lock(task, tx, table, Mode.WRITE)
            seen = self._there.latest_seen
            for key, row in origin.content().items():
                change = Change(table, key, None, row)
                if name := local.conflict(change):
                    raise ServerError("23505", f'duplicate key value violates unique constraint "{name}"')
                tx.changes.append(change)
            tx.logs = True
            tx.on_visible.append(lambda _: _set(relation, seen))
            yield from self._here.commit(task, tx)
        finally:
            self._here.end(tx)

    def _apply(self, task: Task, commit: Commit) -> Work[None]:
        here, sub = self._here, self._sub
        tx = self._begin()
        try:
            for change in commit.changes:
                relation = sub.relations.get(change.table)
                if relation is None or 0 < commit.seen <= relation.seen:
                    continue
                yield from here.lock(task, tx, change.table, Mode.WRITE)
                self._take(tx, change)
            tx.logs = tx.replicated = True
            tx.on_visible.append(lambda lsn: self._applied(lsn, commit.lsn))
            yield from here.commit(task, tx, synchronous=False)
        finally:
            here.end(tx)

    def _applied(self, here: int, there: int) -> None:
        """The position moves with the rows, and is lost with them."""
        sub = self._sub
        before, sub.origin = sub.origin, there
        self._here.undoable(here, lambda: setattr(sub, "origin", before))
        self._unconfirmed.append((here, there))

    def _take(self, tx: Transaction, change: Change) -> None:
        """Raises what stops a worker; a row to change or delete that is not there is passed over."""
        table = self._here.tables.get(change.table)
        if table is None:
            raise ServerError("42P01", f'relation "{change.table}" does not exist')
        if change.table in {ENTRIES, ACCOUNTS}:
            columns = self._here.catalog.columns[change.table]
            missing = [name for name in self._there.catalog.columns.get(change.table, ()) if name not in columns]
            if missing:
                raise ServerError("55000", f"{change.table} is missing replicated column {missing[0]}")
        if change.old is None:
            if name := table.conflict(change):
                raise ServerError("23505", f'duplicate key value violates unique constraint "{name}"')
        elif table.get(change.key) is None:
            return
        tx.changes.append(Change(change.table, change.key, table.get(change.key), change.new))

    def _begin(self) -> Transaction:
        return self._here.begin("crossfade", self._sub.name, self.pid)

    def _confirm(self) -> None:
        """Tell the publisher what is on disk here: only that it may forget."""
        if self._sender is None or not self.streaming:
            return
        durable = 0
        while self._unconfirmed and self._unconfirmed[0][0] <= self._here.wal.flushed:
            durable = self._unconfirmed.popleft()[1]
        if not self._unconfirmed and not self._inbox:
            durable = max(durable, self._reached)
        if durable:
            self._sender.hear(durable)

    # its end

    def _down(self) -> None:
        self._ended(None)

    def _ended(self, error: ServerError | None) -> None:
        if self._sub.worker is not self:
            return
        self._sub.worker, self.streaming = None, False
        self._here.on_flush.remove(self._confirm)
        self._here.on_down.remove(self._down)
        self._link.on_change.remove(self._mended.open)
        if self._sender is not None:
            self._sender.lose_worker()
        if error is not None:
            self._sub.last_error = f"{error.sqlstate} {error.message}"
        self._sub.launch()
