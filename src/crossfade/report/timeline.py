"""The story of a migration in chapters: one for each phase and each way back, each decision with its evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crossfade.journal.port import Entry
from crossfade.model import events as happened
from crossfade.report.telling import Importance, Told, narrate, tell
from crossfade.report.units import say_clock, say_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One entry as the page shows it. `when` is time since the start; `by` is empty for the engine."""

    position: int
    when: str
    by: str
    importance: Importance
    matter: str
    text: str
    evidence: tuple[tuple[str, str], ...]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """`moments` are what a person should read, `record` is everything."""

    ident: str
    title: str
    began: str
    took: str
    retreat: bool
    moments: tuple[Moment, ...]
    record: tuple[Moment, ...]


@dataclass(slots=True, kw_only=True)
class _Draft:
    title: str
    retreat: bool
    entries: list[Entry] = field(default_factory=list)


def chapters(entries: Sequence[Entry]) -> tuple[Chapter, ...]:
    """All entries, each in exactly one chapter, in their order."""
    told = {entry.position: said for entry, said in narrate(entries)}
    drafts = [draft for draft in _drafts(entries) if draft.entries]
    ends = [draft.entries[0].at for draft in drafts[1:]] + [entries[-1].at] if drafts else []
    return tuple(
        _chapter(draft, number, end, entries[0].at, told)
        for number, (draft, end) in enumerate(zip(drafts, ends, strict=True), start=1)
    )


def _drafts(entries: Sequence[Entry]) -> Iterator[_Draft]:
    draft = _Draft(title="plan", retreat=False)
    for entry in entries:
        match entry.event:
            case happened.PhaseEntered():
                yield draft
                draft = _Draft(title=str(entry.event.phase), retreat=False)
            case happened.RollbackDecided():
                yield draft
                draft = _Draft(title="roll back", retreat=True)
            case happened.FailBackDecided():
                yield draft
                draft = _Draft(title="fail back", retreat=True)
        draft.entries.append(entry)
    yield draft


def _chapter(draft: _Draft, number: int, end: datetime, start: datetime, told: dict[int, Told]) -> Chapter:
    began = draft.entries[0].at
    read = [entry for entry in draft.entries if entry.position in told and _matters(told[entry.position])]
    return Chapter(
        ident=f"chapter-{number}",
        title=draft.title,
        began=say_clock(began - start),
        took=say_duration(end - began),
        retreat=draft.retreat,
        moments=tuple(_moment(entry, start) for entry in read),
        record=tuple(_moment(entry, start) for entry in draft.entries),
    )


def _matters(told: Told) -> bool:
    return told.importance is not Importance.DETAIL


def _moment(entry: Entry, start: datetime) -> Moment:
    told = tell(entry)
    return Moment(
        position=entry.position,
        when=say_clock(entry.at - start),
        by="" if entry.by == "engine" else entry.by,
        importance=told.importance,
        matter=str(told.topic),
        text=told.bare,
        evidence=told.evidence,
        hash=entry.hash[:12],
    )
