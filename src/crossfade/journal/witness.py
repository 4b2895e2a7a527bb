"""A witness beside a journal's file: how far it had come, and with which hash.

A journal whose end is missing whole, because its write-ahead log was removed or an older copy was put in its place, is
a sound chain. Who goes on with it carries out again what has been carried out; the witness says that there was more.
"""

import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SIZE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of a journal."""

    position: int
    hash: str


class HeadWitness:
    """Lies beside the journal at `journal`. It is written after each commit and never forced to disk, so after a power
    cut it may be behind the journal, which is harmless; ahead of it, it cannot be.
    """

    def __init__(self, journal: Path) -> None:
        self._place = journal.with_name(f"{journal.name}-head")

    def note(self, head: Head) -> None:
        """The journal ends with `head`. What the disk refuses is passed over: the entry itself is safe."""
        text = f"{head.position:020d} {head.hash} "
        record = f"{text}{zlib.crc32(text.encode()):08x}\n".encode()
        with suppress(OSError):
            file = os.open(self._place, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(file, record, 0)
            finally:
                os.close(file)

    def read(self) -> Head | None:
        """What was noted last; None when nothing was, or nothing that can be read."""
        try:
            with self._place.open("rb") as file:
                line = file.read(_SIZE).decode()
            position, digest, check = line.split()
            if zlib.crc32(f"{position} {digest} ".encode()) != int(check, 16):
                return None
            return Head(position=int(position), hash=digest)
        except (OSError, ValueError):
            return None
