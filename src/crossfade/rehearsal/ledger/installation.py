"""A server's folder as an administrator leaves it: release/ and settings.json."""

import hashlib
import os
import shutil
from pathlib import Path

from crossfade import durable
from crossfade.rehearsal.ledger import release
from crossfade.rehearsal.ledger.release.settings import ServerSettings

RELEASE = "release"
SETTINGS = "settings.json"
_OWN_RELEASE = Path(next(iter(release.__path__)))


def install(directory: Path, settings: ServerSettings) -> None:
    """`directory` holds the current release and these settings. Doing it again changes nothing. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / RELEASE).is_dir() or checksum(directory / RELEASE) != own_checksum():
        shutil.rmtree(directory / RELEASE, ignore_errors=True)
        shutil.copytree(_OWN_RELEASE, directory / RELEASE, ignore=shutil.ignore_patterns("__pycache__"))
    durable.replace(directory / SETTINGS, settings.model_dump_json(indent=2).encode() + b"\n")


def checksum(folder: Path) -> str:
    """One SHA-256 over all files of a release: their paths and their contents. Raises OSError."""
    total = hashlib.sha256()
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            file = Path(place) / name
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{content} {file.relative_to(folder).as_posix()!r}\n".encode())
    return total.hexdigest()


def own_checksum() -> str:
    """That of the release which belongs to this program."""
    return checksum(_OWN_RELEASE)
