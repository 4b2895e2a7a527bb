"""What the AWS side cannot do without although a migration file may leave it out. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.infra import wants
from crossfade.infra.entrances import entrances
from crossfade.infra.reach import HTTPS
from crossfade.infra.tiers import serving_tiers
from crossfade.model.file import MigrationFile, SecretReference, SecretStore
from crossfade.model.file.database import TlsMode
from crossfade.model.file.servers import PostLaunchAction

_UNTAUGHT = ("strategy_recommendations", "orchestrator")
"""Tools that need nothing in templates: they would be used by calls alone."""
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Something that the file must say before templates can be made from it."""

    path: _Path
    problem: str
    remedy: str


def demands(file: MigrationFile) -> tuple[Demand, ...]:
    """All that is missing, together. Empty: the file can be synthesised."""
    return (*_entrance(file), *_link(file), *_dms(file), *_containers(file), *_tools(file))


def notes(file: MigrationFile) -> tuple[str, ...]:
    """What a person should know of the templates although nothing is wrong with the file."""
    told = [*_unverified(file)]
    if not wants.mgn(file):
        told.append(
            "servers.engine: cloudendure is for accounts that still have it: CloudEndure takes no new customers, and "
            "nobody could try these permissions against it; mgn is its successor"
        )
    if wants.ecs(file) and len(serving_tiers(file)) > 1:
        told.append("target.compute: ecs runs one service of one image, which takes the requests of every tier")
    told += [
        f"aws_tools.{tool}: nothing of it is in the templates" for tool in _UNTAUGHT if getattr(file.aws_tools, tool)
    ]
    if PostLaunchAction.HARDEN in file.servers.post_launch:
        told.append("servers.post_launch: harden has no document yet; name one of yours under servers.configuration")
    if file.files.shares:
        told += [
            f"files.{key} is not given: the places on AWS are built, and no task of DataSync" for key in _unsaid(file)
        ]
    return tuple(told)


def _unverified(file: MigrationFile) -> Iterator[str]:
    """What asks for more of TLS than DMS can do with what the file gives."""
    for side, end in (("source", file.database.source), ("target", file.database.target)):
        if wants.dms(file) and end.tls is not TlsMode.REQUIRE and end.root_certificate is None:
            yield (
                f"database.{side}.tls: {end.tls} is not kept by DMS without database.{side}.root_certificate: "
                "it requires TLS and does not look whose certificate it is"
            )


def _unsaid(file: MigrationFile) -> list[str]:
    return [key for key in ("server", "agent") if getattr(file.files, key) is None]


def _entrance(file: MigrationFile) -> Iterator[Demand]:
    if not entrances(file):
        yield Demand(
            path=("source", "servers"),
            problem="names no address at which users come in, and the private zone must lead them to one",
            remedy="name the servers of the web tier with their addresses",
        )
    if not file.target.load_balancer.internal:
        yield Demand(
            path=("target", "load_balancer", "internal"),
            problem="is false, and a public load balancer is not built: it would need a firewall for the web",
            remedy="set it to true, or leave it out",
        )


def _link(file: MigrationFile) -> Iterator[Demand]:
    connectivity = file.connectivity
    if not wants.vpn(file):
        yield Demand(
            path=("connectivity", "vpn", "customer_gateway"),
            problem="is missing, and without it there is no VPN",
            remedy="write the public address of the data center's router",
        )
    if connectivity.direct_connect.enabled and connectivity.direct_connect.connection is None:
        yield Demand(
            path=("connectivity", "direct_connect", "connection"),
            problem="is missing, and a virtual interface needs it",
            remedy="write the id of the connection, such as dxcon-fg000001, or set enabled: false",
        )
    for i, tunnel in enumerate(connectivity.vpn.tunnels):
        yield from _kept(("connectivity", "vpn", "tunnels", i, "pre_shared_key"), tunnel.pre_shared_key)
    yield from _kept(("connectivity", "direct_connect", "bgp_key"), connectivity.direct_connect.bgp_key)


def _dms(file: MigrationFile) -> Iterator[Demand]:
    if not wants.dms(file):
        return
    source = file.database.source
    if source.host is None:
        yield Demand(
            path=("database", "source", "host"),
            problem="is missing, and DMS must know the source",
            remedy="write its host name or address, or leave out database.replication.dms",
        )
    if source.credentials is None:
        yield Demand(
            path=("database", "source", "credentials"),
            problem="is missing, and DMS must log in to the source",
            remedy="write secretsmanager:NAME, a secret with the keys username, password, host and port",
        )
    yield from _kept(("database", "source", "credentials"), source.credentials)


def _containers(file: MigrationFile) -> Iterator[Demand]:
    if not wants.ecs(file):
        return
    target = ("target", "containers", "secrets")
    for name, secret in file.target.containers.secrets.items():
        yield from _kept((*target, name), secret)
    yield from _kept(("target", "release_secret"), file.target.release_secret)
    if file.target.containers.test_port == HTTPS:
        yield Demand(
            path=("target", "containers", "test_port"),
            problem=f"is {HTTPS}, at which users come in",
            remedy="write another port, such as 8443",
        )


def _tools(file: MigrationFile) -> Iterator[Demand]:
    if file.aws_tools.migration_hub and not file.events.tracking_table:
        yield Demand(
            path=("events", "tracking_table"),
            problem="is false, and Migration Hub is told what that table says",
            remedy="set it to true, or aws_tools.migration_hub to false",
        )


def _kept(path: _Path, secret: SecretReference | None) -> Iterator[Demand]:
    if secret is not None and secret.store is not SecretStore.SECRETS_MANAGER:
        yield Demand(
            path=path,
            problem=f"is kept in {secret.store}, where AWS cannot read it",
            remedy="keep it in Secrets Manager and write secretsmanager:NAME",
        )
