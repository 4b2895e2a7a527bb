"""How the engine and the conductor meet at a point of the switch: the engine says where it is, and waits.

A socket in the rehearsal's folder, one connection for each point. The engine waits until the conductor closes it, which
it does when the faults of that point have been brought about; or until its patience is over, or nobody is there to ask:
a fault that cannot be brought about must not keep writes fenced.
"""

import os
import select
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from crossfade.model.terms import Side
from crossfade.rehearsal.faults.places import Where

_NAME = "points"
_PATIENCE_S = 20.0
_ANSWERS_S = 2.0
_LONGEST = 100


def at_points(folder: Path, places: Collection[tuple[Side, str]]) -> dict[Side, Callable[[str], None]]:
    """By the side that is switched to: what to call at each point. It waits at those of `places`, and at no other."""

    def at(to: Side) -> Callable[[str], None]:
        def tell(point: str) -> None:
            if (to, point) in places:
                _tell_and_wait(folder, f"{to} {point}")

        return tell

    return {to: at(to) for to in {to for to, _ in places}}


def _tell_and_wait(folder: Path, words: str) -> None:
    with suppress(OSError), _address(folder) as address, socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_PATIENCE_S)
        line.connect(address)
        line.sendall(f"{words}\n".encode())
        line.recv(1)


@dataclass(frozen=True, slots=True)
class AtPoint:
    """The engine is at `point` of the switch to the side `to`, and goes on when this is left."""

    to: Side
    point: str
    _line: socket.socket

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()

    def is_at(self, where: Where) -> bool:
        return (where.switch_to, where.point) == (self.to, self.point)


class PointsHeard:
    """The conductor's end, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        (folder / _NAME).unlink(missing_ok=True)
        with _address(folder) as address:
            self._server.bind(address)
        self._server.listen()

    def wait(self, seconds: float) -> AtPoint | None:
        """Where an engine is and waits; None when none has said so within `seconds`."""
        if not select.select([self._server], [], [], seconds)[0]:
            return None
        line, _ = self._server.accept()
        line.settimeout(_ANSWERS_S)
        try:
            to, point = line.recv(_LONGEST).decode().split()
            return AtPoint(Side(to), point, line)
        except (OSError, ValueError):  # the engine has died meanwhile
            line.close()
            return None

    def close(self) -> None:
        self._server.close()


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """The socket's name, short whatever the folder's is: the kernel takes no more than 108 bytes."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{_NAME}"
    finally:
        os.close(handle)
