"""One file from one share to the other: whole, verified and on disk, or not at all."""

import errno
import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass

from crossfade.files.plan import Signature
from crossfade.files.share import OURS, Share, digest, name, parent, signature

_CHUNK_BYTES = 1 << 20
_TICK_NS = 20_000_000  # kernels stamp files by a coarse clock: a second write within its tick would not be noticed


class Moved(Exception):
    """A file changed under our hands: it is looked at again in the next round."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Both files as they were when their contents were the same; `sha256` is that content's."""

    sha256: str
    origin: Signature
    destination: Signature


def deliver(origin: Share, destination: Share, path: str, expected: Signature | None) -> Delivery:
    """Copy `path`, with mode and modification time, through a temporary name in the destination's folder.

    The copy is read back and compared before it takes the name. `expected` is what the destination holds now: what
    somebody wrote there meanwhile is not overwritten. The caller makes the folder durable (`settle`) afterwards.
    Raises `Moved` when either file changed meanwhile, `OSError` as the system gives it; nothing is left then.
    """
    with origin.opened(path) as reading, destination.folder(parent(path), create=True) as folder:
        before = os.fstat(reading)
        seen = signature(before)
        if seen is None or 0 <= time.time_ns() - seen.modified_ns < _TICK_NS:
            raise Moved(path)
        draft = f"{OURS}{hashlib.sha256(os.fsencode(path)).hexdigest()[:24]}.partial"
        try:
            sha256 = _write(reading, draft, folder, before)
            if signature(os.fstat(reading)) != seen or origin.signature(path) != seen:
                raise Moved(path)
            arrived = _name(draft, path, folder, expected)
        finally:
            _discard(draft, folder)
    return Delivery(sha256, seen, arrived)


def _write(reading: int, draft: str, folder: int, like: os.stat_result) -> str:
    """The draft with the content, mode and times of what is read, verified; its SHA-256."""
    _discard(draft, folder)  # left by an agent that was killed
    writing = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    try:
        total = hashlib.sha256()
        while block := os.read(reading, _CHUNK_BYTES):
            total.update(block)
            remaining = memoryview(block)
            while remaining:
                remaining = remaining[os.write(writing, remaining) :]
        if os.geteuid() == 0:
            with suppress(PermissionError):  # a file server may not let even root give files away
                os.fchown(writing, like.st_uid, like.st_gid)
        os.fchmod(writing, like.st_mode & 0o777)
        os.utime(writing, ns=(like.st_atime_ns, like.st_mtime_ns))
        os.fsync(writing)
        if digest(writing) != total.hexdigest():
            raise Moved(draft)
        return total.hexdigest()
    finally:
        os.close(writing)


def _name(draft: str, path: str, folder: int, expected: Signature | None) -> Signature:
    """Give the draft its name. A new name is made by a link, which never replaces what another just wrote.

    So shares must know hard links, as all Linux file systems, NFS and EFS do.
    """
    try:
        if expected is None:
            os.link(draft, name(path), src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        else:
            if signature(os.stat(name(path), dir_fd=folder, follow_symlinks=False)) != expected:
                raise Moved(path)
            os.rename(draft, name(path), src_dir_fd=folder, dst_dir_fd=folder)
    except (FileExistsError, FileNotFoundError) as changed:
        if _is_no_file(name(path), folder):
            raise OSError(errno.EEXIST, "a folder or link stands in its place") from changed
        raise Moved(path) from changed
    arrived = signature(os.stat(name(path), dir_fd=folder, follow_symlinks=False))
    if arrived is None:
        raise Moved(path)
    return arrived


def _is_no_file(entry: str, folder: int) -> bool:
    try:
        return signature(os.stat(entry, dir_fd=folder, follow_symlinks=False)) is None
    except FileNotFoundError:
        return False


def _discard(draft: str, folder: int) -> None:
    try:
        os.unlink(draft, dir_fd=folder)
    except FileNotFoundError:
        return
