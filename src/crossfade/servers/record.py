"""The states of all servers in one file of the run directory, and the right to change them."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from crossfade.durable import replace
from crossfade.model.seen import ServerState
from crossfade.servers.errors import ServersBusy, StatesNotWritten, StatesUnreadable

_LOOK_AGAIN_SECONDS = 0.05


class _Stored(BaseModel):
    """The file's content. Strict, because what stands here decides what may be undone."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    servers: dict[str, ServerState]


class StateRecord:
    """States by server name, durable before anything depends on them."""

    def __init__(self, place: Path, names: tuple[str, ...]) -> None:
        self.place = place
        self._names = names

    def load(self) -> dict[str, ServerState]:
        """The state of every server; NOT_READY for all before the first `save`. Raises `StatesUnreadable`."""
        try:
            stored = _Stored.model_validate_json(self.place.read_bytes(), strict=False)
        except FileNotFoundError:
            return dict.fromkeys(self._names, ServerState.NOT_READY)
        except OSError as refused:
            raise StatesUnreadable(place=self.place, problem=refused.strerror or "cannot be read") from refused
        except ValidationError as wrong:
            raise StatesUnreadable(place=self.place, problem="is not a record of server states") from wrong
        if set(stored.servers) != set(self._names):
            raise StatesUnreadable(place=self.place, problem="records other servers than the migration has")
        return {name: stored.servers[name] for name in self._names}

    def save(self, states: dict[str, ServerState]) -> None:
        """Durable on return. Raises `StatesNotWritten`."""
        try:
            replace(self.place, _Stored(version=1, servers=states).model_dump_json(indent=2).encode())
        except OSError as refused:
            raise StatesNotWritten(place=self.place, reason=refused.strerror or str(refused)) from refused

    @contextmanager
    def alone(self, patience: timedelta) -> Iterator[None]:
        """Only one engine changes servers at a time; the kernel ends the right with the process that holds it.

        Raises `ServersBusy` when another engine still holds it after `patience`, `StatesNotWritten`.
        """
        with self._lock_file() as lock:
            until = time.monotonic() + patience.total_seconds()
            while not _taken(lock.fileno()):
                if time.monotonic() > until:
                    raise ServersBusy(self.place)
                Event().wait(_LOOK_AGAIN_SECONDS)
            yield

    def _lock_file(self) -> BinaryIO:
        place = self.place.with_suffix(".lock")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            return place.open("ab")
        except OSError as refused:
            raise StatesNotWritten(place=place, reason=refused.strerror or str(refused)) from refused


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
