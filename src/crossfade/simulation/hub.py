"""Virtual time: what happens next happens at once, in an order that the seed alone decides.

Code that waits (an engine, whatever speaks to a database) runs as a `Process`; whatever only reacts is a callback.
Only one of them runs at any moment, and it runs until it waits. A killed process is never resumed: not even its
`finally` blocks run, as after SIGKILL.
"""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from greenlet import GreenletExit, getcurrent, greenlet

Action = Callable[[], None]


class Timer:
    """An action to come; `cancel` takes it back."""

    __slots__ = ("action",)

    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        self.action = None

    def fire(self) -> None:
        if self.action is not None:
            self.action()


class Process:
    """Something that runs and waits. `on_death` is called, in the hub, when it is killed or ends by itself."""

    def __init__(self, name: str, body: Action) -> None:
        self.name, self.alive = name, True
        self.failure: Exception | None = None
        self.on_death: list[Action] = []
        self.frozen = self.missed_its_turn = False
        self._greenlet = greenlet(lambda: self._live(body))

    def _live(self, body: Action) -> None:
        try:
            body()
        except GreenletExit:
            raise
        except Exception as exc:  # noqa: BLE001 - told to whoever runs the hub, never swallowed
            self.failure = exc


class Signal:
    """Something that processes wait for; `notify` wakes all that wait, in the order in which they began to."""

    def __init__(self) -> None:
        self._waiting: list[Timer] = []

    def notify(self, hub: "Hub") -> None:
        waiting, self._waiting = self._waiting, []
        for timer in waiting:
            hub.after(0.0, timer.fire)

    def wake(self, action: Action) -> Timer:
        """Call `action` at the next `notify`, unless it is cancelled."""
        timer = Timer(action)
        self._waiting.append(timer)
        return timer


class Hub:
    """The clock and everything that is to happen. Times are seconds since `start`."""

    def __init__(self, start: datetime) -> None:
        self._start, self.seconds = start, 0.0
        self._queue: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._processes: list[Process] = []
        self._current: Process | None = None
        self._root = getcurrent()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def since_start(self, moment: datetime) -> float:
        return (moment - self._start).total_seconds()

    @property
    def current(self) -> Process | None:
        """The process that runs now; None within a callback."""
        return self._current

    def after(self, seconds: float, action: Action) -> Timer:
        """`action` in `seconds` (at least 0) from now; of two at one moment the first asked for comes first."""
        timer = Timer(action)
        heapq.heappush(self._queue, (self.seconds + max(0.0, seconds), next(self._order), timer))
        return timer

    def spawn(self, name: str, body: Action) -> Process:
        """A process that begins now, once whoever runs waits."""
        process = Process(name, body)
        self._processes.append(process)
        self.after(0.0, lambda: self._resume(process))
        return process

    def sleep(self, seconds: float) -> None:
        """Only within a process."""
        process = self._running()
        self.after(seconds, lambda: self._resume(process))
        self._root.switch()

    def wait_for(self, condition: Callable[[], bool], signal: Signal, *, within: float) -> bool:
        """Whether `condition` became true in time; asked now, and after each notice of `signal`. Within a process."""
        process, deadline = self._running(), self.seconds + within
        while not condition():
            if self.seconds >= deadline:
                return False
            timer = signal.wake(lambda: self._resume(process))
            alarm = self.after(deadline - self.seconds, lambda: self._resume(process))
            self._root.switch()
            timer.cancel()
            alarm.cancel()
        return True

    def kill(self, process: Process) -> None:
        """It never runs again. A process may kill itself: then this does not return."""
        if not process.alive:
            return
        self._bury(process)
        if process is self._current:
            self._root.switch()

    def freeze(self, process: Process) -> None:
        """It does not run on until `thaw`, as after SIGSTOP; what it waits for may happen and pass meanwhile.

        A process may freeze itself: then this returns once it was thawed.
        """
        process.frozen = True
        if process is self._current:
            process.missed_its_turn = True
            self._root.switch()

    def thaw(self, process: Process) -> None:
        process.frozen = False
        if process.missed_its_turn:
            self.after(0.0, lambda: self._make_up_for(process))

    def _make_up_for(self, process: Process) -> None:
        if process.missed_its_turn:  # nothing else it waited for has woken it meanwhile
            self._resume(process)

    def run(self, *, until: Callable[[], bool] = lambda: False, limit: float) -> bool:
        """Let things happen until `until`, asked after each, or nothing is left; False if `limit` came first."""
        while self._queue:
            when, _, timer = self._queue[0]
            if when > limit:
                self.seconds = limit
                return False
            heapq.heappop(self._queue)
            if timer.action is None:
                continue
            self.seconds = when
            timer.fire()
            if until():
                return True
        return True

    def close(self) -> None:
        """Forget everything; no code of a process runs on but its way out, which can reach nothing any more."""
        self._queue.clear()
        for process in self._processes:
            process.alive = False
            if process._greenlet:  # noqa: SLF001 - a process is the hub's own
                process._greenlet.throw(GreenletExit)  # noqa: SLF001

    def _resume(self, process: Process) -> None:
        if not process.alive:
            return
        if process.frozen:
            process.missed_its_turn = True
            return
        process.missed_its_turn = False
        self._current = process
        try:
            process._greenlet.switch()  # noqa: SLF001
        finally:
            self._current = None
        if process._greenlet.dead and process.alive:  # noqa: SLF001
            self._bury(process)
            if process.failure is not None:
                raise process.failure

    def _bury(self, process: Process) -> None:
        process.alive = False
        for action in process.on_death:
            action()

    def _running(self) -> Process:
        if self._current is None or not self._current.alive:
            raise GreenletExit  # on the way out of a hub that was closed
        return self._current
