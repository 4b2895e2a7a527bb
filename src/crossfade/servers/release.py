"""An application release as files with checksums, and its exact copy elsewhere."""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.durable import settle
from crossfade.servers.errors import CopyFailed, LegacyUnfit, ReleaseUnsettled, ServerFault

_ATTEMPTS = 5
_MADE_BY_RUNNING = "__pycache__"  # the interpreter writes these beside the code; they are not part of a release


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFile:
    """One file: path below the release (with slashes), SHA-256 of its content, and whether it may be executed."""

    path: str
    sha256: str
    executable: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files of a release, ordered by path."""

    files: tuple[ReleaseFile, ...]

    @property
    def digest(self) -> str:
        """One SHA-256 over all: equal if and only if the releases are."""
        lines = (f"{file.sha256} {int(file.executable)} {file.path!r}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_release(server: str, folder: Path) -> Manifest:
    """What `folder` holds now, by content.

    Raises `LegacyUnfit` with every entry that cannot be copied faithfully: links (they may lead outside), devices,
    unreadable or oddly named files, or no release at all.
    """
    files: list[ReleaseFile] = []
    faults: list[ServerFault] = []
    for entry in _entries(folder):
        path = entry.relative_to(folder).as_posix()
        try:
            path.encode()
            mode = entry.lstat().st_mode
            if not stat.S_ISREG(mode):
                faults.append(_fault(server, path, "is a link or device, not a file"))
                continue
            executable = bool(mode & stat.S_IXUSR)
            files.append(ReleaseFile(path=path, sha256=sha256(entry), executable=executable))
        except FileNotFoundError:
            continue  # removed by a deployment that runs just now: the second reading will tell
        except UnicodeEncodeError:
            faults.append(_fault(server, ascii(path), "has a name that is not UTF-8"))
        except OSError as refused:
            faults.append(_fault(server, path, f"cannot be read ({refused.strerror})"))
    if not files and not faults:
        faults.append(_fault(server, str(folder), "holds no file"))
    if faults:
        raise LegacyUnfit(faults)
    return Manifest(tuple(sorted(files, key=lambda file: file.path)))


def holds(folder: Path, manifest: Manifest) -> bool:
    """`folder` holds exactly this release, read anew."""
    try:
        return read_release("", folder) == manifest
    except LegacyUnfit:
        return False


def copy_release(server: str, source: Path, releases: Path) -> Path:
    """An exact copy of `source` as a folder of its own below `releases`, named by its digest; on disk on return.

    Files already there, from a copy that was interrupted or from another release, are taken over by checksum. Raises
    `LegacyUnfit`, `ReleaseUnsettled` (it changed during every attempt) or `CopyFailed`.
    """
    for _ in range(_ATTEMPTS):
        manifest = read_release(server, source)
        copy = releases / manifest.digest[:16]
        try:
            if not holds(copy, manifest):
                _build(source, releases, copy, manifest)
        except FileNotFoundError:
            continue  # the source lost a file since it was read
        except OSError as refused:
            place = refused.filename or copy
            raise CopyFailed(server=server, place=place, reason=refused.strerror or str(refused)) from refused
        if holds(copy, manifest) and read_release(server, source) == manifest:
            return copy
    raise ReleaseUnsettled(server=server, attempts=_ATTEMPTS)


def sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _build(source: Path, releases: Path, copy: Path, manifest: Manifest) -> None:
    incoming = releases / f"incoming-{copy.name}"
    incoming.mkdir(parents=True, exist_ok=True)
    earlier = [folder for folder in releases.iterdir() if folder not in (incoming, copy) and folder.is_dir()]
    for file in manifest.files:
        _bring(file, source, incoming, earlier)
    wanted = {file.path for file in manifest.files}
    for entry in list(_entries(incoming)):
        if entry.relative_to(incoming).as_posix() not in wanted:
            entry.unlink()
    for folder in (incoming, *(place for place in incoming.rglob("*") if place.is_dir())):
        settle(folder)
    if copy.exists():  # it was found damaged, or we would not be here
        shutil.rmtree(copy)
    incoming.rename(copy)
    settle(releases)


def _bring(file: ReleaseFile, source: Path, incoming: Path, earlier: list[Path]) -> None:
    place = incoming / file.path
    if _is(place, file):
        return
    place.unlink(missing_ok=True)  # never write into it: it may be the same inode as an earlier release's file
    place.parent.mkdir(parents=True, exist_ok=True)
    for folder in earlier:
        if _is(folder / file.path, file):
            os.link(folder / file.path, place)
            return
    with (source / file.path).open("rb") as original, place.open("xb") as copied:
        shutil.copyfileobj(original, copied)
        os.fchmod(copied.fileno(), 0o755 if file.executable else 0o644)
        copied.flush()
        os.fsync(copied.fileno())


def _is(place: Path, file: ReleaseFile) -> bool:
    try:
        mode = place.lstat().st_mode
        return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR) == file.executable and sha256(place) == file.sha256
    except OSError:
        return False


def _entries(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in links and name != _MADE_BY_RUNNING)
        yield from (Path(place) / name for name in sorted([*names, *links]))


def _fault(server: str, place: str, problem: str) -> ServerFault:
    remedy = "Put a plain, readable file in its place, or take it out of the release."
    return ServerFault(server=server, place=place, problem=problem, remedy=remedy)
