"""Why a move group is in its wave, and why it is not in another, in a sentence each."""

from crossfade.planning.waves.problem import Problem
from crossfade.planning.waves.room import Room
from crossfade.planning.waves.wishes import (
    Apart,
    Before,
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


class Reasons:
    """Of one finished plan. What is said is looked up in it: no reason is remembered from the search."""

    def __init__(self, problem: Problem, wishes: tuple[Wish, ...], room: Room) -> None:
        self.items, self.room = problem.items, room
        self.number = {item.name: place for place, item in enumerate(problem.items)}
        self.about: dict[str, list[Wish]] = {}
        for wish in wishes:
            for name in wish.names:
                self.about.setdefault(name, []).append(wish)
        self.pilot = next((wish for wish in wishes if isinstance(wish, Pilot)), None)

    def of(self, group: int) -> str:
        """The one sentence; where it moves with others, that comes first."""
        bound = self._bound(group)
        why = self._why(group)
        return f"{bound}; {why}" if bound else why

    def _wishes(self, group: int) -> list[Wish]:
        names = [self.items[member].name for member in self.room.groups.groups[group].members]
        return list({id(wish): wish for name in names for wish in self.about.get(name, [])}.values())

    def _bound(self, group: int) -> str:
        told = [_told(wish) for wish in self._wishes(group) if isinstance(wish, Together)]
        return "; ".join(told[:2]) + (f" and {len(told) - 2} more such wishes" if len(told) > 2 else "")

    def _why(self, group: int) -> str:
        room, groups = self.room, self.room.groups
        own = room.window[group]
        for wish in self._wishes(group):
            if isinstance(wish, InWave):
                return _told(wish)
        if groups.earliest[group] == groups.latest[group]:
            return f"dates and order leave only this window{self._narrowing(group)}"
        ties = room.ties(group)
        inner = ties.pop(own, 0)
        strongest = max(ties, key=lambda window: (ties[window], -window), default=None)
        if inner and (strongest is None or inner >= ties[strongest]):
            return f"{self._partner(group, own)} is in this wave: traffic of {inner:,} stays off the link"
        if strongest is not None:
            crossing = f"{self._partner(group, strongest)} is in wave {strongest + 1}, traffic of {ties[strongest]:,}"
            blocked = self.blocked(group, strongest)
            if blocked:
                return f"{crossing} crosses the link because {blocked}"
            return f"{crossing} crosses the link: together with what moves with it, this costs least"
        return f"it has no traffic with others and goes where there is room, least risk first{self._narrowing(group)}"

    def _narrowing(self, group: int) -> str:
        told = [_told(w) for w in self._wishes(group) if isinstance(w, NotBefore | NotAfter | Before)]
        return f": {'; '.join(told[:3])}" if told else ""

    def _partner(self, group: int, window: int) -> str:
        talk, where = self.room.groups.talks[group], self.room.window
        most = max((other for other in talk if where[other] == window), key=lambda other: (talk[other], -other))
        return self.items[self.room.groups.groups[most].members[0]].name

    def blocked(self, group: int, window: int) -> str:
        """What keeps the group out of that window as the plan stands; empty: nothing does."""
        room, groups = self.room, self.room.groups
        if not groups.earliest[group] <= window <= groups.latest[group]:
            return f"it may not go there{self._narrowing(group) or self._of_pilot(group, window)}"
        if not room.agrees(group, window):
            return "; ".join([_told(wish) for wish in self._wishes(group) if self._forbids(wish, group, window)][:3])
        for limit, amount in groups.groups[group].needs:
            if room.load[window][limit] + amount > groups.capacity[limit]:
                return f"there is no room for it in wave {window + 1}: {_told(groups.limits[limit])}"
        if window == 0 and self.pilot and room.servers[0] + groups.groups[group].servers > self.pilot.servers:
            return f"there is no room for it in wave 1: {_told(self.pilot)}"
        return ""

    def _forbids(self, wish: Wish, group: int, window: int) -> bool:
        """Whether this wish about two or more items keeps the group out of the window."""
        if not isinstance(wish, Apart | Before):
            return False
        own = {self.items[member].name for member in self.room.groups.groups[group].members}
        if isinstance(wish, Apart):
            return any(self._window(name) == window for name in wish.items if name not in own)
        if wish.first in own:
            return window >= self._window(wish.then)
        return window <= self._window(wish.first)

    def _window(self, name: str) -> int:
        return self.room.window[self.room.groups.of_item[self.number[name]]]

    def _of_pilot(self, group: int, window: int) -> str:
        if window == 0 and self.pilot is not None:
            return f": {_told(self.pilot)}"
        needs = dict(self.room.groups.groups[group].needs)
        limits = [self.room.groups.limits[limit] for limit in needs]
        told = [_told(limit) for limit in limits if isinstance(limit, WaveLimit | SizeLimit | TeamLimit)]
        return f": what goes before or after it needs the other windows; {told[0]}" if told else ""


def _told(wish: Wish) -> str:
    return f"{wish.says} ({wish.place})" if wish.place else wish.says
