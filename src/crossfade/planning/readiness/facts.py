"""What an inventory tells of one application, gathered from its records."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.planning.applications.records import ApplicationMap, FoundApplication, Node, NodeKind
from crossfade.planning.inventory.records import Database, Files, Inventory, Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`owners`: everybody who is told to own it or a server of it. `seen`: servers of which any dependency is known.

    `outside`: what it talks with that does not move: ends that no source describes, and what stays by the plan.
    """

    application: FoundApplication
    servers: tuple[Server, ...]
    databases: tuple[Database, ...]
    files: tuple[Files, ...]
    owners: tuple[str, ...]
    seen: frozenset[str]
    outside: tuple[str, ...]


def facts_of(inventory: Inventory, found: ApplicationMap, out_of_scope: frozenset[str]) -> Iterator[Facts]:
    """For each application, in the order of the map. `out_of_scope`: applications or servers that stay, by name."""
    servers = {server.name: server for server in inventory.servers}
    records = {application.name.casefold(): application for application in inventory.applications}
    seen = frozenset(
        end.server for each in inventory.dependencies for end in (each.source, each.destination) if end.server
    )
    outside = _outside(found, out_of_scope)
    for application in found.applications:
        own, name = set(application.servers), application.name.casefold()
        members = tuple(servers[each] for each in application.servers)
        record = records.get(name)
        owners = {server.owner for server in members} if record is None or not record.owner else {record.owner}
        yield Facts(
            application=application,
            servers=members,
            databases=tuple(each for each in inventory.databases if _is_of(each, name, own)),
            files=tuple(each for each in inventory.files if _is_of(each, name, own)),
            owners=tuple(sorted(owner for owner in owners if owner)),
            seen=seen & own,
            outside=tuple(sorted(outside[application.name])),
        )


def _is_of(record: Database | Files, name: str, servers: set[str]) -> bool:
    """What is told to belong to an application is of that one, wherever it lies."""
    if record.application:
        return record.application.casefold() == name
    return record.server in servers


def _outside(found: ApplicationMap, out_of_scope: frozenset[str]) -> dict[str, set[str]]:
    """By application, whatever stays and is talked with. Ends that are services for all are not counted."""
    services = {end.name for end in found.unknown_ends if end.roles}
    stays = {name.casefold() for name in out_of_scope}
    outside: dict[str, set[str]] = defaultdict(set)
    for flow in found.flows:
        for here, there in ((flow.source, flow.destination), (flow.destination, flow.source)):
            if here.kind is NodeKind.APPLICATION and here != there and _stays(there, services, stays):
                outside[here.name].add(there.name)
        for pair in flow.servers:
            for application in {flow.source, flow.destination}:
                gone = {server for server in pair if server.casefold() in stays}
                if application.kind is NodeKind.APPLICATION:
                    outside[application.name] |= gone
    return outside


def _stays(node: Node, services: set[str], stays: set[str]) -> bool:
    if node.kind is NodeKind.OUTSIDE:
        return node.name not in services
    return node.name.casefold() in stays
