"""`KIND[=AMOUNT]@WHERE`: how a fault is named on the command line.

WHERE is a phase (`canary`), a share of the ladder (`canary:25`) or a point of the switch (`cutover:fenced`).
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from crossfade.database.port import SWITCH_POINTS
from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Phase
from crossfade.rehearsal.faults.catalogue import CATALOGUE, FaultKind, Unit

_FORM = re.compile(r"(?P<kind>[a-z-]+)(=(?P<amount>[^@]+))?@(?P<phase>[a-z]+)(:(?P<place>[a-z0-9.]+))?")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(%|ms|s)?")


class FaultsInvalid(CrossfadeError):
    """Faults that cannot be injected; all of them, each with its reason."""

    remedy = "`crossfade faults` lists the kinds, their amounts and places."

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """`share`: strikes when the canary has reached that many percent. `point`: strikes there within the switch."""

    phase: Phase
    share: float | None = None
    point: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`amount` is percent, milliseconds, seconds or a count, as the kind says; None where the kind has none."""

    kind: FaultKind
    where: Where
    amount: float | None
    text: str

    @property
    def duration(self) -> timedelta | None:
        """How long a fault lasts whose amount is a time."""
        return timedelta(seconds=self.amount) if self.kind.unit is Unit.SECONDS and self.amount is not None else None


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
    amount = _amount(kind, form["amount"])
    if isinstance(amount, str):
        return amount
    where = _where(form["phase"], form["place"], shares)
    if isinstance(where, str):
        return where
    if kind.phases and where.phase not in kind.phases:
        return f"{kind.name} strikes in {' or '.join(kind.phases)} only"
    if where.point is not None and not kind.at_points:
        return f"{kind.name} cannot strike at a point of the switch"
    return Fault(kind=kind, where=where, amount=amount, text=text)


def _amount(kind: FaultKind, text: str | None) -> float | str | None:
    if kind.unit is None:
        return None if text is None else f"{kind.name} has no amount"
    if text is None:
        return kind.default
    found = _NUMBER.fullmatch(text)
    if found is None or (found[2] or "") not in kind.unit.suffixes:
        return f"{text!r} is no amount of {kind.name}; write it like {kind.example}"
    value = float(found[1]) * (0.001 if kind.unit is Unit.SECONDS and found[2] == "ms" else 1.0)
    if not 0 < value <= kind.most:
        return f"the amount of {kind.name} lies between 0 and {kind.most:g}"
    return value


def _where(phase_text: str, place: str | None, shares: Sequence[float]) -> Where | str:
    try:
        phase = Phase(phase_text)
    except ValueError:
        return f"{phase_text!r} is no phase; one of {', '.join(Phase)}"
    if place is None:
        return Where(phase=phase)
    if place in SWITCH_POINTS:
        if phase is not Phase.CUTOVER:
            return "points of the switch belong to cutover"
        return Where(phase=phase, point=place)
    try:
        share = float(place)
    except ValueError:
        return f"{place!r} is neither a share nor a point of the switch ({', '.join(SWITCH_POINTS)})"
    if phase is not Phase.CANARY or share not in shares:
        return f"the ladder has no share {share:g}; it has {', '.join(f'{s:g}' for s in shares)}, all in canary"
    return Where(phase=phase, share=share)
