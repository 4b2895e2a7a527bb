"""The file agent: a process of its own that keeps two shares in step, whoever dies meanwhile.

`python -m crossfade.files.agent --directory D --source S --target T [--interval SECONDS]`
"""

import argparse
import fcntl
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from types import FrameType

from crossfade.files.errors import AgentRunning, ShareUnusable
from crossfade.files.index import Index
from crossfade.files.mirror import Direction, Mirror, Round
from crossfade.files.orders import STATUS, WANTED, Status, Wanted, read, told, write_status
from crossfade.files.plan import Mode
from crossfade.files.share import Share, fault
from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side

_NOTICE_SECONDS = 0.05
_TELL_SECONDS = 0.5
_NEVER = float("-inf")
_SOON_SECONDS = 0.25
_SLOWEST_SECONDS = 5.0
_MOST_DOUBLINGS = 8
_THOROUGH_SECONDS = 5.0  # a file changed in place, keeping its inode, is noticed this late at most


class Agent:
    """Does what `wanted.json` says until `end`. Every step can be killed; the next agent goes on from the index."""

    def __init__(self, folder: Path, shares: dict[Side, Share], *, interval_seconds: float = 0.5) -> None:
        self._folder = folder
        self._interval_seconds = interval_seconds
        self._index = Index(folder / "index.sqlite")
        self._mirror = Mirror(shares, self._index, keep_on=self._keep_on, tell=self._tell)
        self._ended = Event()
        self._wanted: Wanted | None = None
        self._stamp: tuple[int, int] | None = None
        self._in_step_at: float | None = None
        self._told_at = 0.0
        self._thorough_at = _NEVER
        self._tidy = False
        self._failed = False
        self._failures = 0
        self._early = 0

    def end(self) -> None:
        self._ended.set()

    def run(self) -> None:
        while not self._ended.is_set():
            self._take_order()
            self._failed = False
            if self._wanted is not None:
                self._obey(self._wanted)
            self._failures = min(self._failures + 1, _MOST_DOUBLINGS) if self._failed else 0
            self._wait()
        self._index.commit()

    def _obey(self, wanted: Wanted) -> None:
        try:
            if not self._tidy:
                self._mirror.tidy()
                self._tidy = True
            if wanted.remove_copy:
                self._remove_copy(wanted)
            elif wanted.primary is None:
                write_status(self._folder, Status(turn=wanted.turn, at=time.time(), primary=None, done=True))
            else:
                self._follow(wanted, wanted.primary)
        except ShareUnusable as unusable:
            self._say_failed(str(unusable.root), unusable.reason, unusable.remedy)
        except (OSError, sqlite3.Error) as refused:
            self._say_failed(
                str(self._folder), str(refused), "Make room, or give the right; it is tried again by itself."
            )

    def _follow(self, wanted: Wanted, primary: Side) -> bool:
        """One round; whether every file of either share that should be on both is, each looked at closely."""
        if self._index.followed is None:
            self._index.follow(primary)
        if (old := self._index.followed) is not primary and old is not None:
            self._in_step_at = None
            found = self._mirror.go_round(Direction(primary=old, mode=Mode.TURN), thorough=True)
            if not found.complete or found.undone > found.failed:
                self._say(found)
                return False
            self._index.follow(primary)
            self._thorough_at = _NEVER
        mode = Mode.FOLLOW_BACK if primary.other in wanted.primaries else Mode.FOLLOW
        began, thorough = time.time(), time.monotonic() - self._thorough_at > _THOROUGH_SECONDS
        found = self._mirror.go_round(Direction(primary=primary, mode=mode), thorough=thorough)
        if thorough and found.complete:
            self._thorough_at = time.monotonic()
        if found.complete and found.pending == 0:
            self._in_step_at = began
        self._say(found)
        return thorough and found.complete and found.undone == 0

    def _remove_copy(self, wanted: Wanted) -> None:
        """What only the target holds is brought to the source first."""
        if not self._removed(wanted):
            if Side.TARGET in wanted.primaries:
                self._thorough_at = _NEVER
                if not self._follow(wanted, Side.SOURCE):
                    return
            kept = self._mirror.remove_copy(Side.TARGET)
            if kept:
                remedy = "Give the right to remove them; it is tried again by itself."
                problem = fault("", f"{kept} files could not be removed", remedy)
                self._say(Round(undone=kept, failed=kept, faults=[problem]))
                return
        write_status(self._folder, Status(turn=wanted.turn, at=time.time(), primary=None, done=True))
        self._index.forget()  # last: an agent that dies before it still knows which files are copies

    def _removed(self, wanted: Wanted) -> bool:
        """The order is carried out already: following again, to be sure, would make a new copy."""
        status = read(self._folder, STATUS, Status)
        return status is not None and status.turn == wanted.turn and status.done

    def _take_order(self) -> None:
        stamp = self._order_stamp()
        if stamp != self._stamp:
            self._wanted = read(self._folder, WANTED, Wanted)
            self._stamp = stamp
            self._thorough_at = _NEVER

    def _order_stamp(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / WANTED).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _keep_on(self) -> bool:
        return not self._ended.is_set() and self._order_stamp() == self._stamp

    def _tell(self, found: Round) -> None:
        if time.monotonic() - self._told_at > _TELL_SECONDS:
            self._say(found)

    def _say(self, found: Round) -> None:
        assert self._wanted is not None
        self._told_at = time.monotonic()
        self._failed = bool(found.failed)
        turning = self._wanted.primary is not None and self._index.followed is not self._wanted.primary
        status = told(self._wanted, found, at=time.time(), in_step_at=self._in_step_at, turning=turning)
        write_status(self._folder, status)

    def _say_failed(self, place: str, problem: str, remedy: str) -> None:
        with suppress(OSError):  # the disk that is full may be the one the status goes to: silence tells it then
            self._say(Round(undone=1, failed=1, faults=[fault(place, problem, remedy)]))

    def _wait(self) -> None:
        """The longer, the more rounds in a row have failed: a full disk is not filled again twice a second.

        Shorter, and twice as long each time, while nothing has been in step since the order: one file that was written
        during the round would hold up a turn by an interval, which may be a quarter of an hour.
        """
        seconds = min(self._interval_seconds * 2**self._failures, max(_SLOWEST_SECONDS, self._interval_seconds))
        self._early = min(self._early + 1, _MOST_DOUBLINGS) if self._in_step_at is None and not self._failed else 0
        if self._early:
            seconds = min(seconds, _SOON_SECONDS * 2**self._early)
        until = time.monotonic() + seconds
        while self._keep_on() and time.monotonic() < until:
            self._ended.wait(_NOTICE_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m crossfade.files.agent", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where orders, status and index are kept")
    parser.add_argument("--source", type=Path, required=True, help="the source's share")
    parser.add_argument("--target", type=Path, required=True, help="the target's share")
    parser.add_argument("--interval", type=float, default=0.5, help="seconds between rounds")
    given = parser.parse_args(arguments)
    given.directory.mkdir(parents=True, exist_ok=True)
    shares = {Side.SOURCE: Share(given.source), Side.TARGET: Share(given.target)}
    try:
        with _alone(given.directory):
            agent = Agent(given.directory, shares, interval_seconds=given.interval)

            def end(_number: int, _frame: FrameType | None) -> None:
                agent.end()

            signal.signal(signal.SIGTERM, end)
            signal.signal(signal.SIGINT, end)
            agent.run()
    except CrossfadeError as failed:
        sys.stderr.write(f"{failed}. {failed.remedy}\n")
        return 1
    return 0


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One agent a folder; the kernel ends the right with the process."""
    with (folder / "agent.lock").open("ab") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise AgentRunning(folder) from held
        yield


if __name__ == "__main__":
    sys.exit(main())
