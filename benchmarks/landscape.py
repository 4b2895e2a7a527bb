"""Generated data centers of which it is known which server belongs to which application.

Applications of three to thirty servers in tiers that talk with each other, a few dependencies between applications,
shared services that all use, ends outside. Of the applications, `written` are told by records, the next by tags, the
next by names of servers alone; the rest have names that say nothing, and only their traffic tells.
"""

import random
from dataclasses import dataclass, replace
from itertools import pairwise

from crossfade.planning.inventory.records import Dependency, End, Inventory, Server

KINDS = ("told", "tag", "name", "traffic")
_SYSTEMS = ("Ubuntu 22.04", "Red Hat Enterprise Linux 7", "Microsoft Windows Server 2016", "SUSE Linux Enterprise 12")
_SERVICES = (("dns", 53, 2), ("ad", 389, 2), ("ntp", 123, 1), ("backup", 13724, 1), ("syslog", 514, 1))
_SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "we",
    "zo",
)


@dataclass(frozen=True, slots=True)
class Landscape:
    """`truth`: the application of each server that has one; `kinds`: how each application can be known."""

    inventory: Inventory
    truth: dict[str, str]
    kinds: dict[str, str]
    services: frozenset[str]


def landscape(servers: int, dependencies: int, *, seed: int = 7) -> Landscape:
    """About `servers` servers and `dependencies` dependencies; the same seed gives the same."""
    chance = random.Random(seed)
    services = [
        Server(name=f"{name}{n + 1:02}", host_names=(f"{name}{n + 1:02}.corp.example",))
        for name, _, count in _SERVICES
        for n in range(count)
    ]
    made = _applications(servers - len(services), chance)
    truth = {server.name: name for name, (_, members) in made.items() for server in members}
    found: set[tuple[str, str, int]] = set()
    for _, members in made.values():
        found |= _within([server.name for server in members], chance)
    everyone = sorted(truth)
    for name in everyone:
        for service, port, count in chance.sample(_SERVICES, 3):
            found.add((name, f"{service}{chance.randint(1, count):02}", port))
    names = sorted(made)
    while len(found) < dependencies:
        if chance.random() < 0.9:  # more of what is within
            members = made[chance.choice(names)][1]
            first, second = (chance.choice(members).name for _ in range(2))
        else:
            first, second = chance.choice(everyone), chance.choice(everyone)
        if first != second:
            found.add((first, second, chance.choice((443, 8080, 5432, 1521, 9092, 6379, 8443, 5672))))
    told = [_dependency(*each, chance) for each in sorted(found)]
    told += [_outside(n, chance.choice(everyone)) for n in range(max(3, servers // 200))]
    chance.shuffle(told)
    every = services + [server for _, members in made.values() for server in members]
    chance.shuffle(every)
    return Landscape(
        inventory=Inventory(servers=tuple(every), dependencies=tuple(told)),
        truth=truth,
        kinds={name: kind for name, (kind, _) in made.items()},
        services=frozenset(server.name for server in services),
    )


def _applications(servers: int, chance: random.Random) -> dict[str, tuple[str, list[Server]]]:
    made: dict[str, tuple[str, list[Server]]] = {}
    left = servers
    while left > 0:
        size = min(left, chance.choice((3, 4, 5, 6, 8, 10, 12, 20, 30)))
        name = "".join(chance.choices(_SYLLABLES, k=4))
        if name in made:
            continue
        kind = KINDS[len(made) % len(KINDS)]
        members = [_server(name, kind, place, chance) for place in range(size)]
        made[name], left = (kind, members), left - size
    return made


def _server(application: str, kind: str, place: int, chance: random.Random) -> Server:
    tier = ("web", "app", "db")[place % 3]
    name = f"{application}-prod-{tier}-{place:02}"
    if kind != "name":
        name = f"x{chance.getrandbits(40):010x}q"
    server = Server(
        name=name,
        operating_system=chance.choice(_SYSTEMS),
        environment="production",
        cpus=4,
        memory_mib=8192,
        disk_mib=102_400,
        disk_used_mib=chance.randrange(10_000, 90_000),
        wave=f"wave {1 + sum(map(ord, application)) % 3}",
    )
    if kind == "told":
        return replace(server, applications=(application,))
    return replace(server, tags=(f"Application={application}",)) if kind == "tag" else server


def _within(names: list[str], chance: random.Random) -> set[tuple[str, str, int]]:
    """A chain through all, so that none is alone, and a database that most of them ask."""
    return {(first, second, 8080) for first, second in pairwise(names)} | {
        (name, names[-1], 5432) for name in names[:-1] if chance.random() < 0.7
    }


def _dependency(source: str, destination: str, port: int, chance: random.Random) -> Dependency:
    return Dependency(
        source=End(server=source),
        destination=End(server=destination),
        port=port,
        protocol="tcp",
        connections=int(10 ** chance.uniform(0, 5)),
        volume_bytes=int(10 ** chance.uniform(3, 10)),
    )


def _outside(number: int, server: str) -> Dependency:
    return Dependency(source=End(server=server), destination=End(address=f"203.0.113.{number % 250}"), port=443)
