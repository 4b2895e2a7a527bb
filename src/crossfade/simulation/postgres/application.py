"""A transaction of the application, over a connection of its own."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from crossfade.simulation.postgres.catalog import ENTRIES, SEQUENCE
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.tables import Entries
from crossfade.simulation.postgres.task import FOREVER, ServerError, Task, Work
from crossfade.simulation.postgres.transaction import Transaction

if TYPE_CHECKING:
    from crossfade.simulation.postgres.server import Server


class WriteOutcome(StrEnum):
    """What an application is told of its transaction. Of `UNKNOWN` and only of it nobody can say whether it is done."""

    COMMITTED = "committed"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Write:
    """One transaction of an application. It can be ended by pg_terminate_backend, by its pid."""

    def __init__(
        self, server: "Server", key: str, role: str, seconds: float, done: Callable[[WriteOutcome], None]
    ) -> None:
        self._server, self._key, self._role, self._seconds, self._done = server, key, role, seconds, done
        self._told, self._may_go_on, self.application = False, False, role
        self._tx: Transaction | None = None
        self.pid = server.new_pid()
        if not server.up:
            server.hub.after(server.latency.statement(), lambda: self._tell(WriteOutcome.FAILED))
            return
        server.backends[self.pid] = self
        self._task = server.run(self._work, self._ended)

    def die(self) -> None:
        """The server is gone: whoever wrote learns that it does not know."""
        self._server.hub.after(self._server.latency.statement(), lambda: self._tell(WriteOutcome.UNKNOWN))

    def go_on(self) -> None:
        """It commits now, if it would have waited."""
        self._may_go_on = True
        self._task.wake()

    def terminate(self) -> None:
        self._task.interrupt(ServerError("57P01", "terminating connection due to administrator command"))

    def _work(self, task: Task) -> Work[None]:
        server, key = self._server, self._key
        tx = self._tx = server.begin(self._role, self._role, self.pid)
        yield server.latency.statement()
        yield from server.lock(task, tx, ENTRIES, Mode.WRITE)
        table = server.tables.get(ENTRIES)
        if not isinstance(table, Entries):
            raise ServerError("42P01", f'relation "{ENTRIES}" does not exist')
        if not server.catalog.may_write(self._role, ENTRIES):
            raise ServerError("42501", "permission denied for table entries")
        while key in server.pending and server.pending[key] is not tx:
            server.ended.wait(task)
            yield FOREVER
        if key not in table.keys:
            server.pending[key] = tx
            tx.keys.append(key)
            number = (server.sequences[SEQUENCE] or 0) + 1
            server.sequences[SEQUENCE] = number
            if number in table.rows:
                server.duplicates += 1
                raise ServerError("23505", 'duplicate key value violates unique constraint "entries_pkey"')
            tx.change(ENTRIES, number, None, key)
        if not self._may_go_on:
            yield self._seconds
        yield from server.commit(task, tx)

    def _ended(self, error: ServerError | None) -> None:
        server = self._server
        server.backends.pop(self.pid, None)
        if self._tx is not None:
            server.end(self._tx)
        if error is None:
            self._tell(WriteOutcome.COMMITTED)
        else:
            self._tell(WriteOutcome.REFUSED if error.sqlstate == "42501" else WriteOutcome.FAILED)

    def _tell(self, outcome: WriteOutcome) -> None:
        if not self._told:
            self._told = True
            self._done(outcome)
