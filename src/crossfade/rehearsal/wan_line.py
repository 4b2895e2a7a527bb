"""The distance between two sites: what is sent arrives later, in order, and as much of it as before.

Bytes wait in a queue with the time at which they are due, so a longer round trip delays them and does not make the
line thinner. A new connection costs the round trip of its handshake as well. The times are the system's: an event
loop's own clock stands still while it works and counts whole milliseconds, by which things would arrive too early.
"""

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import cast

_WINDOW_BYTES = 16 << 20
"""How much one direction of a connection holds before its sender must wait: 1.6 GB/s at a round trip of 20 ms."""
_TIMER_S = 0.0005  # event loops round their timers to whole milliseconds: rather late by that than looking twice


class Cut(StrEnum):
    """What a cut does to connections that stand: nothing arrives any more, or they are reset at once."""

    STALL = "stall"
    RESET = "reset"


class _End(Enum):
    """The last thing that a direction carries."""

    FINISHED = auto()
    CLOSED = auto()
    RESET = auto()


@dataclass
class Line:
    """How the line is now. `changed` by its owner; every connection looks at it for each thing it carries."""

    round_trip_s: float = 0.0
    bits_per_second: float | None = None
    cut: Cut | None = None
    connections: "set[Connection]" = field(default_factory=set)

    @property
    def window_bytes(self) -> int:
        if self.bits_per_second is None:
            return _WINDOW_BYTES
        return max(1 << 18, int(self.bits_per_second / 8 * (self.round_trip_s / 2 + 0.05)))

    def go_on(self) -> None:
        """After `cut` was lifted: deliver what waited."""
        for connection in tuple(self.connections):
            connection.go_on()

    def reset_all(self) -> None:
        for connection in tuple(self.connections):
            connection.abort()


class Pace:
    """One direction of a link with a bandwidth: what enters waits for what entered before."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._free_at = 0.0

    def passed(self, now: float, size_bytes: int) -> float:
        """When the last of these bytes has entered the line."""
        if self._line.bits_per_second is None:
            return now
        self._free_at = max(now, self._free_at) + size_bytes * 8 / self._line.bits_per_second
        return self._free_at


class Connection:
    """One connection through the line: its two ends, and a direction for each way."""

    def __init__(self, line: Line, target: tuple[str, int], out: Pace, back: Pace) -> None:
        self._line, self._target = line, target
        opened = time.monotonic()
        self.near = End(self)
        self.far = End(self)
        # Only after the handshake would the user of a real line have begun to send.
        self._out = Direction(line, out, self.far, not_before=opened + 1.5 * line.round_trip_s)
        self._back = Direction(line, back, self.near, not_before=opened + line.round_trip_s)
        self._connecting: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._line.connections.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.far, *self._target)
        except OSError:
            self._back.push(_End.RESET)

    def direction_from(self, end: "End") -> "Direction":
        return self._out if end is self.near else self._back

    def direction_to(self, end: "End") -> "Direction":
        return self._out if end is self.far else self._back

    def made(self, end: "End") -> None:
        if end is self.near:
            self.begin()
        self.direction_to(end).deliver()

    def lost(self) -> None:
        if self.near.gone and (self.far.gone or self.far.transport is None):
            self._line.connections.discard(self)

    def close_if_finished(self) -> None:
        """Both ends have said their last: neither event loop nor kernel would close the connection by itself."""
        if self._out.finished and self._back.finished:
            for end in (self.near, self.far):
                if end.transport is not None:
                    end.transport.close()

    def go_on(self) -> None:
        self._out.deliver()
        self._back.deliver()

    def abort(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        for end in (self.near, self.far):
            if end.transport is not None:
                _reset(end.transport)


class End(asyncio.Protocol):
    """What the event loop talks to: the near end was connected to, the far end connects to the target."""

    def __init__(self, connection: Connection) -> None:
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self.clogged = False
        self.connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.connection.made(self)

    def data_received(self, data: bytes) -> None:
        direction = self.connection.direction_from(self)
        direction.push(bytes(data))
        if direction.is_full and self.transport is not None:
            self.transport.pause_reading()
            direction.when_empty_enough = self._read_on

    def _read_on(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def eof_received(self) -> bool:
        self.connection.direction_from(self).push(_End.FINISHED)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self.connection.direction_from(self).push(_End.RESET if exc else _End.CLOSED)
        self.connection.lost()

    def pause_writing(self) -> None:
        self.clogged = True

    def resume_writing(self) -> None:
        self.clogged = False
        self.connection.direction_to(self).deliver()


class Direction:
    """One way of one connection."""

    def __init__(self, line: Line, pace: Pace, exit_: End, *, not_before: float) -> None:
        self._line, self._pace, self._exit = line, pace, exit_
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes | _End]] = deque()
        self._waiting_bytes = 0
        self._last_due = not_before
        self._timer: asyncio.TimerHandle | None = None
        self.when_empty_enough: Callable[[], None] | None = None
        self.finished = False

    @property
    def is_full(self) -> bool:
        return self._waiting_bytes >= self._line.window_bytes

    def push(self, what: bytes | _End) -> None:
        size = 0 if isinstance(what, _End) else len(what)
        due = self._pace.passed(time.monotonic(), size) + self._line.round_trip_s / 2
        self._last_due = max(self._last_due, due)
        self._waiting.append((self._last_due, what))
        self._waiting_bytes += size
        self.deliver()

    def deliver(self) -> None:
        """Write all that is due, as far as the line and the receiver take it; look again when the next is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = time.monotonic()
        while self._waiting and self._can_write():
            due, what = self._waiting[0]
            if due > now:
                self._timer = self._loop.call_later(due - now + _TIMER_S, self.deliver)
                break
            self._waiting.popleft()
            self._write(what)
        if self.when_empty_enough is not None and self._waiting_bytes <= self._line.window_bytes // 2:
            resume, self.when_empty_enough = self.when_empty_enough, None
            resume()

    def _can_write(self) -> bool:
        return self._line.cut is None and self._exit.transport is not None and not self._exit.clogged

    def _write(self, what: bytes | _End) -> None:
        transport = self._exit.transport
        assert transport is not None
        if isinstance(what, bytes):
            self._waiting_bytes -= len(what)
        if self._exit.gone:
            return
        if isinstance(what, bytes):
            transport.write(what)
        elif what is _End.RESET:
            _reset(transport)
        elif what is _End.CLOSED:
            transport.close()
        elif transport.can_write_eof():
            transport.write_eof()
            self.finished = True
            self._exit.connection.close_if_finished()


def _reset(transport: asyncio.Transport) -> None:
    """Close so that the peer sees a reset, not an orderly end."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
