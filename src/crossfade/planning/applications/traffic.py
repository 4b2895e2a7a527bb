"""Who talks to whom, by server: the dependencies of an inventory as a graph."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from crossfade.planning.inventory.records import Dependency, End, Inventory

_MIB = 2**20


class Party(NamedTuple):
    """An end of a dependency: a server of the inventory, or something outside by what was told of it."""

    is_server: bool
    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """What one party did on one port: with whom, and by which processes of its own."""

    others: set[Party] = field(default_factory=set)
    processes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Traffic:
    """`answered` and `asked`: by party and port. `weights`: by two servers in order of name, never one with itself."""

    answered: Mapping[Party, Mapping[int, Told]]
    asked: Mapping[Party, Mapping[int, Told]]
    weights: Mapping[tuple[str, str], float]

    def partners(self, party: Party) -> set[Party]:
        """Whom it asks or answers."""
        sides = (self.answered.get(party, {}), self.asked.get(party, {}))
        return {other for ports in sides for told in ports.values() for other in told.others}


def party_of(end: End) -> Party | None:
    """None where only an application is told of."""
    if end.server is not None:
        return Party(is_server=True, name=end.server)
    told = end.told or end.address
    return Party(is_server=False, name=told) if told and end.application is None else None


def traffic_of(inventory: Inventory) -> Traffic:
    """Reads each dependency once. Port 0 stands for a port that is not told."""
    answered: dict[Party, dict[int, Told]] = defaultdict(lambda: defaultdict(Told))
    asked: dict[Party, dict[int, Told]] = defaultdict(lambda: defaultdict(Told))
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for dependency in inventory.dependencies:
        source, destination = party_of(dependency.source), party_of(dependency.destination)
        if source is None or destination is None or source == destination:
            continue
        port = dependency.port or 0
        _add(answered[destination][port], source, dependency.destination_process)
        _add(asked[source][port], destination, dependency.source_process)
        if source.is_server and destination.is_server:
            first, second = sorted((source.name, destination.name))
            weights[first, second] += weight_of(dependency)
    return Traffic(answered=answered, asked=asked, weights=weights)


def weight_of(dependency: Dependency) -> float:
    """How much a dependency ties its ends together: 1, and more for connections and bytes, each by its logarithm.

    Volumes of one data center span eight powers of ten; summed as they are, one nightly copy would outweigh all else.
    """
    volume_mib = (dependency.volume_bytes or 0) / _MIB
    return 1 + math.log10(1 + dependency.connections) + math.log10(1 + volume_mib)


def _add(told: Told, other: Party, process: str | None) -> None:
    told.others.add(other)
    if process:
        told.processes.add(process)
