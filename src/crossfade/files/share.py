"""One share: a folder whose files are listed, read and written without ever leaving it."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.files.errors import ShareUnusable
from crossfade.files.plan import Signature

OURS = ".crossfade-"
UNFINISHED = re.compile(r".+\.(tmp|part|partial|draft|swp)|\..+\.\d+")
"""Names under which programs write what they will rename when it is whole (`1.txt.tmp`, `.1.txt.4711`): not copied."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe put in a file's place must not stop us
_CHUNK_BYTES = 1 << 20
_INODE_BITS = (1 << 63) - 1  # what SQLite can hold; some filesystems use all 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFault:
    """Something about one path that a person must look at; the path is shown printable."""

    path: str
    problem: str
    remedy: str


@dataclass(slots=True)
class Look:
    """What a share holds: files by path, what is neither file nor folder, and folders that could not be listed."""

    files: dict[str, Signature] = field(default_factory=dict)
    faults: list[FileFault] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)

    def hides(self, path: str) -> bool:
        """`path` may well stand there, in a folder that could not be listed."""
        return any(path.startswith(folder) for folder in self.unlisted)


class Share:
    """Links are never followed, neither in listing nor in opening: nothing outside `root` is read or written."""

    def __init__(self, root: Path, unfinished: re.Pattern[str] = UNFINISHED) -> None:
        self.root = root
        self._unfinished = unfinished

    def look(self, known: Mapping[str, Signature]) -> Look:
        """Every file. One with the inode that `known` has is taken to be unchanged and not looked at closer.

        Raises `ShareUnusable` when the share itself cannot be listed: an absent share is not an empty one.
        """
        look = Look()
        try:
            with self.folder("", create=False) as root:
                self._list(root, "", known, look)
        except OSError as refused:
            raise ShareUnusable(root=self.root, reason=refused.strerror or str(refused)) from refused
        return look

    @contextmanager
    def folder(self, relative: str, *, create: bool) -> Iterator[int]:
        """A descriptor of a folder below the root, made when missing. Raises `OSError`, also for a link on the way."""
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in filter(None, relative.split("/")):
                if create:
                    _make(part, descriptor)
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def signature(self, path: str) -> Signature | None:
        """What stands at `path` now; None for nothing, or for what is not a file."""
        try:
            with self.folder(parent(path), create=False) as folder:
                return signature(os.stat(name(path), dir_fd=folder, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def digest(self, path: str) -> tuple[str, Signature | None]:
        """SHA-256 of the content, and the signature of what was read. Raises `OSError`."""
        with self.opened(path) as descriptor:
            before = signature(os.fstat(descriptor))
            return digest(descriptor), before

    @contextmanager
    def opened(self, path: str) -> Iterator[int]:
        with self.folder(parent(path), create=False) as folder:
            descriptor = os.open(name(path), _FILE, dir_fd=folder)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def remove(self, path: str, expected: Signature) -> bool:
        """Remove the file if it is still the expected one; whether it is gone."""
        current = self.signature(path)
        if current == expected:
            with self.folder(parent(path), create=False) as folder:
                os.unlink(name(path), dir_fd=folder)
            return True
        return current is None

    def tidy(self, *, empty_folders: bool) -> None:
        """Remove what an agent left unfinished, and on request the folders that hold nothing."""
        for place, folders, names, descriptor in os.fwalk(self.root, topdown=False):
            for unfinished in (entry for entry in names if entry.startswith(OURS)):
                os.unlink(unfinished, dir_fd=descriptor)
            if empty_folders and Path(place) != self.root:
                left = {entry for entry in names if not entry.startswith(OURS)}
                if not left and not any((Path(place) / entry).exists() for entry in folders):
                    Path(place).rmdir()

    def _list(self, folder: int, prefix: str, known: Mapping[str, Signature], look: Look) -> None:
        inner: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
                elif not entry.is_file(follow_symlinks=False):
                    problem = "is a link, pipe or device, which is not copied"
                    look.faults.append(fault(prefix + entry.name, problem, "Put a file in its place."))
                elif not entry.name.startswith(OURS) and not self._unfinished.fullmatch(entry.name):
                    found = _recognised(entry, known.get(prefix + entry.name))
                    if found is not None:
                        look.files[prefix + entry.name] = found
        for part in inner:
            try:
                descriptor = os.open(part, _FOLDER, dir_fd=folder)
            except FileNotFoundError:
                continue
            except OSError as refused:
                look.unlisted.append(f"{prefix}{part}/")
                problem = f"cannot be listed ({refused.strerror})"
                look.faults.append(fault(f"{prefix}{part}", problem, "Give the right to list it."))
                continue
            try:
                self._list(descriptor, f"{prefix}{part}/", known, look)
            finally:
                os.close(descriptor)


def signature(found: os.stat_result) -> Signature | None:
    """None for anything but a plain file."""
    if not stat.S_ISREG(found.st_mode):
        return None
    return Signature(found.st_size, found.st_mtime_ns, found.st_ino & _INODE_BITS)


def _recognised(entry: os.DirEntry[str], last: Signature | None) -> Signature | None:
    """The last signature while the inode is the same, else the present one; None when the file is gone again."""
    if last is not None and last.inode == entry.inode() & _INODE_BITS:
        return last
    try:
        return signature(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None


def digest(descriptor: int) -> str:
    """SHA-256 of all that the descriptor's file holds, from its beginning."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    total = hashlib.sha256()
    while block := os.read(descriptor, _CHUNK_BYTES):
        total.update(block)
    return total.hexdigest()


def fault(path: str, problem: str, remedy: str) -> FileFault:
    return FileFault(path=path.encode(errors="backslashreplace").decode(), problem=problem, remedy=remedy)


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def name(path: str) -> str:
    return path.rpartition("/")[2]


def _make(part: str, folder: int) -> None:
    try:
        os.mkdir(part, dir_fd=folder)
    except FileExistsError:
        return
