"""The server processes of one site: forked from a launcher that has the release loaded, and supervised."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import TypeAdapter, ValidationError

from crossfade import durable
from crossfade.rehearsal.ledger.control import Instance, InstanceRefused, InstanceState, StartOrder
from crossfade.rehearsal.ledger.installation import RELEASE, SETTINGS, checksum
from crossfade.rehearsal.ledger.release.application import Kind
from crossfade.rehearsal.ledger.release.faults import SharedFaults
from crossfade.rehearsal.ledger.release.server import serve
from crossfade.rehearsal.ledger.release.settings import SettingsFaulty, read_settings
from crossfade.rehearsal.processes import is_free

_PATIENCE_SECONDS = 12.0  # more than a request's deadline: what is in flight at the end is answered
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LIVED_WELL_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_ENDED_BY = (signal.SIGTERM, signal.SIGINT)
_ORDERS: TypeAdapter[tuple[StartOrder, ...]] = TypeAdapter(tuple[StartOrder, ...])
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True, kw_only=True)
class _Supervised:
    """An order and what became of it. Times are of the monotonic clock."""

    order: StartOrder
    preloaded: bool
    pid: int | None = None
    started: float = 0.0
    next_start: float = 0.0
    pause: float = _FIRST_PAUSE
    crashes: int = 0
    kill_at: float | None = None

    @property
    def seen(self) -> Instance:
        state = InstanceState.RUNNING if self.pid is not None else InstanceState.RESTARTING
        if self.kill_at is not None:
            state = InstanceState.STOPPING
        return Instance(
            **self.order.model_dump(), state=state, pid=self.pid, crashes=self.crashes, preloaded=self.preloaded
        )


class Instances:
    """What should run, brought about by `tend`. Must live in a process without threads: it forks.

    `in_child` is called in each new process before anything else: to close what only the launcher may hold.
    """

    def __init__(self, *, logs: Path, faults: Path, release_checksum: str, in_child: Callable[[], None]) -> None:
        self._logs, self._faults_file, self._in_child = logs, faults, in_child
        self._release_checksum = release_checksum
        self._faults = SharedFaults(faults)
        self._all: dict[str, _Supervised] = {}
        self._orders = logs / "orders.json"

    def restore(self) -> None:
        """What an earlier launcher of this site ran when it ended runs again, as virtual machines do after a power cut.

        An order that can no longer be carried out is passed over: whoever gave it looks whether its instance runs.
        """
        try:
            orders = _ORDERS.validate_json(self._orders.read_bytes())
        except (OSError, ValidationError):
            return
        for order in orders:
            with suppress(InstanceRefused):
                self.start(order)

    def start(self, order: StartOrder) -> Instance:
        """The process runs when this returns. Raises InstanceRefused: other order under that name, files, port."""
        known = self._all.get(order.name)
        if known is not None:
            if known.order != order or known.kill_at is not None:
                raise InstanceRefused(order.name, "an instance of this name runs already; stop it first")
            return known.seen
        _check(order)
        preloaded = checksum(order.directory / RELEASE) == self._release_checksum
        if preloaded:
            try:
                read_settings(order.directory / SETTINGS)
            except SettingsFaulty as exc:
                raise InstanceRefused(order.name, str(exc)) from exc
        self._all[order.name] = _Supervised(order=order, preloaded=preloaded)
        self._note_orders()
        self._run(self._all[order.name])
        return self._all[order.name].seen

    def stop(self, name: str) -> None:
        """It is asked to end, and made to if it does not within some seconds; gone once `list` does not show it."""
        known = self._all.get(name)
        if known is None or known.kill_at is not None:
            return
        self._note_orders(without=name)
        self._end(known)

    def _end(self, known: _Supervised) -> None:
        if known.pid is None:
            del self._all[known.order.name]
            return
        known.kill_at = time.monotonic() + _PATIENCE_SECONDS
        _signal(known.pid, signal.SIGTERM)

    def kill(self, name: str) -> None:
        """Raises InstanceRefused when no process of that name runs."""
        known = self._all.get(name)
        if known is None or known.pid is None:
            raise InstanceRefused(name, "it does not run")
        _signal(known.pid, signal.SIGKILL)

    def list(self) -> tuple[Instance, ...]:
        return tuple(self._all[name].seen for name in sorted(self._all))

    def tend(self) -> None:
        """Take note of processes that ended; start crashed ones again; kill those that do not stop."""
        now = time.monotonic()
        for known in list(self._all.values()):
            if known.pid is not None and _ended(known.pid):
                self._note_end(known, now)
            elif known.pid is None and now >= known.next_start:
                self._run(known)
            elif known.pid is not None and known.kill_at is not None and now > known.kill_at:
                _signal(known.pid, signal.SIGKILL)

    def end(self) -> None:
        """All are stopped; returns when they are gone."""
        for known in list(self._all.values()):
            if known.kill_at is None:
                self._end(known)
        while self._all:
            self.tend()
            time.sleep(0.01)

    def _note_orders(self, *, without: str = "") -> None:
        """On disk before it is done: what shall run after a restart."""
        orders = tuple(known.order for name, known in self._all.items() if name != without and known.kill_at is None)
        durable.replace(self._orders, _ORDERS.dump_json(orders))

    def _note_end(self, known: _Supervised, now: float) -> None:
        known.pid = None
        if known.kill_at is not None:
            del self._all[known.order.name]
            return
        known.crashes += 1
        if now - known.started > _LIVED_WELL_SECONDS:
            known.pause = _FIRST_PAUSE
        known.next_start = now + known.pause
        known.pause = min(known.pause * 2, _LONGEST_PAUSE)

    def _run(self, known: _Supervised) -> None:
        launcher = os.getpid()
        known.started = time.monotonic()
        # until it has handlers of its own, the launcher's would swallow in the child what shall end it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDED_BY)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_server(known, launcher, before)
            known.pid = pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _be_server(self, known: _Supervised, launcher: int, signals: set[int | signal.Signals]) -> NoReturn:
        """In the child: never returns, whatever happens."""
        code = 1
        try:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            if os.getppid() != launcher:
                os._exit(1)
            self._in_child()
            for by in (*_ENDED_BY, signal.SIGCHLD):
                signal.signal(by, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            order = known.order
            log = os.open(self._logs / f"{order.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            if known.preloaded:
                settings = read_settings(order.directory / SETTINGS).model_copy(update={"port": order.port})
                serve(settings, Kind(order.kind), self._faults)
                code = 0
            else:
                self._exec(order)
        except BaseException as exc:  # noqa: BLE001 - nothing may leave this function and go on as a second launcher
            print(f"ended: {type(exc).__name__}: {exc}", file=sys.stderr, flush=True)  # noqa: T201 - its log
        finally:
            os._exit(code)

    def _exec(self, order: StartOrder) -> NoReturn:
        """Another release than the loaded one: an interpreter of its own, started beside it."""
        os.chdir(order.directory)
        argv = [sys.executable, "-m", RELEASE, SETTINGS, "--port", str(order.port), "--kind", order.kind]
        os.execv(sys.executable, [*argv, "--faults", str(self._faults_file)])  # noqa: S606 - a program of ours


def _check(order: StartOrder) -> None:
    for place in (RELEASE, SETTINGS):
        if not (order.directory / place).exists():
            raise InstanceRefused(order.name, f"{order.directory / place} is missing")
    if not is_free(order.port):
        raise InstanceRefused(
            order.name, f"port {order.port} on 127.0.0.1 is in use; end the program that listens there"
        )


def _ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG) != (0, 0)


def _signal(pid: int, by: signal.Signals) -> None:
    os.kill(pid, by)  # not reaped yet, so the number is still its own
