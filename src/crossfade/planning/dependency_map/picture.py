"""What is drawn, whatever draws it: cards for what talks, lines for the flows between them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from crossfade.planning.applications.records import ApplicationMap, Certainty, FoundApplication, Node, NodeKind
from crossfade.planning.inventory.records import Inventory, Server

_MIB = 2**20
OUTSIDE = "outside"
IN_NO_WAVE = "none"
"""The wave of an application that a plan leaves where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A server, or an end that is none, which has no certainty; `note` says why it is on its card."""

    name: str
    note: str
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An application, the servers of one shared service, or all that is outside. Texts are as they were told.

    `waves` are those that the map can be filtered by: planned ones where there is a plan, else those told by sources.
    `told_waves` are those told, where there is a plan.
    """

    kind: NodeKind
    title: str
    entries: tuple[Entry, ...]
    reason: str
    certainty: Certainty
    environments: tuple[str, ...] = ()
    waves: tuple[str, ...] = ()
    told_waves: tuple[str, ...] = ()
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A flow from one card to another, by their places in the picture. `weight` is at least 1 and has no unit."""

    source: int
    destination: int
    dependencies: int
    connections: int
    volume_bytes: int | None
    latency_ms: float | None
    ports: tuple[int, ...]
    direction_known: bool
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Cards in columns, and the lines between them, heaviest first. `hidden` tells what is not drawn, in words."""

    cards: tuple[Card, ...]
    lines: tuple[Line, ...]
    columns: tuple[tuple[int, ...], ...] = ()
    lone: tuple[int, ...] = ()
    """Applications that talk with no other card."""
    hidden: tuple[str, ...] = ()


def picture_of(found: ApplicationMap, inventory: Inventory, planned: Mapping[str, str] | None = None) -> Picture:
    """One card for each application, each kind of shared service, and all ends outside; not yet in columns.

    `planned`: of a plan, what its wave is called, by application; one that is not in it is in no wave. None: no plan.
    """
    servers = {server.name: server for server in inventory.servers}
    cards = [_application(application, servers, planned) for application in found.applications]
    place = {Node(NodeKind.APPLICATION, application.name): n for n, application in enumerate(found.applications)}
    by_roles: dict[str, list[Entry]] = defaultdict(list)
    for service in found.services:
        if not service.applications:
            title = ", ".join(role.role for role in service.roles)
            note = "; ".join(f"{role.role}: {role.reason}" for role in service.roles)
            by_roles[title].append(Entry(name=service.server, note=note, certainty=service.roles[0].certainty))
    for title, entries in sorted(by_roles.items()):
        place |= {Node(NodeKind.SERVICE, entry.name): len(cards) for entry in entries}
        cards.append(_service(title, entries))
    if found.unknown_ends:
        place |= {Node(NodeKind.OUTSIDE, end.name): len(cards) for end in found.unknown_ends}
        cards.append(_outside(found))
    return Picture(cards=tuple(cards), lines=_lines(found, place))


def weight_of(connections: int, volume_bytes: int | None) -> float:
    """1, and more for connections and MiB, each by its logarithm: a line ten times as thick would hide the others."""
    return 1 + math.log10(1 + connections) + math.log10(1 + (volume_bytes or 0) / _MIB)


def _application(
    application: FoundApplication, servers: Mapping[str, Server], planned: Mapping[str, str] | None
) -> Card:
    entries = [
        Entry(name=member.server, note=member.reason, certainty=member.certainty) for member in application.members
    ]
    entries += [Entry(name=end, note="told with the application; no source describes it") for end in application.ends]
    told = waves_told(application, servers)
    return Card(
        kind=NodeKind.APPLICATION,
        title=application.name,
        entries=tuple(entries),
        reason=application.reason,
        certainty=application.certainty,
        environments=application.environments,
        waves=told if planned is None else (planned.get(application.name, IN_NO_WAVE),),
        told_waves=() if planned is None else told,
        owner=application.owner,
    )


def waves_told(application: FoundApplication, servers: Mapping[str, Server]) -> tuple[str, ...]:
    """Waves that sources tell of an application or any of its servers, sorted."""
    told = {application.wave, *(servers[name].wave for name in application.servers)}
    return tuple(sorted(wave for wave in told if wave))


def _service(title: str, entries: list[Entry]) -> Card:
    possible = any(entry.certainty is Certainty.POSSIBLE for entry in entries)
    return Card(
        kind=NodeKind.SERVICE,
        title=title,
        entries=tuple(sorted(entries, key=lambda entry: entry.name)),
        reason="shared: many use it, and no record says whose it is",
        certainty=Certainty.POSSIBLE if possible else Certainty.LIKELY,
    )


def _outside(found: ApplicationMap) -> Card:
    return Card(
        kind=NodeKind.OUTSIDE,
        title=OUTSIDE,
        entries=tuple(
            Entry(name=end.name, note=_talks(end.asked_by, end.asks, end.ports)) for end in found.unknown_ends
        ),
        reason="names and addresses that no source describes",
        certainty=Certainty.UNKNOWN,
    )


def _talks(asked_by: Iterable[Node], asks: Iterable[Node], ports: Iterable[int]) -> str:
    said = []
    if names := [node.name for node in asked_by]:
        said.append(f"asked by {_some(names)}")
    if names := [node.name for node in asks]:
        said.append(f"asks {_some(names)}")
    numbers = ", ".join(str(port) for port in ports)
    return "; ".join(said) + (f" (port {numbers})" if numbers else "")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _lines(found: ApplicationMap, place: Mapping[Node, int]) -> tuple[Line, ...]:
    sums: dict[tuple[int, int], Line] = {}
    for flow in found.flows:
        source, destination = place[flow.source], place[flow.destination]
        if source == destination:
            continue
        line = Line(
            source=source,
            destination=destination,
            dependencies=flow.dependencies,
            connections=flow.connections,
            volume_bytes=flow.volume_bytes,
            latency_ms=flow.latency_ms,
            ports=flow.ports,
            direction_known=flow.direction_known,
            weight=weight_of(flow.connections, flow.volume_bytes),
        )
        known = sums.get((source, destination))
        sums[source, destination] = line if known is None else _sum(known, line)
    return tuple(sorted(sums.values(), key=lambda line: (-line.weight, line.source, line.destination)))


def _sum(one: Line, other: Line) -> Line:
    volumes = [line.volume_bytes for line in (one, other) if line.volume_bytes is not None]
    latencies = [line.latency_ms for line in (one, other) if line.latency_ms is not None]
    connections, volume = one.connections + other.connections, sum(volumes) if volumes else None
    return replace(
        one,
        dependencies=one.dependencies + other.dependencies,
        connections=connections,
        volume_bytes=volume,
        latency_ms=min(latencies, default=None),
        ports=tuple(sorted({*one.ports, *other.ports})),
        direction_known=one.direction_known and other.direction_known,
        weight=weight_of(connections, volume),
    )
