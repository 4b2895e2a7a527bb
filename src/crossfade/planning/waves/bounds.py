"""What no plan can cut less than, without any search."""

from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.spectral import least_cut_by_eigenvalues
from crossfade.planning.waves.wishes import TeamLimit


def least_cut(groups: Groups) -> int:
    """A lower bound of the cut, for each limit by itself; the best of them.

    A group shares its wave with as much of its neighbourhood as the limit leaves room for beside it; even if pieces of
    groups could move, the rest of its traffic is cut. Each edge is counted from both of its ends, hence the half.

    Source: the linear relaxation of the knapsack problem; Dantzig, Discrete-Variable Extremum Problems, 1957.
    """
    best = 0
    for limit, capacity in enumerate(groups.capacity):
        needs = [dict(group.needs).get(limit, 0) for group in groups.groups]
        if sum(needs) > capacity:
            outside = sum(_outside(groups, group, needs, capacity - needs[group]) for group in range(len(groups)))
            best = max(best, -(-outside // 2), _by_eigenvalues(groups, limit))
    return best


def _by_eigenvalues(groups: Groups, limit: int) -> int:
    """Where the limit is about all servers; one team's says little."""
    if isinstance(groups.limits[limit], TeamLimit):
        return 0
    return least_cut_by_eigenvalues(groups, limit)


def _outside(groups: Groups, group: int, needs: list[int], room: int) -> int:
    """The weight that stays outside when the neighbours that bring most for their size fill the room; rounded down."""
    talk = groups.talks[group]
    if sum(needs[other] for other in talk) <= room:
        return 0
    outside = sum(talk.values())
    for other in sorted(
        talk, key=lambda other: (-talk[other] / needs[other] if needs[other] else float("-inf"), other)
    ):
        if needs[other] <= room:
            room -= needs[other]
            outside -= talk[other]
        else:
            return outside - -(-talk[other] * room // needs[other])
    return outside
