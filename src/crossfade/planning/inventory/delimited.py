"""Sheets from texts: CSV with whatever separator, and lists between spaces as `ss` prints them.

A line that cannot be taken apart costs itself alone: what stands behind it is read as if it were not there.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from crossfade.planning.inventory.encodings import FALLBACK, encoding_of
from crossfade.planning.inventory.layouts.connections import headings_of
from crossfade.planning.inventory.sheets import Line, Progress, Sheet

SEPARATORS = (",", ";", "\t", "|")
LONGEST_LINE = 1_000_000
_SAMPLE_LINES = 40
_EVERY = 2_000  # lines from one report of progress to the next
_QUOTE = "close every quote, and write a quote within a cell twice"

Knows = Callable[[Sequence[str]], int]
"""How many of a row's cells are headings of one known layout."""


def text_sheet(source: str, opened: Callable[[], BinaryIO], knows: Knows, report: Progress, size: int) -> Sheet:
    """The one sheet of a text. `opened` opens it from its beginning. Raises SourceUnusable for what is no text."""
    with opened() as stream:
        encoding = encoding_of(stream)
    notes = ("is not UTF-8; it was read as Windows-1252",) if encoding == FALLBACK else ()
    with _decoded(opened(), encoding) as text:
        sample = [line for line, _ in _limited(text, _SAMPLE_LINES)]
    words = next((found for line in sample if (found := headings_of(line.split()))), None)
    if words is not None:
        lines = _words(_physical(opened, encoding, source, report, size), *words)
        return Sheet(source=source, name="", lines=lines, notes=notes)
    told = sample[0].strip().strip('"') if sample else ""
    if told[:4].lower() == "sep=" and len(told) == 5:
        separator, skip = told[4], 1
    else:
        separator, skip = _separator(sample, knows), 0
    lines = _records(_physical(opened, encoding, source, report, size), separator, skip)
    return Sheet(source=source, name="", lines=lines, is_ragged=True, notes=notes)


def _decoded(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")


def _limited(text: io.TextIOWrapper, most: int | None = None) -> Iterator[tuple[str, bool]]:
    """Lines, and whether each is whole; of one that is too long its beginning. At most `most` that are not blank."""
    found = 0
    while (most is None or found < most) and (line := text.readline(LONGEST_LINE)):
        whole = len(line) < LONGEST_LINE or line.endswith(("\n", "\r"))
        rest = line
        while not rest.endswith(("\n", "\r")) and (rest := text.readline(LONGEST_LINE)):
            continue
        found += bool(line.strip())
        yield line, whole


def _physical(
    opened: Callable[[], BinaryIO], encoding: str, source: str, report: Progress, size: int
) -> Iterator[tuple[str, bool]]:
    stream = opened()
    with _decoded(stream, encoding) as text:
        for number, line in enumerate(_limited(text)):
            if number % _EVERY == 0:
                report(source, stream.tell(), size)
            yield line


def _separator(sample: Sequence[str], knows: Knows) -> str:
    """The one with which most headings are known; failing that, the one that stands most often."""

    def score(separator: str) -> tuple[int, int]:
        rows = _parsed(sample, separator)
        return max(map(knows, rows), default=0), sum(line.count(separator) for line in sample)

    return max(SEPARATORS, key=score)


def _parsed(sample: Sequence[str], separator: str) -> list[list[str]]:
    rows = []
    for line in sample:
        try:
            rows += list(csv.reader([line], delimiter=separator, skipinitialspace=True))
        except csv.Error:
            continue
    return rows


class _Feed:
    """Lines for csv's reader, which remembers those of the record being read, to give back all but the first."""

    def __init__(self, lines: Iterator[tuple[str, bool]]) -> None:
        self._lines = lines
        self._back: deque[tuple[str, bool]] = deque()
        self._record: list[tuple[str, bool]] = []
        self.number = 0
        self.is_whole = True

    def begin(self) -> int:
        """A new record begins; the number of its first line."""
        self._record, self.is_whole = [], True
        return self.number + 1

    def give_back(self) -> None:
        self._back.extendleft(reversed(self._record[1:]))
        self.number -= max(0, len(self._record) - 1)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self._record.append(line)
        self.number += 1
        self.is_whole = self.is_whole and line[1]
        return line[0]


def _records(lines: Iterator[tuple[str, bool]], separator: str, skip: int) -> Iterator[Line]:
    feed = _Feed(lines)
    for _ in range(skip):
        next(feed, None)
    reader = csv.reader(feed, delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        number = feed.begin()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            feed.give_back()
            reader = csv.reader(feed, delimiter=separator, skipinitialspace=True, strict=True)
            yield Line(number, (), f"cannot be taken apart: {fault}", _QUOTE)
            continue
        if not feed.is_whole:
            yield Line(number, (), f"is longer than {LONGEST_LINE:,} letters", "export the sheet again")
        else:
            yield Line(number, tuple(row))


def _words(lines: Iterator[tuple[str, bool]], headings: tuple[str, ...], has_header: bool) -> Iterator[Line]:
    """Cells between spaces; the last one takes what is left. The header comes first, from wherever it stands."""
    if not has_header:
        yield Line(0, headings)
    for number, (line, whole) in enumerate(lines, start=1):
        found = headings_of(line.split())
        if not whole:
            yield Line(number, (), f"is longer than {LONGEST_LINE:,} letters", "export the list again")
        elif found is not None and found[1]:
            yield Line(number, headings)
        else:
            yield Line(number, tuple(line.split(maxsplit=len(headings) - 1)))
