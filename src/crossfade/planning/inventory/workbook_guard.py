"""What a workbook must be before it is read: within the limits of spreadsheets, with no DOCTYPE, and no bomb.

Each part is read once by expat, which keeps nothing. On the way it finds what the reader could not tell: formulas that
were never calculated, and the number of rows. Source of the limits: Microsoft, 'Excel specifications and limits'.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from crossfade.planning.inventory.sheets import SourceUnusable

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
MOST_PART_BYTES, MOST_BYTES = 1 << 29, 1 << 30
MOST_RATIO, RATIO_FROM_BYTES = 200, 1 << 25
MOST_PARTS = 10_000
MOST_OTHER_ELEMENTS = 2_000_000
MOST_STRING_BYTES = 1 << 27
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_OF_SHEETS = {f"{space} {local}": local for space in _MAIN for local in ("c", "v", "f", "row", "is", "t", "si")}
_CHUNK = 1 << 18
_DAMAGED = "save the workbook again with a spreadsheet program, or export it as CSV"


@dataclass(slots=True)
class Found:
    """What a part holds. `uncalculated`: cells (row, column from 1) with a formula and no value."""

    rows: int = 0
    uncalculated: set[tuple[int, int]] = field(default_factory=set)


def check_sizes(parts: list[zipfile.ZipInfo], *, most: int = MOST_BYTES, most_part: int = MOST_PART_BYTES) -> None:
    """Raises SourceUnusable for archives that are encrypted, or far larger within than without."""
    if len(parts) > MOST_PARTS:
        raise SourceUnusable(f"has {len(parts):,} parts", f"at most {MOST_PARTS:,} are read")
    if any(part.flag_bits & 1 for part in parts):
        raise SourceUnusable("is encrypted", "save it without a password")
    largest, together = max((p.file_size for p in parts), default=0), sum(p.file_size for p in parts)
    if largest > most_part or together > most:
        raise SourceUnusable(
            f"holds {together / 2**20:,.0f} MiB when unpacked", "export fewer sheets, or CSV files, which are streamed"
        )
    for part in parts:
        if part.file_size > RATIO_FROM_BYTES and part.file_size > MOST_RATIO * max(part.compress_size, 1):
            raise SourceUnusable(
                f"is packed {part.file_size // max(part.compress_size, 1):,} to 1, as bombs are", _DAMAGED
            )


def examine(archive: zipfile.ZipFile, watched: Callable[[int], None]) -> dict[str, Found]:
    """Every XML part, by name. `watched` is told packed bytes as parts are done. Raises SourceUnusable."""
    parts = archive.infolist()
    check_sizes(parts)
    found = {}
    for part in parts:
        if not part.filename.endswith((".xml", ".rels")):
            continue
        if "sharedStrings" in part.filename and part.file_size > MOST_STRING_BYTES:
            raise SourceUnusable(
                "has more than 128 MiB of texts", "export fewer sheets, or CSV files, which are streamed"
            )
        with archive.open(part) as stream:
            found[part.filename] = _Examination(part.filename).of(stream)
        watched(part.compress_size)
    return found


class _Examination:
    """One part, element by element. Rows and cells must come in order, or the reader would lose some."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found = Found()
        self._row = self._column = self._in_row = self._others = 0
        self._has_formula = self._has_value = False
        self._columns: dict[str, int] = {}

    def of(self, stream: IO[bytes]) -> Found:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._element
        try:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError as fault:
            raise SourceUnusable(f"has a part {self._name} that is no XML: {fault}", _DAMAGED) from None
        self._cell_ends()
        return self._found

    def _doctype(self, *_: object) -> None:
        raise SourceUnusable(f"has a part {self._name} that declares entities", _DAMAGED)

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        local = _OF_SHEETS.get(name)
        if local is not None:
            self._known(local, attributes)
        else:
            self._others += 1
            if self._others > MOST_OTHER_ELEMENTS:
                raise SourceUnusable(f"has a part {self._name} that is no sheet of a spreadsheet", _DAMAGED)

    def _known(self, local: str, attributes: dict[str, str]) -> None:
        if local == "c":
            self._cell_ends()
            self._cell(attributes.get("r", ""))
        elif local == "v":
            self._has_value = True
        elif local == "f":
            self._has_formula = True
        elif local == "row":
            self._cell_ends()
            self._row_begins(attributes.get("r", ""))
        self._in_row += 1
        if local != "row" and self._found.rows and self._in_row > 4 * MOST_COLUMNS:
            raise SourceUnusable(f"has a row {self._row} with more cells than spreadsheets have columns", _DAMAGED)

    def _row_begins(self, told: str) -> None:
        number = self._row + 1 if not told else int(told) if told.isascii() and told.isdigit() and len(told) < 9 else 0
        if not self._row < number <= MOST_ROWS:
            raise SourceUnusable(f"has a row {told[:20]!r} out of order or beyond {MOST_ROWS:,}", _DAMAGED)
        self._row, self._column, self._in_row = number, 0, 0
        self._found.rows += 1

    def _cell(self, told: str) -> None:
        letters = told.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            column = self._column + 1 if not told else _column_of(letters)
            if told:
                self._columns[letters] = column
        if not self._column < column <= MOST_COLUMNS or (told and told[len(letters) :] != str(self._row)):
            raise SourceUnusable(f"has a cell {told[:20]!r} out of order or beyond its row", _DAMAGED)
        self._column = column

    def _cell_ends(self) -> None:
        if self._has_formula and not self._has_value:
            self._found.uncalculated.add((self._row, self._column))
            if len(self._found.uncalculated) > MOST_OTHER_ELEMENTS:
                raise SourceUnusable("was never calculated", "open it in a spreadsheet program and save it")
        self._has_formula = self._has_value = False


def _column_of(letters: str) -> int:
    """A is 1; 0 for what is no column."""
    if not 0 < len(letters) <= 3 or not letters.isascii() or not letters.isalpha() or not letters.isupper():
        return 0
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
