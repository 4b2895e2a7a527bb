"""A session as the server has it: it runs what it was sent, statement by statement, and answers."""

from collections import deque
from collections.abc import Callable

from crossfade.simulation.hub import Timer
from crossfade.simulation.postgres.answers import Parameters, Rows
from crossfade.simulation.postgres.reads import READS
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.postgres.statements import act_of, split
from crossfade.simulation.postgres.task import ServerError, Task, Work
from crossfade.simulation.postgres.transaction import Transaction

Answer = list[Rows] | ServerError
_ROLE = "crossfade"
_BROKEN = "57P01"


class Backend:
    """`answer` is told the rows of each statement, or the error that ended them; `broken` that it is no more.

    Outside of BEGIN each statement is a transaction of its own. A client that hung up is noticed once what it sent is
    done.
    """

    def __init__(
        self, server: Server, application: str, answer: Callable[[Answer], None], broken: Callable[[], None]
    ) -> None:
        self.server, self.application = server, application
        self.pid = server.new_pid()
        self.statement_timeout = 0.0
        self._answer, self._broken = answer, broken
        self._queue: deque[tuple[str, Parameters]] = deque()
        self._transaction: Transaction | None = None
        self._explicit, self._failed = False, False
        self._task: Task | None = None
        self._hung_up, self._over = False, False
        server.backends[self.pid] = self

    @property
    def transaction(self) -> Transaction:
        assert self._transaction is not None
        return self._transaction

    @property
    def at_rest(self) -> bool:
        """Whether a look can be answered at once."""
        return self._task is None and not self._explicit and not self._failed and not self._over

    def receive(self, script: str, parameters: Parameters) -> None:
        if self._over:
            return
        self._queue.append((script, parameters))
        self._next()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.interrupt(ServerError("57014", "canceling statement due to user request"))

    def hang_up(self) -> None:
        self._hung_up = True
        if self._task is None:
            self._end()

    def terminate(self) -> None:
        if self._task is None or not self._task.interrupt(_terminated()):
            self._end()
            self._broken()

    def die(self) -> None:
        self._over = True
        self._broken()

    def look(self, text: str, parameters: Parameters) -> Rows:
        """The answer to a statement that only looks, now."""
        return READS[text](self, parameters)

    def _next(self) -> None:
        if self._task is not None or self._over:
            return
        if not self._queue:
            if self._hung_up:
                self._end()
            return
        script, parameters = self._queue.popleft()
        results: list[Rows] = []

        def done(error: ServerError | None) -> None:
            self._task = None
            if error is not None:
                self._roll_back(failed=self._explicit)
            if error is not None and error.sqlstate == _BROKEN:
                self._end()
                self._broken()
                return
            self._answer(results if error is None else error)
            self._next()

        self._task = self.server.run(lambda task: self._run(task, script, parameters, results), done)

    def _run(self, task: Task, script: str, parameters: Parameters, results: list[Rows]) -> Work[None]:
        yield self.server.latency.statement()
        for statement in split(script):
            timer = self._limited(task)
            try:
                rows = yield from self._statement(task, statement, parameters)
            finally:
                if timer is not None:
                    timer.cancel()
            results.append(rows)

    def _statement(self, task: Task, statement: str, parameters: Parameters) -> Work[Rows]:
        if statement == "ROLLBACK":
            self._roll_back()
            return []
        if self._failed:
            if statement != "COMMIT":
                raise ServerError("25P02", "current transaction is aborted, commands ignored until end of block")
            self._roll_back()
            return []
        if statement == "BEGIN":
            if not self._explicit:
                self._transaction, self._explicit = self._begun(), True
            return []
        if statement == "COMMIT":
            yield from self._commit(task)
            return []
        read = READS.get(statement)
        if read is not None:
            return read(self, parameters)
        if self._explicit:
            return (yield from act_of(statement)(self, task, parameters))
        self._transaction = self._begun()
        rows = yield from act_of(statement)(self, task, parameters)
        yield from self._commit(task)
        return rows

    def _begun(self) -> Transaction:
        return self.server.begin(_ROLE, self.application, self.pid)

    def _commit(self, task: Task) -> Work[None]:
        transaction, self._explicit = self._transaction, False
        if transaction is not None:
            yield from self.server.commit(task, transaction)
        self._transaction = None

    def _roll_back(self, *, failed: bool = False) -> None:
        if self._transaction is not None:
            self.server.end(self._transaction)
        self._transaction = None
        self._failed = self._explicit = failed

    def _limited(self, task: Task) -> Timer | None:
        if not self.statement_timeout:
            return None
        error = ServerError("57014", "canceling statement due to statement timeout")

        def stop() -> None:
            task.interrupt(error)

        return self.server.hub.after(self.statement_timeout, stop)

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        if self._task is not None:
            self._task.kill()
            self._task = None
        self._roll_back()
        held = self.server.advisory
        for key in [key for key, holder in held.items() if holder is self]:
            del held[key]
        self.server.backends.pop(self.pid, None)


def _terminated() -> ServerError:
    return ServerError(_BROKEN, "terminating connection due to administrator command")
