"""Runs `crossfade` as a user would, in a home of its own, and looks at what is left afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SMALL = Path(__file__).resolve().parents[1] / "data" / "small.yaml"
PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    said: str
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """`folder` holds the rehearsals, `reports` what they leave on purpose."""

    folder: Path
    reports: Path

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", *words],
            env=os.environ | {"CROSSFADE_HOME": str(self.folder), "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Ran:
        out, said = process.communicate(timeout=PATIENCE_S)
        lines = out.splitlines()
        return Ran(process.returncode, said, json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {})

    def run(self, *words: str) -> Ran:
        return self.finish(self.begin(*words))

    def rehearse(self, *words: str, file: Path = SMALL) -> Ran:
        return self.run("rehearse", str(file), "--json", "--report", str(self.reports), *words)

    def begin_rehearsal(self, *words: str) -> subprocess.Popen[str]:
        return self.begin("rehearse", str(SMALL), "--json", "--report", str(self.reports), *words)

    def the_only_id(self) -> str:
        wait_for(lambda: len(list(self.folder.glob("*/journal.sqlite"))) == 1)
        return next(self.folder.glob("*/journal.sqlite")).parent.name

    def status(self) -> dict[str, Any]:
        return self.run("status", self.the_only_id(), "--json").result

    def processes(self) -> list[psutil.Process]:
        """Whatever still runs of the rehearsals in this home."""
        return [p for p in psutil.process_iter() if _mentions(p, str(self.folder))]

    def left_running(self) -> list[psutil.Process]:
        """What still runs after some seconds: a program that was being started at the end is ended by the kernel."""
        until = time.monotonic() + 15
        while self.processes() and time.monotonic() < until:
            time.sleep(0.05)
        return self.processes()


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def _mentions(process: psutil.Process, text: str) -> bool:
    try:
        words: Sequence[str] = process.cmdline()
    except psutil.Error:
        return False
    return any(text in word for word in words) and process.pid != os.getpid()
