"""The engine's process: started again when it dies, until it dies too often without getting anywhere."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EngineStarted
from crossfade.model.terms import Side
from crossfade.rehearsal.layout import Layout
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.program import Program

_MOST_FRUITLESS = 3
_PROGRAM = (sys.executable, "-m", "crossfade.cli.main", "engine")


class EngineFails(CrossfadeError):
    """The engine ended again and again without having finished."""

    def __init__(self, times: int, log: Path, migration: str) -> None:
        self.times, self.log = times, log
        self.remedy = f"Read {log}, then go on with `crossfade resume {migration}`."
        super().__init__(f"the engine ended {times} times in a row without getting anywhere")


class KeptEngine:
    """One engine at a time."""

    def __init__(self, layout: Layout, *, program: Sequence[str] = _PROGRAM) -> None:
        self._layout, self._program = layout, tuple(program)
        self._process = Program()
        self._known_at_start, self._fruitless = -1, 0

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def log(self) -> Path:
        return self._layout.engine_log

    def start(self, entries: Sequence[Entry], points: Collection[tuple[Side, str]] = ()) -> None:
        """Start it, for the first time or again; `entries` is the journal as it stands.

        It waits at `points`, each of a switch to a side, for whoever hears it there. That it started is not getting
        anywhere. Raises `EngineFails`.
        """
        known = sum(not isinstance(entry.event, EngineStarted) for entry in entries)
        self._fruitless = 0 if known > self._known_at_start else self._fruitless + 1
        self._known_at_start = known
        if self._fruitless > _MOST_FRUITLESS:
            raise EngineFails(self._fruitless, self.log, self._layout.migration)
        words = [*self._program, str(self._layout.root)]
        words += [f"--wait-at={to}:{point}" for to, point in sorted(points)]
        self._process.start(Launch(argv=words, log=self.log, cwd=Path.cwd(), environment=os.environ))

    def kill(self) -> None:
        """As a power cut would. That it got nowhere then is no fault of its own, and does not count."""
        self._process.kill()
        self._known_at_start = -1

    def stop(self) -> None:
        self._process.stop(timeout=10.0)
