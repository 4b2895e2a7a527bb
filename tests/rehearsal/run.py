"""Runs `crossfade` as a user would, in a home of its own, and looks at what is left afterwards."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from crossfade.journal.sqlite import JournalUnusable, SqliteJournal
from crossfade.model import ends
from crossfade.model.events import EndReached, Event, PhaseEntered
from crossfade.model.terms import Phase
from tests.waiting import wait_for

SMALL = Path(__file__).resolve().parents[1] / "data" / "small.yaml"
PATIENCE_S = 600.0
_LAST_MOMENTS_S = 120.0
_PR_SET_CHILD_SUBREAPER = 36


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
    _others: set[psutil.Process] = field(default_factory=lambda: set(psutil.Process().children()))
    _begun: set[int] = field(default_factory=set)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "crossfade.cli.main", *words],
            env=os.environ | {"CROSSFADE_HOME": str(self.folder), "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._begun.add(process.pid)
        return process

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

    def events(self) -> list[Event]:
        """What the journal of the only rehearsal holds now. To ask `crossfade status` would take seconds."""
        return events_of(self.folder / self.the_only_id() / "journal.sqlite")

    def wait_for(self, condition: Callable[[Event], bool], process: "subprocess.Popen[str]") -> None:
        """Until such an event has happened, or the process has ended."""
        wait_for(lambda: process.poll() is not None or any(map(condition, self.events())))

    def left(self) -> list[psutil.Process]:
        """Whatever ran of a `crossfade` at the moment in which that had ended, even if it does not run any more.

        It was given to this process, and is at least a zombie until `await_orphans` or the end of `home_below`.
        """
        return [p for p in psutil.Process().children() if p not in self._others and p.pid not in self._begun]

    def await_orphans(self) -> list[psutil.Process]:
        """What runs although its `crossfade` was killed, some seconds after that: only the kernel could tell it."""
        until = time.monotonic() + _LAST_MOMENTS_S
        while (left := self.left()) and time.monotonic() < until:
            psutil.wait_procs(left, timeout=0.1)
        return left


def events_of(journal: Path) -> list[Event]:
    """None yet of a journal that is being made."""
    try:
        opened = SqliteJournal(journal, must_exist=True, read_only=True)
    except JournalUnusable:
        return []
    try:
        return [entry.event for entry in opened.read()]
    except JournalUnusable:
        return []
    finally:
        opened.close()


def in_canary(event: Event) -> bool:
    return event == PhaseEntered(phase=Phase.CANARY)


def at_share(percent: float) -> Callable[[Event], bool]:
    """Whether at least so many users were led to the modern servers."""

    def reached(event: Event) -> bool:
        return (
            isinstance(event, EndReached)
            and isinstance(event.end, ends.SharesAre)
            and event.end.canary_percent >= percent
        )

    return reached


@contextmanager
def home_below(place: Path) -> Iterator[Home]:
    """A home that nothing outlives: see `Home.left`. Source: prctl(2), PR_SET_CHILD_SUBREAPER."""
    place.chmod(0o755)  # as root, the databases run as nobody
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    home = Home(place / "home", place / "reports")
    try:
        yield home
        left = home.left()
        assert not left, "something was left running"
    finally:
        while left := home.left():
            for process in left:
                process.kill()
            psutil.wait_procs(left, timeout=0.1)
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
