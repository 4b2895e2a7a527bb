"""The engine's process: started again when it dies, until it dies too often without getting anywhere."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from crossfade.model.ends import WriterIs
from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EngineStarted
from crossfade.rehearsal.layout import Layout
from crossfade.rehearsal.processes import Launch, start, stop
from crossfade.runbook.state import State

_MOST_FRUITLESS = 3
_PROGRAM = (sys.executable, "-m", "crossfade.cli.main", "engine")


class EngineFails(CrossfadeError):
    """The engine ended again and again without having finished."""

    def __init__(self, times: int, log: Path, migration: str) -> None:
        self.times, self.log = times, log
        self.remedy = f"Read {log}, then go on with `crossfade resume {migration}`."
        super().__init__(f"the engine ended {times} times in a row without getting anywhere")


class KeptEngine:
    """One engine at a time. `point` is the point of a switch at which it shall die, once."""

    def __init__(self, layout: Layout, *, point: str | None = None, program: Sequence[str] = _PROGRAM) -> None:
        self._layout, self._point, self._program = layout, point, tuple(program)
        self._process: subprocess.Popen[bytes] | None = None
        self._known_at_start, self._fruitless = -1, 0

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        return self._layout.engine_log

    def start(self, entries: Sequence[Entry], state: State) -> None:
        """Start it, for the first time or again; `entries` is the journal as it stands and `state` its fold.

        That it started is not getting anywhere. Raises `EngineFails`.
        """
        if isinstance(state.wanted, WriterIs):  # it died within the switch, as it was told to
            self._point = None
        known = sum(not isinstance(entry.event, EngineStarted) for entry in entries)
        self._fruitless = 0 if known > self._known_at_start else self._fruitless + 1
        self._known_at_start = known
        if self._fruitless > _MOST_FRUITLESS:
            raise EngineFails(self._fruitless, self.log, self._layout.migration)
        words = [*self._program, str(self._layout.root)]
        if self._point is not None:
            words += ["--die-at", self._point]
        self._process = start(Launch(argv=words, log=self.log, cwd=Path.cwd(), environment=os.environ))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, timeout=10.0)
