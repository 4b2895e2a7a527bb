"""Two shares in a temporary folder, a real agent between them, and waiting without sleeping blindly."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

from crossfade.files.client import FileAgentClient, Patience
from crossfade.model.seen import FileSync
from crossfade.model.terms import Side

PATIENCE = Patience(confirm=timedelta(seconds=120), fresh=timedelta(seconds=60), settle=timedelta(seconds=2))


def eventually(condition: Callable[[], object], *, within_seconds: float = 180) -> None:
    until = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < until, "did not come about in time"
        Event().wait(0.02)


def put(share: Path, path: str, content: bytes, *, modified: float | None = None) -> Path:
    """As the application writes documents: a temporary name, then the real one."""
    place = share / path
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}.tmp")
    draft.write_bytes(content)
    if modified is not None:
        os.utime(draft, (modified, modified))
    draft.rename(place)
    return place


def contents(share: Path) -> dict[str, bytes]:
    """What goes away while somebody looks, as a draft does that gets its name, is not among them."""
    found = {}
    for file in share.rglob("*"):
        with suppress(FileNotFoundError):
            if file.is_file() and not file.is_symlink():
                found[file.relative_to(share).as_posix()] = file.read_bytes()
    return found


_ENDED_IN_THE_MIDDLE = """
import os, signal, sys
from crossfade.files.agent import main

named = 0

def count(event, arguments):
    global named
    if event == "os.link":
        named += 1
        if named > 300:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
sys.exit(main())
"""
"""An agent that is killed while it names what it has copied: just before the 301st name is given."""


class Shares:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / "source"
        self.target = root / "target"
        self.folder = root / "agent"
        for place in (self.source, self.target):
            place.mkdir()
        self.agents: list[subprocess.Popen[bytes]] = []

    def client(self) -> FileAgentClient:
        return FileAgentClient(self.folder, source=self.source, target=self.target, patience=PATIENCE)

    def start_agent(self, *, interval_seconds: float = 0.1, doomed: bool = False) -> subprocess.Popen[bytes]:
        words = ["--directory", self.folder, "--source", self.source, "--target", self.target]
        program = ["-c", _ENDED_IN_THE_MIDDLE] if doomed else ["-m", "crossfade.files.agent"]
        argv = [sys.executable, *program, *map(str, words), "--interval", str(interval_seconds)]
        agent = subprocess.Popen(argv, stderr=subprocess.PIPE)
        self.agents.append(agent)
        return agent

    def kill_agent(self) -> None:
        self.agents[-1].send_signal(signal.SIGKILL)
        self.agents[-1].wait()

    def close(self) -> None:
        for agent in self.agents:
            agent.kill()
            agent.wait()
            if agent.stderr is not None:
                agent.stderr.close()

    def in_step(self, primary: Side) -> bool:
        """The agent says so, of everything written before now."""
        asked = time.time()
        state = self.client().state()
        if not isinstance(state, FileSync) or state.primary is not primary or state.pending or state.lag is None:
            return False
        return time.time() - state.lag.total_seconds() > asked - 0.2 and contents(self.source) == contents(self.target)
