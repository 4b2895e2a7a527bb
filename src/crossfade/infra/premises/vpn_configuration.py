"""What AWS says of a VPN after it was deployed: outside and inside addresses, and the keys. Pure.

Source: EC2 API reference, VpnConnection, CustomerGatewayConfiguration (XML), read as untrusted input.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from crossfade.infra.premises.xml_tree import Element, read_xml
from crossfade.model.file import Fault, MigrationFile

_INSIDE = IPv4Network("169.254.0.0/16")
_KEY = re.compile(r"[A-Za-z1-9._][A-Za-z0-9._]{7,63}")
"""Source: Site-to-Site VPN user guide, tunnel options, pre-shared key."""
_HIDDEN = re.compile(r"\**")
_TUNNELS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedTunnel:
    """One tunnel as AWS made it."""

    outside: IPv4Address
    """AWS's end, on the internet."""
    inside: IPv4Interface
    """The data center's end within the tunnel."""
    aws_inside: IPv4Address
    """AWS's end within the tunnel, the neighbour of BGP."""
    key: str | None = field(default=None, repr=False)
    """Pre-shared key; None where Secrets Manager keeps it and the configuration hides it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VpnConfiguration:
    """Both tunnels, in the order of the migration file's."""

    tunnels: tuple[DeployedTunnel, DeployedTunnel]


def read_vpn_configuration(content: bytes, file: MigrationFile) -> VpnConfiguration | tuple[Fault, ...]:
    """The configuration, held to what the file says of the same VPN; or every fault of it together.

    No key is ever repeated in a fault.
    """
    root = read_xml(content)
    if isinstance(root, Fault):
        return (root,)
    reader = _Reader(file)
    found = reader.configuration(root)
    return tuple(sorted(reader.faults)) if reader.faults or found is None else found


class _Reader:
    def __init__(self, file: MigrationFile) -> None:
        self._vpn = file.connectivity.vpn
        self.faults: list[Fault] = []

    def configuration(self, root: Element) -> VpnConfiguration | None:
        if root.name != "vpn_connection":
            self._blame(root, "is no configuration of a VPN", "name the XML of the VPN, not of something else")
            return None
        elements = root.all("ipsec_tunnel")
        if len(elements) != _TUNNELS:
            self._blame(root, f"has {len(elements)} tunnels, and a VPN has {_TUNNELS}", "download it again")
            return None
        read = [(element, self._tunnel(element)) for element in elements]
        tunnels = [(element, tunnel) for element, tunnel in read if tunnel is not None]
        if len(tunnels) != _TUNNELS or self.faults:
            return None
        first, second = self._in_the_files_order(tunnels)
        return VpnConfiguration(tunnels=(first, second))

    def _tunnel(self, element: Element) -> DeployedTunnel | None:
        ours = self._address(element, "customer_gateway/tunnel_outside_address/ip_address")
        theirs = self._address(element, "vpn_gateway/tunnel_outside_address/ip_address")
        inside = self._address(element, "customer_gateway/tunnel_inside_address/ip_address")
        neighbour = self._address(element, "vpn_gateway/tunnel_inside_address/ip_address")
        self._same(element, "customer_gateway/bgp/asn", "connectivity.vpn.customer_asn", self._vpn.customer_asn)
        self._same(element, "vpn_gateway/bgp/asn", "connectivity.vpn.amazon_asn", self._vpn.amazon_asn)
        key = self._key(element)
        if ours is not None and ours != self._vpn.customer_gateway:
            self._blame(
                element.at("customer_gateway/tunnel_outside_address/ip_address") or element,
                f"is {ours}, and connectivity.vpn.customer_gateway of the migration file is not",
                "name the configuration of this migration's VPN, or deploy what the file says",
            )
        if theirs is None or inside is None or neighbour is None:
            return None
        own = IPv4Interface(f"{inside}/30")
        pair = set(own.network.hosts())
        if {inside, neighbour} != pair or not own.network.subnet_of(_INSIDE):
            self._blame(
                element, "has inside addresses that are no pair of a /30 of 169.254.0.0/16", "download it again"
            )
            return None
        return DeployedTunnel(outside=theirs, inside=own, aws_inside=neighbour, key=key)

    def _address(self, element: Element, way: str) -> IPv4Address | None:
        found = self._needed(element, way)
        if found is None:
            return None
        try:
            return IPv4Address(found.text)
        except ValueError:
            self._blame(found, "is no IPv4 address", "download it again")
            return None

    def _same(self, element: Element, way: str, said_at: str, said: int) -> None:
        found = self._needed(element, way)
        if found is not None and found.text != str(said):
            remedy = "name the configuration of this migration's VPN, or deploy what the file says"
            self._blame(found, f"is not {said}, as {said_at} of the migration file says", remedy)

    def _key(self, element: Element) -> str | None:
        found = element.at("ike/pre_shared_key")
        if found is None or _HIDDEN.fullmatch(found.text) or found.text.startswith("arn:"):
            return None
        if not _KEY.fullmatch(found.text):
            self._blame(found, "has not the form of a pre-shared key of AWS", "download it again")
            return None
        return found.text

    def _needed(self, element: Element, way: str) -> Element | None:
        found = element.at(way)
        if found is None:
            self._blame(element, f"does not have one {way}", "download it again")
        return found

    def _in_the_files_order(self, read: list[tuple[Element, DeployedTunnel]]) -> Iterator[DeployedTunnel]:
        """AWS lists tunnels by their outside address; the file's settings belong to inside networks."""
        left = [tunnel for _, tunnel in read]
        order: list[DeployedTunnel | None] = []
        for number, described in enumerate((*self._vpn.tunnels, None, None)[:_TUNNELS]):
            wanted = described.inside_cidr if described else None
            same = [tunnel for tunnel in left if tunnel.inside.network == wanted]
            order.append(same[0] if same else None)
            if same:
                left.remove(same[0])
            elif wanted is not None:
                remedy = "name the configuration of this migration's VPN, or deploy what the file says"
                path = f"connectivity.vpn.tunnels[{number}].inside_cidr"
                self._blame(read[0][0], f"no tunnel has {wanted}, as {path} of the migration file says", remedy)
        return iter([tunnel or left.pop(0) for tunnel in order])

    def _blame(self, element: Element, problem: str, remedy: str) -> None:
        fault = Fault(line=element.line, column=element.column, path=element.within, problem=problem, remedy=remedy)
        self.faults.append(fault)
