"""What a collector of shadow answers counted, and what was made of it. Paths and numbers, never a value."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCounts:
    """In how many pairs a field differed.

    Of pairs whose control was asked twice: `both` times in the candidate and in the second answer, `candidate_only` and
    `noise_only` times in one. `single` times in the candidate where the control was asked once.
    """

    both: int = 0
    candidate_only: int = 0
    noise_only: int = 0
    single: int = 0

    @property
    def differ(self) -> int:
        """Pairs in which the candidate differed from the control."""
        return self.both + self.candidate_only + self.single

    @property
    def noise(self) -> int:
        """Pairs in which the control differed from itself."""
        return self.both + self.noise_only


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCount:
    """The counts of the field at `path`."""

    path: str
    counts: FieldCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReading:
    """All that a collector has counted since it began; under another `boot` it began anew.

    `pairs` were compared, `matched` of them without a difference, `repeated` of them with a second answer of the
    control. `unanswered`: only the candidate did not answer in time; `control_unanswered`: the control did not.
    `apart`: both answered, from different databases. `dropped`: too many were in flight. `unsafe`: neither by method
    nor by route free of side effects, and not asked. `refused_by_guard` and `refused_by_database` are writes that a
    shadow request attempted. `latency_ratio` is the candidate's time over the control's, with the ends of its
    interval; None with fewer than two pairs. `in_flight` pairs are under way.
    """

    boot: str
    pairs: int = 0
    matched: int = 0
    repeated: int = 0
    fields: tuple[FieldCount, ...] = ()
    unanswered: int = 0
    control_unanswered: int = 0
    apart: int = 0
    dropped: int = 0
    unsafe: int = 0
    refused_by_guard: int = 0
    refused_by_database: int = 0
    in_flight: int = 0
    latency_ratio: float | None = None
    latency_low: float | None = None
    latency_high: float | None = None


class FieldFinding(StrEnum):
    """What a field's differences are. `TOLERATED`: a regression in no more pairs than the file lets pass."""

    REGRESSION = "regression"
    UNCLEAR = "unclear"
    TOLERATED = "tolerated"
    NOISE = "noise"


class Agreement(StrEnum):
    """What all fields together say. `UNCLEAR` holds: more pairs will tell."""

    AGREES = "agrees"
    UNCLEAR = "unclear"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldJudged:
    """One field at a look: the pairs in which it differed, those in which the control differed from itself."""

    path: str
    differ: int
    noise: int
    finding: FieldFinding
    e_value: float
