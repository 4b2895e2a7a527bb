"""The port on a file agent: told by a file, heard by a file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from crossfade.files.compare import FileDifference, differences
from crossfade.files.errors import AgentSilent, OrderNotWritten, OrderUnreadable, TargetHoldsWrites
from crossfade.files.orders import STATUS, WANTED, Fault, Status, Wanted, read, write_wanted
from crossfade.files.share import Share
from crossfade.model.seen import FileSync
from crossfade.model.terms import NoData, Side

_LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`confirm`: how long `stop` and `revert` wait for the agent. `fresh`: an older status is no data."""

    confirm: timedelta = timedelta(seconds=30)
    fresh: timedelta = timedelta(seconds=5)
    settle: timedelta = timedelta(seconds=3)


def _now() -> datetime:
    return datetime.now(UTC)


class FileAgentClient:
    """Keeps nothing itself: any number of these, one after the other, may speak with one agent."""

    def __init__(
        self,
        directory: Path,
        *,
        source: Path,
        target: Path,
        patience: Patience | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._directory = directory
        self._shares = {Side.SOURCE: Share(source), Side.TARGET: Share(target)}
        self._patience = patience or Patience()
        self._now = now

    def follow(self, primary: Side) -> None:
        """Durable on return, whether or not the agent runs. Raises `OrderUnreadable`, `OrderNotWritten`."""
        wanted = self._wanted()
        if wanted.primary is not primary or wanted.remove_copy:
            earlier = frozenset[Side]() if wanted.remove_copy and self._done(wanted) else wanted.primaries
            self._order(Wanted(turn=wanted.turn + 1, primary=primary, primaries=earlier | {primary}))

    def stop(self) -> None:
        """Raises `AgentSilent` when the agent does not confirm; it will then stop as soon as it can."""
        wanted = self._wanted()
        if wanted.turn == 0 or wanted.remove_copy:
            return  # nothing was ever copied, or `revert` has ended it
        if wanted.primary is not None:
            wanted = Wanted(turn=wanted.turn + 1, primary=None, primaries=wanted.primaries)
            self._order(wanted)
        self._confirm(wanted, "to stop copying")

    def revert(self) -> None:
        """Files that users wrote on the target are brought to the source before the copy is removed.

        Raises `TargetHoldsWrites` while the target is the primary, `AgentSilent` when the agent does not confirm.
        """
        wanted = self._wanted()
        if wanted.turn == 0:
            return  # nothing was ever copied
        if not wanted.remove_copy:
            if wanted.primary is Side.TARGET:
                raise TargetHoldsWrites
            wanted = Wanted(turn=wanted.turn + 1, primary=None, primaries=wanted.primaries, remove_copy=True)
            self._order(wanted)
        self._confirm(wanted, "to remove the target's copy")

    def state(self) -> FileSync | NoData:
        """What the agent last said. `lag` is how long ago all that stood on the primary had been delivered."""
        try:
            wanted, status = self._wanted(), read(self._directory, STATUS, Status)
        except OrderUnreadable as unreadable:
            return NoData(reason=str(unreadable))
        if wanted.primary is None:
            return NoData(reason="no files are being copied")
        if status is None or status.turn != wanted.turn:
            return NoData(reason="the file agent has not taken up its order yet")
        now = self._now()
        silent = now - datetime.fromtimestamp(status.at, UTC)
        if silent > self._patience.fresh:
            return NoData(reason=f"the file agent has been silent for {silent.total_seconds():.0f} s")
        in_step = None if status.in_step_at is None else datetime.fromtimestamp(status.in_step_at, UTC)
        return FileSync(
            primary=wanted.primary,
            files=status.files,
            bytes=status.bytes,
            pending=status.pending,
            lag=None if in_step is None else max(now - in_step, timedelta(0)),
        )

    def faults(self) -> tuple[Fault, ...]:
        """What the agent could not deliver and why, the first few; empty also when nothing was said yet."""
        status = read(self._directory, STATUS, Status)
        return () if status is None else status.faults

    def verify(self, primary: Side) -> tuple[FileDifference, ...]:
        """Every file of both shares read and compared. Raises `ShareUnusable`."""
        return differences(self._shares[primary], self._shares[primary.other], settle=self._patience.settle)

    def _wanted(self) -> Wanted:
        return read(self._directory, WANTED, Wanted) or Wanted(turn=0, primary=None)

    def _order(self, wanted: Wanted) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            write_wanted(self._directory, wanted)
        except OSError as refused:
            raise OrderNotWritten(folder=self._directory, reason=refused.strerror or str(refused)) from refused

    def _done(self, wanted: Wanted) -> bool:
        status = read(self._directory, STATUS, Status)
        return status is not None and status.turn == wanted.turn and status.done

    def _confirm(self, wanted: Wanted, asked: str) -> None:
        until = time.monotonic() + self._patience.confirm.total_seconds()
        while True:
            if self._done(wanted):
                return
            if time.monotonic() > until:
                status = read(self._directory, STATUS, Status)
                said = "nothing" if status is None else "; ".join(f"{f.path}: {f.problem}" for f in status.faults)
                raise AgentSilent(asked=asked, said=said or "nothing new")
            Event().wait(_LOOK_AGAIN_SECONDS)
