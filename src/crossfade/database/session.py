"""A connection to one side that never waits longer than it may, and speaks of failures in our own words."""

import contextlib
import selectors
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Protocol, Self

import psycopg
from psycopg import generators, sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from crossfade.database.errors import NotDrained, SideUnreachable, StaleEpoch, StatementFailed
from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side

Rows = list[tuple[Any, ...]]
Query = str | sql.SQL | sql.Composed
Parameters = Mapping[str, object] | Sequence[object] | None

STALE_EPOCH, NOT_DRAINED, LOCK_TIMEOUT, CANCELLED = "CF001", "CF002", "55P03", "57014"
_GOING_DOWN = {"57P01", "57P02", "57P03", "57P05"}  # admin or crash shutdown, cannot connect now, idle timeout
_SETTLE = timedelta(seconds=1)
_FAILED = {ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE, ExecStatus.PIPELINE_ABORTED}


class Pace(Protocol):
    """How time passes for whoever waits for a database."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...


MACHINE: Pace = time


class Session(ABC):
    """Autocommit, synchronous commits, one side. Raises `SideUnreachable`, `StaleEpoch`, `StatementFailed`.

    `pid` is the server's process for it; `pace` tells how time passes for both ends.
    """

    side: Side
    pid: int
    pace: Pace = MACHINE
    _clock_offset: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    @abstractmethod
    def closed(self) -> bool: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def rows(self, query: Query, parameters: Parameters = None, *, patience: timedelta | None = None) -> Rows:
        """All rows of the last statement; an empty list where it has none. `patience` bounds each wait."""

    @abstractmethod
    def send(self, script: str) -> None:
        """Send several statements at once and return; the server runs them until one fails. Then `receive`."""

    @abstractmethod
    def receive(self, *, patience: timedelta) -> Rows:
        """The first row of each statement that returned rows, in their order, each value as text.

        Past `patience` the statements are cancelled, and what the server answers to that counts.
        """

    def answered(self, *, within: timedelta) -> bool:  # noqa: ARG002 - what cannot tell need not wait
        """Whether the answer to what was sent begins to arrive `within` that time. Where none can tell, it does."""
        return True

    @abstractmethod
    def abandon(self) -> None:
        """Whatever the server is doing for us, it stops, and the connection is closed."""

    def one(self, query: Query, parameters: Parameters = None) -> tuple[Any, ...]:
        """The first row; raises `StatementFailed` where there is none."""
        found = self.rows(query, parameters)
        if not found:
            raise StatementFailed(self.side, "02000", "no row where one must be")
        return found[0]

    def value(self, query: Query, parameters: Parameters = None) -> Any:
        """The first column of the first row; None where there is no row."""
        found = self.rows(query, parameters)
        return found[0][0] if found else None

    def run(self, script: str, *, patience: timedelta) -> Rows:
        self.send(script)
        return self.receive(patience=patience)

    def roll_back(self) -> None:
        """Whatever was sent is answered, and whatever transaction a failed script left open is over."""
        self.rows("ROLLBACK")

    def read_clock(self) -> None:
        """Measure how the server's clock stands to our monotonic one; right to half a round trip."""
        before = self.pace.monotonic()
        seconds = float(self.value("SELECT extract(epoch FROM clock_timestamp())"))
        self._clock_offset = (before + self.pace.monotonic()) / 2 - seconds

    def on_our_clock(self, server_seconds: float) -> float:
        """A time of the server's clock on our monotonic one; 0 offset before `read_clock`."""
        return server_seconds + self._clock_offset

    def _named(self, sqlstate: str, message: str) -> CrossfadeError:
        if sqlstate == STALE_EPOCH:
            words = message.split()
            return StaleEpoch(int(words[1]), self.side, int(words[-1]))
        if sqlstate == NOT_DRAINED:
            return NotDrained(self.side, timedelta(0))
        if sqlstate in _GOING_DOWN or not sqlstate:
            self.close()
            return SideUnreachable(self.side, message)
        return StatementFailed(self.side, sqlstate, message)


class _Patient(psycopg.Connection[tuple[Any, ...]]):
    """Every wait for the server ends after `patience`, also when a frozen server keeps the connection alive."""

    patience: float = 10.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval=interval, timeout=self.patience if timeout is None else timeout)


class PostgresSession(Session):
    """A connection of psycopg's to a real server."""

    def __init__(self, side: Side, dsn: str, *, application_name: str, patience: timedelta) -> None:
        self.side, self._patience = side, patience.total_seconds()
        try:
            self._connection = _Patient.connect(
                dsn,
                autocommit=True,
                row_factory=tuple_row,
                application_name=application_name,
                connect_timeout=max(2, round(min(self._patience, 5))),
                options="-c synchronous_commit=on -c client_min_messages=error",
            )
        except psycopg.Error as exc:
            raise self._translated(exc) from exc
        self._connection.patience = self._patience
        self._connection.prepare_threshold = None
        self._unanswered = False
        self.pid = self._connection.info.backend_pid

    @property
    def closed(self) -> bool:
        return self._connection.closed

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: Query, parameters: Parameters = None, *, patience: timedelta | None = None) -> Rows:
        self._connection.patience = self._patience if patience is None else patience.total_seconds()
        try:
            cursor = self._connection.execute(query, parameters)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as exc:
            raise self._translated(exc) from exc

    def send(self, script: str) -> None:
        self._unanswered = True
        try:
            self._connection.pgconn.send_query(script.encode())
            self._connection.pgconn.flush()
        except psycopg.Error as exc:
            raise self._translated(exc) from exc

    def receive(self, *, patience: timedelta) -> Rows:
        pgconn = self._connection.pgconn
        waiting = generators.execute(pgconn)
        self._unanswered = False
        try:
            try:
                results: list[PGresult] = self._connection.wait(waiting, timeout=patience.total_seconds())
            except psycopg.OperationalError:
                if not self._cancelled():
                    raise
                results = self._connection.wait(generators.execute(pgconn), timeout=self._patience)
        except psycopg.Error as exc:
            raise self._translated(exc) from exc
        found: Rows = []
        for result in results:
            if result.status in _FAILED:
                raise self._told(result)
            if result.status == ExecStatus.TUPLES_OK and result.ntuples:
                row = (result.get_value(0, column) for column in range(result.nfields))
                found.append(tuple(None if value is None else bytes(value).decode() for value in row))
        return found

    def answered(self, *, within: timedelta) -> bool:
        try:
            self._connection.pgconn.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection.pgconn.socket, selectors.EVENT_READ)
                return bool(selector.select(within.total_seconds()))
        except psycopg.Error:
            return True  # the connection is broken: `receive` says how

    def roll_back(self) -> None:
        if self._unanswered:
            with contextlib.suppress(StatementFailed):
                self.receive(patience=_SETTLE)
        super().roll_back()

    def abandon(self) -> None:
        if not self.closed:
            self._cancelled()
        self.close()

    def _cancelled(self) -> bool:
        """False when there is no server left to ask."""
        try:
            self._connection.cancel_safe(timeout=2)
        except psycopg.Error:
            return False
        return not self._connection.closed

    def _told(self, result: PGresult) -> CrossfadeError:
        return self._named(
            (result.error_field(67) or b"").decode(), (result.error_field(77) or b"").decode(errors="replace")
        )

    def _translated(self, error: psycopg.Error) -> CrossfadeError:
        """The one place where PostgreSQL's errors become ours. Details are left out: they quote rows."""
        if error.sqlstate and error.sqlstate[:2] not in {"08", "28", "3D"} and error.sqlstate not in _GOING_DOWN:
            return self._named(error.sqlstate, error.diag.message_primary or "")
        if not error.sqlstate and not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise error  # nothing the server said: a fault of ours
        if hasattr(self, "_connection"):
            self._connection.close()
        text = str(error).strip().splitlines()
        return SideUnreachable(self.side, text[-1] if text else type(error).__name__)


class Connector(Protocol):
    """Opens a session. Raises `SideUnreachable`."""

    def __call__(self, side: Side, dsn: str, *, application_name: str, patience: timedelta) -> Session: ...


def eventually(condition: Any, *, within: timedelta, pause: float = 0.01, pace: Pace = MACHINE) -> bool:
    """Whether `condition()` became true before the time was over."""
    deadline = pace.monotonic() + within.total_seconds()
    while not condition():
        if pace.monotonic() > deadline:
            return False
        pace.sleep(pause)
    return True
