"""What is said of an application's readiness."""

from dataclasses import dataclass
from enum import StrEnum

from crossfade.model.file.planning import ReadinessFactor


class Level(StrEnum):
    """What the score comes to."""

    READY = "ready"
    SOME_WORK = "some work"
    MUCH_WORK = "much work"
    UNKNOWN = "not known"
    """Less than 60 % of what counts is known: any word on it would be a guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is known of one factor.

    `points`: 0 (in the way) to 100 (nothing in the way), of what is known; None where nothing is. `known`: from 0 to 1,
    the part of the application of which it is known. `remedy`: what would make the rest known, or the points more.
    """

    value: str
    reason: str
    points: float | None
    known: float
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorScore:
    """A factor as it counts: its weight beside what was found."""

    factor: ReadinessFactor
    weight: float
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """An application's score, 0 to 100, of what is known; None where nothing is.

    `lowest` and `highest`: what the score would be if all that is not known were as bad, or as good, as can be.
    `known_percent`: the part of the weights of which something is known.
    """

    application: str
    servers: int
    score: float | None
    lowest: float
    highest: float
    known_percent: float
    level: Level
    factors: tuple[FactorScore, ...]
