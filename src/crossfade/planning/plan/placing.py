"""Waves from movers: the calendar of change windows, the limits, the time that copying takes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

from crossfade.model.file.planning import Planning, Weekday
from crossfade.planning.plan.movers import Mover
from crossfade.planning.plan.records import Assumption
from crossfade.planning.plan.wishes import Told
from crossfade.planning.waves import Edge, Item, Plan, Problem, plan_waves
from crossfade.planning.waves.calendar import Blackout, Calendar
from crossfade.planning.waves.groups import Group, contract
from crossfade.planning.waves.wishes import CalendarEnd, NotBefore, Pilot, Together, WaveLimit, Wish
from crossfade.report.units import say_duration

_MOST_WINDOWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What a former plan said: the day of each item, its first window, and its first day where that was assumed."""

    days: Mapping[str, date] = field(default_factory=dict)
    first_window: date | None = None
    start: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is placed, and under which wishes. `leads`: how long before its window each move begins."""

    movers: tuple[Mover, ...]
    edges: tuple[Edge, ...]
    wishes: tuple[Wish, ...]
    leads: Mapping[str, timedelta]
    planning: Planning
    told: Told
    start: date
    on: date
    former: Former | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Waves, the first day that counts as a window, and what was assumed for them."""

    plan: Plan
    first_window: date
    assumptions: tuple[Assumption, ...]


def place(asked: Asked, extra: timedelta) -> Placed:
    """The waves, each move beginning `extra` earlier than its lead asks. Of equal input, the same.

    A plan that comes out as the former one anew is the one that is given: only what has to changes with it. Raises
    what `plan_waves` raises.
    """
    limits, assumptions = _limits(asked)
    dated = _dated(asked, extra)
    first = _first_window(asked, dated, limits)
    days = _days(asked, first, dated)
    place = asked.told.at("planning", "deadline")
    end = CalendarEnd(windows=len(days), place=place if asked.planning.deadline else "as many as are looked at")
    problem = Problem(
        items=_items(asked.movers),
        edges=asked.edges,
        windows=days,
        wishes=(*asked.wishes, *limits, *dated.values(), end),
    )
    plan = plan_waves(problem)
    former = asked.former
    if former is not None and former.days and {each.item: each.day for each in plan.placements} != dict(former.days):
        plan = plan_waves(problem, former.days)
    return Placed(plan=plan, first_window=first, assumptions=assumptions)


def _items(movers: Sequence[Mover]) -> tuple[Item, ...]:
    return tuple(
        Item(
            name=mover.name,
            servers=mover.count,
            size_bytes=mover.amounts.told_bytes,
            team=mover.team,
            risk=mover.risk,
            environment=mover.environment,
            place=str(mover.servers[0].places[0]) if mover.servers and mover.servers[0].places else "",
        )
        for mover in movers
    )


def _groups(asked: Asked) -> list[Group]:
    """What moves together, by those wishes alone."""
    bound = [wish for wish in asked.wishes if isinstance(wish, Together)]
    return contract(Problem(items=_items(asked.movers), windows=()), bound).groups


def _limits(asked: Asked) -> tuple[tuple[Wish, ...], tuple[Assumption, ...]]:
    """The largest wave and the pilot. Where the file leaves them to the default, they give way to what cannot fit."""
    planning, told = asked.planning, asked.told
    groups = _groups(asked)
    largest = max((group.servers for group in groups), default=1)
    assumptions = []
    servers, place = planning.servers_per_wave, told.at("planning", "servers_per_wave")
    if not _is_said(asked, "servers_per_wave"):
        servers = max(servers, largest)
        why = "the default" if servers == planning.servers_per_wave else "the largest move group has so many"
        assumptions.append(
            Assumption(about="largest wave", value=f"{servers:,} servers", reason=why, path="planning.servers_per_wave")
        )
    wishes: list[Wish] = [WaveLimit(servers=servers, place=place)]
    fits = any(group.servers <= planning.pilot_servers for group in groups)
    if len(groups) > 1 and (fits or _is_said(asked, "pilot_servers")):
        harmless = _harmless(asked, groups)
        at = told.at("planning", "pilot_servers")
        wishes.append(Pilot(servers=planning.pilot_servers, environments=harmless, place=at))
        value, why = f"at most {planning.pilot_servers:,} servers", "the default"
    else:
        value = "none"
        why = "all moves together" if len(groups) < 2 else f"no move group has {planning.pilot_servers:,} or fewer"
    if value == "none" or not _is_said(asked, "pilot_servers"):
        assumptions.append(Assumption(about="pilot wave", value=value, reason=why, path="planning.pilot_servers"))
    return tuple(wishes), tuple(assumptions)


def _harmless(asked: Asked, groups: Sequence[Group]) -> tuple[str, ...]:
    """Environments that are not production, where a whole move group of them is small enough to begin with.

    None where a former plan begins with others already: this wish is nobody's but ours, and is not worth a move.
    """
    if asked.former is not None and not _began_harmless(asked, asked.former):
        return ()
    for group in groups:
        members = [asked.movers[member] for member in group.members]
        if group.servers <= asked.planning.pilot_servers and all(mover.is_harmless for mover in members):
            return tuple(sorted({mover.environment or "" for mover in asked.movers if mover.is_harmless}))
    return ()


def _began_harmless(asked: Asked, former: Former) -> bool:
    first = min(former.days.values(), default=None)
    return all(mover.is_harmless for mover in asked.movers if former.days.get(mover.name) == first)


def _is_said(asked: Asked, key: str) -> bool:
    return bool(asked.told.name) and key in asked.planning.model_fields_set


def _dated(asked: Asked, extra: timedelta) -> dict[str, NotBefore]:
    """Nothing moves before it is copied; what moved already by the former plan did so."""
    former = asked.former.days if asked.former else {}
    found = {}
    for mover in asked.movers:
        lead = asked.leads.get(mover.name)
        before = former.get(mover.name)
        if lead is None or (before is not None and before < asked.on):
            continue
        begins = max(asked.start, asked.on) if asked.former and before is None else asked.start
        days = -(-(lead + extra) // timedelta(days=1))
        said = f"preparing and copying it first takes {say_duration(lead + extra)}"
        found[mover.name] = NotBefore(item=mover.name, day=begins + timedelta(days=days), place=said)
    return found


def _first_window(asked: Asked, dated: Mapping[str, NotBefore], limits: Sequence[Wish]) -> date:
    """The first day on which a change may be made, and on which there is somebody to move."""
    pilot = next((wish for wish in limits if isinstance(wish, Pilot)), None)
    earliest = [
        max(
            (dated[asked.movers[m].name].day for m in group.members if asked.movers[m].name in dated),
            default=asked.start,
        )
        for group in _groups(asked)
        if pilot is None or _may_be_pilot(asked, group, pilot)
    ]
    first = min(earliest, default=asked.start)
    before = asked.former.first_window if asked.former else None
    return before if before is not None and (first <= before or before < asked.on) else first


def _may_be_pilot(asked: Asked, group: Group, pilot: Pilot) -> bool:
    of = {asked.movers[member].environment for member in group.members}
    return group.servers <= pilot.servers and (not pilot.environments or of <= set(pilot.environments))


def _names(asked: Asked, group: Group) -> list[str]:
    return [asked.movers[member].name for member in group.members]


def _days(asked: Asked, first: date, dated: Mapping[str, NotBefore]) -> tuple[date, ...]:
    """Days of change windows; without a deadline, three times as many as the waves and the dates may need."""
    planning = asked.planning
    weekdays = {list(Weekday).index(day) for window in planning.windows for day in window.days}
    calendar = Calendar(
        start=first,
        deadline=planning.deadline,
        weekdays=frozenset(weekdays or {asked.start.weekday()}),
        blackouts=tuple(Blackout(first=each.first, last=each.last) for each in planning.blackouts),
    )
    if planning.deadline:
        return tuple(islice(calendar.days(), _MOST_WINDOWS))
    servers = sum(mover.count for mover in asked.movers)
    latest = max((wish.day for wish in dated.values()), default=first)
    former = max(asked.former.days.values(), default=first) if asked.former else first
    until = sum(1 for day in islice(calendar.days(), _MOST_WINDOWS) if day < max(latest, former))
    enough = 4 + 3 * -(-servers // planning.servers_per_wave) + sum(map(len, planning.apart)) + until
    return tuple(islice(calendar.days(), min(_MOST_WINDOWS, enough)))
