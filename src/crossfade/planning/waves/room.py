"""Groups in windows, with what each window still has room for. Moving one group costs what its relations cost."""

from operator import le

from crossfade.planning.waves.groups import Groups

NOWHERE = -1


class Room:
    """`window[g]` is where g is, or NOWHERE. Nothing is put where `fits` says no, so every wish holds at any time.

    One holds only in the end: the pilot is not empty. `movable` keeps the last group from leaving it.
    """

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.window = [NOWHERE] * len(groups)
        self.load = [[0] * len(groups.capacity) for _ in range(groups.windows)]
        self.servers = [0] * groups.windows
        self.inside: list[set[int]] = [set() for _ in range(groups.windows)]
        self._needs = [group.needs for group in groups.groups]
        self._servers = [group.servers for group in groups.groups]

    @classmethod
    def of(cls, groups: Groups, windows: list[int]) -> "Room":
        room = cls(groups)
        for group, window in enumerate(windows):
            room.put(group, window)
        return room

    def fits(self, group: int, window: int) -> bool:
        """Whether `group` may go into `window`, as things are; being there already does not count against it."""
        groups, where = self.groups, self.window
        if not groups.earliest[group] <= window <= groups.latest[group]:
            return False
        if where[group] != window:
            load = self.load[window]
            for limit, amount in self._needs[group]:
                if load[limit] + amount > groups.capacity[limit]:
                    return False
            pilot = groups.pilot_servers
            if window == 0 and pilot is not None and self.servers[0] + self._servers[group] > pilot:
                return False
        return self.agrees(group, window)

    def agrees(self, group: int, window: int) -> bool:
        """Whether order and distance to other groups allow it."""
        groups, where = self.groups, self.window
        if groups.apart[group] and any(where[other] == window for other in groups.apart[group]):
            return False
        if groups.before[group] and any(where[other] >= window for other in groups.before[group]):
            return False
        return not groups.after[group] or all(
            where[other] == NOWHERE or where[other] > window for other in groups.after[group]
        )

    def allows(self, group: int) -> bool:
        """Whether the group may be where it is, but for the limits of the window."""
        window = self.window[group]
        return self.groups.earliest[group] <= window <= self.groups.latest[group] and self.agrees(group, window)

    def stands(self, window: int) -> bool:
        """Whether the window holds no more than it may."""
        pilot = self.groups.pilot_servers
        if window == 0 and pilot is not None and (self.servers[0] > pilot or not self.inside[0]):
            return False
        return all(map(le, self.load[window], self.groups.capacity))

    def movable(self, group: int) -> bool:
        """Whether the group may leave where it is: the pilot must not become empty."""
        return self.groups.pilot_servers is None or self.window[group] != 0 or len(self.inside[0]) > 1

    def put(self, group: int, window: int) -> None:
        self.window[group] = window
        self.inside[window].add(group)
        self.servers[window] += self._servers[group]
        load = self.load[window]
        for limit, amount in self._needs[group]:
            load[limit] += amount

    def take(self, group: int) -> int:
        """The window that it left."""
        window = self.window[group]
        self.window[group] = NOWHERE
        self.inside[window].remove(group)
        self.servers[window] -= self._servers[group]
        load = self.load[window]
        for limit, amount in self._needs[group]:
            load[limit] -= amount
        return window

    def move(self, group: int, window: int) -> None:
        self.take(group)
        self.put(group, window)

    def ties(self, group: int) -> dict[int, int]:
        """The weight of the group's traffic by the window it leads to; groups that are nowhere left out."""
        found: dict[int, int] = {}
        where = self.window
        for other, weight in self.groups.talks[group].items():
            window = where[other]
            if window != NOWHERE:
                found[window] = found.get(window, 0) + weight
        return found

    @property
    def cut(self) -> int:
        """The weight of all traffic between groups in different windows."""
        where = self.window
        return sum(
            weight
            for group, talk in enumerate(self.groups.talks)
            for other, weight in talk.items()
            if group < other and where[group] != where[other]
        )
