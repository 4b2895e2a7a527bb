"""Locks on tables and rows, with queues in which nobody is overtaken."""

from enum import Enum

from crossfade.simulation.hub import Hub
from crossfade.simulation.postgres.task import FOREVER, ServerError, Task, Work


class Mode(Enum):
    """ROW EXCLUSIVE of a writer, SHARE of the fence, and what tolerates nothing beside it.

    Source: PostgreSQL manual, 'Explicit Locking', table of conflicting lock modes.
    """

    WRITE = 0
    SHARE = 1
    EXCLUSIVE = 2

    def bears(self, other: "Mode") -> bool:
        return self is other and self is not Mode.EXCLUSIVE


class _Request:
    __slots__ = ("granted", "holder", "mode", "task")

    def __init__(self, holder: object, mode: Mode, task: Task) -> None:
        self.holder, self.mode, self.task, self.granted = holder, mode, task, False


class Lock:
    """One thing that can be locked, by holders that are compared by identity."""

    __slots__ = ("_granted", "_queue")

    def __init__(self) -> None:
        self._granted: list[tuple[object, Mode]] = []
        self._queue: list[_Request] = []

    def holders(self, mode: Mode) -> list[object]:
        return [holder for holder, held in self._granted if held is mode]

    def is_awaited(self) -> bool:
        return bool(self._queue)

    def acquire(self, hub: Hub, task: Task, holder: object, mode: Mode, *, timeout: float = FOREVER) -> Work[None]:
        """Waits in the queue; raises 55P03 after `timeout` seconds."""
        if not self._queue and self._may(holder, mode):
            self._grant(holder, mode)
            return
        if any(held_by is holder and held is mode for held_by, held in self._granted):
            return
        request = _Request(holder, mode, task)
        self._queue.append(request)
        deadline = hub.seconds + timeout
        try:
            while not request.granted:
                if hub.seconds >= deadline:
                    raise ServerError("55P03", "canceling statement due to lock timeout")
                yield deadline - hub.seconds
        finally:
            if not request.granted:
                self._queue.remove(request)
                self._serve()

    def release(self, holder: object) -> None:
        self._granted = [entry for entry in self._granted if entry[0] is not holder]
        self._serve()

    def _may(self, holder: object, mode: Mode) -> bool:
        return all(held_by is holder or mode.bears(held) for held_by, held in self._granted)

    def _grant(self, holder: object, mode: Mode) -> None:
        if not any(held_by is holder and held is mode for held_by, held in self._granted):
            self._granted.append((holder, mode))

    def _serve(self) -> None:
        while self._queue and self._may(self._queue[0].holder, self._queue[0].mode):
            request = self._queue.pop(0)
            request.granted = True
            self._grant(request.holder, request.mode)
            request.task.wake()
