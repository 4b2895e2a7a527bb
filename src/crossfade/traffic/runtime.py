"""The shares as Envoy's runtime reads them from disk: the one place where they are wanted, engine or no engine.

Envoy watches the symbolic link `current` in the folder. Whenever the link is replaced, and when it starts, it takes up
the files of the folder the link points to, each named for its key. Nothing else sets a share (there is no admin layer
above this one), so what stands here is what a router does, and what it does again after it was killed.

Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime
"""

import errno
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.model.seen import Shares
from crossfade.traffic.port import in_order

LEGACY = "legacy"
MODERN = "modern"
MIRROR = "mirror"
"""The names of the router's clusters. Mirrored requests have one of their own, so that they fill nobody's queue."""

LINK = "current"
WEIGHT_PREFIX = "traffic.weight"
MIRROR_KEY = "traffic.mirror"
TOTAL_WEIGHT = 100_000
"""What the two weights sum to: shares are kept to a thousandth of a percent."""

_MIRROR_TOTAL = 1_000_000
_PREFIX = "shares-"
_READ_AGAIN = 1_000  # each time somebody else has written meanwhile
_ORDER = "order"
_OTHERS_S = 2.0
_SAFE = "everybody-legacy"


def entries(shares: Shares) -> dict[str, str]:
    """Runtime keys and values that make a router do `shares`; percents are rounded to a thousandth."""
    modern = round(shares.canary_percent * TOTAL_WEIGHT / 100)
    mirrored = round(shares.mirror_percent * TOTAL_WEIGHT / 100) * (_MIRROR_TOTAL // TOTAL_WEIGHT)
    return {
        f"{WEIGHT_PREFIX}.{MODERN}": str(modern),
        f"{WEIGHT_PREFIX}.{LEGACY}": str(TOTAL_WEIGHT - modern),
        MIRROR_KEY: json.dumps({"numerator": mirrored, "denominator": "MILLION"}),
    }


def parse(values: Mapping[str, str]) -> Shares:
    """The inverse of `entries`. Raises ValueError, saying what is wrong, for values that are not shares.

    Envoy takes weights of any sum without a word and would spread users over that sum: here they must be the whole.
    """
    try:
        modern, legacy = int(values[f"{WEIGHT_PREFIX}.{MODERN}"]), int(values[f"{WEIGHT_PREFIX}.{LEGACY}"])
        mirror = json.loads(values[MIRROR_KEY])
        mirrored = int(mirror["numerator"])
    except KeyError as missing:
        raise ValueError(f"no value for {missing}") from missing
    except (TypeError, ValueError) as wrong:
        raise ValueError(f"a value that is none: {wrong}") from wrong
    if modern < 0 or legacy < 0 or modern + legacy != TOTAL_WEIGHT:
        raise ValueError(f"weights {modern} and {legacy} do not sum to {TOTAL_WEIGHT}")
    if mirror.get("denominator") != "MILLION" or not 0 <= mirrored <= _MIRROR_TOTAL:
        raise ValueError(f"a mirror of {mirror}")
    return Shares(canary_percent=modern * 100 / TOTAL_WEIGHT, mirror_percent=mirrored * 100 / _MIRROR_TOTAL)


def prepare(folder: Path) -> None:
    """Shares of 0 % are wanted unless there are some already, and going back to 0 % will need no room on the disk."""
    safe = folder / _SAFE
    if not safe.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _version(folder, Shares(canary_percent=0.0)).rename(safe)
    try:
        read(folder)
    except ValueError:
        _link(folder, safe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The shares that are wanted now, rounded as a router reports them, and the version to `forget` after that."""

    shares: Shares
    replaced: Path | None


def write(folder: Path, shares: Shares) -> Written:
    """Replace what is wanted, all keys at once: a router sees the old shares or the new ones, never a mixture.

    Few system calls: a share is often set because something is wrong, on a computer that is busy. When there is no
    room for them, a canary share of 0 is wanted nevertheless, without a mirror then; for other shares raises OSError.
    """
    link = folder / LINK
    before = folder / link.readlink().name if link.is_symlink() else None
    try:
        version = _version(folder, shares)
    except OSError:
        if shares.canary_percent or not (folder / _SAFE).is_dir():
            raise
        version, shares = folder / _SAFE, Shares(canary_percent=0.0)
    _link(folder, version)
    return Written(shares=parse(entries(shares)), replaced=before)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else on this computer is between reading what is wanted and replacing it.

    Raises OSError, also when somebody who stands still keeps it so.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    deadline = time.monotonic() + _OTHERS_S
    try:
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "somebody else who changes them does not come to an end")
            time.sleep(0.001)  # flock has no deadline of its own
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def take_order(folder: Path, order: int | None) -> None:
    """`order` is the newest from now on, also after a crash. Raises `Overtaken`, OSError; see the port.

    It is kept as what a symbolic link points to, which takes no block of the disk: the way down must not need any.
    """
    place = folder / _ORDER
    kept = str(place.readlink()) if place.is_symlink() else ""
    present = int(kept) if kept.isdigit() else 0
    following = in_order(order, present)
    if following != present:
        fresh = folder / f"{_ORDER}.link"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(str(following))
        fresh.replace(place)


def _version(folder: Path, shares: Shares) -> Path:
    """A folder of values, complete or not there. Raises OSError."""
    version = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    try:
        for key, value in entries(shares).items():
            (version / key).write_text(value, encoding="utf-8")
    except OSError:
        forget(version)
        raise
    return version


def _link(folder: Path, version: Path) -> None:
    """A symbolic link takes no block of the disk, and replacing one by another is one step."""
    fresh = folder / f"{version.name}.link"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version.name, target_is_directory=True)
    fresh.replace(folder / LINK)


def forget(replaced: Path | None) -> None:
    """Remove a version that `write` made and replaced; nothing else."""
    if replaced is not None and replaced.name.startswith(_PREFIX):
        shutil.rmtree(replaced, ignore_errors=True)


def read(folder: Path) -> Shares:
    """What is wanted. Raises ValueError when nothing is, or nothing sensible."""
    for _ in range(_READ_AGAIN):
        link = folder / LINK
        version = folder / link.readlink() if link.is_symlink() else link  # followed once: it may be replaced meanwhile
        values = _values(version)
        if link.is_symlink() and folder / link.readlink() == version:
            break
    return parse(values)


def _values(version: Path) -> dict[str, str]:
    """Those that are there: another may remove the version just now."""
    values = {}
    for key in entries(Shares(canary_percent=0)):
        with suppress(OSError):
            values[key] = (version / key).read_text(encoding="utf-8")
    return values
