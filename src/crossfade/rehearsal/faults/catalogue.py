"""The kinds of faults there are."""

from dataclasses import dataclass
from enum import Enum

from crossfade.model.terms import Phase
from crossfade.rehearsal.faults.places import Turn


class Unit(Enum):
    """What an amount counts, and how it may be written."""

    PERCENT = "percent"
    SECONDS = "seconds"
    COUNT = "count"
    WORD = "word"

    @property
    def suffixes(self) -> tuple[str, ...]:
        return {Unit.PERCENT: ("%", ""), Unit.SECONDS: ("s", "ms")}.get(self, ("",))


class Span(Enum):
    """How long a fault lasts."""

    MOMENT = "moment"
    AMOUNT = "amount"
    PHASE = "phase"
    GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """What a fault does. `lasts` tells people how it ends.

    `phases` empty: anywhere. `needs_rows`: in replicate, not before all rows are copied. `at_points`: also at points of
    a switch. `seconds` is how long a fault of the span GIVEN lasts. `words` are the amounts there may be where they are
    words, the first by default.
    """

    name: str
    does: str
    lasts: str
    unit: Unit | None = None
    default: float | None = None
    most: float = 100.0
    example: str = ""
    phases: tuple[Phase | Turn, ...] = ()
    needs_rows: bool = False
    at_points: bool = True
    span: Span = Span.MOMENT
    seconds: float = 0.0
    words: tuple[str, ...] = ()


def _for_a_while(name: str, does: str, *, then: str = "", seconds: float = 5.0) -> FaultKind:
    """A fault whose amount says how long it lasts."""
    return FaultKind(
        name=name,
        does=does,
        lasts=f"its amount; then {then}" if then else "its amount",
        unit=Unit.SECONDS,
        default=seconds,
        most=600.0,
        example=f"{seconds:g}s",
        span=Span.AMOUNT,
    )


_MODERN_ONLY = (Phase.CANARY, Phase.CUTOVER, Phase.BAKE)
_BEFORE_BAKE = (Phase.VALIDATE, Phase.SHADOW, Phase.CANARY, Phase.CUTOVER)
_LOADED = (*_BEFORE_BAKE, Phase.BAKE, Turn.FAIL_BACK)
_WHILE = "until its phase ends or the migration turns back"

_OF_SERVERS = (
    FaultKind(
        name="canary-latency",
        does="the modern servers take longer, by that part of their service time",
        lasts=_WHILE,
        unit=Unit.PERCENT,
        default=50.0,
        most=10_000.0,
        example="20%",
        phases=_MODERN_ONLY,
        at_points=False,
        span=Span.PHASE,
    ),
    FaultKind(
        name="canary-errors",
        does="the modern servers answer that part of all requests with status 500",
        lasts=_WHILE,
        unit=Unit.PERCENT,
        default=1.0,
        example="1%",
        phases=_MODERN_ONLY,
        at_points=False,
        span=Span.PHASE,
    ),
    FaultKind(
        name="canary-conversion",
        does="the modern servers decline that part of all transfers with status 409, which is no error",
        lasts=_WHILE,
        unit=Unit.PERCENT,
        default=5.0,
        example="5%",
        phases=_MODERN_ONLY,
        at_points=False,
        span=Span.PHASE,
    ),
    FaultKind(
        name="wrong-answers",
        does="the modern servers answer that part of all reads with one digit wrong",
        lasts=_WHILE,
        unit=Unit.PERCENT,
        default=1.0,
        example="1%",
        phases=(Phase.SHADOW,),
        at_points=False,
        span=Span.PHASE,
    ),
    FaultKind(
        name="shadow-hang",
        does="the modern servers leave every shadow request unanswered",
        lasts="its amount",
        unit=Unit.SECONDS,
        default=5.0,
        most=600.0,
        example="5s",
        phases=(Phase.SHADOW,),
        at_points=False,
        span=Span.AMOUNT,
    ),
    FaultKind(
        name="common-errors",
        does="legacy and modern servers alike answer that part of all requests with status 500",
        lasts="20 seconds: an incident that is nobody's fault",
        unit=Unit.PERCENT,
        default=5.0,
        example="5%",
        at_points=False,
        span=Span.GIVEN,
        seconds=20.0,
    ),
    FaultKind(
        name="app-kill",
        does="one server of each side is killed and starts again",
        lasts="a moment",
    ),
    FaultKind(
        name="router-kill",
        does="the router is killed and starts again",
        lasts="a moment",
    ),
)

_OF_THE_ENGINE = (
    FaultKind(
        name="controller-kill",
        does="the engine is killed (SIGKILL); the rehearsal starts it again",
        lasts="a moment",
    ),
    FaultKind(
        name="operator-pulls",
        does="a second person says `rollback`; or `hold`, and `release` 5 s later; or `override` for a minute",
        lasts="a moment; a hold 5 s",
        unit=Unit.WORD,
        example="hold",
        span=Span.GIVEN,
        seconds=5.0,
        words=("rollback", "hold", "override"),
    ),
)

_OF_THE_CLOCK = (
    FaultKind(
        name="clock-jump",
        does="the clock of the engine's machine jumps an hour, and the engine is killed and starts again",
        lasts="for good",
        unit=Unit.WORD,
        example="back",
        words=("forward", "back"),
    ),
)

_OF_THE_WAN = (
    FaultKind(
        name="wan-latency",
        does="the round trip between the sites takes that much longer",
        lasts="until its phase ends",
        unit=Unit.SECONDS,
        default=0.02,
        most=10.0,
        example="20ms",
        span=Span.PHASE,
    ),
    _for_a_while("wan-cut", "nothing passes between the sites"),
    _for_a_while(
        "vpn-down",
        "the primary path between the sites is down: connections break, traffic takes the backup, and back again",
        seconds=20.0,
    ),
)

_OF_THE_DATABASES = (
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
    _for_a_while(
        "disk-full",
        "no file of the primary's PostgreSQL can grow: it fails with SQLSTATE 53100",
        then="there is room again",
    ),
    _for_a_while(
        "source-disk-full",
        "no file of the source's PostgreSQL can grow",
        then="there is room again",
    ),
    _for_a_while(
        "target-disk-full",
        "no file of the target's PostgreSQL can grow",
        then="there is room again",
    ),
    _for_a_while(
        "long-transaction",
        "a transaction of the application's role holds a write lock on the primary",
        then="it commits",
    ),
    _for_a_while(
        "hot-table",
        "a user's two sessions change one and the same row, about 300 times a second",
        seconds=10.0,
    ),
    FaultKind(
        name="slot-dropped",
        does="the replication slot on the primary is dropped",
        lasts="for good",
        phases=_LOADED,
    ),
    FaultKind(
        name="slot-remade",
        does="the replication slot on the primary is dropped, 20 rows are changed, and it is made anew under its name",
        lasts="for good",
        phases=_LOADED,
    ),
    FaultKind(
        name="fence-bypass",
        does="a superuser adds a row on the side that takes no writes",
        lasts="for good",
        phases=_LOADED,
    ),
    FaultKind(
        name="wrong-rows",
        does="so many rows are changed on the target, behind replication's back",
        lasts="for good",
        unit=Unit.COUNT,
        default=3.0,
        most=100.0,
        example="3",
        phases=(Phase.REPLICATE, *_BEFORE_BAKE),
        needs_rows=True,
    ),
)

CATALOGUE: dict[str, FaultKind] = {
    kind.name: kind for kind in (*_OF_SERVERS, *_OF_THE_ENGINE, *_OF_THE_CLOCK, *_OF_THE_WAN, *_OF_THE_DATABASES)
}
