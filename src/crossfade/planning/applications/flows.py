"""Dependencies of servers summed to flows between applications, shared services and the world outside."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crossfade.planning.applications.records import Flow, Node, NodeKind, RoleFound, UnknownEnd
from crossfade.planning.applications.traffic import Party
from crossfade.planning.inventory.records import Dependency, End


@dataclass(slots=True)
class _Sum:
    dependencies: int = 0
    connections: int = 0
    volume_bytes: int | None = None
    latency_ms: float | None = None
    ports: set[int] = field(default_factory=set)
    direction_known: bool = True
    servers: set[tuple[str, str]] = field(default_factory=set)

    def add(self, dependency: Dependency) -> None:
        self.dependencies += 1
        self.connections += dependency.connections
        if dependency.volume_bytes is not None:
            self.volume_bytes = (self.volume_bytes or 0) + dependency.volume_bytes
        if dependency.latency_ms is not None:
            self.latency_ms = min(dependency.latency_ms, self.latency_ms or dependency.latency_ms)
        if dependency.port:
            self.ports.add(dependency.port)
        self.direction_known &= dependency.direction_known
        if dependency.source.server and dependency.destination.server:
            self.servers.add((dependency.source.server, dependency.destination.server))


@dataclass(frozen=True, slots=True)
class Places:
    """Where ends belong: servers to applications by `homes`, or to themselves; `names` by their casefolded form."""

    homes: Mapping[str, list[str]]
    names: Mapping[str, str]

    def node(self, end: End, other: End) -> Node | None:
        """The end's node. A server of several applications counts where the other end is, else to the first by name."""
        if end.application is not None:
            return Node(NodeKind.APPLICATION, self.names[end.application.casefold()])
        if end.server is None:
            told = end.told or end.address
            return Node(NodeKind.OUTSIDE, told) if told else None
        homes = self.homes.get(end.server)
        if homes is None:
            return Node(NodeKind.SERVICE, end.server)
        common = set(homes) & set(self.homes.get(other.server or "", ()))
        return Node(NodeKind.APPLICATION, min(common or homes))


def flows(dependencies: Iterable[Dependency], places: Places) -> tuple[Flow, ...]:
    """One flow for each pair of nodes in each direction; what an application says within itself is one as well."""
    sums: dict[tuple[Node, Node], _Sum] = defaultdict(_Sum)
    for dependency in dependencies:
        source = places.node(dependency.source, dependency.destination)
        destination = places.node(dependency.destination, dependency.source)
        if source is not None and destination is not None:
            sums[source, destination].add(dependency)
    return tuple(_flow(source, destination, total) for (source, destination), total in sorted(sums.items()))


def _flow(source: Node, destination: Node, total: _Sum) -> Flow:
    return Flow(
        source=source,
        destination=destination,
        dependencies=total.dependencies,
        connections=total.connections,
        volume_bytes=total.volume_bytes,
        latency_ms=total.latency_ms,
        ports=tuple(sorted(total.ports)),
        direction_known=total.direction_known,
        servers=tuple(sorted(total.servers)),
    )


def unknown_ends(
    found: Iterable[Flow], addresses: Mapping[str, str], roles: Mapping[Party, tuple[RoleFound, ...]]
) -> tuple[UnknownEnd, ...]:
    """Ends outside the inventory by name, with everybody who talks to them."""
    asked_by: dict[str, list[Flow]] = defaultdict(list)
    asks: dict[str, list[Flow]] = defaultdict(list)
    for flow in found:
        if flow.destination.kind is NodeKind.OUTSIDE:
            asked_by[flow.destination.name].append(flow)
        if flow.source.kind is NodeKind.OUTSIDE:
            asks[flow.source.name].append(flow)
    return tuple(
        _unknown_end(name, asked_by[name], asks[name], addresses.get(name), roles.get(Party(False, name), ()))
        for name in sorted({*asked_by, *asks})
    )


def _unknown_end(
    name: str, asked_by: list[Flow], asks: list[Flow], address: str | None, roles: tuple[RoleFound, ...]
) -> UnknownEnd:
    every = [*asked_by, *asks]
    volumes = [flow.volume_bytes for flow in every if flow.volume_bytes is not None]
    return UnknownEnd(
        name=name,
        address=address,
        asked_by=tuple(sorted({flow.source for flow in asked_by})),
        asks=tuple(sorted({flow.destination for flow in asks})),
        ports=tuple(sorted({port for flow in every for port in flow.ports})),
        connections=sum(flow.connections for flow in every),
        volume_bytes=sum(volumes) if volumes else None,
        roles=roles,
    )
