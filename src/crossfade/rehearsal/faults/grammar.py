"""`KIND[=AMOUNT]@WHERE`: how a fault is named on the command line.

WHERE is a phase (`canary`), a share of the ladder (`canary:25`), a point of the switch (`cutover:fenced`), a decision
to go back (`roll_back`, `fail_back`) or a point of the switch back (`fail_back:fenced`).
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from crossfade.model.ends import WayBackBuilt
from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EndReached
from crossfade.model.terms import Phase
from crossfade.rehearsal.faults.catalogue import CATALOGUE, FaultKind, Span, Unit
from crossfade.rehearsal.faults.places import Where, parse_where

_FORM = re.compile(r"(?P<kind>[a-z-]+)(=(?P<amount>[^@]+))?@(?P<phase>[a-z_]+)(:(?P<place>[a-z0-9._]+))?")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(%|ms|s)?")


class FaultsInvalid(CrossfadeError):
    """Faults that cannot be injected; all of them, each with its reason."""

    remedy = "`crossfade faults` lists the kinds, their amounts and places."

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`amount` is percent, seconds or a count, as the kind says; None where it has none, or where it is `word`."""

    kind: FaultKind
    where: Where
    amount: float | None
    text: str
    word: str = ""

    def is_due(self, entry: Entry) -> bool:
        """Whether `entry` says that its place is reached."""
        if self.kind.needs_rows and self.where.phase is Phase.REPLICATE:
            return isinstance(entry.event, EndReached) and isinstance(entry.event.end, WayBackBuilt)
        return self.where.is_reached(entry)

    @property
    def lasts(self) -> timedelta | None:
        """How long; None when it is over at once, or lasts until its phase ends."""
        if self.kind.span is Span.AMOUNT:
            return timedelta(seconds=self.amount or 0.0)
        return timedelta(seconds=self.kind.seconds) if self.kind.span is Span.GIVEN else None


def parse_faults(texts: Sequence[str], shares: Sequence[float]) -> tuple[Fault, ...]:
    """All faults, or `FaultsInvalid` with everything that is wrong. `shares` are those of the ladder, in percent."""
    faults: list[Fault] = []
    problems: list[str] = []
    for text in texts:
        found = _parse(text, shares)
        if isinstance(found, str):
            problems.append(f"{text!r}: {found}")
        else:
            faults.append(found)
    if problems:
        raise FaultsInvalid(problems)
    return tuple(faults)


def _parse(text: str, shares: Sequence[float]) -> Fault | str:
    form = _FORM.fullmatch(text)
    if form is None:
        return "write KIND[=AMOUNT]@WHERE, such as canary-latency=20%@canary:5"
    kind = CATALOGUE.get(form["kind"])
    if kind is None:
        near = difflib.get_close_matches(form["kind"], CATALOGUE, n=1)
        return f"there is no fault {form['kind']!r}" + (f"; did you mean {near[0]}?" if near else "")
    word = (form["amount"] or kind.words[0]) if kind.unit is Unit.WORD else ""
    amount = _word(kind, word) if word else _amount(kind, form["amount"])
    where = amount if isinstance(amount, str) else _where(kind, form["phase"], form["place"], shares)
    if isinstance(amount, str) or isinstance(where, str):
        return str(where)
    return Fault(kind=kind, where=where, amount=amount, text=text, word=word)


def _where(kind: FaultKind, phase: str, place: str | None, shares: Sequence[float]) -> Where | str:
    where = parse_where(phase, place, shares)
    if isinstance(where, str):
        return where
    if kind.phases and where.phase not in kind.phases:
        return f"{kind.name} strikes in {' or '.join(kind.phases)} only"
    if where.point is not None and not kind.at_points:
        return f"{kind.name} cannot strike at a point of the switch"
    return where


def _word(kind: FaultKind, word: str) -> str | None:
    return None if word in kind.words else f"{word!r} is no amount of {kind.name}; one of {', '.join(kind.words)}"


def _amount(kind: FaultKind, text: str | None) -> float | str | None:
    if kind.unit is None:
        return None if text is None else f"{kind.name} has no amount"
    if text is None:
        return kind.default
    found = _NUMBER.fullmatch(text)
    if found is None or (found[2] or "") not in kind.unit.suffixes:
        return f"{text!r} is no amount of {kind.name}; write it like {kind.example}"
    value = float(found[1]) * (0.001 if kind.unit is Unit.SECONDS and found[2] == "ms" else 1.0)
    if kind.unit is Unit.COUNT and value != int(value):
        return f"the amount of {kind.name} is a whole number"
    if not 0 < value <= kind.most:
        return f"the amount of {kind.name} lies between 0 and {kind.most:g}"
    return value
