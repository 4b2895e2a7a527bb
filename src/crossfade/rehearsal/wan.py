"""The WAN between the sites: a TCP proxy with latency, bandwidth and cuts, as a process of its own.

`python -m crossfade.rehearsal.wan --map LISTEN:TARGET … --round-trip 20ms --control PORT` listens on 127.0.0.1 only.
The control port takes one command a line and answers each with one line of JSON, `{"ok": true, …the state}` or
`{"ok": false, "problem": …}`: `state` · `cut stall` · `cut reset` · `heal` · `round-trip 20ms` · `path primary down` ·
`path primary up`.

The sites are connected by the paths that `--path NAME:PORT` names, the preferred one first. Traffic takes the first
that is up. When it takes another one, connections break and have to be made anew, as those through a tunnel do. At
each path's PORT its far end answers any words with one byte, so that somebody may see whether the path is up.
"""

import argparse
import json
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvloop

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.wan_line import Cut, Line
from crossfade.rehearsal.wan_proxy import HOST, Proxy, parse_round_trip, serve

PRIMARY, BACKUP = "primary", "backup"
"""The two paths of a rehearsal's WAN."""
_BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)(Kbps|Mbps|Gbps)")
_BITS = {"Kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9}


class WanUnreachable(CrossfadeError):
    """The proxy's control port does not answer."""

    retryable = True
    remedy = "See in the log of the WAN proxy why it does not run."

    def __init__(self, port: int, reason: str) -> None:
        self.port, self.reason = port, reason
        super().__init__(f"the WAN proxy does not answer on port {port}: {reason}")


class WanRefused(CrossfadeError):
    """The proxy did not take a command."""

    remedy = "Commands are: state, cut stall, cut reset, heal, round-trip DURATION (like 20ms), path NAME up (or down)."

    def __init__(self, command: str, problem: str) -> None:
        self.command, self.problem = command, problem
        super().__init__(f"the WAN proxy refused {command!r}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WanState:
    """How the WAN is now. `connections` go through it, over the path `carrying`; None when every path is down."""

    round_trip: timedelta
    cut: Cut | None
    connections: int
    carrying: str | None


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

    def set_path(self, name: str, *, up: bool) -> WanState:
        """One path is up or down; traffic takes the first that is up."""
        return self._say(f"path {name} {'up' if up else 'down'}")

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
            carrying=answer["carrying"],
        )


def launch(
    maps: Mapping[int, int],
    control_port: int,
    round_trip: timedelta,
    log: Path,
    *,
    paths: Mapping[str, int] | None = None,
) -> Launch:
    """How to start the proxy. SIGTERM ends it.

    `maps` are ports to listen on with the ports they lead to, `paths` the paths with the port at which each answers.
    """
    argv = [sys.executable, "-m", "crossfade.rehearsal.wan", "--control", str(control_port)]
    argv += [word for name, port in (paths or {}).items() for word in ("--path", f"{name}:{port}")]
    argv += [word for listen, target in maps.items() for word in ("--map", f"{listen}:{target}")]
    return Launch(argv=[*argv, "--round-trip", duration_text(round_trip)], log=log)


def duration_text(duration: timedelta) -> str:
    return f"{duration / timedelta(microseconds=1):.0f}us"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m crossfade.rehearsal.wan", description=__doc__)
    parser.add_argument("--map", action="append", required=True, type=_map, metavar="LISTEN:TARGET")
    parser.add_argument("--path", action="append", default=[], type=_path, metavar="NAME:PORT", help="preferred first")
    parser.add_argument("--control", required=True, type=_port, metavar="PORT")
    parser.add_argument("--round-trip", default=0.0, type=_round_trip, metavar="DURATION")
    parser.add_argument("--bandwidth", type=_bandwidth, metavar="AMOUNT", help="of each direction, like 100Mbps")
    given = parser.parse_args(words)
    line = Line(round_trip_s=given.round_trip, bits_per_second=given.bandwidth)
    try:
        uvloop.run(serve(Proxy(maps=dict(given.map), line=line, paths=dict(given.path)), given.control))
    except OSError as failure:
        sys.stderr.write(f"cannot listen: {failure}. End the program that uses the port, or choose another one.\n")
        return 1
    return 0


def _map(text: str) -> tuple[int, int]:
    listen, _, target = text.partition(":")
    return _port(listen), _port(target)


def _path(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":")
    if not re.fullmatch(r"[a-z-]+", name):
        raise argparse.ArgumentTypeError(f"{text!r} names no path, like backup:20001")
    return name, _port(port)


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
