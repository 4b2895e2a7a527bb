"""Sheets of a workbook (XLSX, XLSM), read row by row by openpyxl after `workbook_guard` has looked at it."""

import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

import openpyxl

from crossfade.planning.inventory.sheets import Line, Progress, Sheet, SourceUnusable
from crossfade.planning.inventory.workbook_guard import MOST_ROWS, Found, examine

UNCALCULATED = "#FORMULA!"
_DAMAGED = "save the workbook again with a spreadsheet program, or export it as CSV"
# all that openpyxl raises on damaged workbooks, as found by mutating them: it has no error of its own
_FAULTS = (
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, ArithmeticError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, EOFError, SyntaxError, RuntimeError),
)
_GUARD_SHARE = 0.3  # of the time that a workbook takes
_EVERY = 500

Row = tuple[object, ...]


def workbook_sheets(source: str, file: IO[bytes], report: Progress, size: int) -> Iterator[Sheet]:
    """Its sheets, in their order. Raises SourceUnusable for what is damaged, encrypted, or made to do harm.

    `file` must stay open until the last sheet was read.
    """
    seen = 0

    def watched(done: int) -> None:
        nonlocal seen
        seen += done
        report(source, int(min(seen, size) * _GUARD_SHARE), size)

    with _translated(), zipfile.ZipFile(file) as archive:
        found = examine(archive, watched)
    file.seek(0)
    with _translated(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which nothing here depends on
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    rows = max(1, sum(part.rows for part in found.values()))
    before = 0
    sheets: list[Any] = list(workbook.worksheets)
    for sheet in sheets:
        part = found.get(sheet._worksheet_path.lstrip("/"), Found())  # noqa: SLF001 - no public name of a sheet's part

        def told(row: int, before: int = before) -> None:
            share = _GUARD_SHARE + (1 - _GUARD_SHARE) * (before + row) / rows
            report(source, int(size * min(1.0, share)), size)

        yield Sheet(source=source, name=sheet.title, lines=_lines(sheet, part, told))
        before += part.rows
    workbook.close()


def _lines(sheet: Any, part: Found, told: Callable[[int], None]) -> Iterator[Line]:
    sheet.reset_dimensions()  # what a sheet declares may be a million columns wide
    rows = enumerate(sheet.iter_rows(values_only=True, max_row=MOST_ROWS), start=1)
    last = 0
    while True:
        batch, fault = _batch(rows)
        for number, row in batch:
            last = number
            yield Line(number, tuple(_texts(number, row, part)))
        if fault is not None:
            with _translated(last or None):
                raise fault
        if not batch:
            return
        told(last)


def _batch(rows: Iterator[tuple[int, Row]]) -> tuple[list[tuple[int, Row]], Exception | None]:
    """The next rows that have cells, and what broke after them. Gaps of a million rows are passed over within here."""
    batch: list[tuple[int, Row]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a date outside the calendar comes as #VALUE!
        try:
            for number, row in rows:
                if row:
                    batch.append((number, row))
                    if len(batch) == _EVERY:
                        break
        except _FAULTS as fault:
            return batch, fault
    return batch, None


def _texts(number: int, row: Row, part: Found) -> Iterator[str]:
    for column, value in enumerate(row, start=1):
        if value is None:
            yield UNCALCULATED if part.uncalculated and (number, column) in part.uncalculated else ""
        else:
            yield _text(value)


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value)
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case float():
            told = repr(value)
            return f"{told}0" if len(told.partition(".")[2]) == 3 else told  # or 4.096 might be four thousand
        case datetime() | date() | time():
            return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g} s"
        case _:
            return str(value)


class _translated:  # noqa: N801 - reads as a statement
    """What libraries raise for damaged files, as SourceUnusable."""

    def __init__(self, row: int | None = None) -> None:
        self._row = row

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if isinstance(fault, _FAULTS) and not isinstance(fault, SourceUnusable):
            after = "" if self._row is None else f" after row {self._row}"
            why = str(fault).splitlines()[0][:120] if str(fault) else type(fault).__name__
            raise SourceUnusable(f"is damaged{after}: {why}", _DAMAGED, self._row) from None
