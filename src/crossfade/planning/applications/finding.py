"""The way from an inventory to its applications."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from crossfade.planning.applications.flows import Places, flows, unknown_ends
from crossfade.planning.applications.grouping import Groups, grouped
from crossfade.planning.applications.records import (
    ApplicationMap,
    Basis,
    Certainty,
    FoundApplication,
    LeftOut,
    Member,
    RoleFound,
    SharedService,
    Tie,
)
from crossfade.planning.applications.shared import shared_roles
from crossfade.planning.applications.told import ToldApplications, told_applications
from crossfade.planning.applications.traffic import Party, traffic_of
from crossfade.planning.inventory.records import Inventory

_LEAST_FIRST = (Certainty.UNKNOWN, Certainty.POSSIBLE, Certainty.LIKELY, Certainty.TOLD)


def find_applications(inventory: Inventory) -> ApplicationMap:
    """Applications, shared services and unknown ends, with the flows between them. Raises nothing.

    The same inventory gives the same map, whatever order its records are in.
    """
    traffic, told = traffic_of(inventory), told_applications(inventory)
    placed = {server for members in told.members.values() for server in members}
    parties = sorted({Party(True, server.name) for server in inventory.servers} | {*traffic.answered, *traffic.asked})
    roles = shared_roles(parties, traffic)
    seen = {party.name for party in (*traffic.answered, *traffic.asked) if party.is_server}
    left_out = tuple(
        LeftOut(server=server.name, reason="it is a template, and nothing talks with it")
        for server in sorted(inventory.servers, key=lambda each: each.name)
        if server.is_template and server.name not in seen | placed
    )
    shared = {party.name for party in roles if party.is_server} - {each.server for each in left_out}
    apart = frozenset(shared - placed)
    weights = {pair: weight for pair, weight in traffic.weights.items() if shared.isdisjoint(pair)}
    out = apart | {each.server for each in left_out}
    groups = grouped((each.name for each in inventory.servers if each.name not in out), told, weights)
    found = flows(inventory.dependencies, Places(homes=groups.homes, names=groups.names))
    return ApplicationMap(
        applications=_applications(groups, told, inventory),
        services=_services(shared, roles, groups.homes),
        unknown_ends=unknown_ends(found, _addresses(inventory), roles),
        flows=found,
        ties=tuple(
            Tie(server=server, applications=tuple(sorted(homes)))
            for server, homes in sorted(groups.homes.items())
            if len(homes) > 1
        ),
        left_out=left_out,
        notes=tuple(_notes(inventory, groups)),
    )


def _applications(groups: Groups, told: ToldApplications, inventory: Inventory) -> tuple[FoundApplication, ...]:
    servers = {server.name: server for server in inventory.servers}
    ends = _ends(inventory)
    found = []
    for name, by_server in sorted(groups.members.items()):
        members = tuple(by_server[server] for server in sorted(by_server))
        record = told.records.get(name)
        own = [servers[member.server] for member in members]
        environments = {server.environment for server in own} | {record.environment if record else None}
        owners = {record.owner} if record and record.owner else {server.owner for server in own}
        waves = {record.wave} if record and record.wave else {server.wave for server in own}
        found.append(
            FoundApplication(
                name=name,
                members=members,
                certainty=min((m.certainty for m in members), key=_LEAST_FIRST.index, default=Certainty.TOLD),
                reason=_reason(members),
                ends=tuple(sorted(ends[name.casefold()])),
                environments=tuple(sorted(environment for environment in environments if environment)),
                owner=_only(owners),
                wave=_only(waves),
            )
        )
    return tuple(found)


def _ends(inventory: Inventory) -> Mapping[str, set[str]]:
    """What is told of applications' ends that are no known servers, by the application's casefolded name."""
    found: dict[str, set[str]] = defaultdict(set)
    for dependency in inventory.dependencies:
        for end in (dependency.source, dependency.destination):
            told = end.told or end.address
            if end.application and end.server is None and told:
                found[end.application.casefold()].add(told)
    return found


def _only(values: Iterable[str | None]) -> str | None:
    told = {value for value in values if value}
    return told.pop() if len(told) == 1 else None


_SAYS = {
    Basis.TOLD: "by records",
    Basis.TAG: "by tags",
    Basis.NAME: "by their names",
    Basis.TRAFFIC: "by their traffic",
    Basis.ALONE: "alone: nothing ties it to another",
}


def _reason(members: tuple[Member, ...]) -> str:
    if not members:
        return "a record names it, and no source says on which servers it runs"
    counts = {basis: sum(member.basis is basis for member in members) for basis in Basis}
    return ", ".join(f"{count} {_SAYS[basis]}" for basis, count in counts.items() if count)


def _services(
    shared: Iterable[str], roles: Mapping[Party, tuple[RoleFound, ...]], homes: Mapping[str, list[str]]
) -> tuple[SharedService, ...]:
    return tuple(
        SharedService(
            server=server, roles=roles[Party(True, server)], applications=tuple(sorted(homes.get(server, ())))
        )
        for server in sorted(shared)
    )


def _addresses(inventory: Inventory) -> dict[str, str]:
    """Addresses of ends outside that were told with a name too."""
    ends = (end for each in inventory.dependencies for end in (each.source, each.destination))
    return {end.told: end.address for end in ends if end.server is None and end.told and end.address}


def _notes(inventory: Inventory, groups: Groups) -> Iterable[str]:
    if inventory.servers and not inventory.dependencies:
        yield (
            "no source tells of dependencies: applications are known by records, tags and names alone, and who needs "
            "whom is not known; add a list of connections (ss -tnap, flow logs, an export of dependencies)"
        )
    unclear = sum(not dependency.direction_known for dependency in inventory.dependencies)
    if unclear:
        yield f"of {unclear} dependencies it is not known which end asks"
    alone = sum(member.basis is Basis.ALONE for members in groups.members.values() for member in members.values())
    if alone:
        yield f"{alone} servers stand alone: nothing ties them to others, each counts as an application of its own"
