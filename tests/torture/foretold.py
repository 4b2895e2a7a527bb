"""How a migration must end that is struck by one cell of the matrix: written down before it is tried.

Where more than one end stands, it depends on a moment that nobody can choose; each of them is safe.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from crossfade.model.terms import Outcome
from tests.torture.cells import FAULTS, PLACES, Cell, every_cell

Ends = frozenset[Outcome]

_C, _R, _F, _H = (
    frozenset({end}) for end in (Outcome.COMPLETED, Outcome.ROLLED_BACK, Outcome.FAILED_BACK, Outcome.HALTED)
)
_OPEN = ("drained", "taken_over", "advanced", "guarded")
_BEFORE = ("prepare", "replicate", "validate", "shadow", "canary", "canary:*", "cutover")

_ELSE: dict[str, tuple[tuple[str, Ends], ...]] = {
    "operator-pulls=rollback": (
        *((place, _R) for place in _BEFORE),
        ("cutover:preparing", _R | _F),
        ("cutover:fencing", _R | _F),
        ("cutover:*", _F),
        ("bake", _F),
        ("finalize", _F | _C),
    ),
    "canary-errors=20%": (("canary", _R), ("canary:*", _R), ("cutover", _R | _F), ("bake", _F)),
    "canary-latency=500%": (("canary", _R), ("canary:100", _C), ("canary:*", _R)),
    "wrong-answers=20%": (("shadow", _R),),
    "wan-latency=20ms": (("canary", _C | _R), ("canary:100", _C), ("canary:*", _C | _R)),  # seen as the canary's own
    "wan-cut=2s": (("canary", _C | _R), ("canary:100", _C), ("canary:*", _C | _R)),
    "source-db-kill": (("prepare", _C | _H),),  # preflight says at once what it cannot reach: nothing is built yet
    "target-db-kill": (("prepare", _C | _H),),
    "disk-full=1s": (("prepare", _C | _H),),  # where preflight tries the fence
    "source-disk-full=1s": (("prepare", _C | _H),),
    "wan-cut=25s": (
        ("prepare", _C | _H),
        *((place, _C | _R) for place in _BEFORE[1:]),
        ("cutover:opened", _C | _F),
        ("cutover:*", _C | _R | _F),
        ("bake", _C | _F),
        ("finalize", _C | _F | _H),
    ),
    "slot-dropped": (
        *((place, _R) for place in _BEFORE),
        *((f"cutover:{point}", _C | _R | _F) for point in ("marked", *_OPEN)),  # the marker may be under way already
        ("cutover:opened", _H),
        ("cutover:*", _R),
        ("bake", _H),
        *((f"fail_back:{point}", _F | _H) for point in ("marked", *_OPEN, "opened")),
        ("fail_back*", _H),
    ),
    "slot-remade": (
        *((place, _R) for place in _BEFORE),
        ("cutover:opened", _H),
        ("cutover:*", _R | _F | _H),
        ("bake", _H),
        ("fail_back", _H),
        *((f"fail_back:{point}", _H) for point in ("preparing", "fencing", "fenced", "locked")),
        ("fail_back*", _F | _H),
    ),
    "fence-bypass": (
        *((place, _R) for place in _BEFORE),
        ("cutover:opened", _H),
        ("cutover:guarded", _C | _R | _F | _H),
        ("cutover:*", _R | _F | _H),
        ("bake", _H),
        ("fail_back*", _F | _H),
    ),
    "wrong-rows=3": (
        *((place, _R) for place in _BEFORE),
        ("cutover:guarded", _C | _R | _H),  # from here on what is changed on the target goes back like any other row
        ("cutover:opened", _C | _H),
        ("cutover:*", _R | _H),
    ),
}


def foretold(cell: Cell) -> Ends:
    """The ends that are right. What is not in the table changes nothing: it ends as it would have."""
    found = next((ends for place, ends in _ELSE.get(cell.fault, ()) if fnmatchcase(cell.place, place)), None)
    return _as_ever(cell.place) if found is None else found


def changes_nothing(cell: Cell) -> bool:
    return foretold(cell) == _as_ever(cell.place)


def table() -> str:
    """For people: each fault, and by its places how it ends."""
    lines = ["| fault | at | ends |", "| --- | --- | --- |"]
    cells = every_cell()
    for fault in FAULTS:
        mine = [cell for cell in cells if cell.fault == fault]
        usual = [cell for cell in mine if changes_nothing(cell)]
        grouped: dict[Ends, list[str]] = {}
        for cell in mine:
            if cell not in usual:
                grouped.setdefault(foretold(cell), []).append(cell.place)
        rows = [(_places(places), _ends(ends)) for ends, places in grouped.items()]
        if usual:
            rows.append(
                ("everywhere" if len(usual) == len(mine) else _places([c.place for c in usual]), "as without it")
            )
        lines += [f"| {f'`{fault}`' if n == 0 else ''} | {at} | {ends} |" for n, (at, ends) in enumerate(rows)]
    return "\n".join(lines) + "\n"


def _as_ever(place: str) -> Ends:
    if place.startswith("fail_back"):
        return _F
    return _R if place == "roll_back" else _C


def _places(places: Sequence[str]) -> str:
    """Runs of neighbours are told by their ends."""
    runs: list[list[str]] = []
    for place in places:
        if runs and PLACES.index(place) == PLACES.index(runs[-1][-1]) + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"`{run[0]}`" if len(run) == 1 else f"`{run[0]}` … `{run[-1]}`" for run in runs)


def _ends(ends: Ends) -> str:
    return " or ".join(f"`{end}`" for end in Outcome if end in ends)
