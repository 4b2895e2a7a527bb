"""A folder of records: read as a whole, so that every fault of it is told together."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from crossfade.planning.decisions.page import Page
from crossfade.planning.decisions.reading import RecordFault, record_of
from crossfade.planning.decisions.record import FieldName, Record, Status

MAX_BYTES = 1_000_000
_NAME = re.compile(r"(?P<number>\d{4,6})-[^/]+\.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What a folder holds. `pages` are all records that could be read as text, by file name, in order of their names.

    `records` are those without a fault of their own; `faults` are all, those between records included.
    """

    pages: Mapping[str, Page] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    faults: tuple[RecordFault, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """The file of each number; of numbers given twice, the first."""
        return {record.number: name for name, record in reversed(list(self.records.items()))}

    @property
    def next_number(self) -> int:
        """One above every number that a file's name or title gives."""
        told = [int(found[0]) for name in self.pages if (found := re.match(r"\d{1,6}", name))]
        return max([*told, *(record.number for record in self.records.values())], default=0) + 1


def read_records(folder: Path) -> Records:
    """Every record of `folder`: Markdown whose name begins with a digit. Raises OSError when it cannot be listed."""
    texts: dict[str, str] = {}
    faults: list[RecordFault] = []
    passed_over = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".md" or not path.name[:1].isdigit() or not path.is_file():
            passed_over.append(path.name)
            continue
        text = _text(path)
        if isinstance(text, RecordFault):
            faults.append(text)
        else:
            texts[path.name] = text
    found = records_of(texts)
    return Records(
        pages=found.pages,
        records=found.records,
        faults=tuple(sorted((*faults, *found.faults))),
        passed_over=tuple(passed_over),
    )


def _text(path: Path) -> str | RecordFault:
    def fault(problem: str, remedy: str) -> RecordFault:
        return RecordFault(file=path.name, line=0, problem=problem, remedy=remedy)

    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as refusal:
        return fault("cannot be read", f"the system says: {refusal.strerror or refusal}")
    if len(content) > MAX_BYTES:
        return fault("is larger than 1 MB", "keep what is not the decision in files of its own, and link to them")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return fault("is not UTF-8 text", "save it as UTF-8")


def records_of(texts: Mapping[str, str]) -> Records:
    """The records that `texts` tell, by file name, with every fault of each and between them."""
    pages = {name: Page.of(text) for name, text in sorted(texts.items())}
    records: dict[str, Record] = {}
    faults: list[RecordFault] = []
    for name, page in pages.items():
        faults += _named(name, page)
        found = record_of(page, name)
        if isinstance(found, tuple):
            faults += found
        else:
            records[name] = found
    numbers = _numbers(pages)
    faults += _twice(numbers)
    for name, page in pages.items():
        faults += _dangling(name, page, numbers)
    between = _Between(pages, records)
    faults += [*between.one_way(), *between.statuses(), *between.dates(), *between.circles()]
    return Records(pages=pages, records=records, faults=tuple(sorted(set(faults))))


def _numbers(pages: Mapping[str, Page]) -> dict[int, list[str]]:
    """The files that each number is the title's of; faulty records count, so that links to them do not dangle."""
    numbers: dict[int, list[str]] = defaultdict(list)
    for name, page in pages.items():
        if title := page.title():
            numbers[int(title[1]["number"])].append(name)
    return numbers


def _named(name: str, page: Page) -> Iterator[RecordFault]:
    found, title = _NAME.fullmatch(name), page.title()
    if found is None:
        yield RecordFault(
            file=name, line=0, problem="is not named as records are", remedy="name it such as 0003-what-was-decided.md"
        )
    elif title and int(found["number"]) != int(title[1]["number"]):
        yield RecordFault(
            file=name,
            line=title[0] + 1,
            problem=f"has the number {int(title[1]['number'])} in its title and {int(found['number'])} in its name",
            remedy="give both the same",
        )


def _twice(numbers: Mapping[int, list[str]]) -> Iterator[RecordFault]:
    for number, files in numbers.items():
        for name in files[1:]:
            yield RecordFault(
                file=name,
                line=1,
                problem=f"has the number {number}, as {files[0]} has",
                remedy="give the later one the next free number, in its title and its name",
            )


def _dangling(name: str, page: Page, numbers: Mapping[int, list[str]]) -> Iterator[RecordFault]:
    for known in (FieldName.SUPERSEDES, FieldName.SUPERSEDED_BY):
        at = page.field(known)
        for link in page.links(known):
            line = at[0] + 1 if at else 1
            files = numbers.get(link.number, [])
            target = link.target.partition("#")[0].removeprefix("./")
            if not files:
                problem = f"{known} names {link.number}, which is no record here"
                yield RecordFault(file=name, line=line, problem=problem, remedy="correct the number, or add the record")
            elif name in files:
                problem = f"{known} names the record itself"
                yield RecordFault(file=name, line=line, problem=problem, remedy="name the other record")
            elif target and target not in files:
                problem = f"the link of {link.number} leads to another file"
                yield RecordFault(file=name, line=line, problem=problem, remedy=f"let it lead to {files[0]}")


class _Between:
    """What only shows when records are held against each other."""

    def __init__(self, pages: Mapping[str, Page], records: Mapping[str, Record]) -> None:
        self._pages = pages
        self._by_number = {record.number: (name, record) for name, record in reversed(list(records.items()))}

    def _fault(self, name: str, known: FieldName, problem: str, remedy: str) -> RecordFault:
        at = self._pages[name].field(known)
        return RecordFault(file=name, line=at[0] + 1 if at else 1, problem=problem, remedy=remedy)

    def one_way(self) -> Iterator[RecordFault]:
        """A link that only one of two records knows."""
        for number, (name, record) in self._by_number.items():
            for other in record.supersedes:
                if other in self._by_number and number not in self._by_number[other][1].superseded_by:
                    yield self._fault(
                        name,
                        FieldName.SUPERSEDES,
                        f"supersedes {other}, which does not say so",
                        f"add - Superseded by: [{number}]({name}) to {self._by_number[other][0]}",
                    )
            for other in record.superseded_by:
                if other in self._by_number and number not in self._by_number[other][1].supersedes:
                    yield self._fault(
                        name,
                        FieldName.SUPERSEDED_BY,
                        f"is superseded by {other}, which does not say so",
                        f"add - Supersedes: [{number}]({name}) to {self._by_number[other][0]}",
                    )

    def statuses(self) -> Iterator[RecordFault]:
        for name, record in self._by_number.values():
            if record.superseded_by and record.status is not Status.SUPERSEDED:
                yield self._fault(
                    name,
                    FieldName.STATUS,
                    f"is {record.status} although another record supersedes it",
                    "set its status to superseded",
                )
            elif record.status is Status.SUPERSEDED and not record.superseded_by:
                yield self._fault(
                    name,
                    FieldName.STATUS,
                    "is superseded and does not say by which record",
                    "add a line such as - Superseded by: [4](0004-title.md)",
                )

    def dates(self) -> Iterator[RecordFault]:
        for name, record in self._by_number.values():
            for other in record.supersedes:
                if other in self._by_number and self._by_number[other][1].decided > record.decided:
                    day = self._by_number[other][1].decided
                    yield self._fault(
                        name, FieldName.DATE, f"supersedes {other}, which is of a later date, {day}", "correct the date"
                    )

    def circles(self) -> Iterator[RecordFault]:
        """Records that supersede each other in a circle; each circle is told once, at its lowest number."""
        done: set[int] = set()
        for start in sorted(self._by_number):
            way: list[int] = []
            for circle in self._circles_from(start, way, done):
                name = self._by_number[circle[0]][0]
                told = ", which supersedes ".join(str(number) for _, number in pairwise(circle))
                yield self._fault(
                    name, FieldName.SUPERSEDES, f"supersedes {told}: a circle", "remove the link that is not meant"
                )

    def _circles_from(self, start: int, way: list[int], done: set[int]) -> Iterator[list[int]]:
        """Depth first without recursion: a folder may hold a chain of any length."""
        waiting: list[tuple[int, int]] = [(start, 0)]
        while waiting:
            number, depth = waiting.pop()
            del way[depth:]
            if number in way:
                circle = way[way.index(number) :]
                lowest = circle.index(min(circle))
                yield [*circle[lowest:], *circle[:lowest], circle[lowest]]
                continue
            if number in done:
                continue
            done.add(number)
            way.append(number)
            after = self._by_number[number][1].supersedes
            waiting += [(other, depth + 1) for other in after if other in self._by_number and other != number]
