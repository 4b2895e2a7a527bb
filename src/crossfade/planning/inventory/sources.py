"""Files to read: those that were named, those in folders, those in ZIP archives. What they are is known by content."""

import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from crossfade.planning.inventory.sheets import SourceUnusable
from crossfade.planning.inventory.workbook_guard import check_sizes

MOST_FILES = 10_000
MOST_ARCHIVE_BYTES = 1 << 32
_IN_MEMORY = 1 << 24
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_EMPTY_ZIP, _GZIP = b"PK\x05\x06", b"\x1f\x8b"
_OF_SYSTEMS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
_DAMAGED = "pack or download the archive again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file with sheets in it. `opened` opens it anew, seekable; `size` in bytes; `is_workbook` or a text."""

    name: str
    size: int
    is_workbook: bool
    opened: Callable[[], BinaryIO]


Complain = Callable[[str, SourceUnusable], None]


def files_of(paths: list[Path], complain: Complain) -> Iterator[SourceFile]:
    """Every file of every path, in the order of their names; what cannot be read is told to `complain`."""
    for path in paths:
        try:
            yield from _of_path(path, complain)
        except SourceUnusable as fault:
            complain(str(path), fault)
        except (OSError, ValueError) as fault:  # ValueError: a null character in the path
            complain(str(path), _refused(fault))


def _of_path(path: Path, complain: Complain) -> Iterator[SourceFile]:
    if not path.is_dir():
        yield from _of_file(str(path), path, complain)
        return
    files = _within(path, complain)
    if not files:
        raise SourceUnusable("is an empty folder", "name the folder that the exports lie in")
    for file in files[:MOST_FILES]:
        try:
            yield from _of_file(str(file), file, complain)
        except SourceUnusable as fault:
            complain(str(file), fault)
        except OSError as fault:
            complain(str(file), _refused(fault))
    if len(files) > MOST_FILES:
        raise SourceUnusable(f"holds {len(files):,} files", f"at most {MOST_FILES:,} are read; name them one by one")


def _within(folder: Path, complain: Complain) -> list[Path]:
    """Files of a folder and of those in it, in the order of their names; what links to folders is not followed."""

    def refused(fault: OSError) -> None:
        complain(str(fault.filename or folder), _refused(fault))

    files = [Path(place) / name for place, _, names in os.walk(folder, onerror=refused) for name in names]
    return sorted(file for file in files if not _is_hidden(file.relative_to(folder)))


def _is_hidden(path: Path) -> bool:
    return any((part.startswith(".") and part != "..") or part in _OF_SYSTEMS for part in path.parts)


def _refused(fault: OSError | ValueError) -> SourceUnusable:
    if isinstance(fault, FileNotFoundError):
        return SourceUnusable("does not exist", "check the path")
    if isinstance(fault, PermissionError):
        return SourceUnusable("may not be read by you", "change its permissions, or run as somebody who may read it")
    return SourceUnusable("cannot be read", f"the system says: {getattr(fault, 'strerror', None) or fault}")


def _of_file(name: str, path: Path, complain: Complain) -> Iterator[SourceFile]:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceUnusable("is no regular file", "save what it gives as a file")
    if status.st_size == 0:
        raise SourceUnusable("is empty", "export it again")
    with path.open("rb") as file:
        head = file.read(8)
        if not head.startswith(_ZIP):
            yield _sheet_file(name, head, status.st_size, lambda: path.open("rb"))
            return
        with _archive(file) as archive:
            if _is_workbook(archive):
                yield SourceFile(name=name, size=status.st_size, is_workbook=True, opened=lambda: path.open("rb"))
            else:
                yield from _members(name, archive, complain)


def _sheet_file(name: str, head: bytes, size: int, opened: Callable[[], BinaryIO]) -> SourceFile:
    if head.startswith(_OLE):
        raise SourceUnusable("is an old XLS workbook, or one with a password", "save it as XLSX without a password")
    if head.startswith(_EMPTY_ZIP):
        raise SourceUnusable("is an empty archive", _DAMAGED)
    if head.startswith(_GZIP):
        raise SourceUnusable("is packed by gzip", "unpack it (gunzip), or pack it as ZIP")
    return SourceFile(name=name, size=size, is_workbook=False, opened=opened)


@contextmanager
def _archive(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    # zipfile's own words for a packing it does not know (NotImplementedError) and for a password (RuntimeError)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        raise SourceUnusable(f"is a damaged archive: {str(fault)[:120]}", _DAMAGED) from None


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = set(archive.namelist())
    if "xl/workbook.bin" in names:
        raise SourceUnusable("is a binary workbook (XLSB)", "save it as XLSX")
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


def _members(name: str, archive: zipfile.ZipFile, complain: Complain) -> Iterator[SourceFile]:
    parts = [part for part in archive.infolist() if not part.is_dir() and not _is_hidden(Path(part.filename))]
    check_sizes(parts, most=MOST_ARCHIVE_BYTES, most_part=MOST_ARCHIVE_BYTES)
    if not parts:
        raise SourceUnusable("is an archive without files", "pack the exports into it")
    for part in sorted(parts, key=lambda part: part.filename):
        within = f"{name}/{PurePosixPath(part.filename)}"
        try:
            yield from _member(within, archive, part)
        except SourceUnusable as fault:
            complain(within, fault)


def _member(name: str, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[SourceFile]:
    """A member is unpacked into a temporary file of its own, which is gone when the next one is asked for."""
    with tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
        place = Path(folder) / "member"
        try:
            with archive.open(part) as packed, place.open("wb") as plain:
                while chunk := packed.read(_IN_MEMORY):
                    plain.write(chunk)
        # zipfile's own words for a packing it does not know (NotImplementedError) and for a password (RuntimeError)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
            raise SourceUnusable(f"is damaged within the archive: {str(fault)[:120]}", _DAMAGED) from None
        with place.open("rb") as file:
            head = file.read(8)
            if not head:
                raise SourceUnusable("is empty", "export it again")
            if head.startswith(_ZIP):
                with _archive(file) as inner:
                    if not _is_workbook(inner):
                        raise SourceUnusable("is an archive within an archive", "unpack it and name it by itself")
                yield SourceFile(name=name, size=part.file_size, is_workbook=True, opened=_opening(place))
                return
        yield _sheet_file(name, head, part.file_size, _opening(place))


def _opening(place: Path) -> Callable[[], BinaryIO]:
    return lambda: cast("BinaryIO", place.open("rb"))
