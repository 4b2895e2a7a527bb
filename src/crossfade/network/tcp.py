"""Paths between the sites, each proven by an answer from its far end."""

import math
import socket
import struct
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from crossfade.model.seen import Link
from crossfade.model.terms import NoData
from crossfade.network.port import LinksDown, NoLinks

POSTGRES_HELLO = struct.pack("!ii", 8, 80877103)
"""SSLRequest: any PostgreSQL answers it with one byte, before it knows who asks.

Source: PostgreSQL manual, 'Message Formats', SSLRequest.
"""
HTTP_HELLO = b"HEAD /healthz HTTP/1.0\r\nHost: link\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPath:
    """One path, under the name people know it by.

    `hello` is sent first, and any answer to it proves the whole path: somewhere between, a proxy or a load balancer
    may take the connection though the far end is gone. Empty: being connected is proof enough. Of the paths that are
    `redundant` one is enough.
    """

    name: str
    host: str
    port: int
    hello: bytes = b""
    redundant: bool = False


class TcpNetwork:
    """Looks at all paths at once; none takes longer than `timeout`. `links` looks at most each `every`."""

    def __init__(
        self, paths: Iterable[TcpPath], *, timeout: timedelta = timedelta(seconds=1), every: timedelta = timedelta(0)
    ) -> None:
        self._paths = tuple(paths)
        self._timeout_s, self._every_s = timeout.total_seconds(), every.total_seconds()
        self._seen: tuple[Link, ...] = ()
        self._seen_at = -math.inf

    def connect(self) -> None:
        looks = self._look()
        if not looks:
            raise NoLinks
        broken = [(path, seen) for path, seen in looks if isinstance(seen, str)]
        none_left = all(isinstance(seen, str) for path, seen in looks if path.redundant)
        if down := [(path.name, why) for path, why in broken if none_left or not path.redundant]:
            raise LinksDown(tuple(name for name, _ in down), tuple(reason for _, reason in down))

    def links(self) -> tuple[Link, ...] | NoData:
        if not self._paths:
            return NoData(reason=str(NoLinks()))
        if not self._seen or time.monotonic() - self._seen_at >= self._every_s:
            self._seen_at = time.monotonic()
            self._seen = tuple(_link(path, seen) for path, seen in self._look())
        return self._seen

    def _look(self) -> list[tuple[TcpPath, timedelta | str]]:
        if not self._paths:
            return []
        with ThreadPoolExecutor(max_workers=len(self._paths), thread_name_prefix="links") as threads:
            return list(zip(self._paths, threads.map(self._round_trip, self._paths), strict=True))

    def _round_trip(self, path: TcpPath) -> timedelta | str:
        """How long the last message there and back took, or why there was none."""
        deadline = time.monotonic() + self._timeout_s
        try:
            begin = time.monotonic()
            with socket.create_connection((path.host, path.port), timeout=self._timeout_s) as connection:
                if path.hello:
                    begin = time.monotonic()
                    connection.settimeout(max(0.001, deadline - begin))
                    connection.sendall(path.hello)
                    if not connection.recv(1):
                        return "closed without an answer"
                return timedelta(seconds=time.monotonic() - begin)
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except OSError as failure:
            return failure.strerror or type(failure).__name__


def _link(path: TcpPath, seen: timedelta | str) -> Link:
    round_trip = seen if isinstance(seen, timedelta) else None
    return Link(name=path.name, up=round_trip is not None, round_trip=round_trip, redundant=path.redundant)
