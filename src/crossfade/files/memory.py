"""Shares that are dictionaries, for the engine's tests and the simulation."""

from datetime import timedelta

from crossfade.files.errors import TargetHoldsWrites
from crossfade.model.seen import FileSync
from crossfade.model.terms import NoData, Side


class MemoryFiles:
    """The port, in step at every look. `held_back` files are pending until it is set to 0 again."""

    def __init__(self) -> None:
        self.shares: dict[Side, dict[str, bytes]] = {Side.SOURCE: {}, Side.TARGET: {}}
        self.held_back = 0
        self.unseen: NoData | None = None
        self._primary: Side | None = None
        self._delivered: set[str] = set()

    def follow(self, primary: Side) -> None:
        if self._primary is not None and self._primary is not primary:
            late = self.shares[self._primary]
            self.shares[primary] = late | self.shares[primary]
        self._primary = primary
        self._work()

    def stop(self) -> None:
        self._work()
        self._primary = None

    def revert(self) -> None:
        if self._primary is Side.TARGET:
            raise TargetHoldsWrites
        self._work()
        for path in self._delivered:
            self.shares[Side.TARGET].pop(path, None)
        self._delivered.clear()
        self._primary = None

    def state(self) -> FileSync | NoData:
        if self.unseen is not None:
            return self.unseen
        if self._primary is None:
            return NoData(reason="no files are being copied")
        self._work()
        here = self.shares[self._primary]
        return FileSync(
            primary=self._primary,
            files=len(here),
            bytes=sum(map(len, here.values())),
            pending=self.held_back,
            lag=None if self.held_back else timedelta(0),
        )

    def _work(self) -> None:
        if self._primary is None or self.held_back:
            return
        here, there = self.shares[self._primary], self.shares[self._primary.other]
        for path in self._delivered - here.keys():
            there.pop(path, None)
        there.update(here)
        self._delivered = set(here)
