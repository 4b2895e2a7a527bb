"""What follows from the wishes without any search: order and sizes narrow where groups may go, or nothing is left.

Sound and not complete: what is called impossible here is impossible; the rest is for the exact model.
"""

from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.wishes import WaveLimit


def propagate(groups: Groups) -> bool:
    """Narrow `earliest` and `latest` by what follows. False: no plan can hold the wishes."""
    if any(group in groups.apart[group] for group in range(len(groups))):
        return False
    if any(amount > groups.capacity[limit] for group in groups.groups for limit, amount in group.needs):
        return False
    for place, group in enumerate(groups.groups):
        if groups.pilot_servers is not None and group.servers > groups.pilot_servers:
            groups.earliest[place] = max(groups.earliest[place], 1)
    if not _ordered(groups) or any(early > late for early, late in zip(groups.earliest, groups.latest, strict=True)):
        return False
    if groups.pilot_servers is not None and 0 not in groups.earliest:
        return False
    return _enough_room(groups)


def topological(groups: Groups) -> list[int] | None:
    """All groups, those that go earlier first; None: the order runs in a circle."""
    waiting = [len(before) for before in groups.before]
    ready = [group for group, count in enumerate(waiting) if count == 0]
    for group in ready:  # grows while it is read
        for later in sorted(groups.after[group]):
            waiting[later] -= 1
            if waiting[later] == 0:
                ready.append(later)
    return ready if len(ready) == len(groups) else None


def _ordered(groups: Groups) -> bool:
    order = topological(groups)
    if order is None:
        return False
    for group in order:
        for later in groups.after[group]:
            groups.earliest[later] = max(groups.earliest[later], groups.earliest[group] + 1)
    for group in reversed(order):
        for earlier in groups.before[group]:
            groups.latest[earlier] = min(groups.latest[earlier], groups.latest[group] - 1)
    return True


def _enough_room(groups: Groups) -> bool:
    """Whether all that has to go into some range of windows, from the first or up to the last, fits by its sum."""
    for limit, capacity in enumerate(groups.capacity):
        first = capacity
        if groups.pilot_servers is not None and isinstance(groups.limits[limit], WaveLimit):
            first = min(capacity, groups.pilot_servers)
        until, since = [0] * groups.windows, [0] * groups.windows
        for place, group in enumerate(groups.groups):
            amount = next((amount for which, amount in group.needs if which == limit), 0)
            if amount and groups.latest[place] < groups.windows:
                until[groups.latest[place]] += amount
                since[groups.earliest[place]] += amount
        total = 0
        for window, amount in enumerate(until):
            total += amount
            if total > first + capacity * window:
                return False
        total = 0
        for window in reversed(range(groups.windows)):
            total += since[window]
            if total > capacity * (groups.windows - window) - (capacity - first if window == 0 else 0):
                return False
    return True
