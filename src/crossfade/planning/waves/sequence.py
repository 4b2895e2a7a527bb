"""Whole waves change places: what they cut stays the same, and least risk comes early."""

from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.room import Room


def sequenced(room: Room) -> Room:
    """The same waves in another order, without gaps that no date asks for; the room itself where that breaks a wish.

    The pilot stays first. Of those that may come next, the one that cannot wait does, else that of least risk.
    """
    groups = room.groups
    held = 1 if groups.pilot_servers is not None else 0
    waiting = [window for window in range(held, groups.windows) if room.inside[window]]
    earlier = {window: _earlier(room, window) for window in waiting}
    place: dict[int, int] = {window: window for window in range(held)}
    for window in range(held, groups.windows):
        ready = [
            wave
            for wave in waiting
            if max(groups.earliest[group] for group in room.inside[wave]) <= window and earlier[wave] <= place.keys()
        ]
        if ready:
            chosen = min(ready, key=lambda wave: (_last(groups, room, wave) > window, _risk(groups, room, wave), wave))
            place[chosen] = window
            waiting.remove(chosen)
    if waiting:
        return room
    found = Room(groups)
    for group, window in enumerate(room.window):
        if not found.fits(group, place[window]):
            return room
        found.put(group, place[window])
    return found


def _earlier(room: Room, wave: int) -> set[int]:
    return {room.window[other] for group in room.inside[wave] for other in room.groups.before[group]}


def _last(groups: Groups, room: Room, wave: int) -> int:
    return min(groups.latest[group] for group in room.inside[wave])


def _risk(groups: Groups, room: Room, wave: int) -> float:
    return sum(groups.groups[group].risk for group in room.inside[wave]) / max(1, room.servers[wave])
