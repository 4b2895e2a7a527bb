"""Who may talk to whom on AWS: the one table from which security groups are made. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from crossfade.infra import wants
from crossfade.model.file import MigrationFile
from crossfade.model.file.site import TierRole


class Party(StrEnum):
    """Who takes part; each but the data center and the services is a security group."""

    DATA_CENTER = "data center"
    SERVICES = "services"
    LOAD_BALANCER = "load-balancer"
    SERVERS = "servers"
    DATABASE = "database"
    REPLICATION = "replication"
    STAGING = "staging"
    ENDPOINTS = "endpoints"
    FILES = "files"
    RESOLVER = "resolver"
    ROTATION = "rotation"


OUTSIDE = frozenset({Party.DATA_CENTER, Party.SERVICES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Connections that `opens` may open to `takes`; nothing else is let through."""

    opens: Party
    takes: Party
    first_port: int
    last_port: int
    why: str
    protocol: str = "tcp"


HTTPS, _DNS, _NFS, _POSTGRES = 443, 53, 2049, 5432
_REPLICATION_DATA = 1500
"""MGN and CloudEndure carry blocks from source servers to the staging area. Source: MGN user guide, network."""
_DATASYNC_CONTROL = (1024, 1064)
"""An agent's control traffic to its task's interfaces. Source: DataSync user guide, network requirements."""


def flows(file: MigrationFile) -> tuple[Flow, ...]:
    """All connections that the described migration needs, each with its reason."""
    return (*_application(file), *_database(file), *_names(), *_servers_and_files(file))


def parties(file: MigrationFile) -> tuple[Party, ...]:
    """Who has a security group, in the order of the enum."""
    taking_part = {party for flow in flows(file) for party in (flow.opens, flow.takes)}
    return tuple(party for party in Party if party in taking_part - OUTSIDE)


def _tcp(opens: Party, takes: Party, port: int, why: str, last: int | None = None) -> Flow:
    return Flow(opens=opens, takes=takes, first_port=port, last_port=last or port, why=why)


def application_ports(file: MigrationFile) -> tuple[int, ...]:
    """Ports on which the application's servers listen: those of the tiers that take requests, or 8080."""
    return tuple(sorted({t.port for t in file.source.tiers if t.role is not TierRole.WORKER})) or (8080,)


def _application(file: MigrationFile) -> Iterator[Flow]:
    yield _tcp(Party.DATA_CENTER, Party.LOAD_BALANCER, HTTPS, "users and partners of the application")
    if wants.ecs(file):
        test = file.target.containers.test_port
        yield _tcp(Party.DATA_CENTER, Party.LOAD_BALANCER, test, "a new version is looked at before users get it")
    for port in application_ports(file):
        yield _tcp(Party.LOAD_BALANCER, Party.SERVERS, port, "requests and health checks")
        yield _tcp(Party.SERVERS, Party.DATA_CENTER, port, "tiers that have not moved yet")
    yield _tcp(Party.SERVERS, Party.ENDPOINTS, HTTPS, "Systems Manager, logs, metrics, secrets")
    yield _tcp(Party.SERVERS, Party.SERVICES, HTTPS, "gateway endpoints of S3 and DynamoDB have public addresses")


def _database(file: MigrationFile) -> Iterator[Flow]:
    source = file.database.source.port
    yield _tcp(Party.SERVERS, Party.DATABASE, _POSTGRES, "statements after the cutover")
    yield _tcp(Party.SERVERS, Party.DATA_CENTER, source, "statements before the cutover, over the link")
    yield _tcp(Party.DATABASE, Party.DATA_CENTER, source, "native replication: the target subscribes to the source")
    yield _tcp(Party.DATA_CENTER, Party.DATABASE, _POSTGRES, "the way back: the source subscribes to the target")
    yield _tcp(Party.ROTATION, Party.DATABASE, _POSTGRES, "rotation sets the new password")
    yield _tcp(Party.ROTATION, Party.ENDPOINTS, HTTPS, "rotation keeps the new password in the secret")
    if wants.dms(file):
        yield _tcp(Party.REPLICATION, Party.DATA_CENTER, source, "DMS reads the source, and writes it on the way back")
        yield _tcp(Party.REPLICATION, Party.DATABASE, _POSTGRES, "DMS writes the target, and reads it on the way back")
        yield _tcp(Party.REPLICATION, Party.ENDPOINTS, HTTPS, "secrets and logs")


def _names() -> Iterator[Flow]:
    for protocol in ("udp", "tcp"):
        for opens, takes, why in (
            (Party.DATA_CENTER, Party.RESOLVER, "the private zone, for clients in the data center"),
            (Party.RESOLVER, Party.DATA_CENTER, "the data center's names, for servers on AWS"),
        ):
            yield Flow(opens=opens, takes=takes, first_port=_DNS, last_port=_DNS, why=why, protocol=protocol)


def _servers_and_files(file: MigrationFile) -> Iterator[Flow]:
    yield _tcp(Party.DATA_CENTER, Party.ENDPOINTS, HTTPS, "agents of MGN, DataSync and Systems Manager")
    yield _tcp(Party.DATA_CENTER, Party.STAGING, _REPLICATION_DATA, "blocks of the replicated servers")
    yield _tcp(Party.STAGING, Party.ENDPOINTS, HTTPS, "replication servers report and fetch their work")
    yield _tcp(Party.STAGING, Party.SERVICES, HTTPS, "replication software lies in S3")
    if file.files.shares:
        first, last = _DATASYNC_CONTROL
        yield _tcp(Party.DATA_CENTER, Party.ENDPOINTS, first, "control traffic of the DataSync agent", last)
        yield _tcp(Party.SERVERS, Party.DATA_CENTER, _NFS, "the old shares, until the last difference has moved")
    if wants.efs(file):
        yield _tcp(Party.SERVERS, Party.FILES, _NFS, "file shares on EFS")
        yield _tcp(Party.FILES, Party.FILES, _NFS, "DataSync mounts the file system through the same group")
