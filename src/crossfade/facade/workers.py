"""A few threads beside the live calls: bounded in number and in what waits for them, and nobody waits for them.

The standard library's pool would not do: its queue has no bound, and a job that hangs would keep the interpreter from
ending.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from crossfade.facade.forking import renew_after_fork


@dataclass(slots=True, eq=False)
class Job:
    """`run` is called once, by some thread. `overdue` is called once if `run` has not ended `within_s` after `at`.

    Both see to their own exceptions: what they raise is lost.
    """

    run: Callable[[], object]
    overdue: Callable[[], object] | None
    within_s: float
    at: float


class Workers:
    """At most `threads` of them, started when first needed; daemons, so that none outlives the program.

    A job that never ends keeps its thread for ever; when all are kept so, jobs are refused. In a forked child there
    are new threads and no jobs.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._name, self._threads, self._most_waiting = name, threads, waiting
        self._closed = False
        self.begin_anew()
        renew_after_fork(self)

    def submit(
        self, run: Callable[[], object], *, overdue: Callable[[], object] | None = None, within_s: float = 0
    ) -> bool:
        """False when nobody will run it: too much waits already, or all is closed. Takes microseconds, never raises."""
        job = Job(run, overdue, within_s, monotonic())
        with self._lock:
            if self.full:
                return False
            lacking = len(self._jobs) >= self._idle  # who is idle may have been called for a job before this one
            if lacking and self._alive < self._threads and not self._start(self._work) and not self._alive:
                return False
            if overdue is not None and not self._watched and not self._start(self._watch, worker=False):
                return False
            self._jobs.append(job)
            self._to_do.notify()
            if overdue is not None:
                self._due.append(job)
                self._to_watch.notify()
        return True

    @property
    def full(self) -> bool:
        """Whether a job would be refused now. Saves those who would submit one the making of it."""
        return self._closed or len(self._jobs) >= self._most_waiting

    def close(self) -> None:
        """No job begins any more. Those that run are left to themselves."""
        with self._lock:
            self._closed = True
            self._jobs.clear()
            self._due.clear()
            self._to_do.notify_all()
            self._to_watch.notify_all()

    def begin_anew(self) -> None:
        """Without threads and without jobs."""
        self._lock = threading.Lock()
        self._to_do, self._to_watch = threading.Condition(self._lock), threading.Condition(self._lock)
        self._jobs: deque[Job] = deque()
        self._due: deque[Job] = deque()
        self._alive = self._idle = 0
        self._watched = False

    def _start(self, what: Callable[[], None], *, worker: bool = True) -> bool:
        """Called with the lock held."""
        try:
            threading.Thread(target=what, name=f"crossfade-{self._name}", daemon=True).start()
        except RuntimeError:  # no more threads in this process, or it is ending
            return False
        if worker:
            self._alive += 1
        else:
            self._watched = True
        return True

    def _work(self) -> None:
        while (job := self._next()) is not None:
            with suppress(BaseException):
                job.run()
            with self._lock, suppress(ValueError):
                self._due.remove(job)

    def _next(self) -> Job | None:
        with self._lock:
            self._idle += 1
            while not self._jobs and not self._closed:
                self._to_do.wait()
            self._idle -= 1
            return None if self._closed else self._jobs.popleft()

    def _watch(self) -> None:
        """Tells of each overdue job, waiting or running, and forgets it then."""
        while not self._closed:
            with self._lock:
                now = monotonic()
                late = [job for job in self._due if job.at + job.within_s <= now]
                for job in late:
                    self._due.remove(job)
                if not late:
                    self._to_watch.wait(min((job.at + job.within_s - now for job in self._due), default=None))
            for job in late:
                if job.overdue is not None:
                    with suppress(BaseException):
                        job.overdue()
