"""The search for large problems: coarsen, place the few, refine on the way back; then plans are made of pairs of plans.

Source: Karypis and Kumar 1998; that a plan is improved by coarsening it along itself (V-cycles) is Walshaw, Multilevel
Refinement for Combinatorial Optimisation Problems, 2004; that two plans are coarsened along what both agree on is
Sanders and Schulz, Distributed Evolutionary Graph Partitioning, 2012. How much is done is counted, never timed: a
loaded machine takes longer and finds the same.
"""

import random

from crossfade.planning.waves.coarsening import coarsened
from crossfade.planning.waves.construction import fill
from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.refinement import refine, swapped
from crossfade.planning.waves.room import Room

_SHARES = (8, 16)  # how small coarse groups stay beside the limits, in turn: small ones pack better
_MOST_STARTS, _LEAST_STARTS = 12, 2
_START_EFFORT = 70_000  # groups and ends of edges that all starts may have together
_START_CYCLES = 2
_MOST_PAIRS, _LEAST_PAIRS = 40, 2
_PAIR_EFFORT = 150_000  # the same for plans made of pairs
_IDLE_PAIRS = 12  # so many in turn that bring nothing new: the plans have become alike
_EFFORT = 4_000_000  # looks at ends of edges that the cycles may cost together
_MOST_CYCLES, _LEAST_CYCLES = 24, 4
_MOST_KICKS, _KICK_EFFORT = 200, 10_000
_PATIENCE = 200


def searched(groups: Groups) -> Room | None:
    """The best plan found, or None: none was found, which does not mean that there is none."""
    found: list[Room] = []
    for seed in range(_times(_LEAST_STARTS, _MOST_STARTS, _START_EFFORT, groups)):
        room = _from_scratch(groups, _SHARES[seed % len(_SHARES)], seed)
        if room is None:
            break  # not even group by group; what is drawn for other seeds hardly matters to that
        for cycle in range(_START_CYCLES):
            _along(room, 100 + cycle)
        if room.cut == 0:
            return room
        if all(room.window != other.window for other in found):
            found.append(room)
    if not found:
        return None
    best = _paired(found, _times(_LEAST_PAIRS, _MOST_PAIRS, _PAIR_EFFORT, groups))
    improve(best)
    return best


def _times(least: int, most: int, effort: int, groups: Groups) -> int:
    return max(least, min(most, effort // max(1, _size(groups))))


def _paired(found: list[Room], times: int) -> Room:
    """The best of `found` and of plans made of two of them, which take the place of the worst where they are better."""
    found.sort(key=lambda room: room.cut)
    rng, idle = random.Random(1), 0
    for seed in range(times if len(found) > 1 else 0):
        better, worse = sorted(rng.sample(range(len(found)), 2))
        child = Room.of(found[better].groups, found[better].window)
        _along(child, 7000 + seed, found[worse])
        if child.cut <= found[-1].cut and all(child.window != room.window for room in found):
            found[-1], idle = child, 0
            found.sort(key=lambda room: room.cut)
        else:
            idle += 1
        if idle == _IDLE_PAIRS:
            break
    return found[0]


def improve(room: Room) -> None:
    """Cycles until they gain nothing three times in a row, or enough has been done; then kicks, for small problems."""
    size = _size(room.groups)
    idle = 0
    for cycle in range(max(_LEAST_CYCLES, min(_MOST_CYCLES, _EFFORT // max(1, size)))):
        gain = _along(room, 100 + cycle)
        idle = 0 if gain else idle + 1
        if idle == 3:
            break
    for kick in range(min(_MOST_KICKS, _KICK_EFFORT // max(1, size))):
        _kicked(room, 1000 + kick)


def _kicked(room: Room, seed: int) -> None:
    """Some pairs change places at random, what follows is refined, and kept if less is cut.

    Source: iterated local search; Lourenço, Martin and Stützle, Handbook of Metaheuristics, 2003.
    """
    rng = random.Random(seed)
    trial = Room.of(room.groups, room.window)
    for _ in range(rng.randint(2, 6)):
        one, other = rng.randrange(len(trial.window)), rng.randrange(len(trial.window))
        if trial.window[one] != trial.window[other] and trial.movable(one) and trial.movable(other):
            swapped(trial, one, other)
    refine(trial, seed, _PATIENCE, passes=3)
    if trial.cut < room.cut:
        _follow(room, trial)


def _follow(room: Room, better: Room) -> None:
    for group, window in enumerate(better.window):
        if room.window[group] != window:
            room.move(group, window)


def _from_scratch(groups: Groups, share: int, seed: int) -> Room | None:
    levels: list[tuple[Groups, list[int]]] = []
    level = groups
    while len(level) > 4 * groups.windows and (coarse := coarsened(level, share, seed)) is not None:
        levels.append((level, coarse[1]))
        level = coarse[0]
    room = Room(level)
    while not fill(room, _drawing(seed)) or _pilot_is_empty(room):
        if not levels:
            return None
        level = levels.pop()[0]  # too coarse to pack
        room = Room(level)
    refine(room, seed, _PATIENCE, passes=8)
    return _back(room, levels, seed, passes=4)


def _drawing(seed: int) -> random.Random | None:
    """The first starts grow from what is best to begin with; all others are drawn, or they would all end alike."""
    return None if seed < len(_SHARES) else random.Random(seed)


def _along(room: Room, seed: int, other: Room | None = None) -> int:
    """One cycle along the plan, or along what two plans agree on; what it gained. The room itself is better then."""
    before = room.cut
    levels: list[tuple[Groups, list[int]]] = []
    level, windows, within = room.groups, room.window, _agreed(room, other)
    while len(level) > 2 * level.windows and (coarse := coarsened(level, 3, seed, within)) is not None:
        levels.append((level, coarse[1]))
        level = coarse[0]
        windows, within = ([told[group.members[0]] for group in level.groups] for told in (windows, within))
    found = Room.of(level, windows) if levels else room
    if other is not None:
        refine(found, seed, _PATIENCE, passes=8)
    if levels:
        found = _back(found, levels, seed, passes=3 if other is None else 4)
    refine(found, seed, _PATIENCE, passes=2)
    if found is not room:
        _follow(room, found)
    return before - room.cut


def _agreed(room: Room, other: Room | None) -> list[int]:
    """Groups of one number are together in both plans; 0 for the pilot of either, in which nothing is joined."""
    if other is None:
        return room.window
    pilot = room.groups.pilot_servers is not None
    return [
        0 if pilot and 0 in {one, another} else one * room.groups.windows + another + 1
        for one, another in zip(room.window, other.window, strict=True)
    ]


def _back(room: Room, levels: list[tuple[Groups, list[int]]], seed: int, passes: int) -> Room:
    for depth, (finer, became) in enumerate(reversed(levels)):
        room = Room.of(finer, [room.window[coarse] for coarse in became])
        refine(room, seed + depth, _PATIENCE, passes)
    return room


def _pilot_is_empty(room: Room) -> bool:
    return room.groups.pilot_servers is not None and not room.inside[0]


def _size(groups: Groups) -> int:
    return len(groups) + sum(len(talk) for talk in groups.talks)
