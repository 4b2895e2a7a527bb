"""The problem of waves: what moves, what talks to what, when changes may be made, what is wished."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from crossfade.model.errors import CrossfadeError
from crossfade.planning.waves.wishes import (
    CalendarEnd,
    InWave,
    Pilot,
    SizeLimit,
    TeamLimit,
    WaveLimit,
    Wish,
)

MOST_SERVERS = 10**6
MOST_BYTES = 10**18
MOST_WEIGHT = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What moves as a whole: an application, or a server. `risk` from 0 to 1; `size_bytes` is what is copied."""

    name: str
    servers: int = 1
    size_bytes: int = 0
    team: str | None = None
    risk: float = 0.0
    environment: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Two items that talk. `weight` is what it costs that they talk over the link while one of them has moved."""

    source: str
    target: str
    weight: int = 1
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """All of it. `windows` are the days on which a cutover may be made, in order: wave n is in the nth of them.

    The order of items, edges and wishes decides between plans that are equally good, and nothing else.
    """

    items: tuple[Item, ...]
    windows: tuple[date, ...]
    edges: tuple[Edge, ...] = ()
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFault:
    """Something that cannot be meant. `place` is that of the item, edge or wish; empty: the whole."""

    place: str
    problem: str
    remedy: str


class ProblemInvalid(CrossfadeError):
    """A problem that cannot be planned as it is told, with all that is wrong."""

    remedy = "Correct what is named."

    def __init__(self, faults: tuple[ProblemFault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.place}: {fault.problem}".lstrip(": ") for fault in faults))


def faults_of(problem: Problem) -> tuple[ProblemFault, ...]:
    """Every fault of the problem, in its order; none: it can be planned, or its wishes contradict each other."""
    return (*_of_whole(problem), *_of_items(problem), *_of_edges(problem), *_of_wishes(problem))


def _of_whole(problem: Problem) -> Iterator[ProblemFault]:
    if not problem.items:
        yield ProblemFault(place="", problem="has nothing that moves", remedy="name at least one item")
    if not problem.windows:
        yield ProblemFault(place="", problem="has no change window", remedy="widen start, deadline and windows")
    if any(later <= earlier for earlier, later in zip(problem.windows, problem.windows[1:], strict=False)):
        yield ProblemFault(place="", problem="has windows out of order", remedy="order them by day, each day once")


def _of_items(problem: Problem) -> Iterator[ProblemFault]:
    often = Counter(item.name for item in problem.items)
    for item in problem.items:
        if often[item.name] > 1:
            remedy = "give each item a name of its own, or make them one"
            yield ProblemFault(
                place=item.place, problem=f"{item.name} is there {often[item.name]} times", remedy=remedy
            )
        if not 0 <= item.servers <= MOST_SERVERS or not 0 <= item.size_bytes <= MOST_BYTES:
            remedy = "servers and bytes are 0 or more"
            yield ProblemFault(place=item.place, problem=f"{item.name} has an impossible size", remedy=remedy)
        if not 0 <= item.risk <= 1:
            yield ProblemFault(
                place=item.place, problem=f"the risk of {item.name} is not from 0 to 1", remedy="write 0 to 1"
            )


def _of_edges(problem: Problem) -> Iterator[ProblemFault]:
    known = {item.name for item in problem.items}
    for edge in problem.edges:
        for name in dict.fromkeys((edge.source, edge.target)):
            if name not in known:
                yield _unknown(edge.place, name)
        if not 0 <= edge.weight <= MOST_WEIGHT:
            yield ProblemFault(place=edge.place, problem="has an impossible weight", remedy="write 0 or more")


def _of_wishes(problem: Problem) -> Iterator[ProblemFault]:
    known = {item.name for item in problem.items}
    seen: Counter[object] = Counter()
    for wish in problem.wishes:
        for name in dict.fromkeys(wish.names):
            if name not in known:
                yield _unknown(wish.place, name)
        if len(set(wish.names)) < len(wish.names):
            yield ProblemFault(place=wish.place, problem="names an item twice", remedy="name it once")
        if isinstance(wish, InWave) and wish.wave < 1:
            yield ProblemFault(place=wish.place, problem="names a wave below 1", remedy="count waves from 1")
        if isinstance(wish, WaveLimit | SizeLimit | TeamLimit | Pilot | CalendarEnd):
            key = (type(wish), wish.team if isinstance(wish, TeamLimit) else "")
            seen[key] += 1
            if seen[key] == 2:
                yield ProblemFault(place=wish.place, problem="is said twice", remedy="keep one of them")
        if isinstance(wish, CalendarEnd) and wish.windows != len(problem.windows):
            yield ProblemFault(place=wish.place, problem="miscounts the windows", remedy="count the windows")


def _unknown(place: str, name: str) -> ProblemFault:
    return ProblemFault(place=place, problem=f"names {name}, which is no item", remedy="name it as the item is named")
