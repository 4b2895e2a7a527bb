"""The write-ahead log of a modelled server: positions, committed transactions, and slots that read them."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

Key = Any
Row = Any

_KEEP = 2_000  # commits; below this nothing is thrown away


@dataclass(frozen=True, slots=True)
class Change:
    """A row of a table as it was and as it is; None where there is none."""

    table: str
    key: Key
    old: Row | None
    new: Row | None


@dataclass(slots=True)
class Commit:
    """A committed transaction in the log.

    `seen` is its place in the order of becoming visible; 0 while it is not. `replicated` is not made here.
    """

    lsn: int
    changes: tuple[Change, ...]
    replicated: bool = False
    seen: int = 0


@dataclass(slots=True)
class Slot:
    """A logical slot. `saved` and `restart_saved` are what a crash leaves of its positions."""

    name: str
    plugin: str
    confirmed: int
    restart: int
    temporary: bool = False
    active_pid: int | None = None
    lost: bool = False
    saved: int = 0
    restart_saved: int = 0
    save_due: bool = False
    sent: int = 0

    def save(self) -> None:
        self.saved, self.restart_saved = self.confirmed, self.restart


@dataclass(slots=True)
class Wal:
    """`inserted` and `flushed` are byte positions; a commit counts as flushed when its end is."""

    inserted: int = 0x0150_0000
    flushed: int = 0x0150_0000
    snapshot: int = 0x0150_0000  # where running transactions were last logged: what decoding can restart from
    _commits: list[Commit] = field(default_factory=list)
    _lsns: list[int] = field(default_factory=list)

    def grow(self, size: int) -> int:
        self.inserted += size
        return self.inserted

    def append(self, changes: tuple[Change, ...], size: int, *, replicated: bool) -> Commit:
        commit = Commit(self.grow(size), changes, replicated)
        self._commits.append(commit)
        self._lsns.append(commit.lsn)
        return commit

    def between(self, after: int, up_to: int) -> list[Commit]:
        """Committed transactions that end past `after` and not past `up_to`."""
        return self._commits[bisect_right(self._lsns, after) : bisect_right(self._lsns, up_to)]

    def cut(self, up_to: int) -> None:
        """A crash: what was not flushed has never been."""
        keep = bisect_right(self._lsns, up_to)
        del self._commits[keep:], self._lsns[keep:]
        self.inserted = self.flushed = up_to

    def forget(self, up_to: int) -> None:
        if len(self._lsns) > _KEEP:
            gone = bisect_right(self._lsns, up_to)
            del self._commits[:gone], self._lsns[:gone]


def as_text(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def from_text(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
