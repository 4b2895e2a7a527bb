"""The kinds of faults there are."""

from dataclasses import dataclass
from enum import Enum

from crossfade.model.terms import Phase


class Unit(Enum):
    """What an amount counts, and how it may be written."""

    PERCENT = "percent"
    SECONDS = "seconds"

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ("%", "") if self is Unit.PERCENT else ("s", "ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """`phases` empty: anywhere. `lasts` says how it ends. `at_points`: also at points of the switch."""

    name: str
    does: str
    lasts: str
    unit: Unit | None = None
    default: float | None = None
    most: float = 100.0
    example: str = ""
    phases: tuple[Phase, ...] = ()
    at_points: bool = False


_MODERN_ONLY = (Phase.CANARY, Phase.CUTOVER, Phase.BAKE)

CATALOGUE: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind(
            name="canary-latency",
            does="the modern servers take longer, by that part of their service time",
            lasts="until its phase ends or the migration turns back",
            unit=Unit.PERCENT,
            default=50.0,
            most=10_000.0,
            example="20%",
            phases=_MODERN_ONLY,
        ),
        FaultKind(
            name="canary-errors",
            does="the modern servers answer that part of all requests with status 500",
            lasts="until its phase ends or the migration turns back",
            unit=Unit.PERCENT,
            default=1.0,
            example="1%",
            phases=_MODERN_ONLY,
        ),
        FaultKind(
            name="common-errors",
            does="legacy and modern servers alike answer that part of all requests with status 500",
            lasts="20 seconds: an incident that is nobody's fault",
            unit=Unit.PERCENT,
            default=5.0,
            example="5%",
        ),
        FaultKind(
            name="controller-kill",
            does="the engine is killed (SIGKILL); the rehearsal starts it again",
            lasts="a moment",
            at_points=True,
        ),
        FaultKind(
            name="router-kill",
            does="the router is killed and starts again",
            lasts="a moment",
        ),
        FaultKind(
            name="app-kill",
            does="one server of each side is killed and starts again",
            lasts="a moment",
        ),
        FaultKind(
            name="source-db-kill",
            does="the source's PostgreSQL is killed and starts again",
            lasts="a moment and its recovery",
        ),
        FaultKind(
            name="target-db-kill",
            does="the target's PostgreSQL is killed and starts again",
            lasts="a moment and its recovery",
        ),
        FaultKind(
            name="wan-latency",
            does="the round trip between the sites takes that much longer",
            lasts="until its phase ends",
            unit=Unit.SECONDS,
            default=0.02,
            most=10.0,
            example="20ms",
        ),
        FaultKind(
            name="wan-cut",
            does="nothing passes between the sites",
            lasts="its amount",
            unit=Unit.SECONDS,
            default=5.0,
            most=600.0,
            example="5s",
        ),
    )
}
