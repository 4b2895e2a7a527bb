"""What moves as a whole: the applications that were found, with their servers, data, risk and team."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from crossfade.model.file.planning import Planning, Team
from crossfade.planning.applications import ApplicationMap
from crossfade.planning.applications.records import FoundApplication
from crossfade.planning.inventory import Inventory
from crossfade.planning.inventory.records import Database, Files, Server
from crossfade.planning.plan.records import NotPlanned
from crossfade.planning.readiness import Readiness
from crossfade.planning.schedule.amounts import Amounts

_MIB, _KIB = 2**20, 2**10
_NOT_KNOWN = 0.5
_PRODUCTION, _OTHER = 1.0, 0.2
_WEIGHT_OF_READINESS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """An application that moves. `assumed_servers`: none are told, and one is reckoned with.

    `risk` from 0 to 1: what stands against its move, and whether it is production; half where that is not known.
    """

    application: FoundApplication
    servers: tuple[Server, ...]
    databases: tuple[Database, ...]
    files: tuple[Files, ...]
    amounts: Amounts
    team: str | None
    risk: float

    @property
    def name(self) -> str:
        return self.application.name

    @property
    def environment(self) -> str | None:
        """Of several, production: what is partly that counts as that."""
        told = self.application.environments
        return next((each for each in told if _is_production(each)), next(iter(told), None))

    @property
    def is_harmless(self) -> bool:
        """Known not to be production."""
        return self.environment is not None and not _is_production(self.environment)

    @property
    def count(self) -> int:
        return max(1, len(self.servers))


def movers_of(
    inventory: Inventory, found: ApplicationMap, readiness: Iterable[Readiness], planning: Planning
) -> tuple[Mover, ...]:
    """All that move, in the order of the map. A server of several applications counts for the first of them."""
    stays = {name.casefold() for name in planning.out_of_scope}
    servers = {server.name: server for server in inventory.servers}
    scores = {each.application: each.score for each in readiness}
    data, counted, movers = _data(inventory), set[str](), []
    for application in found.applications:
        told = [servers[name] for name in application.servers if name.casefold() not in stays]
        if application.name.casefold() in stays or (application.servers and not told):
            continue
        own = tuple(server for server in told if server.name not in counted)
        counted |= {server.name for server in own}
        databases, files = data.of(application.name, own)
        movers.append(
            Mover(
                application=application,
                servers=own,
                databases=databases,
                files=files,
                amounts=_amounts(own, databases, files, told=bool(told)),
                team=_team(application, planning.teams),
                risk=_risk(scores.get(application.name), application.environments),
            )
        )
    return tuple(movers)


def not_planned(found: ApplicationMap, planning: Planning, movers: Iterable[Mover]) -> Iterator[NotPlanned]:
    """Everything of the inventory that is in no wave, each with the reason; nothing vanishes."""
    moves = {mover.name for mover in movers}
    for application in found.applications:
        if application.name not in moves:
            yield NotPlanned(name=application.name, reason="it stays: planning.out_of_scope names it or its servers")
    scope = {name.casefold() for name in planning.out_of_scope}
    for application in found.applications:
        for server in application.servers:
            if server.casefold() in scope and application.name in moves:
                yield NotPlanned(name=server, reason="it stays: planning.out_of_scope names it")
    for service in found.services:
        if not service.applications:
            roles = ", ".join(role.role for role in service.roles)
            why = f"many use it ({roles}): it has to answer on both sides from the first wave to the last"
            yield NotPlanned(name=service.server, reason=why)
    for left in found.left_out:
        yield NotPlanned(name=left.server, reason=left.reason)


@dataclass(frozen=True, slots=True)
class _Data:
    """Databases and files by the application that is told with them, and by the server they lie on."""

    databases: Mapping[str, list[Database]]
    files: Mapping[str, list[Files]]

    def of(self, name: str, servers: tuple[Server, ...]) -> tuple[tuple[Database, ...], tuple[Files, ...]]:
        keys = (f"application:{name.casefold()}", *(f"server:{server.name}" for server in servers))
        databases = tuple(each for key in keys for each in self.databases.get(key, ()))
        return databases, tuple(each for key in keys for each in self.files.get(key, ()))


def _data(inventory: Inventory) -> _Data:
    databases: dict[str, list[Database]] = defaultdict(list)
    files: dict[str, list[Files]] = defaultdict(list)
    for database in inventory.databases:
        databases[_key(database)].append(database)
    for each in inventory.files:
        files[_key(each)].append(each)
    return _Data(databases, files)


def _key(record: Database | Files) -> str:
    return f"application:{record.application.casefold()}" if record.application else f"server:{record.server}"


def _amounts(
    servers: tuple[Server, ...], databases: tuple[Database, ...], files: tuple[Files, ...], *, told: bool
) -> Amounts:
    """What lies on a server's own disks is copied with it, but for its databases, which replication carries."""
    own = {server.name for server in servers}
    database = sum(each.size_mib or 0 for each in databases) * _MIB
    within = sum(each.size_mib or 0 for each in databases if each.server in own) * _MIB
    elsewhere = sum(each.size_mib or 0 for each in files if each.server not in own) * _MIB
    used = sum(server.disk_used_mib or 0 for server in servers) * _MIB
    capacity = sum(server.disk_mib or 0 for server in servers if server.disk_used_mib is None) * _MIB
    unsized = sum(server.disk_used_mib is None and server.disk_mib is None for server in servers)
    less = min(within, used)
    measured = [server for server in servers if server.disk_write_kib_s is not None]
    covered = sum(_size(server) for server in measured)
    disks = used + capacity - within
    return Amounts(
        database_bytes=database,
        files_bytes=elsewhere,
        used_bytes=used - less,
        capacity_bytes=max(0, capacity - (within - less)),
        servers=max(len(servers), 0 if told else 1),
        unsized_servers=unsized + (0 if told else 1),
        changes_bytes_s=sum(server.disk_write_kib_s or 0 for server in measured) * _KIB,
        unmeasured_bytes=max(0, database - within + elsewhere) + max(0, disks + within - covered),
    )


def _size(server: Server) -> int:
    return (server.disk_mib or 0 if server.disk_used_mib is None else server.disk_used_mib) * _MIB


def _team(application: FoundApplication, teams: tuple[Team, ...]) -> str | None:
    """The only team there is, or the one that owns the application by name."""
    if len(teams) == 1:
        return teams[0].name
    owner = (application.owner or "").casefold()
    return next((team.name for team in teams if team.name.casefold() == owner), None)


def _risk(score: float | None, environments: tuple[str, ...]) -> float:
    against = _NOT_KNOWN if score is None else 1 - score / 100
    production = [_PRODUCTION if _is_production(each) else _OTHER for each in environments]
    matters = max(production, default=_NOT_KNOWN)
    return round(_WEIGHT_OF_READINESS * against + (1 - _WEIGHT_OF_READINESS) * matters, 3)


def _is_production(environment: str) -> bool:
    name = environment.casefold()
    return name in {"prod", "prd", "production", "live"}
