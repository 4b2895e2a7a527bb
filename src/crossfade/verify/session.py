"""One read-only connection to a side, and the one place where psycopg's errors become ours."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Timer
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import conninfo, sql

from crossfade.model.terms import Side
from crossfade.verify.errors import DsnUnreadable, ServerUnreachable, StatementFailed

_CONNECT_SECONDS = 5
_GRACE_SECONDS = 5.0
# text output must be the same on both sides; a role that sees only some rows must fail, not pass
TEXT_SETTINGS = """
SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET xmlbinary = 'base64';
SET client_encoding = 'UTF8';
"""
"""With these every server writes and reads the text of a value in the same way."""
_SETTINGS = sql.SQL(TEXT_SETTINGS) + sql.SQL("""
    SET search_path = pg_catalog; SET default_transaction_read_only = on; SET row_security = off;
    SET jit = off; SET max_parallel_workers_per_gather = 0; SET lock_timeout = '5s'; SET synchronous_commit = 'local';
    SET enable_indexscan = off; SET statement_timeout =
""")
_WALKS = {True: sql.SQL("SET enable_indexscan = on"), False: sql.SQL("SET enable_indexscan = off")}
_KNOWN_REASONS = (
    ("Connection refused", "connection refused"),
    ("timeout", "no answer in time"),
    ("password authentication failed", "password authentication failed"),
    ("no password supplied", "a password is needed"),
    ("translate host name", "its host name is unknown"),
    ("Name or service not known", "its host name is unknown"),
    ("failed to resolve host", "its host name is unknown"),
    ("no pg_hba.conf entry", "the server's pg_hba.conf does not let this client in"),
    ("too many clients", "too many connections"),
    ("remaining connection slots", "too many connections"),
    ("starting up", "the server is starting up"),
    ("shutting down", "the server is shutting down"),
    ("SSL", "TLS could not be agreed on"),
    ("No route", "no route to it"),
    ('database "', "no such database"),
    ('role "', "no such role"),
)
# libpq looks at some values of a DSN only when it connects
_UNREADABLE = ("invalid integer value", "invalid port number", "invalid sslmode value")


class Session:
    """A connection to `side`, autocommit, each statement with a snapshot of its own. Nothing can be changed by it."""

    def __init__(
        self, side: Side, dsn: str, *, statement_timeout: timedelta, before: Callable[[], None] | None = None
    ) -> None:
        """`before` is called before each statement. Raises `DsnUnreadable` and `ServerUnreachable`."""
        self.side, self._before = side, before
        self._patience_seconds = statement_timeout.total_seconds() + _GRACE_SECONDS
        self._gave_up = False
        self._walks = False
        self.busy_seconds = 0.0  # from sending a statement until its answer was here, summed up
        try:
            parameters = conninfo.conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            raise DsnUnreadable(side) from None  # the cause would repeat the text
        # a lost server must not be waited for until the kernel's default of two hours
        defaults = {"connect_timeout": _CONNECT_SECONDS, "keepalives_idle": 5, "keepalives_interval": 2}
        parameters = defaults | parameters | {"application_name": "crossfade verify"}
        with self._translated():
            self._connection = psycopg.connect(
                conninfo.make_conninfo("", **parameters), autocommit=True, prepare_threshold=None
            )
        milliseconds = sql.Literal(int(statement_timeout.total_seconds() * 1000))
        with self._translated():
            self._connection.execute(_SETTINGS + milliseconds)

    def rows(
        self,
        statement: sql.Composable,
        parameters: Sequence[object] | Mapping[str, object] = (),
        *,
        in_order: bool = False,
    ) -> list[tuple[Any, ...]]:
        """All rows of a statement. Raises `ServerUnreachable` and `StatementFailed`.

        `in_order`: by a walk along an index. Without it, an index only tells which pages to read, and they are read in
        the order in which they lie: a tenth less for a server's processor, and far less for its disk.
        A server that hangs cannot keep to the statement timeout; a little later the connection is given up.
        """
        if self._before:
            self._before()
        watch = Timer(self._patience_seconds, self._give_up)
        watch.daemon = True
        watch.start()
        began = time.monotonic()
        try:
            with self._translated():
                if in_order != self._walks:
                    self._connection.execute(_WALKS[in_order])
                    self._walks = in_order
                return self._connection.execute(sql.Composed([statement]), parameters).fetchall()
        finally:
            watch.cancel()
            self.busy_seconds += time.monotonic() - began

    def row(
        self, statement: sql.Composable, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> tuple[Any, ...]:
        """The only row of a statement."""
        return self.rows(statement, parameters)[0]

    @property
    def place(self) -> str:
        """Host, port and database, without any secret: the same text for the same database, asked in the same way."""
        info = self._connection.info
        return f"{info.host}:{info.port}/{info.dbname}"

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give_up(self) -> None:
        self._gave_up = True
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for an answer

    @contextmanager
    def _translated(self) -> Iterator[None]:
        # the server's own words are not passed on: they can hold a value, a password or a piece of one
        try:
            yield
        except psycopg.OperationalError as exc:
            if exc.sqlstate and not exc.sqlstate.startswith(("08", "57P", "53", "28", "3D")):
                raise StatementFailed(self.side, type(exc).__name__, exc.sqlstate) from None
            if any(mark in str(exc) for mark in _UNREADABLE):
                raise DsnUnreadable(self.side) from None
            reason = "no answer in time" if self._gave_up else _reason(exc)
            raise ServerUnreachable(self.side, reason) from None
        except psycopg.Error as exc:
            raise StatementFailed(self.side, type(exc).__name__, exc.sqlstate or "no code") from None


def _reason(exc: psycopg.OperationalError) -> str:
    text = str(exc)
    return next((reason for mark, reason in _KNOWN_REASONS if mark in text), "the connection failed or broke")
