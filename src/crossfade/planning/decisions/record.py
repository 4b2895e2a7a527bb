"""What a decision record says, and its text: plain Markdown, as MADR lays it out.

Source: MADR 4.0, markdown any decision records.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """Where a decision stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEPRECATED = "deprecated"
    SUPERSEDED = "superseded"


class FieldName(StrEnum):
    """Lines at a record's head that mean something; others are people's own and stay as they are."""

    STATUS = "Status"
    DATE = "Date"
    DECIDERS = "Deciders"
    REVIEW = "Review by"
    SUPERSEDES = "Supersedes"
    SUPERSEDED_BY = "Superseded by"


NEEDED_WHEN_ACCEPTED = ("Options", "Decision", "Trade-offs", "Success criteria")
"""Sections without which nobody can tell later what was decided, and why. Source: REQUIREMENTS C5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of the second level, and everything below it as it stands in the file."""

    heading: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A decision record. `more` are fields that people added; `opening` is what stands before the first section."""

    number: int
    title: str
    status: Status
    decided: date
    deciders: tuple[str, ...] = ()
    review: date | None = None
    supersedes: tuple[int, ...] = ()
    superseded_by: tuple[int, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    opening: str = ""
    sections: tuple[Section, ...] = ()

    @property
    def file_name(self) -> str:
        """`0003-how-the-ledger-moves.md`."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.title.replace("&lt;", " ").lower()).strip("-")[:60].strip("-")
        return f"{self.number:04}-{slug or 'decision'}.md"

    def section(self, heading: str) -> str:
        """What stands below the heading, without blank lines around it; empty when there is none."""
        return next((one.body.strip() for one in self.sections if one.heading == heading), "")


def written(record: Record, names: dict[int, str] | None = None) -> str:
    """The record's text. `names` are the file names of other records, which links lead to."""
    fields = [
        (FieldName.STATUS, record.status.value),
        (FieldName.DATE, record.decided.isoformat()),
        (FieldName.DECIDERS, ", ".join(record.deciders)),
        (FieldName.REVIEW, record.review.isoformat() if record.review else ""),
        (FieldName.SUPERSEDES, links(record.supersedes, names or {})),
        (FieldName.SUPERSEDED_BY, links(record.superseded_by, names or {})),
        *record.more,
    ]
    head = "".join(f"- {name}: {value}\n" for name, value in fields if value or (name, value) in record.more)
    body = "".join(f"## {section.heading}\n{section.body}" for section in record.sections)
    return f"# {record.number}. {record.title}\n\n{head}{record.opening}{body}"


def links(numbers: tuple[int, ...], names: dict[int, str]) -> str:
    """The numbers as links where the file's name is known, else by themselves."""
    return ", ".join(f"[{n}]({names[n]})" if n in names else str(n) for n in numbers)
