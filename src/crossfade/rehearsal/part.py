"""One program of the data center: started, waited for, watched, started again."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.program import Program

_LOOK_AGAIN_S = 0.02
_TAIL_LINES = 5
_MOST_STARTS, _WITHIN_S = 6, 30.0


class PartNotReady(CrossfadeError):
    """A part ended, or did not answer in time; `log_tail` is the end of its log."""

    remedy = "Read the log's end above; a full disk, a busy port or too little memory are the usual reasons."

    def __init__(self, name: str, why: str, log: Path) -> None:
        self.name, self.why, self.log_tail = name, why, _tail(log)
        super().__init__(f"{name} {why}" + (f":\n{self.log_tail}" if self.log_tail else ""))


class Part:
    """A program and the question that tells whether it answers. `launch` is made anew for each start."""

    def __init__(self, name: str, launch: Callable[[], Launch], answers: Callable[[], bool]) -> None:
        self.name, self._launch, self._answers = name, launch, answers
        self._program = Program()
        self._log = Path("/dev/null")
        self._revived: list[float] = []

    @property
    def alive(self) -> bool:
        return self._program.alive

    @property
    def pid(self) -> int | None:
        return self._program.pid

    def start(self) -> None:
        """It runs, though it may not answer yet. Raises `PartNotReady` when the system refuses to start it."""
        launch = self._launch()
        self._log = launch.log
        try:
            self._program.start(launch)
        except (OSError, subprocess.SubprocessError) as refused:
            raise PartNotReady(self.name, f"could not be started: {refused}", self._log) from refused

    def tend(self) -> bool:
        """Start it again if it has died; whether it had. Raises `PartNotReady` when it does nothing but die."""
        if self.alive:
            return False
        now = time.monotonic()
        self._revived = [at for at in self._revived if now - at < _WITHIN_S] + [now]
        if len(self._revived) > _MOST_STARTS:
            raise PartNotReady(self.name, f"ended {len(self._revived)} times within {_WITHIN_S:.0f} s", self._log)
        self.start()
        return True

    def wait(self, seconds: float) -> None:
        """Return when it answers. Raises `PartNotReady` when it ended or did not answer within `seconds`."""
        until = time.monotonic() + seconds
        while not self._answers():
            if not self.alive:
                raise PartNotReady(self.name, "ended right after its start", self._log)
            if time.monotonic() > until:
                raise PartNotReady(self.name, f"did not answer within {seconds:.0f} s", self._log)
            time.sleep(_LOOK_AGAIN_S)

    def kill(self) -> None:
        """As a power cut would."""
        self._program.kill()

    def stop(self, seconds: float = 10.0) -> None:
        self._program.stop(timeout=seconds)


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
