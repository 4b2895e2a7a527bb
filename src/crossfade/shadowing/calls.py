"""Asking one side: a copy of a request goes to its servers in turn, bounded in time and in size."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from crossfade.shadow import Answer

SHADOW_HEADER = "x-crossfade-shadow"
"""Marks a shadow request. An application that sees it writes nothing; a collector that sees it copies nothing."""
READ_FROM = "x-read-from"
"""An answer's header: the database that it was read from, where an application tells."""
REFUSED_BY = "x-refused-by"
"""An answer's header: who refused a write that a shadow request attempted, `guard` or `database`."""
GUARD, DATABASE = "guard", "database"
OUR_HEADERS = (SHADOW_HEADER, READ_FROM, REFUSED_BY)
LARGEST_ANSWER_BYTES = 1_000_000
# Of the connection (RFC 9110, 7.6.1), or made anew for each call.
_NOT_PASSED_ON = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it was mirrored. `target` is the path with its query, as it came."""

    id: str
    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""


class Unanswered(Exception):
    """No answer in time: refused everywhere, broken off, or too slow."""


class TooLarge(Exception):
    """An answer of more than `LARGEST_ANSWER_BYTES`, which is not read."""


class Servers:
    """One side. A server that takes no connection costs a try on the next one, as it does behind a router."""

    def __init__(self, session: aiohttp.ClientSession, addresses: Sequence[str], timeout: timedelta) -> None:
        self._session, self._addresses, self._timeout_s = session, tuple(addresses), timeout.total_seconds()
        self._next = 0

    async def ask(self, call: Call) -> Answer:
        """Raises `Unanswered`, `TooLarge`. Cancelling it ends the request."""
        try:
            async with asyncio.timeout(self._timeout_s):
                first, self._next = self._next, (self._next + 1) % len(self._addresses)
                for address in (*self._addresses[first:], *self._addresses[:first]):
                    try:
                        return await self._ask(address, call)
                    except aiohttp.ClientConnectorError:
                        continue
        except (TimeoutError, aiohttp.ClientError, OSError) as failure:
            raise Unanswered(type(failure).__name__) from None  # its text may repeat what people sent
        raise Unanswered("every server refuses connections")

    async def _ask(self, address: str, call: Call) -> Answer:
        headers = [(name, value) for name, value in call.headers if name.lower() not in _NOT_PASSED_ON]
        headers.append((SHADOW_HEADER, "1"))
        began = time.perf_counter()
        async with self._session.request(
            call.method, address + call.target, headers=headers, data=call.body or None, allow_redirects=False
        ) as response:
            body = await response.content.read(LARGEST_ANSWER_BYTES + 1)
            while len(body) <= LARGEST_ANSWER_BYTES and not response.content.at_eof():
                body += await response.content.read(LARGEST_ANSWER_BYTES + 1 - len(body))
            if len(body) > LARGEST_ANSWER_BYTES:
                raise TooLarge
            answered: dict[str, str | list[str]] = {}
            for name, value in response.headers.items():
                lower = name.lower()
                kept = answered.get(lower)
                if kept is None:
                    answered[lower] = value
                else:
                    answered[lower] = [*kept, value] if isinstance(kept, list) else [kept, value]
            text = body.decode("utf-8", "surrogateescape")
            ms = (time.perf_counter() - began) * 1000
            return Answer(status=response.status, headers=answered, body=text, ms=ms)
