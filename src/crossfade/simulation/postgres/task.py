"""What runs within a modelled server: one thing at a time, in steps between which it waits."""

import math
from collections.abc import Callable, Generator
from typing import TypeVar

from crossfade.simulation.hub import Action, Hub, Timer

T = TypeVar("T")
Work = Generator[float, bool, T]
"""Yields how many seconds it waits (`FOREVER`: until woken) and is told whether it was woken before that."""

FOREVER = math.inf


class ServerError(Exception):
    """What a server answers instead of a result: PostgreSQL's code and message."""

    def __init__(self, sqlstate: str, message: str) -> None:
        self.sqlstate, self.message = sqlstate, message
        super().__init__(f"{sqlstate}: {message}")


class Task:
    """Drives one piece of work in virtual time. `done` is told what it ended with: None, or its error."""

    __slots__ = ("_begun", "_done", "_hub", "_running", "_timer", "_waiting", "_work", "over", "shielded")

    def __init__(
        self, hub: Hub, body: "Callable[[Task], Work[None]]", done: Callable[[ServerError | None], None] | None = None
    ) -> None:
        self._hub, self._done = hub, done
        self._work = body(self)
        self._timer: Timer | None = None
        self._waiting = self._begun = self._running = False
        self.over = False
        self.shielded = False  # a commit is not cancelled

    def start(self) -> "Task":
        """It begins at this moment, after whoever runs now."""
        self._wait(0.0)
        return self

    def wake(self) -> None:
        """What it waits for may have come: it goes on at this moment, after whoever runs now."""
        if self._waiting and not self.over:
            self._leave()
            self._timer = self._hub.after(0.0, lambda: self._step(woken=True))

    def interrupt(self, error: ServerError) -> bool:
        """Let `error` come out of where it waits; False when it does not wait or must not be disturbed."""
        if self.over or self.shielded or not self._waiting:
            return False
        self._leave()
        self._timer = self._hub.after(0.0, lambda: self._step(error=error))
        return True

    def kill(self) -> None:
        """It ends where it stands, and nobody is told; what it holds is given back."""
        if self.over:
            return
        self.over = True
        self._leave()
        if not self._running:
            self._work.close()

    def _leave(self) -> None:
        self._waiting = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _step(self, *, woken: bool = False, error: ServerError | None = None) -> None:
        if self.over:
            return
        self._waiting, self._timer, self._running = False, None, True
        try:
            if error is not None:
                seconds = self._work.throw(error)
            else:
                seconds = self._work.send(woken) if self._begun else next(self._work)
            self._begun = True
        except StopIteration:
            self._end(None)
        except ServerError as ended:
            self._end(ended)
        else:
            self._running = False
            self._rest(seconds)

    def _rest(self, seconds: float) -> None:
        if self.over:  # killed by what its own step led to
            self._work.close()
        else:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        self._waiting = True
        self._timer = None if seconds == FOREVER else self._hub.after(seconds, self._step)

    def _end(self, error: ServerError | None) -> None:
        self._running = False
        if self.over:
            return
        self.over = True
        if self._done is not None:
            self._done(error)


class Gate:
    """Something that tasks wait for; `open` wakes all who wait, in the order in which they came."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Action] = []

    def wait(self, task: Task) -> None:
        self._waiting.append(task.wake)

    def open(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for wake in waiting:
                wake()
