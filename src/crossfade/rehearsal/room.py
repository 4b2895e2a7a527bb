"""Room on the disk: whether a rehearsal fits before it begins, and whether it can still end in order while it runs."""

import shutil
from pathlib import Path

from crossfade.model.errors import CrossfadeError

_MB = 1024 * 1024
_EMPTY = 220 * _MB  # measured: 100 MB with hardly a row; some minutes of 300 requests a second add as much
_PER_ROW = 1_300  # measured: a row of the ledger with its indexes and its log of changes, on both sides together
LEAST_LEFT = 64 * _MB
"""Below this a running rehearsal ends itself, which takes room too: a segment of a database's log is 16 MB."""


class NoRoom(CrossfadeError):
    """The disk holds too little. `needed` and `free` in bytes."""

    retryable = True

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        self.folder, self.needed, self.free = folder, needed, free
        self.remedy = f"Make room for {_megabytes(needed - free)} more, or choose another folder with CROSSFADE_HOME."
        super().__init__(
            f"the disk of {folder} has {_megabytes(free)} left, and the rehearsal needs {_megabytes(needed)}"
        )


def needed_bytes(rows: int) -> int:
    """What a rehearsal of a ledger of `rows` rows fills at most, within some minutes at its default load."""
    return LEAST_LEFT + _EMPTY + rows * _PER_ROW


def require_room(folder: Path, needed: int) -> None:
    """Raises `NoRoom` unless `needed` bytes are free where `folder` lies or will lie."""
    place = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise NoRoom(folder, needed, free)


def used_bytes(folder: Path) -> int:
    """What lies below `folder`, as the disk counts it. Files that vanish meanwhile do not count."""
    total = 0
    for place in folder.rglob("*"):
        try:
            total += place.lstat().st_blocks * 512
        except OSError:
            continue
    return total


def _megabytes(size: int) -> str:
    return f"{-(-size // _MB):,} MB"
