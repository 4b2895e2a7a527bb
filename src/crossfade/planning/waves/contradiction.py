"""Wishes that contradict each other: as few of them as show it, so that giving up any one of these would help.

Source: Junker, QuickXplain: Preferred Explanations and Relaxations for Over-Constrained Problems, 2004.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from crossfade.model.errors import CrossfadeError
from crossfade.planning.waves.construction import fill
from crossfade.planning.waves.groups import contract
from crossfade.planning.waves.problem import Problem
from crossfade.planning.waves.propagation import propagate
from crossfade.planning.waves.room import Room
from crossfade.planning.waves.wishes import Wish

if TYPE_CHECKING:
    from crossfade.planning.waves.groups import Groups

EXACT_SIZE = 60_000  # places of groups in windows, and ends of order, that the exact model takes on
_WORK = 2.0  # for each question, in the solver's own units of work


class Contradictory(CrossfadeError):
    """No plan can hold these wishes together. `minimal`: any of them given up, the rest can be held."""

    def __init__(self, wishes: tuple[Wish, ...], *, minimal: bool) -> None:
        self.wishes, self.minimal = wishes, minimal
        told = "; ".join(f"{wish.says} ({wish.place})" if wish.place else wish.says for wish in wishes)
        super().__init__(f"no plan can hold {'this' if len(wishes) == 1 else 'these together'}: {told}")

    @property
    def remedy(self) -> str:  # type: ignore[override]  # the root has a plain attribute; here it depends on the wishes
        return "Give up or loosen any one of them." if self.minimal else "Give up or loosen some of them."


class NoPlanFound(CrossfadeError):
    """The search ended without a plan and without a proof that there is none."""

    remedy = "Allow larger waves, more change windows or looser dates."

    def __init__(self, unplaced: int) -> None:
        self.unplaced = unplaced
        super().__init__(
            f"no plan was found, and no proof that there is none: {unplaced:,} move groups found no window"
        )


def contradicts(problem: Problem, wishes: tuple[Wish, ...]) -> bool | None:
    """Whether no plan can hold these wishes; None: it was not found out."""
    groups = contract(problem, wishes)
    if not propagate(groups):
        return True
    room = Room(groups)
    if fill(room) and (groups.pilot_servers is None or room.inside[0]):
        return False
    if not fits_exact_model(groups):
        return None
    from crossfade.planning.waves.exact import feasible  # noqa: PLC0415 - loading the solver takes a second

    held = feasible(groups, _WORK)
    return None if held is None else not held


def fits_exact_model(groups: "Groups") -> bool:
    ties = sum(len(each) for relation in (groups.after, groups.apart) for each in relation)
    return (len(groups) + ties) * groups.windows <= EXACT_SIZE


def contradiction(problem: Problem) -> Contradictory:
    """The contradiction in a problem of which it is known that no plan holds all wishes."""
    doubts = 0

    def fails(wishes: tuple[Wish, ...]) -> bool:
        nonlocal doubts
        answer = contradicts(problem, wishes)
        doubts += answer is None
        return answer is True

    def fails_at_once(wishes: tuple[Wish, ...]) -> bool:
        return not propagate(contract(problem, wishes))

    core = problem.wishes
    if fails_at_once(core):
        core = _fewest(fails_at_once, core)  # few are left for the costly questions
    core = _fewest(fails, core)
    return Contradictory(core, minimal=doubts == 0)


def _fewest(fails: Callable[[tuple[Wish, ...]], bool], wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """A set of wishes that fails, and no part of it does; in the order of `wishes`."""

    def explain(kept: tuple[Wish, ...], added: bool, rest: tuple[Wish, ...]) -> tuple[Wish, ...]:
        if added and fails(kept):
            return ()
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        later = explain((*kept, *rest[:half]), True, rest[half:])
        earlier = explain((*kept, *later), bool(later), rest[:half])
        return (*earlier, *later)

    if fails(()):
        return ()
    found = {id(wish) for wish in explain((), False, wishes)}
    return tuple(wish for wish in wishes if id(wish) in found)
