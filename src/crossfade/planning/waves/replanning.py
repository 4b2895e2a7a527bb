"""A plan after a change: as much as possible stays where it was, and what moves says why."""

from collections.abc import Mapping
from datetime import date

from crossfade.planning.waves.construction import fill
from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.plan import Moved
from crossfade.planning.waves.problem import Problem
from crossfade.planning.waves.reasons import Reasons
from crossfade.planning.waves.room import NOWHERE, Room


def kept_windows(problem: Problem, groups: Groups, previous: Mapping[str, date]) -> list[int]:
    """For each group the window where most of its servers were; NOWHERE: it was not there, or the window is gone."""
    number = {day: window for window, day in enumerate(problem.windows)}
    kept = []
    for group in groups.groups:
        servers: dict[int, int] = {}
        for member in group.members:
            item = problem.items[member]
            window = number.get(previous[item.name]) if item.name in previous else None
            if window is not None:
                servers[window] = servers.get(window, 0) + max(1, item.servers)
        kept.append(max(servers, key=lambda window: (servers[window], -window)) if servers else NOWHERE)
    return kept


def settled(groups: Groups, kept: list[int]) -> Room | None:
    """Everybody who may stay stays, larger ones first; the others and the new ones go where there is room.

    None: some found no place that way.
    """
    room = Room(groups)
    for group in sorted(range(len(groups)), key=lambda group: (-groups.groups[group].servers, group)):
        if kept[group] != NOWHERE and room.fits(group, kept[group]):
            room.put(group, kept[group])
    left = [group for group in range(len(groups)) if room.window[group] == NOWHERE]
    for group in sorted(left, key=lambda group: (groups.latest[group], groups.earliest[group], group)):
        ties = room.ties(group)
        fitting = [window for window in range(groups.windows) if room.fits(group, window)]
        if fitting:
            room.put(group, max(fitting, key=lambda window: (ties.get(window, 0), bool(room.inside[window]), -window)))
    if not fill(room) or (groups.pilot_servers is not None and not room.inside[0]):
        return None
    return room


def moved(problem: Problem, room: Room, previous: Mapping[str, date], reasons: Reasons) -> tuple[Moved, ...]:
    """What is elsewhere than before, in the order of the items; then what is gone."""
    number = {day: window for window, day in enumerate(problem.windows)}
    found = []
    for place, item in enumerate(problem.items):
        group = room.groups.of_item[place]
        before, after = previous.get(item.name), problem.windows[room.window[group]]
        if before != after:
            why = _why(number, group, before, reasons)
            found.append(Moved(item=item.name, before=before, after=after, reason=why))
    here = {item.name for item in problem.items}
    gone = [name for name in previous if name not in here]
    return (*found, *(Moved(item=name, before=previous[name], after=None, reason="it moves no more") for name in gone))


def _why(number: Mapping[date, int], group: int, before: date | None, reasons: Reasons) -> str:
    if before is None:
        return f"it is new; {reasons.of(group)}"
    if before not in number:
        return f"there is no change window on {before} any more; {reasons.of(group)}"
    blocked = reasons.blocked(group, number[before])
    return blocked or f"it made room for others; {reasons.of(group)}"
