"""The WAN between the sites: a TCP proxy with latency, bandwidth and cuts, as a process of its own.

`python -m crossfade.rehearsal.wan --map LISTEN:TARGET … --round-trip 20ms --control PORT` listens on 127.0.0.1 only.
The control port takes one command a line and answers each with one line of JSON, `{"ok": true, …the state}` or
`{"ok": false, "problem": …}`: `state` · `cut stall` · `cut reset` · `heal` · `round-trip 20ms`.
"""

import argparse
import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.wan_line import Connection, Cut, Line, Pace

HOST = "127.0.0.1"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)(Kbps|Mbps|Gbps)")
_BITS = {"Kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9}
_LONGEST_S = 60.0


class WanUnreachable(CrossfadeError):
    """The proxy's control port does not answer."""

    retryable = True
    remedy = "See in the log of the WAN proxy why it does not run."

    def __init__(self, port: int, reason: str) -> None:
        self.port, self.reason = port, reason
        super().__init__(f"the WAN proxy does not answer on port {port}: {reason}")


class WanRefused(CrossfadeError):
    """The proxy did not take a command."""

    remedy = "Commands are: state, cut stall, cut reset, heal, round-trip DURATION (like 20ms)."

    def __init__(self, command: str, problem: str) -> None:
        self.command, self.problem = command, problem
        super().__init__(f"the WAN proxy refused {command!r}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WanState:
    """How the WAN is now. `connections` go through it."""

    round_trip: timedelta
    cut: Cut | None
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WanControl:
    """Commands to a running proxy. Each raises `WanUnreachable` when there is none."""

    port: int
    timeout: timedelta = timedelta(seconds=2)

    def state(self) -> WanState:
        return self._say("state")

    def cut(self, how: Cut) -> WanState:
        """Nothing passes any more: connections stall or are reset, new ones are refused."""
        return self._say(f"cut {how.value}")

    def heal(self) -> WanState:
        """Stalled connections go on with all that was sent, new ones are taken."""
        return self._say("heal")

    def set_round_trip(self, round_trip: timedelta) -> WanState:
        """From now on, for what is sent from now on."""
        return self._say(f"round-trip {duration_text(round_trip)}")

    def _say(self, command: str) -> WanState:
        try:
            with socket.create_connection((HOST, self.port), timeout=self.timeout.total_seconds()) as connection:
                connection.sendall(command.encode() + b"\n")
                with connection.makefile("rb") as answers:
                    answer = json.loads(answers.readline())
        except (OSError, ValueError) as failure:
            raise WanUnreachable(self.port, str(failure) or type(failure).__name__) from failure
        if not answer["ok"]:
            raise WanRefused(command, answer["problem"])
        return WanState(
            round_trip=timedelta(milliseconds=answer["round_trip_ms"]),
            cut=Cut(answer["cut"]) if answer["cut"] else None,
            connections=answer["connections"],
        )


def launch(maps: Mapping[int, int], control_port: int, round_trip: timedelta, log: Path) -> Launch:
    """How to start the proxy: `maps` are ports to listen on with the ports they lead to. SIGTERM ends it."""
    argv = [sys.executable, "-m", "crossfade.rehearsal.wan", "--control", str(control_port)]
    argv += [word for listen, target in maps.items() for word in ("--map", f"{listen}:{target}")]
    return Launch(argv=[*argv, "--round-trip", duration_text(round_trip)], log=log)


def duration_text(duration: timedelta) -> str:
    return f"{duration / timedelta(microseconds=1):.0f}us"


def parse_round_trip(text: str) -> float:
    """Seconds. Raises ValueError for what is no duration, or one over a minute."""
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else -1.0
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError(f"{text!r} is no round trip from 0ms to {_LONGEST_S:.0f}s, like 20ms")
    return seconds


@dataclass
class Proxy:
    """The listeners and what they share. Its verbs name ends: repeating one is harmless."""

    maps: Mapping[int, int]
    line: Line
    _listeners: list[asyncio.Server] = field(default_factory=list)

    async def open(self) -> None:
        """Take connections. Raises OSError when a port is busy."""
        loop = asyncio.get_running_loop()
        for listen, target in self.maps.items() if not self._listeners else ():
            out, back = Pace(self.line), Pace(self.line)

            def near(target: int = target, out: Pace = out, back: Pace = back) -> asyncio.Protocol:
                return Connection(self.line, (HOST, target), out, back).near

            self._listeners.append(await loop.create_server(near, HOST, listen))

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    async def obey(self, command: str) -> dict[str, Any]:
        """Raises ValueError for what is no command."""
        match command.split():
            case ["state"]:
                pass
            case ["cut", ("stall" | "reset") as how]:
                self.close()
                self.line.cut = Cut(how)
                if self.line.cut is Cut.RESET:
                    self.line.reset_all()
            case ["heal"]:
                await self.open()
                self.line.cut = None
                self.line.go_on()
            case ["round-trip", text]:
                self.line.round_trip_s = parse_round_trip(text)
            case _:
                raise ValueError("no such command")
        cut = self.line.cut.value if self.line.cut else None
        connections = len(self.line.connections)
        return {"ok": True, "round_trip_ms": self.line.round_trip_s * 1000, "cut": cut, "connections": connections}

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


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m crossfade.rehearsal.wan", description=__doc__)
    parser.add_argument("--map", action="append", required=True, type=_map, metavar="LISTEN:TARGET")
    parser.add_argument("--control", required=True, type=_port, metavar="PORT")
    parser.add_argument("--round-trip", default=0.0, type=_round_trip, metavar="DURATION")
    parser.add_argument("--bandwidth", type=_bandwidth, metavar="AMOUNT", help="of each direction, like 100Mbps")
    given = parser.parse_args(words)
    line = Line(round_trip_s=given.round_trip, bits_per_second=given.bandwidth)
    try:
        uvloop.run(serve(Proxy(maps=dict(given.map), line=line), given.control))
    except OSError as failure:
        sys.stderr.write(f"cannot listen: {failure}. End the program that uses the port, or choose another one.\n")
        return 1
    return 0


def _map(text: str) -> tuple[int, int]:
    listen, _, target = text.partition(":")
    return _port(listen), _port(target)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def _round_trip(text: str) -> float:
    try:
        return parse_round_trip(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def _bandwidth(text: str) -> float:
    found = _BANDWIDTH.fullmatch(text)
    if not found or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no bandwidth, like 100Mbps")
    return float(found[1]) * _BITS[found[2]]


if __name__ == "__main__":
    sys.exit(main())
