"""Logical replication as it leaves: the walsender of one connection."""

from typing import TYPE_CHECKING

from crossfade.simulation.link import Link, Pipe
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.postgres.wal import Slot

if TYPE_CHECKING:
    from crossfade.simulation.postgres.subscription import Worker

_TIMEOUT_SECONDS = 60.0  # wal_receiver_timeout and wal_sender_timeout
_STATUS_SECONDS = 10.0  # wal_receiver_status_interval
_OVERSLEEPS_ONE_IN = 100


class Sender:
    """A walsender: it sends what is committed and on disk, and hears what is confirmed."""

    def __init__(self, worker: "Worker", server: Server, slot: Slot, link: Link) -> None:
        self._worker, self._server, self._slot, self._link = worker, server, slot, link
        self._out, self._back = Pipe(link), Pipe(link)
        self._sent = self._confirmed = 0
        self._due, self._begun, self._over = False, False, False
        self._cut_at: float | None = None
        self.pid = server.new_pid()
        slot.active_pid = self.pid
        server.senders[self.pid] = self.end
        server.on_flush.append(self._look)
        server.on_down.append(self.end)
        link.on_change.append(self._link_changed)

    def begin(self, position: int) -> None:
        self._sent, self._begun = position, True
        self._look()

    def hear(self, lsn: int) -> None:
        if lsn > self._confirmed:
            self._confirmed = lsn
            self._back.send(lambda: self._server.slot_moved(self._slot, lsn))

    def lose_worker(self) -> None:
        """The other end is gone; that is known here once word of it can come, or after the timeout."""
        self._out.close()
        if not self._over:
            self._back.send(self.end)

    def end(self) -> None:
        """The process ends: the slot is free, and the worker learns of it when word can come."""
        if self._over:
            return
        self._over = True
        if self._slot.active_pid == self.pid:
            self._slot.active_pid = None
        self._server.senders.pop(self.pid, None)
        self._server.on_flush.remove(self._look)
        self._server.on_down.remove(self.end)
        self._link.on_change.remove(self._link_changed)
        self._back.close()
        self._out.send(lambda: self._worker.lose_sender(self))

    def _look(self) -> None:
        """From 16 on, a flush that comes just before it goes to sleep does not wake it: the next one or a status will.

        See crossfade.database.nudge.
        """
        if not self._begun or self._due or self._sent >= self._server.wal.flushed:
            return
        if self._server.version >= 160000 and self._server.latency.happens(_OVERSLEEPS_ONE_IN):
            position = self._sent
            self._server.hub.after(_STATUS_SECONDS, lambda: self._look() if self._sent == position else None)
            return
        self._due = True
        self._server.hub.after(self._server.latency.statement(), self._send)

    def _send(self) -> None:
        self._due = False
        if self._over:
            return
        upto = self._server.wal.flushed
        published = self._server.catalog.publications.get(self._slot.name, ())
        commits = [
            commit
            for commit in self._server.wal.between(self._sent, upto)
            if any(change.table in published for change in commit.changes)
        ]
        self._sent = upto
        self._slot.sent += len(commits)
        self._out.send(lambda: self._worker.receive(self, commits, upto))
        self._look()

    def _link_changed(self) -> None:
        if self._link.up:
            self._cut_at = None
            return
        self._cut_at = at = self._server.hub.seconds
        self._server.hub.after(_TIMEOUT_SECONDS, lambda: self._time_out(at))

    def _time_out(self, cut_at: float) -> None:
        if self._cut_at == cut_at and not self._over:
            self.end()
            self._worker.lose_sender(self)
