"""The ledger's reads and writes, each one statement, on whichever database is the primary."""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import LiteralString
from uuid import UUID

import psycopg

from .database import ConnectionLost, Database, NoneFree, Row
from .primary import NoPrimary, Primary
from .settings import Side

_REFUSES_WRITES = {"42501", "25006"}  # insufficient_privilege, read_only_sql_transaction
_NO_SCHEMA = {"42P01", "3F000", "42883"}  # undefined table, schema, function: not copied here yet
_TRY_AGAIN = {"40001", "40P01", "55P03", "57014"}  # serialization failure, deadlock, lock, timeout
_IN_TROUBLE = (
    "53",
    "58",
)  # classes: insufficient resources (a full disk), system error; they pass, or the deadline does
_ATTEMPT_SECONDS = 3.5
read_from: ContextVar[Side | None] = ContextVar("read_from", default=None)
"""The side that answered the last shadow read of this task."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2
_REASONS = {
    "23503": (404, "there is no such account"),
    "23514": (422, "the account does not cover the amount"),
    "LG003": (409, "this idempotency key belongs to something else"),
    "22003": (422, "the amount is out of range"),
}

_ACCOUNT: LiteralString = """
SELECT jsonb_build_object('id', a.id, 'number', a.number, 'kind', a.kind, 'currency', a.currency,
    'balance', round(a.balance, 2)::text, 'available', round(a.available, 2)::text, 'customer', a.customer,
    'entries', coalesce((SELECT jsonb_agg(jsonb_build_object('transfer', e.transfer_id,
        'amount', round(e.amount, 2)::text, 'balance', round(e.balance_after, 2)::text, 'booked_at', e.booked_at)
        ORDER BY e.booked_at DESC, e.transfer_id DESC)
      FROM (SELECT * FROM ledger.entries x WHERE x.account_id = a.id
            ORDER BY x.booked_at DESC, x.transfer_id DESC LIMIT %s) e), '[]'))::text
FROM ledger.account_overview a WHERE a.id = %s
"""
_STATEMENT: LiteralString = "SELECT account_id, issued_at, document, checksum FROM ledger.statements WHERE id = %s"
_TRANSFER: LiteralString = (
    "SELECT id, booked_at, round(balance, 2), replayed FROM ledger.post_transfer(%s, %s, %s, %s, %s)"
)
_ISSUE: LiteralString = (
    "SELECT id, account_id, issued_at, document, checksum, body, replayed FROM ledger.issue_statement(%s, %s)"
)
_DIRECTORY: LiteralString = "SELECT min(id), max(id) FROM ledger.accounts WHERE kind <> 'clearing'"


class Refused(Exception):
    """The ledger says no, for a reason that the one who asked can understand. `status` is HTTP's."""

    def __init__(self, status: int, problem: str) -> None:
        self.status, self.problem = status, problem
        super().__init__(problem)


class ShadowWrite(Refused):
    """A shadow request would have written. `by` is who refused it: the guard in front, or the database behind."""

    def __init__(self, by: str) -> None:
        self.by = by
        super().__init__(403, "a shadow request writes nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A transfer as it stands in the ledger, whether this request or an earlier one of the same key made it."""

    id: int
    booked_at: str
    balance: Decimal
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement's row; its document has the SHA-256 `checksum`. `side` is the database that answered."""

    id: int
    account: int
    issued_at: str
    document: str
    checksum: str
    side: Side
    body: str = ""
    replayed: bool = False


class Books:
    """Each method answers within `deadline_seconds` or raises NoPrimary; Refused is the ledger's own no.

    Writes carry an idempotency key, so that one whose outcome is not known (the connection broke) is simply done
    again, on the same side or the other.
    """

    def __init__(self, databases: Mapping[Side, Database], primary: Primary, deadline_seconds: float) -> None:
        self._databases, self._primary, self._deadline_seconds = databases, primary, deadline_seconds

    async def transfer(self, key: UUID, debit: int, credit: int, amount: Decimal, memo: str | None) -> Booked:
        rows, _ = await self._write(_TRANSFER, (key, debit, credit, amount, memo))
        number, booked_at, balance, replayed = rows[0]
        return Booked(id=number, booked_at=booked_at.isoformat(), balance=balance, replayed=replayed)

    async def issue_statement(self, key: UUID, account: int) -> Statement:
        rows, side = await self._write(_ISSUE, (key, account))
        number, account, issued_at, document, checksum, body, replayed = rows[0]
        return Statement(
            id=number,
            account=account,
            issued_at=issued_at.isoformat(),
            document=document,
            checksum=checksum,
            side=side,
            body=body,
            replayed=replayed,
        )

    async def account(self, number: int, *, entries: int) -> str:
        """The account with its latest entries, as JSON text."""
        rows, _ = await self._read(_ACCOUNT, (entries, number))
        if not rows:
            raise Refused(404, "there is no such account")
        return str(rows[0][0])

    async def statement(self, number: int) -> Statement:
        rows, side = await self._read(_STATEMENT, (number,))
        if not rows:
            raise Refused(404, "there is no such statement")
        account, issued_at, document, checksum = rows[0]
        return Statement(
            id=number, account=account, issued_at=issued_at.isoformat(), document=document, checksum=checksum, side=side
        )

    async def accounts(self) -> tuple[int, int]:
        """The first and last number of the customers' accounts."""
        rows, _ = await self._read(_DIRECTORY, ())
        return int(rows[0][0] or 0), int(rows[0][1] or 0)

    async def _write(self, query: LiteralString, parameters: Sequence[object]) -> tuple[list[Row], Side]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._deadline_seconds
        pause = _SHORTEST_PAUSE
        while True:
            side = await self._primary.settled(deadline - loop.time())
            within = min(deadline - loop.time(), _ATTEMPT_SECONDS)
            try:
                return await self._databases[side].run(query, parameters, within=within), side
            except ConnectionLost as exc:
                self._note_loss(side, exc)
            except psycopg.Error as exc:
                if exc.sqlstate in _REFUSES_WRITES or exc.sqlstate in _NO_SCHEMA:
                    self._primary.doubt(side, ask_first=side.other)
                elif not _may_pass(exc):
                    raise _reason(exc) from exc
            pause = await _rest(pause, deadline)

    def _note_loss(self, side: Side, exc: ConnectionLost) -> None:
        """A database that is merely busy is no reason to ask it even more."""
        if not isinstance(exc, NoneFree) or not self._databases[side].reachable:
            self._primary.doubt(side, ask_first=side)

    async def _read(self, query: LiteralString, parameters: Sequence[object]) -> tuple[list[Row], Side]:
        """From the primary; from the other side when the primary is away: an answer of yesterday beats none."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._deadline_seconds
        pause = _SHORTEST_PAUSE
        side = self._primary.side
        while True:
            database = self._databases[side]
            try:
                if database.reachable:
                    within = min(deadline - loop.time(), _ATTEMPT_SECONDS)
                    return await database.run(query, parameters, within=within), side
                database.look_again()
            except ConnectionLost as exc:
                self._note_loss(side, exc)
            except psycopg.Error as exc:
                if exc.sqlstate not in _REFUSES_WRITES | _NO_SCHEMA and not _may_pass(exc):
                    raise _reason(exc) from exc
            side = side.other
            if side is self._primary.side:
                pause = await _rest(pause, deadline)


class ShadowBooks(Books):
    """The same for shadow requests, on connections of a role that may not write; opened by the first of them.

    What goes wrong here raises no doubt in the primary: users must not wait for a shadow.
    """

    async def _read(self, query: LiteralString, parameters: Sequence[object]) -> tuple[list[Row], Side]:
        self._open()
        await self._databases[self._primary.side].tried.wait()  # or the first would be read wherever is quicker
        rows, side = await super()._read(query, parameters)
        read_from.set(side)
        return rows, side

    async def _write(self, query: LiteralString, parameters: Sequence[object]) -> tuple[list[Row], Side]:
        self._open()
        side = await self._primary.settled(self._deadline_seconds)
        try:
            await self._databases[side].run(query, parameters, within=_ATTEMPT_SECONDS)
        except ConnectionLost:
            raise NoPrimary from None
        except psycopg.Error as exc:
            if exc.sqlstate in _REFUSES_WRITES:
                raise ShadowWrite("database") from exc
            raise _reason(exc) from exc
        raise Refused(500, "the database let a shadow request write")

    def _note_loss(self, side: Side, exc: ConnectionLost) -> None:
        """The keeper of the connections makes new ones; nobody else is told."""

    def _open(self) -> None:
        for database in self._databases.values():
            database.open()


async def _rest(pause: float, deadline: float) -> float:
    """Wait a little longer each time; raises NoPrimary at the deadline."""
    if asyncio.get_running_loop().time() + pause >= deadline:
        raise NoPrimary
    await asyncio.sleep(pause)
    return min(pause * 2, _LONGEST_PAUSE)


def _may_pass(exc: psycopg.Error) -> bool:
    return exc.sqlstate in _TRY_AGAIN or (exc.sqlstate or "").startswith(_IN_TROUBLE)


def _reason(exc: psycopg.Error) -> Refused:
    status, problem = _REASONS.get(exc.sqlstate or "", (500, f"the database refused: SQLSTATE {exc.sqlstate}"))
    return Refused(status, problem)
