"""Which cells go into one rehearsal: at most one that may change how it ends, and others where it comes by."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossfade.model.terms import Outcome
from tests.torture.cells import OF_SHADOW, PLACES, Cell
from tests.torture.foretold import Ends, changes_nothing, foretold

_MOST_RIDERS = 12
_MOST_IN_A_SWITCH = 5  # each may make the switch be tried again, and the plan tries twelve times
_DEAFENING = {"operator-pulls=override"}  # for a minute the judge is not heard, nor what was found of answers
_FOUND_BY_COMPARING = ("canary-", "wrong-answers")
_WRITES = {"slot-remade", "fence-bypass", "wrong-rows=3"}  # for which a full disk has no room either
_TURNED = {"roll_back": "operator-pulls=rollback@canary:40", "fail_back": "operator-pulls=rollback@bake"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`cells` strike in one rehearsal, the leader (if any) being the one that says how it ends. `besides` turns it."""

    cells: tuple[Cell, ...]
    besides: str | None
    ends: Ends

    @property
    def compares_answers(self) -> bool:
        return any(cell.fault in OF_SHADOW for cell in self.cells)

    @property
    def faults(self) -> tuple[str, ...]:
        return (*map(str, self.cells), *((self.besides,) if self.besides else ()))


def alone(cell: Cell) -> Trial:
    turned = _turned(cell.place)
    return Trial(cells=(cell,), besides=turned, ends=foretold(cell))


def trial_of(words: Sequence[str]) -> Trial:
    """The trial of cells that are written as `--fault` takes them, the leader first."""
    cells = [Cell(fault, place) for fault, _, place in (word.rpartition("@") for word in words)]
    return _Packed(cells).sealed()


def together(cells: Iterable[Cell], seed: int) -> tuple[Trial, ...]:
    """All `cells`, in as few rehearsals as may be. No two strike at one place."""
    draw = random.Random(seed)
    mixed = sorted(cells)
    draw.shuffle(mixed)
    trials = [_Packed([cell]) for cell in mixed if not changes_nothing(cell)]
    for rider in sorted((c for c in mixed if changes_nothing(c)), key=lambda c: -c.order):
        fitting = [trial for trial in trials if trial.takes(rider)]
        if fitting:
            min(fitting, key=lambda trial: len(trial.cells)).cells.append(rider)
        else:
            trials.append(_Packed([rider]))
    packed = [trial.sealed() for trial in trials]
    draw.shuffle(packed)
    return tuple(packed)


class _Packed:
    def __init__(self, cells: list[Cell]) -> None:
        self.cells = cells

    @property
    def leader(self) -> Cell:
        return self.cells[0]

    @property
    def ends(self) -> Ends:
        return foretold(self.leader)

    def takes(self, rider: Cell) -> bool:
        """Whether it surely comes to the rider's place, and nothing else strikes there."""
        if len(self.cells) > _MOST_RIDERS or any(cell.place == rider.place for cell in self.cells):
            return False
        if rider.fault in _DEAFENING and self.leader.fault.startswith(_FOUND_BY_COMPARING):
            return False
        if "disk-full" in rider.fault and self.leader.fault in _WRITES:
            return False
        switch, point, _ = rider.place.partition(":")
        if point and sum(cell.place.startswith(f"{switch}:") for cell in self.cells) >= _MOST_IN_A_SWITCH:
            return False
        return self._comes_to(rider.place)

    def _comes_to(self, place: str) -> bool:
        leading = self.leader.place
        if place.startswith("fail_back") or place == "roll_back":
            wanted = Outcome.FAILED_BACK if place.startswith("fail_back") else Outcome.ROLLED_BACK
            if changes_nothing(self.leader):
                return _way(leading) == _way(place)
            return self.ends == {wanted} and not (_way(leading) and PLACES.index(leading) < PLACES.index(place))
        if _way(leading):
            turned = (_turned(leading) or "").partition("@")[2]
            return PLACES.index(place) < PLACES.index(turned)
        if changes_nothing(self.leader):
            return True
        return PLACES.index(place) < PLACES.index(leading)

    def sealed(self) -> Trial:
        return Trial(cells=tuple(self.cells), besides=_turned(self.leader.place), ends=self.ends)


def _way(place: str) -> str:
    """The way back to which a place belongs, if any."""
    return next((way for way in _TURNED if place.startswith(way)), "")


def _turned(place: str) -> str | None:
    return _TURNED.get(_way(place))


def drawn(cells: Sequence[Cell], count: int, seed: int) -> tuple[Cell, ...]:
    return tuple(random.Random(seed).sample(list(cells), k=min(count, len(cells))))
