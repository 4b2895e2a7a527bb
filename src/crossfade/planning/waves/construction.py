"""A first plan, window by window: waves grow along the traffic from a seed, until nothing that may come fits any more.

Source: greedy graph growing; Karypis and Kumar, A Fast and High Quality Multilevel Scheme for Partitioning Irregular
Graphs, 1998, section 4.2. Urgency, order and limits are ours.
"""

import heapq
import random

from crossfade.planning.waves.room import NOWHERE, Room


def fill(room: Room, shuffled: random.Random | None = None) -> bool:
    """Put every group that is nowhere yet. False: some found no place; the room then holds the others.

    `shuffled`: waves grow from groups drawn by it, so that another plan comes out; without it, from those of least risk
    and most traffic.
    """
    groups = room.groups
    degree = [sum(talk.values()) for talk in groups.talks]
    drawn = [shuffled.random() if shuffled else 0.0 for _ in room.window]
    seeds = sorted(
        (group for group, window in enumerate(room.window) if window == NOWHERE),
        key=lambda group: (
            groups.latest[group],
            drawn[group],
            groups.groups[group].risk / max(1, groups.groups[group].servers),
            -degree[group],
            group,
        ),
    )
    for window in range(groups.windows):
        if not seeds:
            break
        _urgent(room, window, seeds)
        _grow(room, window, seeds, degree)
        seeds = [group for group in seeds if room.window[group] == NOWHERE]
    return not seeds


def _ready(room: Room, group: int, window: int) -> bool:
    """Whatever goes before it must be placed: windows are filled in order, so it would come too late."""
    return all(room.window[other] != NOWHERE for other in room.groups.before[group]) and room.fits(group, window)


def _urgent(room: Room, window: int, seeds: list[int]) -> None:
    """Those that cannot wait go first."""
    for group in seeds:
        if room.groups.latest[group] > window:
            return  # ordered by it
        if _ready(room, group, window):
            room.put(group, window)


def _grow(room: Room, window: int, seeds: list[int], degree: list[int]) -> None:
    """One frontier after the other. The best to come is the one that leaves least traffic outside."""
    inner: dict[int, int] = {}
    frontier: list[tuple[int, int]] = []

    def reach(group: int) -> None:
        for other, weight in room.groups.talks[group].items():
            if room.window[other] == NOWHERE:
                inner[other] = inner.get(other, 0) + weight
                heapq.heappush(frontier, (degree[other] - 2 * inner[other], other))

    for group in sorted(room.inside[window]):
        reach(group)
    for seed in seeds:
        while frontier:
            score, group = heapq.heappop(frontier)
            stale = room.window[group] != NOWHERE or score != degree[group] - 2 * inner[group]
            if not stale and _ready(room, group, window):
                room.put(group, window)
                reach(group)
        if room.window[seed] == NOWHERE and _ready(room, seed, window):
            room.put(seed, window)
            reach(seed)
