"""Files that are either as before or as wanted, whatever is killed or loses power meanwhile."""

import os
from pathlib import Path


def replace(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Give `path` this content: on disk when this returns; after a crash the old or the new one, never a mix.

    `mode` is who may use it, less what the process's umask takes away; it holds from the first byte on.
    Raises `OSError` as the operating system gives it (disk full, no right to write); the old content then stays.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with open(draft, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Names made, replaced or removed in `folder` so far are on disk when this returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
