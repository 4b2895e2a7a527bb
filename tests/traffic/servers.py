"""Tiny application servers of both arms: as little work as possible, so that the router is what is looked at.

A request's path says what happens: `/?status=500`, `/?ms=20` (answered that much later), `/hang` (never answered).
As a program (`python -m tests.traffic.servers legacy PORT…`) it serves until it is ended.
"""

import asyncio
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = re.compile(rb"status=(\d+)")
_LATER = re.compile(rb"ms=(\d+)")


@dataclass
class Site:
    """The servers of one arm in this process; `seen` counts requests by method, health checks apart."""

    arm: str
    ports: Sequence[int]
    seen: Counter[str] = field(default_factory=Counter)
    frozen: set[int] = field(default_factory=set)
    """Ports whose servers take requests and do nothing, as if stopped by a signal."""
    listeners: dict[int, asyncio.Server] = field(default_factory=dict)
    connections: dict[int, set[asyncio.Transport]] = field(default_factory=dict)

    async def up(self, port: int) -> None:
        self.connections.setdefault(port, set())
        self.listeners[port] = await asyncio.get_running_loop().create_server(
            lambda: _Server(self, port), "127.0.0.1", port, start_serving=False
        )
        await self.listeners[port].start_serving()

    async def down(self, port: int) -> None:
        """As if killed: connections are reset and new ones refused."""
        self.listeners.pop(port).close()
        for connection in list(self.connections[port]):
            connection.abort()


class _Server(asyncio.Protocol):
    def __init__(self, site: Site, port: int) -> None:
        self._site, self._port = site, port
        self._buffer = b""
        self._head = f"x-arm: {site.arm}\r\nx-server: {port}\r\ncontent-length: 2\r\n\r\nok".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._site.connections[self._port].add(transport)
        if self._port not in self._site.listeners:  # it was accepted just before the server went down
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._site.connections[self._port].discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._port in self._site.frozen:
            return
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            self._answer(*head.split(b" ", 2)[:2])

    def _answer(self, method: bytes, path: bytes) -> None:
        if path != b"/healthz":
            self._site.seen[method.decode()] += 1
        if path.startswith(b"/hang"):
            return
        status, later = _STATUS.search(path), _LATER.search(path)
        answer = b"HTTP/1.1 " + (status[1] if status else b"200") + b" said\r\n" + self._head
        if later:
            asyncio.get_running_loop().call_later(int(later[1]) / 1000, self._transport.write, answer)
        else:
            self._transport.write(answer)


class Servers:
    """Sites whose servers run in a thread of their own and can be taken down and up again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, legacy: Site, modern: Site) -> None:
        self._loop, self.legacy, self.modern = loop, legacy, modern

    def up(self, site: Site, *ports: int) -> None:
        for port in ports or site.ports:
            asyncio.run_coroutine_threadsafe(site.up(port), self._loop).result(120)

    async def empty(self) -> None:
        """Return when no connection is left, nor one that was accepted just before its server went down."""
        sites = (self.legacy, self.modern)
        while len(asyncio.all_tasks()) > 1 or any(left for site in sites for left in site.connections.values()):  # noqa: ASYNC110 - the loop's own tasks set no event
            await asyncio.sleep(0)

    def down(self, site: Site, *ports: int) -> None:
        for port in ports or tuple(site.listeners):
            asyncio.run_coroutine_threadsafe(site.down(port), self._loop).result(120)


@contextmanager
def serving(legacy_ports: Sequence[int], modern_ports: Sequence[int]) -> Iterator[Servers]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="servers")
    thread.start()
    servers = Servers(loop, Site(arm="legacy", ports=legacy_ports), Site(arm="modern", ports=modern_ports))
    try:
        servers.up(servers.legacy)
        servers.up(servers.modern)
        yield servers
    finally:
        servers.down(servers.legacy)
        servers.down(servers.modern)
        asyncio.run_coroutine_threadsafe(servers.empty(), loop).result(120)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve_until_ended(arm: str, ports: Sequence[int]) -> None:
    site = Site(arm=arm, ports=ports)
    for port in ports:
        await site.up(port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_until_ended(sys.argv[1], [int(port) for port in sys.argv[2:]]))
