"""The file of a problem of waves as the problem, or every fault of the file at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice, pairwise

from pydantic import ValidationError

from crossfade.model.file.explain import explain, path_in_file
from crossfade.model.file.fault import Fault, dotted
from crossfade.model.file.planning import Weekday
from crossfade.model.file.tree import Path, Tree, read_tree
from crossfade.planning.waves.calendar import Blackout, Calendar
from crossfade.planning.waves.file import WavesFile
from crossfade.planning.waves.problem import Edge, Item, Problem, faults_of
from crossfade.planning.waves.wishes import (
    Apart,
    Before,
    CalendarEnd,
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

_MOST_WINDOWS = 520  # ten years of weeks


def read_problem(text: str, name: str) -> Problem | tuple[Fault, ...]:
    """What `text` (YAML) describes, or all its faults, ordered by place. Raises nothing for any text."""
    tree = read_tree(text, name)
    if tree.unreadable:
        return tuple(tree.faults)
    try:
        file = WavesFile.model_validate_json(json.dumps(tree.data))
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            path = path_in_file(error["loc"])
            if path not in tree.broken:
                tree.add(path, *explain(error, path, tree, WavesFile))
        return tuple(sorted(tree.faults))
    told = _Told(tree=tree, name=name)
    problem = _problem(file, told)
    for fault in faults_of(problem):
        tree.add(told.path_of.get(fault.place, ()), fault.problem, fault.remedy)
    return tuple(sorted(tree.faults)) if tree.faults else problem


@dataclass(slots=True, kw_only=True)
class _Told:
    """Where things are told, as people find them: `file:line:column`; and back."""

    tree: Tree
    name: str
    path_of: dict[str, Path] = field(default_factory=dict)

    def at(self, *path: str | int) -> str:
        if path not in self.tree.places:
            return f"the default of {dotted(path)}"
        place = self.tree.place(path)
        text = f"{self.name}:{place.line}:{place.column}"
        self.path_of.setdefault(text, path)
        return text


def _problem(file: WavesFile, told: _Told) -> Problem:
    items = tuple(
        Item(
            name=item.name,
            servers=item.servers,
            size_bytes=item.size,
            team=item.team,
            risk=item.risk,
            environment=item.environment,
            place=told.at("items", n),
        )
        for n, item in enumerate(file.items)
    )
    edges = tuple(
        Edge(source=talk.between[0], target=talk.between[1], weight=talk.weight, place=told.at("talks", n))
        for n, talk in enumerate(file.talks)
    )
    days = _days(file)
    end = CalendarEnd(
        windows=len(days),
        place=told.at("deadline") if file.deadline else "as many as are looked at where no deadline is said",
    )
    return Problem(
        items=items,
        edges=edges,
        windows=days,
        wishes=(*_of_items(file, told), *_limits(file, told), *_sets(file, told), end),
    )


def _days(file: WavesFile) -> tuple[date, ...]:
    weekdays = {list(Weekday).index(day) for window in file.windows for day in window.days} or {file.start.weekday()}
    calendar = Calendar(
        start=file.start,
        deadline=file.deadline,
        weekdays=frozenset(weekdays),
        blackouts=tuple(Blackout(first=each.first, last=each.last) for each in file.blackouts),
    )
    return tuple(islice(calendar.days(), _MOST_WINDOWS if file.deadline else _enough(file, calendar)))


def _enough(file: WavesFile, calendar: Calendar) -> int:
    """Windows that are looked at where no deadline is said: for three times the waves, and for all that is dated."""
    waves = -(-sum(item.servers for item in file.items) // file.servers_per_wave)
    chains = sum(len(chain) for chain in (*file.order, *file.apart))
    pinned = max((item.wave or 0 for item in file.items), default=0)
    dated = max((item.not_before or file.start for item in file.items), default=file.start)
    until = sum(1 for day in islice(calendar.days(), _MOST_WINDOWS) if day < dated)
    return min(_MOST_WINDOWS, 4 + 3 * waves + chains + pinned + until)


def _of_items(file: WavesFile, told: _Told) -> Iterator[Wish]:
    for n, item in enumerate(file.items):
        if item.wave is not None:
            yield InWave(item=item.name, wave=item.wave, place=told.at("items", n, "wave"))
        if item.not_before is not None:
            yield NotBefore(item=item.name, day=item.not_before, place=told.at("items", n, "not_before"))
        if item.not_after is not None:
            yield NotAfter(item=item.name, day=item.not_after, place=told.at("items", n, "not_after"))


def _limits(file: WavesFile, told: _Told) -> Iterator[Wish]:
    yield WaveLimit(servers=file.servers_per_wave, place=told.at("servers_per_wave"))
    if file.size_per_wave is not None:
        yield SizeLimit(size_bytes=file.size_per_wave, place=told.at("size_per_wave"))
    if file.pilot is not None:
        place = told.at("pilot")
        yield Pilot(servers=file.pilot.servers, environments=file.pilot.environments, place=place)
    for n, team in enumerate(file.teams):
        yield TeamLimit(team=team.name, servers=team.servers_per_wave, place=told.at("teams", n))


def _sets(file: WavesFile, told: _Told) -> Iterator[Wish]:
    for n, names in enumerate(file.together):
        yield Together(items=names, place=told.at("together", n))
    for n, names in enumerate(file.latency_critical):
        yield Together(items=names, latency_critical=True, place=told.at("latency_critical", n))
    for n, names in enumerate(file.apart):
        yield Apart(items=names, place=told.at("apart", n))
    for n, names in enumerate(file.order):
        for first, then in pairwise(names):
            yield Before(first=first, then=then, place=told.at("order", n))
