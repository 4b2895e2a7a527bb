"""How much a risk weighs: impact times probability, on the scales that the whole register shares."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

IMPACTS = {1: "minor", 2: "moderate", 3: "major", 4: "critical"}
"""Source: REQUIREMENTS C3."""


class Probability(IntEnum):
    """In tenths, so that scores are exact. Source: REQUIREMENTS C3."""

    RARE = 1
    POSSIBLE = 3
    LIKELY = 6
    EXPECTED = 9

    @property
    def value_as_float(self) -> float:
        return self.value / 10


STEPS = tuple(Probability)


class Level(StrEnum):
    """What a score asks for: low is watched, medium has an owner, high a mitigation, critical ends the plan."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


_FROM_TENTHS = ((24, Level.CRITICAL), (12, Level.HIGH), (6, Level.MEDIUM), (0, Level.LOW))
"""Least score of each level, in tenths: 2.4 is a critical impact that is likely, 1.2 one that is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """Impact 1 (minor) to 4 (critical), and a probability."""

    impact: int
    probability: Probability

    @property
    def tenths(self) -> int:
        """The score in tenths: 1 to 36."""
        return self.impact * self.probability

    @property
    def score(self) -> float:
        """Impact times probability: 0.1 to 3.6."""
        return self.tenths / 10

    @property
    def level(self) -> Level:
        return next(level for least, level in _FROM_TENTHS if self.tenths >= least)

    def lowered(self, *, impact: int = 0, probability: int = 0) -> "Rating":
        """So many steps down on each scale, and never below its end."""
        place = STEPS.index(self.probability)
        return Rating(impact=max(1, self.impact - impact), probability=STEPS[max(0, place - probability)])
