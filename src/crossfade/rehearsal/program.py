"""A program of the rehearsal: known from the moment it runs, so that whoever is interrupted can end it."""

import signal
import subprocess

from crossfade.rehearsal.interruption import undisturbed
from crossfade.rehearsal.processes import Launch, start, stop


class Program:
    """At most one process at a time. Within `interrupted_once` no signal comes between a start and the note of it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """None while it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, launch: Launch) -> None:
        """It runs. Raises `OSError` or `SubprocessError` when the system refuses; then it does not."""
        with undisturbed():
            self._process = start(launch)

    def wait(self, seconds: float) -> int | None:
        """The code it ended with; None when it has not within `seconds`, or was never started."""
        try:
            return None if self._process is None else self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, *, timeout: float, by: signal.Signals = signal.SIGTERM) -> None:
        """Politely, and after `timeout` seconds by force. It is gone when this returns."""
        if self._process is not None:
            stop(self._process, timeout=timeout, by=by)

    def kill(self) -> None:
        """As a power cut would; what it started itself may outlive it by a moment. It is gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
