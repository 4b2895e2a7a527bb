"""From a page to the record that it tells, or every fault of it."""

from dataclasses import dataclass
from datetime import date

from crossfade.planning.decisions.page import Page
from crossfade.planning.decisions.record import NEEDED_WHEN_ACCEPTED, FieldName, Record, Status

_KNOWN = {name.lower(): name for name in FieldName}
_LINKS = (FieldName.SUPERSEDES, FieldName.SUPERSEDED_BY)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RecordFault:
    """Something wrong with a record: its file, the line from 1 (0: the whole file), and what to do."""

    file: str
    line: int
    problem: str
    remedy: str


def record_of(page: Page, file: str) -> Record | tuple[RecordFault, ...]:
    """What the page says, or every fault of it by itself; what its links lead to is looked at with the folder."""
    return _Reading(page, file).read()


class _Reading:
    def __init__(self, page: Page, file: str) -> None:
        self._page, self._file = page, file
        self._faults: list[RecordFault] = []
        self._told: dict[FieldName, tuple[int, str]] = {}
        self._more: list[tuple[str, str]] = []

    def read(self) -> Record | tuple[RecordFault, ...]:
        title = self._page.title()
        if title is None:
            self._add(1, "does not begin with a numbered title", "begin with a line such as # 3. What was decided")
        self._fields()
        status, day, review = self._status(), self._day(FieldName.DATE), self._day(FieldName.REVIEW)
        if day and review and review < day:
            line = self._told[FieldName.REVIEW][0]
            self._add(line, f"is to be looked at again on {review}, before its date {day}", "set a later day")
        for name in _LINKS:
            line, value = self._told.get(name, (0, ""))
            if value and not self._page.links(name):
                self._add(line, f"{name} names no record", "write numbers, such as [2](0002-title.md), or remove it")
        if status is Status.ACCEPTED:
            self._complete()
        if self._faults or title is None or status is None or day is None:
            return tuple(self._faults)
        deciders = self._told.get(FieldName.DECIDERS, (0, ""))[1].split(",")
        supersedes, superseded_by = (tuple(link.number for link in self._page.links(name)) for name in _LINKS)
        return Record(
            number=int(title[1]["number"]),
            title=title[1]["title"],
            status=status,
            decided=day,
            deciders=tuple(part.strip() for part in deciders if part.strip()),
            review=review,
            supersedes=supersedes,
            superseded_by=superseded_by,
            more=tuple(self._more),
            opening=self._page.opening(),
            sections=self._page.sections(),
        )

    def _add(self, line: int, problem: str, remedy: str) -> None:
        self._faults.append(RecordFault(file=self._file, line=line, problem=problem, remedy=remedy))

    def _fields(self) -> None:
        for place, name, value in self._page.fields():
            known = _KNOWN.get(name.lower())
            if known is None:
                self._more.append((name, value))
            elif known in self._told:
                self._add(place + 1, f"gives {known} twice, first in line {self._told[known][0]}", "keep one of them")
            else:
                self._told[known] = (place + 1, value)

    def _status(self) -> Status | None:
        line, value = self._told.get(FieldName.STATUS, (1, ""))
        if value.lower() in list(Status):
            return Status(value.lower())
        known = ", ".join(Status)
        if value:
            self._add(line, "has a status that is not known", f"write one of {known}")
        else:
            self._add(line, "has no status", f"add a line such as - Status: proposed; known are {known}")
        return None

    def _day(self, name: FieldName) -> date | None:
        line, value = self._told.get(name, (1, ""))
        if not value:
            if name is FieldName.DATE:
                self._add(line, "has no date", "add a line such as - Date: 2027-01-11")
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self._add(line, f"{name} is no date", "write year, month and day, such as 2027-01-11")
            return None

    def _complete(self) -> None:
        """Nobody can be held to a decision that leaves these open."""
        line = self._told[FieldName.STATUS][0]
        said = {section.heading for section in self._page.sections() if section.body.strip()}
        missing = [f"section {name}" for name in NEEDED_WHEN_ACCEPTED if name not in said]
        if not self._told.get(FieldName.REVIEW, (0, ""))[1]:
            missing.append(f"field {FieldName.REVIEW}")
        if missing:
            self._add(
                line,
                f"is accepted without {', '.join(missing)}",
                "fill them in, or set the status back to proposed",
            )
