"""Open connections to one of the two databases, kept warm from the start, and bounded in time whatever it does."""

import asyncio
import contextlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo

from .settings import Side

_log = logging.getLogger(__name__)
Row = tuple[Any, ...]
Connection = psycopg.AsyncConnection[Row]

_CONNECT_SECONDS = 2
_STATEMENT_MS = 3_000
_WORTHWHILE_SECONDS = 0.05
_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_TEND_SECONDS = 1.0  # until all connections were idle once and could be warmed
# Tables, partitions, indexes and functions are loaded into the session's caches before the first request needs them.
_COMPILE: LiteralString = "SELECT * FROM ledger.post_transfer(NULL, NULL, NULL, NULL, NULL)"
_LOAD: LiteralString = """
SELECT FROM ledger.transfers, ledger.entries, ledger.accounts, ledger.customers, ledger.statements, ledger.audit_log
LIMIT 0
"""
_SCHEMA_STANDS: LiteralString = """
SELECT to_regprocedure('ledger.statement_text(bigint, bigint, numeric, numeric, jsonb)') IS NOT NULL
"""


class ConnectionLost(Exception):
    """The database does not answer, or the connection broke: whether a statement took effect is not known."""


class NoneFree(ConnectionLost):
    """No connection was free in time, or too late to be of use: nothing was sent."""


class Database:
    """`connections` sessions with one side. A missing database or schema is waited for in the background.

    `heard` is called with what the database announces on the channel crossfade_writer, and `listening` each time
    that listening begins: what was announced before went unheard.
    """

    def __init__(
        self, side: Side, dsn: str, *, connections: int, heard: Callable[[str], None], listening: Callable[[Side], None]
    ) -> None:
        self.side = side
        self._dsn = make_conninfo(
            dsn,
            connect_timeout=_CONNECT_SECONDS,
            options=f"-c statement_timeout={_STATEMENT_MS} -c lock_timeout={_STATEMENT_MS}",
            keepalives_idle=5,
        )
        self._wanted, self._heard, self._listening = connections, heard, listening
        self._all: set[Connection] = set()
        self._cold: set[Connection] = set()
        self._idle: list[Connection] = []
        self._watched: dict[Connection, int] = {}
        self._queue: deque[asyncio.Future[Connection]] = deque()
        self._listener: Connection | None = None
        self._attention = asyncio.Event()
        self.tried = asyncio.Event()
        """Set once the first attempt to connect is over, however it ended: only then does `reachable` say something."""
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Returns at once; connections are made in the background, and made anew for as long as this is open.

        What is open already stays so.
        """
        if self._keeper is not None:
            return
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for connection in tuple(self._all):
            self._unwatch(connection)
            await connection.close()

    @property
    def reachable(self) -> bool:
        """Whether any connection stands."""
        return bool(self._all)

    def look_again(self) -> None:
        """Somebody needs this side now: do not wait out the pause before the next attempt to connect."""
        self._attention.set()

    async def run(self, query: LiteralString, parameters: Sequence[Any], *, within: float) -> list[Row]:
        """One statement, one round trip, its own transaction. Raises ConnectionLost, or psycopg.Error for refusals."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        connection = await self._take(within)
        if deadline - loop.time() < _WORTHWHILE_SECONDS:
            self._give(connection)  # hanging up on it would only make work for those who come after
            raise NoneFree(str(self.side))
        bound = loop.call_later(deadline - loop.time(), _hang_up, connection)
        try:
            cursor = await connection.execute(query, parameters, prepare=True)
            return await cursor.fetchall()
        except psycopg.Error as exc:
            if connection.broken or connection.closed or is_lost(exc):
                raise ConnectionLost(str(self.side)) from exc
            raise
        finally:
            bound.cancel()
            self._give(connection)

    async def _take(self, within: float) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            self._unwatch(connection)
            if not connection.closed:
                return connection
            self._drop(connection)
        self._attention.set()
        waiting: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._queue.append(waiting)
        try:
            async with asyncio.timeout(within):
                return await waiting
        except TimeoutError:
            if not waiting.cancelled():  # it came in the same instant
                self._give(waiting.result())
            raise NoneFree(str(self.side)) from None
        finally:
            with contextlib.suppress(ValueError):
                self._queue.remove(waiting)

    def _give(self, connection: Connection) -> None:
        if connection.closed:
            self._drop(connection)
            return
        while self._queue:
            waiting = self._queue.popleft()
            if not waiting.done():
                waiting.set_result(connection)
                return
        # The last one is taken first: the one that listens is left alone as long as another will do.
        self._idle.insert(0 if connection is self._listener else len(self._idle), connection)
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """An idle connection becomes readable when the database announces something, or goes away."""
        self._watched[connection] = connection.fileno()
        asyncio.get_running_loop().add_reader(connection.fileno(), self._stirred, connection)

    def _unwatch(self, connection: Connection) -> None:
        # By the number it had: libpq closes the socket of a broken connection, and the loop must not go on watching
        # a number that the next connection may get.
        number = self._watched.pop(connection, None)
        if number is not None:
            asyncio.get_running_loop().remove_reader(number)

    def _stirred(self, connection: Connection) -> None:
        self._unwatch(connection)
        try:
            connection.pgconn.consume_input()
            self._watch(connection)
        except psycopg.Error:
            self._idle.remove(connection)
            self._drop(connection)
            return
        while notice := connection.pgconn.notifies():
            self._heard(notice.extra.decode("utf-8", "replace"))

    def _drop(self, connection: Connection) -> None:
        self._unwatch(connection)
        connection.pgconn.finish()
        self._all.discard(connection)
        self._cold.discard(connection)
        if self._listener is connection:
            self._listener = None
        self._attention.set()

    async def _keep(self) -> None:
        """Connections are kept at their number, warm, and one of them listens."""
        failures = 0
        while True:
            self._attention.clear()  # before the work: what happens during it must not be forgotten
            try:
                while len(self._all) < self._wanted:
                    await self._connect()
                await self._tend()
                failures = 0
            except (psycopg.Error, OSError):
                failures += 1
            except Exception:  # noqa: BLE001 - without this task the server would never reach its database again
                _log.exception("connections to the %s", self.side)
                failures += 1
            pause: float | None = None
            if failures:
                pause = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1]
                await asyncio.sleep(_RETRY_SECONDS[0])  # also when somebody asks: what is down is not hammered
            elif self._cold or self._listener is None:
                pause = _TEND_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._attention.wait()

    async def _connect(self) -> None:
        try:
            connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True)
            connection.add_notify_handler(lambda notice: self._heard(notice.payload))
            self._all.add(connection)
            self._cold.add(connection)
        finally:
            self.tried.set()
        self._give(connection)

    async def _tend(self) -> None:
        for connection in tuple(self._cold):
            if connection in self._idle:
                await self._on(connection, self._warm)
        if self._listener is None and self._idle:
            await self._on(self._idle[0], self._listen)

    async def _on(self, connection: Connection, work: Callable[[Connection], Any]) -> None:
        """Do something on a connection that is idle, apart from requests, and bounded like them."""
        self._idle.remove(connection)
        self._unwatch(connection)
        bound = asyncio.get_running_loop().call_later(_STATEMENT_MS / 1000, _hang_up, connection)
        try:
            await work(connection)
        finally:
            bound.cancel()
            self._give(connection)

    async def _warm(self, connection: Connection) -> None:
        found = await (
            await connection.execute(
                "SELECT to_regprocedure('ledger.statement_text(bigint, bigint, numeric, numeric, jsonb)') IS NOT NULL"
            )
        ).fetchone()
        if found != (True,):
            return  # the schema is not there yet
        for query in (_COMPILE, _LOAD):
            await connection.execute(query, prepare=True)
        self._cold.discard(connection)

    async def _listen(self, connection: Connection) -> None:
        await connection.execute("LISTEN crossfade_writer")
        self._listener = connection
        self._listening(self.side)


def is_lost(exc: psycopg.Error) -> bool:
    """Whether the database went away, by SQLSTATE: none at all, connection exceptions, shutting down, starting up."""
    if exc.sqlstate is None:
        return isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError)
    return exc.sqlstate.startswith("08") or exc.sqlstate in {"57P01", "57P02", "57P03"}


def _hang_up(connection: Connection) -> None:
    """End the conversation from below, so that whoever waits for an answer gets an error at once.

    Cancelling the statement would ask the server, which may be the very one that does not answer.
    """
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)
