"""What the data center's router has to do, whoever made it: tunnels, neighbours, what is announced and preferred. Pure.

Everything comes from the migration file and from the tables that the templates are made from (`tunnels`, `routing`).
What only AWS knows, after the VPN was deployed, comes from its configuration; until then it stands as a blank.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from crossfade.infra.premises.document import blank
from crossfade.infra.premises.vpn_configuration import DeployedTunnel, VpnConfiguration
from crossfade.infra.routing import Announcement, announcements
from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Path, StartupAction, Tunnel


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A BGP session with AWS."""

    path: Path
    name: str
    """`tunnel-1`, `tunnel-2` or `direct-connect`."""
    address: str
    """Of AWS's end."""
    own_address: str
    prefix_length: str
    """Of the network that both ends are in."""
    own_asn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelEnd:
    """The data center's end of one tunnel."""

    number: int
    aws_address: str
    """On the internet."""
    starts_here: bool
    """The data center brings the tunnel up, not AWS."""
    neighbour: Neighbour
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """All of it. Values that are not known yet are blanks, as `blank` writes them."""

    address: str
    """The router's own address on the internet, as AWS knows it."""
    asn: int
    amazon_asn: int
    aws_network: IPv4Network
    tunnels: tuple[TunnelEnd, TunnelEnd]
    direct_connect: Neighbour | None
    vlan: int
    announcements: tuple[Announcement, ...]

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        direct = (self.direct_connect,) if self.direct_connect else ()
        return (*(tunnel.neighbour for tunnel in self.tunnels), *direct)

    @property
    def announced(self) -> tuple[IPv4Network, ...]:
        """Every prefix that is announced on any path, each once."""
        return tuple(sorted({prefix for of_path in self.announcements for prefix in of_path.prefixes}))


def router(file: MigrationFile, deployed: VpnConfiguration | None = None, *, keys: bool = False) -> Router:
    """The router's part. Pre-shared keys are blanks unless `keys` asks for those that `deployed` tells."""
    vpn, direct = file.connectivity.vpn, file.connectivity.direct_connect
    first, second = _tunnels(file, deployed, keys=keys)
    return Router(
        address=str(vpn.customer_gateway),
        asn=vpn.customer_asn,
        amazon_asn=vpn.amazon_asn,
        aws_network=file.target.cidr,
        tunnels=(first, second),
        direct_connect=_direct_connect(direct.customer_asn) if direct.enabled else None,
        vlan=direct.vlan,
        announcements=announcements(file),
    )


def _tunnels(file: MigrationFile, deployed: VpnConfiguration | None, *, keys: bool) -> Iterator[TunnelEnd]:
    vpn = file.connectivity.vpn
    described = (*vpn.tunnels, *(Tunnel() for _ in range(2 - len(vpn.tunnels))))
    for number, tunnel in enumerate(described, start=1):
        made = deployed.tunnels[number - 1] if deployed else None
        key = made.key if made and keys else None
        yield TunnelEnd(
            number=number,
            aws_address=str(made.outside) if made else blank(f"tunnel-{number}-aws-address"),
            starts_here=tunnel.startup is StartupAction.ADD,
            neighbour=_in_tunnel(number, tunnel, made, vpn.customer_asn),
            key=key or blank(f"tunnel-{number}-pre-shared-key"),
        )


def _in_tunnel(number: int, tunnel: Tunnel, made: DeployedTunnel | None, asn: int) -> Neighbour:
    """AWS takes the first address of the /30 and leaves the second to the data center."""
    name, inside = f"tunnel-{number}", tunnel.inside_cidr
    if made is not None:
        aws, own = str(made.aws_inside), str(made.inside.ip)
    elif inside is not None:
        aws, own = str(inside[1]), str(inside[2])
    else:
        aws, own = blank(f"{name}-aws-inside-address"), blank(f"{name}-inside-address")
    return Neighbour(path=Path.VPN, name=name, address=aws, own_address=own, prefix_length="30", own_asn=asn)


def _direct_connect(asn: int) -> Neighbour:
    """AWS chooses the addresses of a virtual interface when it makes it."""
    return Neighbour(
        path=Path.DIRECT_CONNECT,
        name="direct-connect",
        address=blank("direct-connect-aws-address"),
        own_address=blank("direct-connect-address"),
        prefix_length=blank("direct-connect-prefix-length"),
        own_asn=asn,
    )
