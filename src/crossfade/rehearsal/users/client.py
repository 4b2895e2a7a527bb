"""HTTP/1.1 for thousands of users in one process: connections kept alive, one request on each at a time."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`status` 0 means that there was no answer: refused, broken off, or not in time. `arm` is the x-arm header."""

    status: int
    arm: str = ""
    body: bytes = b""

    @property
    def failed(self) -> bool:
        """No answer, or the server's own failure. That the ledger says no (4xx) is an answer."""
        return self.status == 0 or self.status >= 500

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300


NO_REPLY = Reply(status=0)


class HttpClient:
    """Asks one server, on as many connections as there are requests under way."""

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._idle: list[_Connection] = []

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Never raises; NO_REPLY after `timeout` seconds.

        A kept connection may be closed by the server in the very instant it is used again: when it ends without a
        byte of an answer the request goes out once more on a new one, as browsers do (RFC 9110, 9.2.2: every request
        here is idempotent).
        """
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"content-length: {len(body)}\r\n" if body else ""
        message = f"{method} {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\n{more}{length}\r\n".encode() + body
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(self._timeout):
                kept = self._take()
                if kept is not None:
                    reply = await self._over(kept, message)
                    if reply.status or kept.heard:
                        return reply
                return await self._over(await self._connect(), message)
        return NO_REPLY

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection

    def _take(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        return None

    async def _over(self, connection: "_Connection", message: bytes) -> Reply:
        try:
            reply = await connection.ask(message)
        except BaseException:
            connection.close()
            raise
        if connection.open and connection.keeps_alive:
            self._idle.append(connection)
        else:
            connection.close()
        return reply


class _Connection(asyncio.Protocol):
    """The callbacks named on_… are httptools'. `heard`: something came back since the last request."""

    def __init__(self) -> None:
        self.open, self.heard, self.keeps_alive = False, False, True
        self._transport: asyncio.Transport | None = None
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Reply] | None = None
        self._arm, self._body = "", b""

    async def ask(self, message: bytes) -> Reply:
        self.heard = False
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or not self.open:
            return NO_REPLY
        self._transport.write(message)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's do not inherit from it
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self.open = False
        self._finish(NO_REPLY)

    def data_received(self, data: bytes) -> None:
        self.heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-arm":
            self._arm = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.keeps_alive = self._parser.should_keep_alive()
        reply = Reply(status=self._parser.get_status_code(), arm=self._arm, body=self._body)
        answer = self._answer
        self._reset()
        self._answer = answer
        self._finish(reply)

    def _finish(self, reply: Reply) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)
