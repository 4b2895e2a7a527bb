"""HTTP/1.1 on asyncio, as little of it as an API behind a router needs: a sixth of a framework's cost a request."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import httptools

_LARGEST_BODY = 64 * 1024
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`headers` have lower-case names; of a header given twice the last counts. `path` is without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`content_type` is for `body`; `headers` come on top."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Answer]]


class HttpServer:
    """Serves `handler` on 127.0.0.1. Requests of one connection are answered one after the other, in their order."""

    def __init__(self, handler: Handler, common_headers: Mapping[str, str]) -> None:
        self.handler = handler
        self.common = "".join(f"{name}: {value}\r\n" for name, value in common_headers.items())
        self.closing = False
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._gone = asyncio.Event()

    async def open(self, port: int) -> None:
        """Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=512)

    async def close(self, *, within: float) -> None:
        """No new connections; requests in flight are answered, for at most `within` seconds."""
        self.closing = True
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.close_when_idle()
        self._gone.clear()
        self.note_gone()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._gone.wait()

    def note_gone(self) -> None:
        if not self.connections:
            self._gone.set()


class _Connection(asyncio.Protocol):
    """One client's connection; the callbacks named on_… are httptools'."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's do not inherit from it
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._transport = None
        self._server.connections.discard(self)
        self._server.note_gone()

    def close_when_idle(self) -> None:
        if self._serving is None and self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, UnicodeDecodeError, _TooLarge):
            self._write(Answer(status=400, body=b'{"problem": "not a request"}'), keep_alive=False)

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", {}, b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > _LARGEST_BODY:
            raise _TooLarge

    def on_message_complete(self) -> None:
        request = Request(
            method=self._parser.get_method().decode("ascii"),
            path=httptools.parse_url(self._url).path.decode("ascii"),
            headers=self._headers,
            body=self._body,
        )
        self._waiting.append((request, self._parser.should_keep_alive()))
        if self._serving is None:
            self._serving = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while self._waiting:
            request, keep_alive = self._waiting.popleft()
            answer = await self._server.handler(request)
            self._write(answer, keep_alive=keep_alive and not self._server.closing)
        self._serving = None

    def _write(self, answer: Answer, *, keep_alive: bool) -> None:
        if self._transport is None:
            return
        more = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        closing = "" if keep_alive else "connection: close\r\n"
        head = (
            f"{_STATUS_LINES[answer.status]}content-type: {answer.content_type}\r\n"
            f"content-length: {len(answer.body)}\r\n{self._server.common}{more}{closing}\r\n"
        )
        self._transport.write(head.encode("latin-1") + answer.body)
        if not keep_alive:
            self._transport.close()


class _TooLarge(Exception):
    """A body that no request of ours needs."""
