"""Statements as documents on the shares: whole or absent, durable before anybody is told of them."""

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from .settings import Side

_DOCUMENT = re.compile(r"\d{4}/\d{2}/\d+\.txt")


class DocumentMissing(Exception):
    """No share holds the document with the right checksum."""


class Shares:
    """A share on each side. Files lie at statements/<yyyy>/<mm>/<id>.txt; names that begin with a dot are not done."""

    def __init__(self, folders: Mapping[Side, Path]) -> None:
        self._folders = folders

    def readable(self, side: Side) -> bool:
        return os.access(self._folders[side], os.R_OK | os.X_OK)

    async def write(self, side: Side, document: str, body: str) -> None:
        """Writing the same document again changes nothing. Raises OSError: the share is away or full."""
        await asyncio.to_thread(self._write, self._folders[side], self._place(side, document), body.encode())

    async def read(self, first: Side, document: str, checksum: str) -> tuple[bytes, Side]:
        """From the share of `first`, else the other one's: it may not have been copied yet. Raises DocumentMissing."""
        for side in (first, first.other):
            with contextlib.suppress(OSError):
                body = self._place(side, document).read_bytes()  # a page of text: quicker than a thread
                if hashlib.sha256(body).hexdigest() == checksum:
                    return body, side
        raise DocumentMissing(document)

    def _place(self, side: Side, document: str) -> Path:
        if _DOCUMENT.fullmatch(document) is None:
            raise DocumentMissing(document)
        return self._folders[side] / "statements" / document

    @staticmethod
    def _write(share: Path, place: Path, body: bytes) -> None:
        if not share.is_dir():  # a share that is not mounted must not be made up: nobody would find the document
            raise NotADirectoryError(share)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name, too, survives a power cut
        finally:
            os.close(folder)
