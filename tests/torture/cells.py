"""The matrix: every kind of fault at every place where it can strike."""

from dataclasses import dataclass

from crossfade.database.port import SWITCH_POINTS
from crossfade.model.file import MigrationFile
from crossfade.rehearsal.faults.catalogue import CATALOGUE
from crossfade.rehearsal.faults.grammar import FaultsInvalid, parse_faults
from crossfade.rehearsal.faults.places import Turn

FAULTS = (
    "app-kill",
    "router-kill",
    "controller-kill",
    "clock-jump=forward",
    "clock-jump=back",
    "operator-pulls=hold",
    "operator-pulls=override",
    "operator-pulls=rollback",
    "common-errors=1%",
    "canary-errors=20%",
    "canary-latency=500%",
    "canary-conversion=60%",
    "wrong-answers=20%",
    "shadow-hang=2s",
    "wan-latency=20ms",
    "wan-cut=2s",
    "wan-cut=25s",
    "vpn-down=3s",
    "source-db-kill",
    "target-db-kill",
    "disk-full=1s",
    "source-disk-full=1s",
    "target-disk-full=1s",
    "long-transaction=3s",
    "hot-table=5s",
    "slot-dropped",
    "slot-remade",
    "fence-bypass",
    "wrong-rows=3",
)
"""What strikes. A cut of the WAN is there twice: short, and longer than every timeout."""

OF_SHADOW = frozenset({"wrong-answers=20%", "shadow-hang=2s"})
"""What can only be seen where answers are compared: a rehearsal with one of them compares them, no other does."""

LADDER = (20.0, 40.0, 60.0, 80.0, 90.0, 100.0)
_SHARES = tuple(f"canary:{share:g}" for share in LADDER)
_THERE = tuple(f"cutover:{point}" for point in SWITCH_POINTS)
_BACK = tuple(f"{Turn.FAIL_BACK}:{point}" for point in SWITCH_POINTS)
_BEFORE_THE_SWITCH = ("prepare", "replicate", "validate", "shadow", "canary", *_SHARES, "cutover")
PLACES = (*_BEFORE_THE_SWITCH, *_THERE, "bake", "finalize", str(Turn.ROLL_BACK), str(Turn.FAIL_BACK), *_BACK)
"""In the order in which a migration comes to them; to `roll_back` and `fail_back` only when it is turned."""


_FENCED = tuple(f"{way}:{point}" for way in ("cutover", Turn.FAIL_BACK) for point in SWITCH_POINTS[2:-1])
REFUSED = {"long-transaction=3s": frozenset(_FENCED)}
"""What the fence itself keeps from being brought about: no transaction of the application begins to write behind it."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One fault at one place, as `--fault` takes it."""

    fault: str
    place: str

    def __str__(self) -> str:
        return f"{self.fault}@{self.place}"

    @property
    def order(self) -> int:
        return PLACES.index(self.place)


def every_cell() -> tuple[Cell, ...]:
    """Those that the catalogue allows, and the fence."""
    return tuple(cell for fault in FAULTS for place in PLACES if _can_be(cell := Cell(fault, place)))


def kinds_left_out() -> set[str]:
    return set(CATALOGUE) - {fault.partition("=")[0] for fault in FAULTS}


def shares_of(file: MigrationFile) -> tuple[float, ...]:
    return tuple(step.percent for step in file.traffic.steps())


def _can_be(cell: Cell) -> bool:
    if cell.place in REFUSED.get(cell.fault, ()):
        return False
    try:
        parse_faults([str(cell)], LADDER)
    except FaultsInvalid:
        return False
    return True
