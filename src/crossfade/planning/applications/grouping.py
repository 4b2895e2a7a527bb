"""Every server to its application: what is told first, then names, then traffic; each with the reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crossfade.planning.applications.communities import communities
from crossfade.planning.applications.names import shared_names
from crossfade.planning.applications.records import Basis, Certainty, Member
from crossfade.planning.applications.told import ToldApplications

MAJORITY = 0.5  # of what a server talks with other servers, shared services aside
Weights = Mapping[tuple[str, str], float]


@dataclass(slots=True)
class Groups:
    """Members by application, while they are found. `homes`: the applications of each placed server."""

    members: dict[str, dict[str, Member]] = field(default_factory=dict)
    homes: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def place(self, application: str, member: Member) -> None:
        name = self.names.setdefault(application.casefold(), application)
        self.members.setdefault(name, {})[member.server] = member
        self.homes.setdefault(member.server, []).append(name)

    def open(self, servers: Iterable[str]) -> list[str]:
        """Those that are in no application yet, in order of name."""
        return sorted(server for server in set(servers) if server not in self.homes)

    def free(self, name: str) -> str:
        """The name, or what comes nearest that no application has yet."""
        found, number = name, 2
        while found.casefold() in self.names:
            found, number = f"{name} ({number})", number + 1
        return found


def grouped(servers: Iterable[str], told: ToldApplications, weights: Weights) -> Groups:
    """`servers` are those that have to be in an application: each will be in one, or in the several that are told.

    `weights` are of pairs of servers, without shared services.
    """
    groups = Groups(names=dict(told.names))
    for application, members in told.members.items():
        groups.members.setdefault(application, {})
        for member in members.values():
            groups.place(application, member)
    wanted, neighbours = sorted(set(servers)), _neighbours(weights)
    _by_name(wanted, groups, neighbours)
    _by_neighbours(wanted, groups, neighbours)
    _by_communities(wanted, groups, weights, neighbours)
    for server in groups.open(wanted):
        reason = "no dependency on another server is known, and no other has a name like it"
        if server in neighbours:
            reason = "it talks with servers of several applications, with none of them mostly"
        member = Member(server=server, basis=Basis.ALONE, certainty=Certainty.UNKNOWN, reason=reason)
        groups.place(groups.free(server), member)
    return groups


def _by_name(servers: list[str], groups: Groups, neighbours: Mapping[str, Mapping[str, float]]) -> None:
    """Servers whose names share a stem: of the told application that has servers of that stem, or a new one."""
    opened = groups.open(servers)
    stems = shared_names([*opened, *groups.homes])
    owners: dict[str, set[str]] = defaultdict(set)
    for server, homes in groups.homes.items():
        if server in stems:
            owners[stems[server]].update(homes)
    alike: dict[str, list[str]] = defaultdict(list)
    for server in opened:
        if server in stems:
            alike[stems[server]].append(server)
    for stem, members in sorted(alike.items()):
        application = groups.names.get(stem)
        if application is None and len(owners[stem]) == 1:
            (application,) = owners[stem]
        if application is None and (owners[stem] or len(members) == 1):
            continue  # several applications have servers of that name: the traffic may tell
        application = application or stem
        inside = {*members, *groups.members.get(application, {})}
        for server in members:
            groups.place(application, _named(server, stem, inside, neighbours.get(server, {})))


def _named(server: str, stem: str, inside: set[str], neighbours: Mapping[str, float]) -> Member:
    """Likely where most of its traffic stays among those who share the name; else only possible."""
    within, total = _shares(neighbours, inside)
    others = len(inside) - 1
    reason = f"its name shares “{stem}” with {others} other{'' if others == 1 else 's'}"
    if total:
        reason += f", and {within / total:.0%} of its traffic with servers is with them"
    certainty = Certainty.LIKELY if total and within >= MAJORITY * total else Certainty.POSSIBLE
    return Member(server=server, basis=Basis.NAME, certainty=certainty, reason=reason)


def _by_neighbours(servers: list[str], groups: Groups, neighbours: Mapping[str, Mapping[str, float]]) -> None:
    """A server that talks mostly with one application belongs to it. Judged for all by how things stood before."""
    joining: list[tuple[str, Member]] = []
    for server in groups.open(servers):
        weights: dict[str, float] = defaultdict(float)
        for other, weight in neighbours.get(server, {}).items():
            for home in groups.homes.get(other, ()):
                weights[home] += weight
        total = sum(neighbours.get(server, {}).values())
        best = min(weights, key=lambda home: (-weights[home], home), default=None)
        if best is not None and weights[best] > MAJORITY * total:
            reason = f"{weights[best] / total:.0%} of its traffic with servers is with {best}"
            member = Member(server=server, basis=Basis.TRAFFIC, certainty=Certainty.POSSIBLE, reason=reason)
            joining.append((best, member))
    for application, member in joining:
        groups.place(application, member)


def _by_communities(
    servers: list[str], groups: Groups, weights: Weights, neighbours: Mapping[str, Mapping[str, float]]
) -> None:
    """Those left that talk with each other are one application, named after the one that does so most."""
    for group in communities(weights, groups.open(servers)):
        shares = {server: _shares(neighbours[server], set(group)) for server in group}
        first = min(group, key=lambda server: (-shares[server][0], server))
        application = groups.free(f"around {first}")
        for server, (within, total) in shares.items():
            others = len(group) - 1
            reason = f"{within / total:.0%} of its traffic with servers is with {others} that talk with each other"
            member = Member(server=server, basis=Basis.TRAFFIC, certainty=Certainty.POSSIBLE, reason=reason)
            groups.place(application, member)


def _shares(neighbours: Mapping[str, float], inside: set[str]) -> tuple[float, float]:
    """How much of what is said stays inside, and all of it."""
    return sum(weight for other, weight in neighbours.items() if other in inside), sum(neighbours.values())


def _neighbours(weights: Weights) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (first, second), weight in sorted(weights.items()):
        found[first][second] = found[second][first] = weight
    return dict(found)
