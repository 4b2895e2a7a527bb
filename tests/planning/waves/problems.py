"""Problems for tests: small ones drawn by hypothesis, and a data center of any size drawn from a seed."""

import random
from datetime import date, timedelta

from hypothesis import strategies as st

from crossfade.planning.waves import Edge, Item, Problem
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

START = date(2027, 1, 9)


def windows(count: int) -> tuple[date, ...]:
    return tuple(START + timedelta(weeks=week) for week in range(count))


@st.composite
def small_problems(draw: st.DrawFn, most_items: int = 4, most_windows: int = 3) -> Problem:
    """Any kind of wish, often contradictory; small enough to try every plan."""
    names = [f"s{n}" for n in range(draw(st.integers(2, most_items)))]
    days = windows(draw(st.integers(1, most_windows)))
    some = st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True).map(tuple)
    one, day = st.sampled_from(names), st.sampled_from([*days, days[0] - timedelta(1), days[-1] + timedelta(1)])
    wish: st.SearchStrategy[Wish] = st.one_of(
        st.builds(Together, items=some),
        st.builds(Apart, items=some),
        some.map(lambda pair: Before(first=pair[0], then=pair[1])),
        st.builds(NotBefore, item=one, day=day),
        st.builds(NotAfter, item=one, day=day),
        st.builds(InWave, item=one, wave=st.integers(1, len(days) + 1)),
    )
    limits: list[st.SearchStrategy[Wish]] = [
        st.builds(WaveLimit, servers=st.integers(1, 6)),
        st.builds(SizeLimit, size_bytes=st.integers(1, 6)),
        st.builds(TeamLimit, team=st.just("red"), servers=st.integers(0, 3)),
        st.builds(Pilot, servers=st.integers(1, 3), environments=st.sampled_from([(), ("test",)])),
    ]
    said = [draw(limit) for limit in limits if draw(st.booleans())]
    items = tuple(
        Item(
            name=name,
            servers=draw(st.integers(0, 3)),
            size_bytes=draw(st.integers(0, 3)),
            team=draw(st.sampled_from([None, "red"])),
            risk=draw(st.sampled_from([0.0, 0.5, 1.0])),
            environment=draw(st.sampled_from([None, "test"])),
        )
        for name in names
    )
    edge = st.tuples(one, one, st.integers(0, 5)).map(lambda e: Edge(source=e[0], target=e[1], weight=e[2]))
    return Problem(
        items=items,
        windows=days,
        edges=tuple(draw(st.lists(edge, max_size=6))),
        wishes=(*draw(st.lists(wish, max_size=4)), *said, CalendarEnd(windows=len(days))),
    )


def data_center(servers: int, seed: int, *, wished: bool = True, per_wave: int = 50) -> Problem:
    """Applications of 2 to 14 servers that talk within, to neighbours and to shared services; five edges a server.

    `wished`: with a pilot, teams, order, dates, and pairs that stay together or apart; all of it can be held.
    """
    rng = random.Random(seed)
    application: list[int] = []
    while len(application) < servers:
        application += [application[-1] + 1 if application else 0] * rng.randint(2, 14)
    application = application[:servers]
    members: dict[int, list[int]] = {}
    for server, number in enumerate(application):
        members.setdefault(number, []).append(server)
    hubs = [rng.randrange(servers) for _ in range(max(1, servers // 200))]
    weights: dict[tuple[int, int], int] = {}
    while len(weights) < 5 * servers:
        one, kind = rng.randrange(servers), rng.random()
        near = members[max(0, min(len(members) - 1, application[one] + rng.randint(-5, 5)))]
        other = rng.choice(
            members[application[one]] if kind < 0.6 else near if kind < 0.8 else hubs if kind < 0.9 else range(servers)
        )
        if one != other:
            weights[min(one, other), max(one, other)] = rng.choice([1, 1, 2, 5, 10, 50])
    teams = ("red", "green", "blue")
    items = tuple(
        Item(
            name=f"server-{n:05}",
            size_bytes=rng.randint(10, 500) * 10**9,
            team=teams[application[n] % 3],
            risk=round(rng.random(), 2),
            environment=("production", "test")[application[n] % 4 == 0],
        )
        for n in range(servers)
    )
    count = 2 + -(-servers * 5 // (4 * per_wave))
    days = windows(count)
    wishes: list[Wish] = [WaveLimit(servers=per_wave), CalendarEnd(windows=count)]
    if wished:
        wishes += [Pilot(servers=5, environments=("test",)), SizeLimit(size_bytes=per_wave * 400 * 10**9)]
        wishes += [TeamLimit(team=team, servers=per_wave * 3 // 5) for team in teams]
        for number in range(0, len(members) - 3, 7):
            here, there = members[number], members[number + 2]
            wishes.append(Together(items=tuple(items[n].name for n in here[:2]), latency_critical=True))
            wishes.append(Before(first=items[here[-1]].name, then=items[there[-1]].name))
            wishes.append(NotBefore(item=items[there[-1]].name, day=days[1 + number % 2]))
            wishes.append(Apart(items=(items[here[-1]].name, items[members[number + 1][0]].name)))
    edges = tuple(
        Edge(source=items[one].name, target=items[other].name, weight=weight)
        for (one, other), weight in sorted(weights.items())
    )
    return Problem(items=items, windows=days, edges=edges, wishes=tuple(wishes))
