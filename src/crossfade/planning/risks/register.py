"""What the register says of each risk, and of all together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from crossfade.planning.risks.rating import Rating

TOP = 5
"""Source: REQUIREMENTS C3."""


class Origin(StrEnum):
    """Where a risk comes from."""

    FOUND = "found"
    """The inventory or the migration file shows it."""
    COMMON = "common"
    """Most migrations have it; nothing that was read shows it."""
    TOLD = "told"
    """People added it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows a risk, and where: `migration.yaml:61 database.size`, or file, sheet and row of an inventory."""

    says: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What tells that the risk has come about: a limit of the migration file, by its path, and its value there."""

    says: str
    path: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigation:
    """What makes the risk smaller. `in_plan`: the migration file has it, at `path`, and the residual rating counts it.

    One that people told by words alone has no path, and the residual rating does not count it.
    """

    says: str
    path: str = ""
    in_plan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Somebody closed or overrode a risk: who, when, why."""

    by: str
    on: date
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A row of the register. `rating` is without mitigations, `residual` with those that the plan contains.

    `owner_assumed`: nobody was named, so it is whoever owns the migration. A closed one counts in no sum.
    """

    id: str
    title: str
    category: str
    rating: Rating
    residual: Rating
    owner: str
    origin: Origin
    owner_assumed: bool = False
    evidence: tuple[Evidence, ...] = ()
    mitigations: tuple[Mitigation, ...] = ()
    contingencies: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    overridden: Word | None = None
    closed: Word | None = None

    @property
    def weight(self) -> tuple[int, int, str]:
        """Sorts the heaviest first; equal ones by name, so that the same input gives the same register."""
        return (-self.rating.tenths, -self.residual.tenths, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLongerFound:
    """A word about a risk that nothing shows any more: kept until people take it out."""

    id: str
    what: str
    word: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Scores of some risks added up, before and after the mitigations that the plan contains."""

    name: str
    count: int
    score: float
    residual: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All risks, the heaviest first, closed ones last."""

    migration: str
    on: date
    risks: tuple[Risk, ...]
    no_longer_found: tuple[NoLongerFound, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Risk, ...]:
        return tuple(risk for risk in self.risks if risk.closed is None)

    @property
    def closed(self) -> tuple[Risk, ...]:
        return tuple(risk for risk in self.risks if risk.closed is not None)

    @property
    def top(self) -> tuple[Risk, ...]:
        """The five that weigh most after what the plan already does about them."""
        return tuple(sorted(self.open, key=lambda risk: (-risk.residual.tenths, *risk.weight))[:TOP])

    def overall(self) -> Sum:
        """Of all open risks: a sum, so that adding a risk never makes the register look better."""
        return _sum("overall", self.open)

    def by_category(self) -> tuple[Sum, ...]:
        """Of each category's open risks, the heaviest category first."""
        names = sorted({risk.category for risk in self.open})
        sums = [_sum(name, (risk for risk in self.open if risk.category == name)) for name in names]
        return tuple(sorted(sums, key=lambda one: (-one.score, one.name)))


def _sum(name: str, risks: Iterable[Risk]) -> Sum:
    tenths = [(risk.rating.tenths, risk.residual.tenths) for risk in risks]
    return Sum(
        name=name,
        count=len(tenths),
        score=sum(before for before, _ in tenths) / 10,
        residual=sum(after for _, after in tenths) / 10,
        highest=max((before for before, _ in tenths), default=0) / 10,
    )
