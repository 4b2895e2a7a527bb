"""Whether a plan holds what was wished, told from the plan and the problem alone: nothing of the planner is asked."""

from collections import Counter
from itertools import combinations, product

from crossfade.planning.waves import Plan, Problem
from crossfade.planning.waves.wishes import (
    Apart,
    Before,
    CalendarEnd,
    InWave,
    NotAfter,
    NotBefore,
    Pilot,
    SizeLimit,
    TeamLimit,
    Together,
    WaveLimit,
    Wish,
)


def broken(problem: Problem, wave: dict[str, int]) -> list[Wish]:
    """The wishes that do not hold when each item is in its wave, counted from 1."""
    return [wish for wish in problem.wishes if not holds(problem, wave, wish)]


def holds(problem: Problem, wave: dict[str, int], wish: Wish) -> bool:  # noqa: C901 - a case for each wish
    windows = problem.windows
    match wish:
        case Together():
            return len({wave[name] for name in wish.items}) == 1
        case Apart():
            return all(wave[one] != wave[other] for one, other in combinations(wish.items, 2))
        case Before():
            return wave[wish.first] < wave[wish.then]
        case NotBefore():
            return wave[wish.item] > len(windows) or windows[wave[wish.item] - 1] >= wish.day
        case NotAfter():
            return wave[wish.item] <= len(windows) and windows[wave[wish.item] - 1] <= wish.day
        case InWave():
            return wave[wish.item] == wish.wave
        case CalendarEnd():
            return all(number <= len(windows) for number in wave.values())
        case Pilot():
            first = [item for item in problem.items if wave[item.name] == 1]
            right = all(not wish.environments or item.environment in wish.environments for item in first)
            return bool(first) and right and sum(item.servers for item in first) <= wish.servers
        case WaveLimit() | TeamLimit() | SizeLimit():
            load: Counter[int] = Counter()
            for item in problem.items:
                if not isinstance(wish, TeamLimit) or item.team == wish.team:
                    load[wave[item.name]] += item.size_bytes if isinstance(wish, SizeLimit) else item.servers
            most = wish.size_bytes if isinstance(wish, SizeLimit) else wish.servers
            return all(amount <= most for amount in load.values())
        case _:
            raise TypeError(wish)


def cut(problem: Problem, wave: dict[str, int]) -> int:
    return sum(edge.weight for edge in problem.edges if wave[edge.source] != wave[edge.target])


def placed(plan: Plan) -> dict[str, int]:
    return {placement.item: placement.wave for placement in plan.placements}


def every_plan(problem: Problem, waves: int) -> list[dict[str, int]]:
    """Each way to place the items in that many waves that breaks no wish; for problems of a few items."""
    names = [item.name for item in problem.items]
    ways = (dict(zip(names, where, strict=True)) for where in product(range(1, waves + 1), repeat=len(names)))
    return [way for way in ways if not broken(problem, way)]
