"""What was found of applications, each with the reason. Names of servers are those of the inventory."""

from dataclasses import dataclass, field
from enum import StrEnum


class Basis(StrEnum):
    """What shows that a server belongs to an application."""

    TOLD = "told"
    """A record or a column names the application."""
    TAG = "tag"
    NAME = "name"
    """Its name begins as those of the others."""
    TRAFFIC = "traffic"
    """It talks with the others more than with anybody else."""
    ALONE = "alone"
    """Nothing ties it to another server."""


class Certainty(StrEnum):
    """How sure that is."""

    TOLD = "told"
    """Somebody wrote it down."""
    LIKELY = "likely"
    """Two kinds of evidence agree."""
    POSSIBLE = "possible"
    """One kind of evidence, and none against it."""
    UNKNOWN = "unknown"
    """No evidence."""


class NodeKind(StrEnum):
    """What talks."""

    APPLICATION = "application"
    SERVICE = "service"
    """A server that serves many applications and belongs to none."""
    OUTSIDE = "outside"
    """A name or an address that no source describes."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One end of a flow; `name` is that of the application or the server, or what was told of an end outside."""

    kind: NodeKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A server of an application, and why."""

    server: str
    basis: Basis
    certainty: Certainty
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundApplication:
    """Servers that are one application. Without members, it is told of and no source says where it runs.

    `certainty` is that of the least certain member; of a told application without members, `TOLD`.
    """

    name: str
    members: tuple[Member, ...]
    certainty: Certainty
    reason: str
    ends: tuple[str, ...] = ()
    """Names and addresses that dependencies tell together with the application, and that are no known server."""
    environments: tuple[str, ...] = ()
    owner: str | None = None
    """None: nobody is told, or sources contradict each other."""
    wave: str | None = None
    """None: not told, or its servers are told of in several."""

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(member.server for member in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFound:
    """One service that an end gives to many."""

    role: str
    certainty: Certainty
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedService:
    """A server that many applications use. `applications`: those that it is told to belong to all the same."""

    server: str
    roles: tuple[RoleFound, ...]
    applications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEnd:
    """A name or an address outside the inventory, and who talks to it. `asked_by` need it; `asks` are needed by it."""

    name: str
    address: str | None
    asked_by: tuple[Node, ...]
    asks: tuple[Node, ...]
    ports: tuple[int, ...]
    connections: int
    volume_bytes: int | None
    roles: tuple[RoleFound, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """All dependencies from one node on another, or of an application within itself.

    `volume_bytes` sums what was told, None where nothing was; `latency_ms` is the least that any of them bears.
    `servers` are the pairs of servers behind it, as far as both ends are servers.
    """

    source: Node
    destination: Node
    dependencies: int
    connections: int
    volume_bytes: int | None
    latency_ms: float | None
    ports: tuple[int, ...]
    direction_known: bool
    servers: tuple[tuple[str, str], ...] = ()

    @property
    def is_within(self) -> bool:
        return self.source == self.destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """A server that several applications are told to run on: they move together, or the server is divided first."""

    server: str
    applications: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A server that is in no application and no service, and why."""

    server: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationMap:
    """Every server of the inventory is in an application, a shared service or left out; nothing vanishes.

    All is sorted by name, and the same inventory gives the same map.
    """

    applications: tuple[FoundApplication, ...] = ()
    services: tuple[SharedService, ...] = ()
    unknown_ends: tuple[UnknownEnd, ...] = ()
    flows: tuple[Flow, ...] = ()
    ties: tuple[Tie, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What could not be known, for people."""

    @property
    def between_applications(self) -> tuple[Flow, ...]:
        """Flows whose both ends are applications, and not one and the same."""
        kinds = {NodeKind.APPLICATION}
        return tuple(
            flow for flow in self.flows if {flow.source.kind, flow.destination.kind} == kinds and not flow.is_within
        )
