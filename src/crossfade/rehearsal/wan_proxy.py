"""The proxy between two sites: where it listens, which path its traffic takes, and what it is told."""

import asyncio
import json
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from crossfade.rehearsal.wan_line import Connection, Cut, Line, Pace

HOST = "127.0.0.1"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_LONGEST_S = 60.0


def parse_round_trip(text: str) -> float:
    """Seconds. Raises ValueError for what is no duration, or one over a minute."""
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else -1.0
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError(f"{text!r} is no round trip from 0ms to {_LONGEST_S:.0f}s, like 20ms")
    return seconds


class FarEnd(asyncio.Protocol):
    """What answers at the other end of a path: one byte to any words, a round trip later."""

    def __init__(self, line: Line, standing: set[asyncio.Transport]) -> None:
        self._line, self._standing = line, standing
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._standing.add(self._transport)

    def data_received(self, _data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._line.round_trip_s, self._answer)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._transport is not None:
            self._standing.discard(self._transport)

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b".")


@dataclass
class Proxy:
    """The listeners and what they share. Its verbs name ends: repeating one is harmless.

    `paths` are the ports at which each path answers, by name, the preferred one first; without any there is one path
    that is always up.
    """

    maps: Mapping[int, int]
    line: Line
    paths: Mapping[str, int] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)
    _listeners: dict[int, asyncio.Server] = field(default_factory=dict)
    _asking: set[asyncio.Transport] = field(default_factory=set)

    @property
    def carrying(self) -> str | None:
        """The path that traffic takes."""
        return next((name for name in (self.paths or ("only",)) if name not in self._down), None)

    async def open(self) -> None:
        """Listen wherever something gets through, and nowhere else. Raises OSError when a port is busy."""
        loop = asyncio.get_running_loop()
        makers: dict[int, Callable[[], asyncio.Protocol]] = {}
        if self.line.cut is None and self.carrying is not None:
            makers |= {listen: self._near_ends(target) for listen, target in self.maps.items()}
        if self.line.cut is None:
            up = [port for name, port in self.paths.items() if name not in self._down]
            makers |= dict.fromkeys(up, lambda: FarEnd(self.line, self._asking))
        for port in self._listeners.keys() - makers.keys():
            self._listeners.pop(port).close()
        for port in makers.keys() - self._listeners.keys():
            self._listeners[port] = await loop.create_server(makers[port], HOST, port)

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    async def obey(self, command: str) -> dict[str, Any]:
        """Raises ValueError for what is no command."""
        match command.split():
            case ["state"]:
                pass
            case ["cut", ("stall" | "reset") as how]:
                self.line.cut = Cut(how)
                await self.open()
                self._forget_who_asks()
                if self.line.cut is Cut.RESET:
                    self.line.reset_all()
            case ["heal"]:
                self.line.cut = None
                await self.open()
                self.line.go_on()
            case ["round-trip", text]:
                self.line.round_trip_s = parse_round_trip(text)
            case ["path", name, ("up" | "down") as how] if name in self.paths:
                await self._take(name, up=how == "up")
            case _:
                raise ValueError("no such command")
        return {
            "ok": True,
            "round_trip_ms": self.line.round_trip_s * 1000,
            "cut": self.line.cut.value if self.line.cut else None,
            "connections": len(self.line.connections),
            "carrying": self.carrying,
        }

    async def _take(self, name: str, *, up: bool) -> None:
        before = self.carrying
        if up:
            self._down.discard(name)
        else:
            self._down.add(name)
        await self.open()
        self._forget_who_asks()
        if self.carrying != before:
            self.line.reset_all()

    def _forget_who_asks(self) -> None:
        for transport in tuple(self._asking):
            transport.abort()

    def _near_ends(self, target: int) -> Callable[[], asyncio.Protocol]:
        out, back = Pace(self.line), Pace(self.line)
        return lambda: Connection(self.line, (HOST, target), out, back).near

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                try:
                    answer = await self.obey(line.decode(errors="replace").strip())
                except (ValueError, OSError) as problem:
                    answer = {"ok": False, "problem": str(problem)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # whoever asked is gone, or sends no lines: nothing to answer
        finally:
            writer.close()


async def serve(proxy: Proxy, control_port: int) -> None:
    """Runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await proxy.open()
    async with await asyncio.start_server(proxy.control, HOST, control_port):
        await ended.wait()
        proxy.close()
        proxy.line.reset_all()
