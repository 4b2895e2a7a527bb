"""Better plans from a plan: single groups go to another window, or two change places, where less is cut.

X
each group moves once in a pass, also where that costs, and the pass ends at the best plan that it saw.
"""

import heapq
import random

from crossfade.planning.waves.room import Room

_THOROUGH = 400  # groups up to which pairs are tried within a pass; they cost as much as their windows are large


def refine(room: Room, seed: int, patience: int, passes: int) -> int:
    """Weight that is no longer cut. Every wish keeps holding. `patience`: moves without a better plan end a pass."""
    gained = 0
    rng = random.Random(seed)
    thorough = len(room.groups) <= _THOROUGH
    for _ in range(passes):
        gain = _Pass(room, rng, thorough).run(patience) + _exchanged(room)
        gained += gain
        if gain == 0:
            break
    return gained


def _best_move(room: Room, group: int, freed: int | None = None) -> tuple[int, int] | None:
    """The window that saves most, and what it saves; None: there is none where it could go and has anybody.

    `freed` is one where it may also go without having anybody there.
    """
    own = room.window[group]
    ties = room.ties(group)
    inner = ties.pop(own, 0)
    if freed is not None:
        ties.setdefault(freed, 0)
    if not ties or not room.movable(group):
        return None
    best: tuple[int, int] | None = None
    for window, weight in ties.items():
        gain = weight - inner
        if (best is None or gain > best[1]) and room.fits(group, window):
            best = (window, gain)
    return best


Step = tuple[int, int]
"""A group, and the window it goes to."""


class _Pass:
    """One pass. The heap holds the best of each group as it was when offered; stale ones are offered anew.

    `thorough`: a group may also enter a full window, and another one leaves that at once; both count as one move.
    """

    def __init__(self, room: Room, rng: random.Random, thorough: bool) -> None:
        self.room, self.rng, self.thorough = room, rng, thorough
        self.heap: list[tuple[int, float, int, tuple[Step, ...]]] = []
        self.offered: dict[int, tuple[int, tuple[Step, ...]] | None] = {}
        self.done: set[int] = set()
        for group in range(len(room.groups)):
            self.offer(group)

    def offer(self, group: int) -> None:
        best = self.offered[group] = self._best(group)
        if best is not None:
            heapq.heappush(self.heap, (-best[0], self.rng.random(), group, best[1]))

    def _best(self, group: int) -> tuple[int, tuple[Step, ...]] | None:
        move = _best_move(self.room, group)
        best: tuple[int, tuple[Step, ...]] | None = None if move is None else (move[1], ((group, move[0]),))
        if self.thorough:
            pair = self._pair(group, None if best is None else best[0])
            best = pair or best
        return best

    def _pair(self, group: int, least: int | None) -> tuple[int, tuple[Step, ...]] | None:
        """The group into the full window that it has most to do with, and who had best leave, if that beats `least`."""
        room = self.room
        own, ties = room.window[group], room.ties(group)
        inner = ties.pop(own, 0)
        if not ties or not room.movable(group):
            return None
        window = max(ties, key=lambda each: (ties[each], -each))
        gain = ties[window] - inner
        if (least is not None and gain <= least) or not room.agrees(group, window):
            return None
        best: tuple[int, tuple[Step, ...]] | None = None
        room.move(group, window)
        for other in sorted(room.inside[window] - self.done - {group}):
            move = _best_move(room, other, own)
            if move is not None and (best is None or gain + move[1] > best[0]):
                room.move(other, move[0])
                if room.stands(window) and room.stands(move[0]) and room.allows(group):
                    best = (gain + move[1], ((group, window), (other, move[0])))
                room.move(other, window)
        room.move(group, own)
        return best if best is not None and (least is None or best[0] > least) else None

    def next(self) -> tuple[int, tuple[Step, ...]] | None:
        """What the best move that is still possible gains, and its steps."""
        while self.heap:
            loss, _, group, steps = heapq.heappop(self.heap)
            if group in self.done or self.offered[group] != (-loss, steps):
                continue
            if self._best(group) == (-loss, steps):
                return -loss, steps
            self.offer(group)  # others have moved: there is less room, or less to gain
        return None

    def run(self, patience: int) -> int:
        """What the pass gained; moves after its best plan are taken back."""
        trail: list[Step] = []
        gained = best = best_length = 0
        while len(trail) - best_length < patience and (move := self.next()) is not None:
            gained += move[0]
            for group, window in move[1]:
                trail.append((group, self.room.window[group]))
                self.room.move(group, window)
                self.done.add(group)
            if gained > best:
                best, best_length = gained, len(trail)
            for other in sorted({other for group, _ in move[1] for other in self.room.groups.talks[group]} - self.done):
                self.offer(other)
        for group, window in reversed(trail[best_length:]):
            self.room.move(group, window)
        return best


def _exchanged(room: Room) -> int:
    """Pairs change places where a full window keeps out who would gain by coming."""
    gained = 0
    for group in range(len(room.groups)):
        if not room.groups.talks[group]:
            continue
        own = room.window[group]
        ties = room.ties(group)
        inner = ties.get(own, 0)
        wanted = sorted(
            (-(weight - inner), window) for window, weight in ties.items() if window != own and weight > inner
        )
        for loss, window in wanted:
            gain = _exchange(room, group, window, -loss)
            if gain:
                gained += gain
                break
    return gained


def _exchange(room: Room, group: int, window: int, gain: int) -> int:
    own = room.window[group]
    offers = []
    for other in room.inside[window]:
        ties = room.ties(other)
        total = gain + ties.get(own, 0) - ties.get(window, 0) - 2 * room.groups.talks[group].get(other, 0)
        if total > 0:
            offers.append((-total, other))
    for total, other in sorted(offers):
        if swapped(room, group, other):
            return -total
    return 0


def swapped(room: Room, one: int, other: int) -> bool:
    """Let two groups change places if every wish keeps holding."""
    first, second = room.take(one), room.take(other)
    if room.fits(one, second):
        room.put(one, second)
        if room.fits(other, first):
            room.put(other, first)
            return True
        room.take(one)
    room.put(one, first)
    room.put(other, second)
    return False
