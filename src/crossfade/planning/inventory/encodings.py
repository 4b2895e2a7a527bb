"""Which encoding a text has: its mark, or UTF-8 if all of it is, or Windows-1252, which is then said."""

import codecs
from typing import BinaryIO

from crossfade.planning.inventory.sheets import SourceUnusable

_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FALLBACK = "cp1252"


def encoding_of(stream: BinaryIO) -> str:
    """The encoding of a whole stream, which is read to its end. Raises SourceUnusable for what is no text."""
    head = stream.read(_CHUNK)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is None and b"\0" in head[:4096]:
        marked = _without_mark(head[:4096])
    found = marked or "utf-8"
    decoder = codecs.getincrementaldecoder(found)("strict")
    chunk = head
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = stream.read(_CHUNK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        if marked and marked != "utf-8-sig":
            raise SourceUnusable(f"is no {marked.upper()} text although it begins so", "save it as UTF-8") from None
        return FALLBACK
    return found


def _without_mark(head: bytes) -> str:
    """UTF-16 without a mark has a null in every other byte of what is mostly ASCII."""
    for encoding in ("utf-16-le", "utf-16-be"):
        letters = head[: len(head) // 2 * 2].decode(encoding, "replace")
        plain = sum(letter.isascii() and (letter.isprintable() or letter in "\t\r\n") for letter in letters)
        if plain > 0.7 * len(letters):
            return encoding
    raise SourceUnusable("is no text, no workbook and no archive", "export it as CSV or XLSX")
