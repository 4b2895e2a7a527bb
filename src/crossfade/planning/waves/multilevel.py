"""The search for large problems: coarsen, place the few, refine on the way back, and the same again along that plan.

Source: Karypis and Kumar 1998; that a plan is improved by coarsening it along itself (V-cycles) is Walshaw, Multilevel
Refinement for Combinatorial Optimisation Problems, 2004. How much is done is counted, never timed: a loaded machine
takes longer and finds the same.
"""

import random

from crossfade.planning.waves.coarsening import coarsened
from crossfade.planning.waves.construction import fill
from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.refinement import refine, swapped
from crossfade.planning.waves.room import Room

_SHARES = (8, 16)  # how small coarse groups stay beside the limits, in turn: small ones pack better
_MOST_STARTS, _LEAST_STARTS = 16, 2
_START_EFFORT = 100_000  # groups and ends of edges that all starts may have together
_EFFORT = 4_000_000  # looks at ends of edges that the cycles may cost together
_MOST_CYCLES, _LEAST_CYCLES = 24, 4
_MOST_KICKS, _KICK_EFFORT = 200, 40_000
_PATIENCE = 200


def searched(groups: Groups) -> Room | None:
    """The best plan found, or None: none was found, which does not mean that there is none."""
    best: Room | None = None
    for seed in range(max(_LEAST_STARTS, min(_MOST_STARTS, _START_EFFORT // max(1, _size(groups))))):
        room = _from_scratch(groups, _SHARES[seed % len(_SHARES)], seed)
        if room is None:
            break  # not even group by group, which is the same for every seed
        if best is None or room.cut < best.cut:
            best = room
    if best is not None:
        improve(best)
    return best


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
    while not fill(room) or _pilot_is_empty(room):
        if not levels:
            return None
        level = levels.pop()[0]  # too coarse to pack
        room = Room(level)
    refine(room, seed, _PATIENCE, passes=8)
    return _back(room, levels, seed, passes=4)


def _along(room: Room, seed: int) -> int:
    """One cycle; what it gained. The room itself is better afterwards."""
    before = room.cut
    levels: list[tuple[Groups, list[int]]] = []
    level, windows = room.groups, room.window
    while len(level) > 2 * level.windows and (coarse := coarsened(level, 3, seed, windows)) is not None:
        levels.append((level, coarse[1]))
        level = coarse[0]
        windows = [windows[group.members[0]] for group in level.groups]
    found = _back(Room.of(level, windows), levels, seed, passes=3) if levels else room
    refine(found, seed, _PATIENCE, passes=2)
    if found is not room:
        _follow(room, found)
    return before - room.cut


def _back(room: Room, levels: list[tuple[Groups, list[int]]], seed: int, passes: int) -> Room:
    for depth, (finer, became) in enumerate(reversed(levels)):
        room = Room.of(finer, [room.window[coarse] for coarse in became])
        refine(room, seed + depth, _PATIENCE, passes)
    return room


def _pilot_is_empty(room: Room) -> bool:
    return room.groups.pilot_servers is not None and not room.inside[0]


def _size(groups: Groups) -> int:
    return len(groups) + sum(len(talk) for talk in groups.talks)
