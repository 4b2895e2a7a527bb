"""Faults that come about by what somebody says to a database: through sessions of their own, past the WAN.

Each raises `psycopg.Error` when the database cannot be asked, or does not do it in time: what it waits for may be
another fault, which whoever waits here would end.
"""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from crossfade.database.settings import channel
from crossfade.model.terms import Side

Connection = psycopg.Connection[Any]

_PATIENCE_S = 10.0
_APPLICATION = "month-end"
_CUSTOMERS_OF_THE_END = "(SELECT id FROM ledger.customers ORDER BY id DESC LIMIT {})"
_CHANGE = "UPDATE ledger.customers SET profile = profile || jsonb_build_object('seen', clock_timestamp()) WHERE id IN "


class SlotStays(Exception):
    """The slot could not be dropped: somebody was attached to it again and again."""


class DatabaseFaults:
    """`dsn` names a side's database for a role. Rows are changed so that what users were promised holds."""

    def __init__(self, dsn: Callable[[Side, str], str], *, patience_s: float = _PATIENCE_S) -> None:
        self._dsn, self._patience_s = dsn, patience_s
        self._holding: list[Connection] = []

    def begin_transaction(self, side: Side) -> None:
        """The application's role has changed a row and does not commit: a lock that no user waits for, but a fence."""
        connection = self._connect(side, "ledger_app", application_name=_APPLICATION)
        self._holding.append(connection)
        connection.execute((_CHANGE + _CUSTOMERS_OF_THE_END.format(1)).encode())

    def end_transaction(self) -> None:
        """The oldest that was begun commits, if its server still knows it."""
        connection = self._holding.pop(0)
        try:
            connection.commit()
        finally:
            connection.close()

    def drop_slot(self, primary: Side) -> None:
        """Raises `SlotStays` too."""
        with self._as_superuser(primary) as connection:
            self._drop_slot(connection, channel(primary))

    def remake_slot(self, primary: Side, *, changes: int = 20) -> None:
        """What was changed between the two will never arrive on the other side. Raises `SlotStays` too."""
        with self._as_superuser(primary) as connection:
            self._drop_slot(connection, channel(primary))
            connection.execute((_CHANGE + _CUSTOMERS_OF_THE_END.format(changes)).encode())
            connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (channel(primary),))

    def bypass_fence(self, fenced: Side) -> None:
        """A superuser's row, where nobody may write, under a key that nobody has: the sequences there stand still."""
        with self._as_superuser(fenced) as connection:
            connection.execute(
                "INSERT INTO ledger.audit_log (id, subject, key, action) OVERRIDING SYSTEM VALUE"
                " SELECT least(min(id), 0) - 1, 'by hand', 0, 'past the fence' FROM ledger.audit_log"
            )

    def change_rows(self, side: Side, count: int) -> None:
        with self._as_superuser(side) as connection:
            connection.execute("SET session_replication_role = replica")  # no trigger fires: these rows alone differ
            connection.execute((_CHANGE + _CUSTOMERS_OF_THE_END.format(count)).encode())

    def close(self) -> None:
        for connection in self._holding:
            connection.close()
        self._holding.clear()

    def _as_superuser(self, side: Side) -> Connection:
        return self._connect(side, "postgres", autocommit=True, application_name="somebody")

    def _connect(self, side: Side, role: str, *, application_name: str, autocommit: bool = False) -> Connection:
        return psycopg.connect(
            self._dsn(side, role),
            connect_timeout=round(_PATIENCE_S),
            autocommit=autocommit,
            application_name=application_name,
            options=f"-c statement_timeout={round(self._patience_s * 1000)}",
        )

    def _drop_slot(self, connection: Connection, name: str) -> None:
        """The subscriber comes again half a second after it was cut off: be faster."""
        until = time.monotonic() + self._patience_s
        while True:
            connection.execute(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s", (name,)
            )
            try:
                connection.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (name,)
                )
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > until:
                    raise SlotStays from None
                time.sleep(0.01)
            else:
                return
