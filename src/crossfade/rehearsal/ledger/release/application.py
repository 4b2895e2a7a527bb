"""What is asked of a server, and what it answers."""

import asyncio
import json
import logging
import math
import random
import traceback
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .books import Books, Refused, ShadowWrite, Statement, read_from
from .faults import FaultLevels, SharedFaults
from .http import Answer, Request
from .pages import account_page, statement_page
from .primary import NoPrimary, Primary
from .settings import ServerSettings
from .shares import DocumentMissing, Shares

_log = logging.getLogger(__name__)
_API_ENTRIES, _PAGE_ENTRIES = 5, 20
_SHADOW = "x-crossfade-shadow"
_HANGS_SECONDS = 0.02  # between two looks whether the fault is over
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"


class Kind(StrEnum):
    """A test instance answers like any other, but writes nothing: it is looked at, not used."""

    PRODUCTION = "production"
    TEST = "test"


_Account = Annotated[int, Field(ge=1, le=2**63 - 1)]


class TransferBody(BaseModel):
    """POST /api/transfers. `amount` is a decimal number as text, above zero, with at most two decimals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    debit: Annotated[_Account, Field(alias="from", strict=True)]
    credit: Annotated[_Account, Field(alias="to", strict=True)]
    amount: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=2, allow_inf_nan=False)]
    memo: Annotated[str, Field(max_length=200)] | None = None


class StatementBody(BaseModel):
    """POST /api/statements."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    account: _Account


class Application:
    """The web tier and the API of one server."""

    def __init__(
        self,
        settings: ServerSettings,
        kind: Kind,
        faults: SharedFaults | None,
        state: tuple[Books, Books, Shares, Primary],
    ) -> None:
        """`state` begins with the books of users and those of shadow requests."""
        self._books, self._shadow_books, self._shares, self._primary = state
        self._kind, self._faults = kind, faults
        self._median, self._sigma = settings.service_time_ms / 1000, settings.service_time_sigma
        self._random = random.Random(settings.name)

    async def answer(self, request: Request) -> Answer:
        """Never raises. What is not understood is 4xx; 503 when no database or share could be used in time."""
        if request.path == "/healthz":
            return Answer(status=200, body=b'{"status": "up"}')
        try:
            if request.path == "/readyz":
                return await self._ready()
            levels = self._levels()
            await asyncio.sleep(self._service_time() * (1 + levels.latency_percent / 100))
            if self._happens(levels.error_percent):
                return _problem(500, "injected")
            if _is_shadow(request):
                return await self._shadow(request, levels)
            answer = await self._route(request, self._books)
        except Refused as exc:
            return _problem(exc.status, exc.problem)
        except ValidationError as exc:
            return _faults_of(exc)
        except NoPrimary:
            return _problem(503, "no database took the request in time")
        except (OSError, DocumentMissing):
            return _problem(503, "the document's share is not available")
        except Exception as exc:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            _log.error("%s at %s", type(exc).__name__, _place(exc))  # not its text, which may repeat what people sent
            return _problem(500, "the server has a fault; its log names it")
        return self._perhaps_wrong(request, answer, levels)

    def _levels(self) -> FaultLevels:
        return self._faults.read() if self._faults is not None else FaultLevels()

    async def _shadow(self, request: Request, levels: FaultLevels) -> Answer:
        """A copy of a request, of which no user sees the answer: it says from which database it was read.

        It is served by a database role that may not write, and refused before that where it would.
        """
        if self._happens(levels.hang_percent):
            await self._hang()
        read_from.set(None)
        try:
            answer = await self._route(request, self._shadow_books)
        except ShadowWrite as refused:
            told = _problem(refused.status, refused.problem)
            return replace(told, headers={"x-refused-by": refused.by})
        answer = self._perhaps_wrong(request, answer, levels)
        side = read_from.get()
        return replace(answer, headers={**answer.headers, "x-read-from": side}) if side is not None else answer

    async def _hang(self) -> None:
        """As long as the fault lasts; whoever asked may have gone meanwhile."""
        while True:
            if self._faults is None or not self._faults.read().hang_percent:
                return
            await asyncio.sleep(_HANGS_SECONDS)

    def _perhaps_wrong(self, request: Request, answer: Answer, levels: FaultLevels) -> Answer:
        return _falsified(answer) if request.method == "GET" and self._happens(levels.wrong_percent) else answer

    async def _route(self, request: Request, books: Books) -> Answer:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["api", "transfers"]:
                return await self._transfer(request, books)
            case "POST", ["api", "statements"]:
                return await self._issue(request, books)
            case "GET", ["api", "accounts"]:
                first, last = await books.accounts()
                return Answer(status=200, body=json.dumps({"first": first, "last": last}).encode())
            case "GET", ["api", "accounts", number]:
                return Answer(status=200, body=(await books.account(_number(number), entries=_API_ENTRIES)).encode())
            case "GET", ["api", "statements", number]:
                return await self._document(_number(number), books, page=False)
            case "GET", ["accounts", number]:
                account = await books.account(_number(number), entries=_PAGE_ENTRIES)
                return Answer(status=200, body=account_page(account), content_type=_HTML)
            case "GET", ["statements", number]:
                return await self._document(_number(number), books, page=True)
            case _, _:
                raise Refused(404, "there is nothing here")

    async def _transfer(self, request: Request, books: Books) -> Answer:
        key = self._key(request)
        body = TransferBody.model_validate_json(request.body)
        if body.debit == body.credit:
            raise Refused(422, "from and to are the same account")
        if self._happens(self._levels().declined_percent):
            raise Refused(409, "declined: injected")
        memo = None if body.memo is None else json.dumps({"text": body.memo})
        booked = await books.transfer(key, body.debit, body.credit, body.amount, memo)
        told = {
            "id": booked.id,
            "key": str(key),
            "from": body.debit,
            "to": body.credit,
            "amount": str(body.amount),
            "booked_at": booked.booked_at,
            "balance": str(booked.balance),
        }
        return Answer(status=201, body=json.dumps(told).encode(), headers=_replayed(booked.replayed))

    async def _issue(self, request: Request, books: Books) -> Answer:
        key = self._key(request)
        body = StatementBody.model_validate_json(request.body)
        statement = await books.issue_statement(key, body.account)
        await self._keep_document(statement)
        told = {
            "id": statement.id,
            "key": str(key),
            "account": statement.account,
            "issued_at": statement.issued_at,
            "document": statement.document,
            "checksum": statement.checksum,
        }
        return Answer(status=201, body=json.dumps(told).encode(), headers=_replayed(statement.replayed))

    async def _keep_document(self, statement: Statement) -> None:
        """On the share of the side that took the row, unless an earlier request of this key wrote it already."""
        if statement.replayed:
            try:
                await self._shares.read(statement.side, statement.document, statement.checksum)
            except DocumentMissing:
                pass
            else:
                return
        await self._shares.write(statement.side, statement.document, statement.body)
        if self._primary.side is not statement.side:
            # Writes moved while this one was under way: copying from the old share may have ended.
            await self._shares.write(self._primary.side, statement.document, statement.body)

    async def _document(self, number: int, books: Books, *, page: bool) -> Answer:
        statement = await books.statement(number)
        body, _ = await self._shares.read(self._primary.side, statement.document, statement.checksum)
        if page:
            return Answer(status=200, body=statement_page(number, body), content_type=_HTML)
        return Answer(status=200, body=body, content_type=_TEXT, headers={"x-checksum": statement.checksum})

    async def _ready(self) -> Answer:
        await self._books.account(1, entries=1)
        if not self._shares.readable(self._primary.side):
            return _problem(503, "the share cannot be read")
        return Answer(status=200, body=b'{"status": "ready"}')

    def _key(self, request: Request) -> UUID:
        """What every write begins with."""
        self._guard(request)
        if self._kind is Kind.TEST and not _is_shadow(request):
            raise Refused(403, "a test instance writes nothing")
        try:
            return UUID(request.headers["idempotency-key"])
        except (KeyError, ValueError):
            raise Refused(400, "the header Idempotency-Key must hold a UUID") from None

    def _guard(self, request: Request) -> None:
        if _is_shadow(request):
            raise ShadowWrite("guard")

    def _service_time(self) -> float:
        return self._random.lognormvariate(math.log(self._median), self._sigma) if self._median else 0.0

    def _happens(self, percent: float) -> bool:
        return percent > 0 and self._random.random() * 100 < percent


def _is_shadow(request: Request) -> bool:
    return _SHADOW in request.headers


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(404, "there is nothing here")
    return int(text)


def _place(exc: Exception) -> str:
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(exc.__traceback__)))


def _replayed(replayed: bool) -> dict[str, str]:
    return {"x-replayed": "1"} if replayed else {}


def _problem(status: int, problem: str) -> Answer:
    return Answer(status=status, body=json.dumps({"problem": problem}).encode())


def _faults_of(exc: ValidationError) -> Answer:
    faults = [
        {"place": ".".join(str(part) for part in fault["loc"]), "problem": fault["msg"]}
        for fault in exc.errors(include_input=False, include_url=False, include_context=False)
    ]
    return Answer(status=400, body=json.dumps({"problem": "the body is not as described", "faults": faults}).encode())


def _falsified(answer: Answer) -> Answer:
    """An answer that looks right and is not: the first digit after a decimal point is another one."""
    place = answer.body.find(b".") + 1
    if not place or not answer.body[place : place + 1].isdigit():
        return answer
    other = b"%d" % ((answer.body[place] - ord("0") + 1) % 10)
    body = answer.body[:place] + other + answer.body[place + 1 :]
    return Answer(status=answer.status, body=body, content_type=answer.content_type, headers=answer.headers)
