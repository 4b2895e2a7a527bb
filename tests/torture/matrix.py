"""Trials one after the other, or a few at a time: results as JSON lines, progress, an end in order."""
# ruff: noqa: T201 - a program that tells people how far it is

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.torture.cells import Cell
from tests.torture.trials import Trial, alone, together

_TICK_S = 0.2
_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = (sys.executable, "-m", "tests.torture")


class Matrix:
    """`results` is added to; a line for each trial, with the machine's load before it. `program` carries one out."""

    def __init__(
        self, results: Path, *, speed: float, seed: int, at_once: int, program: Sequence[str] = _PROGRAM
    ) -> None:
        self._program = program
        self._results, self._speed, self._seed, self._at_once = results, speed, seed, at_once
        self._running: dict[subprocess.Popen[str], tuple[Trial, float]] = {}
        self._failed: list[Trial] = []

    def trials(self, cells: Iterable[Cell], *, anew: bool) -> tuple[Trial, ...]:
        """Those that have not passed yet, packed together."""
        if anew:
            self._results.unlink(missing_ok=True)
        passed = {cell for line in self._lines() if not line["problems"] for cell in _struck(line)}
        return together([cell for cell in cells if str(cell) not in passed], self._seed)

    def carry_out(self, trials: Sequence[Trial]) -> int:
        """0 when everything ended as foretold, 1 when not, 130 when interrupted."""
        self._results.parent.mkdir(parents=True, exist_ok=True)
        waiting, done, began = list(trials), 0, time.monotonic()
        for asking in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asking, signal.default_int_handler)
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self._at_once:
                    self._begin(waiting.pop(0))
                for process in [p for p in self._running if p.poll() is not None]:
                    waiting += self._end(process)
                    done += 1
                    self._say_how_far(done, len(waiting) + len(self._running), time.monotonic() - began)
                time.sleep(_TICK_S)
        except KeyboardInterrupt:
            self._interrupt()
            print("\ninterrupted; what was started has ended. The same command goes on.")
            return 130
        for trial in self._failed:
            print(f"FAILED {' '.join(trial.faults)}")
        print(f"{done} rehearsals, {len(self._failed)} not as foretold")
        return 1 if self._failed else 0

    def _begin(self, trial: Trial) -> None:
        words = ["--speed", f"{self._speed:g}", "--seed", str(self._seed), "--trial", *map(str, trial.cells)]
        process = subprocess.Popen(
            [*self._program, *words],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to pass on, once
        )
        self._running[process] = (trial, os.getloadavg()[0])

    def _end(self, process: subprocess.Popen[str]) -> list[Trial]:
        """What is to be tried again, alone: cells of a trial that failed, or that did not strike."""
        trial, load = self._running.pop(process)
        lines = process.communicate()[0].splitlines()
        verdict = json.loads(lines[-1]) if lines else _broken(trial, process.returncode)
        if len(trial.cells) == 1 and verdict["missed"] and not verdict["problems"]:
            verdict["problems"] = [f"not brought about: {why}" for why in verdict["missed"]]
        with self._results.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(verdict | {"load_before": round(load, 1), "speed": self._speed}) + "\n")
        for problem in verdict["problems"]:
            print(f"! {' '.join(trial.faults)}: {problem}", flush=True)
        if verdict["problems"]:
            self._failed.append(trial)
        again = trial.cells if verdict["problems"] else [c for c in trial.cells if str(c) not in _struck(verdict)]
        return [alone(cell) for cell in again] if len(trial.cells) > 1 else []

    def _say_how_far(self, done: int, left: int, seconds: float) -> None:
        minutes = seconds / 60
        print(f"  {done} done, {left} left, {minutes:.0f} min, about {minutes / done * left:.0f} to go", flush=True)

    def _interrupt(self) -> None:
        for asking in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asking, signal.SIG_IGN)  # once is enough
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.communicate()

    def _lines(self) -> list[dict[str, Any]]:
        if not self._results.exists():
            return []
        lines = self._results.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]  # the last may have been cut short


def _struck(line: dict[str, Any]) -> set[str]:
    missed = {words.partition(": ")[0] for words in line["missed"]}
    return set(line["cells"]) - missed


def _broken(trial: Trial, code: int) -> dict[str, Any]:
    return {"cells": [*map(str, trial.cells)], "missed": [], "problems": [f"the trial itself ended with {code}"]}
