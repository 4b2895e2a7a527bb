"""The migration file's `planning` as wishes of the waves, each with its place in the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crossfade.model.errors import CrossfadeError
from crossfade.model.file.fault import dotted
from crossfade.model.file.planning import Planning
from crossfade.model.file.rules.finding import Finding
from crossfade.model.file.tree import Tree
from crossfade.planning.applications import ApplicationMap
from crossfade.planning.applications.records import NodeKind
from crossfade.planning.dependency_map.picture import weight_of
from crossfade.planning.plan.movers import Mover
from crossfade.planning.waves import Edge
from crossfade.planning.waves.wishes import Apart, TeamLimit, Together, Wish

_A_UNIT = 10
"""Weights are whole numbers; a tenth of the map's unit is enough to tell flows apart."""
_IMPATIENT_MS, _TIMES = 10.0, 5
"""A flow that bears no more than this feels a link between regions most."""


class NamesUnknown(CrossfadeError):
    """`planning` names what neither the inventory nor the file has, or what stays."""

    remedy = "Name applications or servers as `crossfade map` shows them."

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("; ".join(f"{dotted(each.places[0])} {each.problem}" for each in findings))


@dataclass(frozen=True, slots=True)
class Told:
    """The migration file by its places. `name` is what people call it; empty: there is none, it is assumed."""

    tree: Tree
    name: str

    def at(self, *path: str | int) -> str:
        if not self.name or path not in self.tree.places:
            return f"the default of {dotted(path)}"
        place = self.tree.place(path)
        return f"{self.name}:{place.line}:{place.column}"


def wishes_of(planning: Planning, movers: Sequence[Mover], found: ApplicationMap, told: Told) -> tuple[Wish, ...]:
    """Teams, what moves together or apart, and servers that several applications share.

    Raises NamesUnknown with every name that is none.
    """
    names = _names(movers)
    findings: list[Finding] = []
    wishes: list[Wish] = [
        TeamLimit(team=team.name, servers=team.servers_per_wave, place=told.at("planning", "teams", n))
        for n, team in enumerate(planning.teams)
    ]
    sets = {
        "together": planning.together,
        "latency_critical": planning.latency_critical,
        "apart": planning.apart,
    }
    for key, lists in sets.items():
        for n, listed in enumerate(lists):
            items = []
            for m, name in enumerate(listed):
                if (item := names.get(name.casefold())) is None:
                    findings.append(_unknown(name, ("planning", key, n, m)))
                else:
                    items.append(item)
            wishes += _set(key, tuple(dict.fromkeys(items)), told.at("planning", key, n))
    if findings:
        raise NamesUnknown(tuple(findings))
    return (*wishes, *_ties(found, names))


def _names(movers: Sequence[Mover]) -> Mapping[str, str]:
    """The application by its own name and by those of its servers, in small letters; applications first."""
    names: dict[str, str] = {mover.name.casefold(): mover.name for mover in movers}
    for mover in movers:
        for server in mover.servers:
            for name in (server.name, *server.other_names, *server.host_names):
                names.setdefault(name.casefold(), mover.name)
    return names


def _unknown(name: str, path: tuple[str | int, ...]) -> Finding:
    return Finding(
        places=(path,),
        problem=f"names {name}, which is no application or server that moves",
        remedy="write a name as `crossfade map` shows it, or take it out of planning.out_of_scope",
    )


def _set(key: str, items: tuple[str, ...], place: str) -> Iterator[Wish]:
    """Names of one application alone ask for nothing, but that servers of one move apart, which cannot be."""
    if len(items) < 2:
        return
    if key == "apart":
        yield Apart(items=items, place=place)
    else:
        yield Together(items=items, latency_critical=key == "latency_critical", place=place)


def _ties(found: ApplicationMap, names: Mapping[str, str]) -> Iterator[Wish]:
    for tie in found.ties:
        items = tuple(dict.fromkeys(names[name.casefold()] for name in tie.applications if name.casefold() in names))
        if len(items) > 1:
            yield Together(items=items, place=f"{tie.server} runs them all")


def edges_of(found: ApplicationMap, movers: Sequence[Mover]) -> tuple[Edge, ...]:
    """Flows between applications that move. A flow that bears little latency weighs more."""
    moves = {mover.name for mover in movers}
    return tuple(
        Edge(
            source=flow.source.name,
            target=flow.destination.name,
            weight=round(
                _A_UNIT
                * weight_of(flow.connections, flow.volume_bytes)
                * (_TIMES if flow.latency_ms is not None and flow.latency_ms <= _IMPATIENT_MS else 1)
            ),
            place="",
        )
        for flow in found.between_applications
        if flow.source.kind is NodeKind.APPLICATION and {flow.source.name, flow.destination.name} <= moves
    )
