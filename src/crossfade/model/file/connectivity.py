"""The link between the sites: VPN and Direct Connect, and which of them carries the traffic."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Bandwidth
from crossfade.model.file.section import Section
from crossfade.model.file.texts import Address, Network, Secret, WebAddress

Asn = Annotated[int, Field(ge=1, le=4_294_967_294)]
VlanId = Annotated[int, Field(ge=1, le=4094)]


class Path(StrEnum):
    """A way between the sites."""

    VPN = "vpn"
    DIRECT_CONNECT = "direct_connect"


class StartupAction(StrEnum):
    """Which end brings a tunnel up."""

    ADD = "add"
    START = "start"


class Tunnel(Section):
    """One of the two tunnels."""

    inside_cidr: Network | None = None
    """A /30 of 169.254.0.0/16; AWS chooses one otherwise."""
    pre_shared_key: Secret | None = None
    """Where the pre-shared key is kept; AWS makes one otherwise."""
    startup: StartupAction = StartupAction.START
    """`start`: AWS brings the tunnel up; `add`: the data center does."""


class Vpn(Section):
    """Site-to-Site VPN with BGP over two tunnels."""

    customer_gateway: Address | None = None
    """Public address of the data center's router."""
    customer_asn: Asn = 65_000
    """BGP number of the data center."""
    amazon_asn: Asn = 64_512
    """BGP number of the AWS side."""
    tunnels: Annotated[tuple[Tunnel, ...], Field(max_length=2)] = ()
    """Settings of the first and the second tunnel."""
    bandwidth: Bandwidth = 1_000_000_000
    """What the path carries; durations are planned by it."""


class DirectConnect(Section):
    """Direct Connect virtual interface."""

    enabled: bool = False
    """Build the virtual interface."""
    connection: (
        Annotated[str, Form(r"dxcon-[a-z0-9]{8,21}", "the id of a connection, such as dxcon-fg000001", 40)] | None
    ) = None
    """Id of the connection that carries it."""
    vlan: VlanId = 101
    """VLAN."""
    customer_asn: Asn = 65_000
    """BGP number of the data center."""
    bandwidth: Bandwidth = 1_000_000_000
    """What the path carries."""
    bgp_key: Secret | None = None
    """Where the BGP key is kept."""


class Connectivity(Section):
    """The hybrid link.

    VPN as primary and Direct Connect as backup is unusual (AWS prefers Direct Connect): the data center announces
    more specific prefixes over the primary. `primary` turns it round.
    """

    primary: Path = Path.VPN
    """Which path carries the traffic while both are up."""
    vpn: Vpn = Vpn()
    """Site-to-Site VPN."""
    direct_connect: DirectConnect = DirectConnect()
    """Direct Connect, off by default."""
    on_premises_dns: tuple[Address, ...] = ()
    """The data center's DNS servers, which forward the private zone to resolver endpoints."""
    proxy: WebAddress | None = None
    """HTTPS proxy of the data center for agents; it must not intercept TLS."""
    cut_over_without_backup: bool = False
    """Begin the cutover although only one path carries traffic. Without it the cutover waits until there are two."""

    def path_names(self) -> tuple[str, str]:
        """The primary path and its backup, as people are told of them."""
        vpn, direct = "VPN", "Direct Connect"
        if self.primary is Path.DIRECT_CONNECT:
            return direct, vpn
        return (vpn, direct) if self.direct_connect.enabled else ("VPN tunnel 1", "VPN tunnel 2")
