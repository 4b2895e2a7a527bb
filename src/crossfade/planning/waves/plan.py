"""A plan of waves: who moves when and why, what it costs on the link, and how much better any plan could be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Method(StrEnum):
    """How a plan was found."""

    EXACT = "exact"
    SEARCH = "search"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`group` numbers move groups from 1: those of one number move together. `reason` is a sentence."""

    item: str
    group: int
    wave: int
    day: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """`risk` is the mean over its servers. `teams` has the servers of each team."""

    number: int
    day: date
    items: tuple[str, ...]
    servers: int
    size_bytes: int
    teams: Mapping[str, int]
    risk: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An item that is in another window than in the former plan; None: it was not there, or is not any more."""

    item: str
    before: date | None
    after: date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`cut` is the weight of traffic between waves, of `traffic` in all; no plan has less than `least_cut`.

    Waves are numbered by their change windows: one that nobody needs has no wave. `moved` is empty without a former
    plan.
    """

    waves: tuple[Wave, ...]
    placements: tuple[Placement, ...]
    traffic: int
    cut: int
    least_cut: int
    method: Method
    moved: tuple[Moved, ...] = ()

    @property
    def gap_percent(self) -> float:
        """How much of the cut may be avoidable, at most; 0: none."""
        return 100 * (self.cut - self.least_cut) / self.cut if self.cut else 0.0
