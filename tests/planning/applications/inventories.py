"""Small inventories, written as they are needed."""

from collections.abc import Sequence
from typing import Any

from crossfade.planning.applications import ApplicationMap, find_applications
from crossfade.planning.applications.records import Member
from crossfade.planning.inventory.records import Dependency, End, Inventory, Server


def server(name: str, **values: Any) -> Server:
    return Server(name=name, **values)


def asks(source: str, destination: str, port: int | None = 443, **values: Any) -> Dependency:
    """Names that begin with a digit are addresses outside."""
    return Dependency(source=_end(source), destination=_end(destination), port=port, **values)


def _end(name: str) -> End:
    return End(address=name) if name[0].isdigit() else End(server=name)


def of(names: str, dependencies: Sequence[Dependency] = (), **values: Any) -> ApplicationMap:
    servers = tuple(server(name) for name in names.split())
    return find_applications(Inventory(servers=servers, dependencies=tuple(dependencies), **values))


def found(servers: Sequence[Server], dependencies: Sequence[Dependency] = (), **values: Any) -> ApplicationMap:
    return find_applications(Inventory(servers=tuple(servers), dependencies=tuple(dependencies), **values))


def homes(told: ApplicationMap) -> dict[str, set[str]]:
    return {application.name: set(application.servers) for application in told.applications}


def member(told: ApplicationMap, name: str) -> Member:
    """The only membership of a server."""
    (only,) = [each for application in told.applications for each in application.members if each.server == name]
    return only
