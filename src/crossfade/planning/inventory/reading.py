"""From sources to an inventory: every file, every sheet, every row, and an account of what became of each."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.collection import MOST_PROBLEMS_A_SHEET, Collection
from crossfade.planning.inventory.delimited import text_sheet
from crossfade.planning.inventory.headings import known_by, places_of
from crossfade.planning.inventory.layout import Layout, Row, RowPassedOver, RowRefused, Values
from crossfade.planning.inventory.layouts import plain
from crossfade.planning.inventory.merging import merged
from crossfade.planning.inventory.recognition import formats, headings_known, layout_of
from crossfade.planning.inventory.records import Account, Inventory, Place, Problem
from crossfade.planning.inventory.sheets import Line, Progress, Sheet, SourceUnusable, ignored
from crossfade.planning.inventory.sources import SourceFile, files_of
from crossfade.planning.inventory.spreadsheet_safe import unsafe
from crossfade.planning.inventory.workbook import UNCALCULATED, workbook_sheets

HEADER_WITHIN = 30  # rows that say something; titles stand above a header, not more than this
_CORRECT = "correct the cell; the rest of the row was read"


def read_inventory(paths: Sequence[Path], report: Progress = ignored) -> Inventory:
    """What all of `paths` tell, merged: files, folders and ZIP archives.

    Never raises for what is in them: whatever is not understood stands in `problems`. `report` is told of progress.
    """
    collection = Collection()

    def complain(source: str, fault: SourceUnusable) -> None:
        collection.problems.append(_problem_of(source, "", fault))

    for file in files_of(list(paths), complain):
        _read_file(file, collection, report)
    return merged(collection)


def _read_file(file: SourceFile, collection: Collection, report: Progress) -> None:
    try:
        if file.is_workbook:
            with file.opened() as opened:
                for sheet in workbook_sheets(file.name, opened, report, file.size):
                    _SheetReading(sheet, collection).read()
        else:
            sheet = text_sheet(file.name, file.opened, headings_known, report, file.size)
            _SheetReading(sheet, collection).read()
    except SourceUnusable as fault:
        collection.problems.append(_problem_of(file.name, "", fault))
    except OSError as fault:
        why = SourceUnusable("cannot be read", f"the system says: {fault.strerror or fault}")
        collection.problems.append(_problem_of(file.name, "", why))
    report(file.name, file.size, file.size)


def _problem_of(source: str, sheet: str, fault: SourceUnusable) -> Problem:
    return Problem(source=source, sheet=sheet, row=fault.row, column="", problem=fault.problem, remedy=fault.remedy)


class _SheetReading:
    """One sheet: its header is looked for, then each row is read by the layout that the header belongs to."""

    def __init__(self, sheet: Sheet, collection: Collection) -> None:
        self._sheet, self._collection = sheet, collection
        self._rows = self._accepted = self._refused = self._passed_over = self._blank = 0
        self._why: dict[str, None] = {}
        self._unlisted = 0
        self._listed = 0
        self._layout: Layout | None = None
        self._headings: tuple[str, ...] = ()
        self._places: Mapping[str, int] = {}

    def read(self) -> None:
        try:
            self._read()
        except SourceUnusable as fault:
            self._collection.problems.append(_problem_of(self._sheet.source, self._sheet.name, fault))
        self._close()

    def _read(self) -> None:
        lines = self._sheet.lines
        before = self._until_header(lines)
        if self._layout is None:
            for line in chain(before, lines):
                self._count_unknown(line)
            if self._rows:
                self._complain(
                    None,
                    "",
                    f"is of no known format: no row among the first {HEADER_WITHIN} is a header that is known",
                    f"known are {', '.join(formats())}; or write our plain CSV (docs/inventory.md)",
                )
            elif not self._sheet.name:
                self._complain(None, "", "holds nothing but blank lines", "export it again")
            return
        for line in before:
            self._rows += 1
            self._pass_over("before the header") if not line.fault else self._refuse(
                line.number, line.fault, line.remedy
            )
        for line in lines:
            self._line(line)

    def _until_header(self, lines: Iterator[Line]) -> list[Line]:
        """Lines before the header, blank ones left out. Without a header: all that were looked at, and no layout."""
        before: list[Line] = []
        for line in lines:
            if not line.fault and not any(cell.strip() for cell in line.cells):
                self._blank += 1
                continue
            found = layout_of([cell.strip() for cell in line.cells])
            if found is not None:
                self._layout, self._headings = found[0], tuple(cell.strip() for cell in line.cells)
                self._places = places_of(self._headings)
                self._check_headings(line.number)
                return before
            before.append(line)
            if len(before) >= HEADER_WITHIN:
                break
        return before

    def _check_headings(self, row: int) -> None:
        """Columns that would be lost: those that stand twice, and in our own CSV those that are not known."""
        assert self._layout is not None
        for place, heading in enumerate(self._headings):
            name = known_by(heading)
            if name in self._layout.by_name and self._places[name] != place:
                self._complain(row, heading, "stands twice; the first one was read", "remove one of them, or rename it")
            elif name and name not in self._layout.by_name and self._layout.format == plain.FORMAT:
                near = get_close_matches(name, self._layout.by_name, 1)
                meant = f"; {self._layout.by_name[near[0]].field} is" if near else ""
                self._complain(row, heading, "is no column of our CSV", f"remove it{meant} (docs/inventory.md has all)")

    def _count_unknown(self, line: Line) -> None:
        if line.fault or any(cell.strip() for cell in line.cells):
            self._rows += 1
            self._refused += 1
        else:
            self._blank += 1

    def _line(self, line: Line) -> None:
        assert self._layout is not None
        if line.fault:
            self._rows += 1
            self._refuse(line.number, line.fault, line.remedy)
            return
        told = tuple(cell.strip() for cell in line.cells)
        if not any(told):
            self._blank += 1
            return
        self._rows += 1
        if self._layout.why_unused:
            self._pass_over(self._layout.why_unused)
        elif told[: len(self._headings)] == self._headings:
            self._pass_over("the header once more")
        elif any(told[len(self._headings) :]) and self._sheet.is_ragged:
            more = len(told) - len(self._headings)
            self._refuse(
                line.number, f"has {more} more cells than the header", "put quotes around cells with separators in them"
            )
        else:
            self._row(line.number, told)

    def _row(self, number: int, told: tuple[str, ...]) -> None:
        assert self._layout is not None
        if any(told[len(self._headings) :]):
            self._complain(
                number, "", "has cells beyond the header, which were not read", "give these columns a heading"
            )
        place = Place(source=self._sheet.source, sheet=self._sheet.name, row=number)
        values, texts = self._values(number, told)
        try:
            fragments = list(self._layout.build(self._layout, Row(place=place, values=values, cells=texts)))
        except RowRefused as refused:
            self._refuse(number, refused.problem, refused.remedy, refused.column)
            return
        except RowPassedOver as passed:
            if passed.listens:
                self._collection.listened.add(passed.listens)
            self._pass_over(passed.reason)
            return
        self._accepted += 1
        for position, fragment in enumerate(fragments):
            self._collection.add(fragment, is_derived=position > 0)

    def _values(self, number: int, told: tuple[str, ...]) -> tuple[Values, dict[str, str]]:
        """What the cells say; of a cell that cannot be read, a problem."""
        assert self._layout is not None
        is_plain = self._layout.format == plain.FORMAT
        values: Values = {}
        texts: dict[str, str] = {}
        for name, place in self._places.items():
            cell = told[place] if place < len(told) else ""
            if not cell or (not is_plain and cells.is_nothing(cell)):
                continue
            texts[name] = cell
            column = self._layout.by_name.get(name)
            if column is None:
                continue
            try:
                value = column.read(unsafe(_sound(cell)) if is_plain else _sound(cell))
                if value not in ("", ()):
                    values.setdefault(column.field, value)
            except cells.Unreadable as fault:
                self._complain(number, self._headings[place], str(fault), _CORRECT)
        return values, texts

    def _refuse(self, row: int, problem: str, remedy: str, column: str = "") -> None:
        self._refused += 1
        self._complain(row, column, problem, remedy)

    def _pass_over(self, why: str) -> None:
        self._passed_over += 1
        self._why[why] = None

    def _complain(self, row: int | None, column: str, problem: str, remedy: str) -> None:
        if self._listed >= MOST_PROBLEMS_A_SHEET:
            self._unlisted += 1
            return
        self._listed += 1
        told = Problem(
            source=self._sheet.source, sheet=self._sheet.name, row=row, column=column, problem=problem, remedy=remedy
        )
        self._collection.problems.append(told)

    def _close(self) -> None:
        if self._unlisted:
            told = f"has {self._unlisted:,} more problems, which are counted and not listed"
            self._listed = 0
            self._complain(None, "", told, "correct those that are listed, and read it again")
        if self._rows == self._blank == 0 and self._layout is None:
            return
        by_name = self._layout.by_name if self._layout else {}
        unread = [heading for heading in self._headings if heading and known_by(heading) not in by_name]
        used = self._layout is not None and not self._layout.why_unused
        account = Account(
            source=self._sheet.source,
            sheet=self._sheet.name,
            format=self._layout.format if self._layout else "",
            rows=self._rows,
            accepted=self._accepted,
            refused=self._refused,
            passed_over=self._passed_over,
            blank=self._blank,
            why_passed_over=tuple(self._why),
            columns_not_read=tuple(unread) if used else (),
            notes=self._sheet.notes,
        )
        self._collection.accounts.append(account)


def _sound(cell: str) -> str:
    """The cell, unless a spreadsheet left an error in it."""
    if cell == UNCALCULATED:
        raise cells.Unreadable("holds a formula that was never calculated")
    if cell in cells.ERRORS:
        raise cells.Unreadable(f"holds the error {cell}")
    return cell
