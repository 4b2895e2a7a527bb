"""One connection to the database that is changed, and the one place where psycopg's errors become ours."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import conninfo, sql
from psycopg.pq import TransactionStatus

from crossfade.expand.errors import DatabaseUnreachable, DsnUnreadable, StatementRefused

Parameters = Sequence[object] | Mapping[str, object]
LOCK_TIMEOUT, DEADLOCK, CANCELLED = "55P03", "40P01", "57014"
_CONNECT_SECONDS = 5
_QUOTES_VALUES = ("22", "P0")  # data exceptions repeat the value; what functions raise may say anything
_SETTINGS = sql.SQL(
    "SET client_encoding = 'UTF8'; SET search_path = pg_catalog, pg_temp; SET client_min_messages = error;"
    " SET jit = off; SET synchronous_commit = on; SET DateStyle = 'ISO, YMD'; SET statement_timeout = 0;"
    " SET idle_in_transaction_session_timeout = '5s'"  # who hangs with a lock held is ended by the server
)


class Session:
    """Autocommit. Every method raises `DatabaseUnreachable` and `StatementRefused`."""

    def __init__(self, dsn: str) -> None:
        """Raises `DsnUnreadable` too."""
        try:
            parameters = conninfo.conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            raise DsnUnreadable from None  # the cause would repeat the text
        defaults = {"connect_timeout": _CONNECT_SECONDS, "keepalives_idle": 5, "keepalives_interval": 2}
        wanted = conninfo.make_conninfo("", **(defaults | parameters | {"application_name": "crossfade schema"}))
        with _translated():
            self._connection = psycopg.connect(wanted, autocommit=True, prepare_threshold=None)
            self._connection.execute(_SETTINGS)
        self.version = self._connection.info.server_version // 10000
        self.pid = self._connection.info.backend_pid

    def rows(self, statement: sql.Composable, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement; none where it has none. `%` is a placeholder only where there are parameters."""
        with _translated():
            cursor = self._connection.execute(sql.Composed([statement]), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def script(self, statements: Sequence[sql.Composable]) -> list[list[tuple[Any, ...]]]:
        """The rows of each of several statements, sent as one message: no round trip lies between them.

        A transaction that one of them began is rolled back when one of them is refused.
        """
        with _translated():
            try:
                cursor = self._connection.execute(sql.SQL(";\n").join(statements))
            except psycopg.Error:
                if self._connection.info.transaction_status is TransactionStatus.INERROR:
                    self._connection.execute("ROLLBACK")
                raise
            return [result.fetchall() if result.description else [] for result in cursor.results()]

    def value(self, statement: sql.Composable, parameters: Parameters = ()) -> Any:
        """The first column of the first row; None where there is no row."""
        found = self.rows(statement, parameters)
        return found[0][0] if found else None

    def prepared(self, statement: sql.Composable) -> int:
        """Have the server read one statement without carrying it out; how many columns it would return."""
        text = statement.as_string(self._connection).encode()
        with _translated():
            result = self._connection.pgconn.prepare(b"", text)
        if result.error_field(67) is not None:
            raise _named((result.error_field(67) or b"").decode(), (result.error_field(77) or b"").decode())
        return self._connection.pgconn.describe_prepared(b"").nfields

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with _translated(), self._connection.transaction():
            yield

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as exc:
        state = exc.sqlstate or ""
        if not state and not isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError):
            raise  # nothing the server said: a fault of ours
        raise _named(state, exc.diag.message_primary or "", type(exc).__name__) from None


def _named(state: str, message: str, condition: str = "") -> DatabaseUnreachable | StatementRefused:
    if not state or state.startswith(("08", "28", "3D", "57P", "53")):
        return DatabaseUnreachable(state)
    quiet = state.startswith(_QUOTES_VALUES)
    return StatementRefused(state, (condition or "the data do not fit") if quiet else message or condition)
