"""Move groups: what must move together, as one, with what each of them needs and where it may go.

Indices stand for names here: groups by number, windows from 0. A window beyond the last stands for 'later than the
calendar', where nobody may go as long as the wishes say that the calendar ends.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from crossfade.planning.waves.problem import Item, Problem
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

RISK_SCALE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items that move together. `needs` are amounts by limit, zeros left out; `risk` is thousandths times servers."""

    members: tuple[int, ...]
    servers: int
    risk: int
    needs: tuple[tuple[int, int], ...]


@dataclass(slots=True, kw_only=True)
class Groups:
    """The contracted problem. `capacity[limit]` holds in every window, `pilot_servers` in the first beside it.

    Group g may go into `earliest[g] … latest[g]`; `after[g]` are those that go strictly later than g, `apart[g]` those
    that share no window with it, `talks[g]` the weight to each other group.
    """

    groups: list[Group]
    of_item: list[int]
    windows: int
    limits: list[Wish] = field(default_factory=list)
    capacity: list[int] = field(default_factory=list)
    pilot_servers: int | None = None
    earliest: list[int] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)
    before: list[set[int]] = field(default_factory=list)
    after: list[set[int]] = field(default_factory=list)
    apart: list[set[int]] = field(default_factory=list)
    talks: list[dict[int, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def weight(self) -> int:
        """All traffic between groups."""
        return sum(sum(talk.values()) for talk in self.talks) // 2


def contract(problem: Problem, wishes: Iterable[Wish]) -> Groups:
    """The problem under these of its wishes. Nothing is judged: `contradictions` looks whether it can hold."""
    wishes = tuple(wishes)
    number = {item.name: place for place, item in enumerate(problem.items)}
    of_item = _united(len(problem.items), [[number[n] for n in w.names] for w in wishes if isinstance(w, Together)])
    members: list[list[int]] = [[] for _ in range(max(of_item, default=-1) + 1)]
    for item, group in enumerate(of_item):
        members[group].append(item)
    limits = [wish for wish in wishes if isinstance(wish, WaveLimit | SizeLimit | TeamLimit)]
    found = Groups(
        groups=[_group(problem.items, tuple(each), limits) for each in members],
        of_item=of_item,
        windows=len(problem.windows),
        limits=list(limits),
        capacity=[limit.size_bytes if isinstance(limit, SizeLimit) else limit.servers for limit in limits],
    )
    _dates(found, problem, wishes, number)
    _relations(found, problem, wishes, number)
    return found


def _united(count: int, sets: list[list[int]]) -> list[int]:
    """The group of each item, numbered by the first item of each."""
    root = list(range(count))

    def find(item: int) -> int:
        while root[item] != item:
            root[item] = root[root[item]]
            item = root[item]
        return item

    for first, *others in sets:
        for other in others:
            low, high = sorted((find(first), find(other)))
            root[high] = low
    number: dict[int, int] = {}
    return [number.setdefault(find(item), len(number)) for item in range(count)]


def _group(items: tuple[Item, ...], members: tuple[int, ...], limits: list[WaveLimit | SizeLimit | TeamLimit]) -> Group:
    needs = []
    for place, limit in enumerate(limits):
        if isinstance(limit, SizeLimit):
            amount = sum(items[m].size_bytes for m in members)
        else:
            team = limit.team if isinstance(limit, TeamLimit) else None
            amount = sum(items[m].servers for m in members if team is None or items[m].team == team)
        if amount:
            needs.append((place, amount))
    return Group(
        members=members,
        servers=sum(items[m].servers for m in members),
        risk=sum(round(items[m].risk * RISK_SCALE) * max(1, items[m].servers) for m in members),
        needs=tuple(needs),
    )


def _dates(found: Groups, problem: Problem, wishes: tuple[Wish, ...], number: dict[str, int]) -> None:
    days = problem.windows
    beyond = len(days) + len(found) + max((wish.wave for wish in wishes if isinstance(wish, InWave)), default=0)
    ends = any(isinstance(wish, CalendarEnd) for wish in wishes)
    found.earliest = [0] * len(found)
    found.latest = [len(days) - 1 if ends else beyond] * len(found)
    for wish in wishes:
        if isinstance(wish, NotBefore):
            _narrow(found, number[wish.item], bisect_left(days, wish.day), beyond)
        elif isinstance(wish, NotAfter) and (not days or wish.day < days[-1]):
            _narrow(found, number[wish.item], 0, bisect_right(days, wish.day) - 1)
        elif isinstance(wish, InWave):
            _narrow(found, number[wish.item], wish.wave - 1, wish.wave - 1)
        elif isinstance(wish, Pilot):
            found.pilot_servers = wish.servers
            for item, told in enumerate(problem.items):
                if wish.environments and told.environment not in wish.environments:
                    _narrow(found, item, 1, beyond)


def _narrow(found: Groups, item: int, earliest: int, latest: int) -> None:
    group = found.of_item[item]
    found.earliest[group] = max(found.earliest[group], earliest)
    found.latest[group] = min(found.latest[group], latest)


def _relations(found: Groups, problem: Problem, wishes: tuple[Wish, ...], number: dict[str, int]) -> None:
    found.before, found.after = [set() for _ in found.groups], [set() for _ in found.groups]
    found.apart = [set() for _ in found.groups]
    found.talks = [{} for _ in found.groups]
    for wish in wishes:
        groups = [found.of_item[number[name]] for name in wish.names]
        if isinstance(wish, Before):
            found.after[groups[0]].add(groups[1])
            found.before[groups[1]].add(groups[0])
        elif isinstance(wish, Apart):
            for place, one in enumerate(groups):
                for other in groups[place + 1 :]:
                    found.apart[one].add(other)
                    found.apart[other].add(one)
    for edge in problem.edges:
        one, other = found.of_item[number[edge.source]], found.of_item[number[edge.target]]
        if one != other and edge.weight:
            found.talks[one][other] = found.talks[one].get(other, 0) + edge.weight
            found.talks[other][one] = found.talks[one][other]
