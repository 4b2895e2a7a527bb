"""Tunnels and BGP for a router by Cisco that runs IOS-XE. Pure.

Source: Cisco IOS XE security configuration guide, IKEv2 and IPsec virtual tunnel interfaces; IP routing, BGP.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from crossfade.infra.premises.bgp import name_of, policy, session
from crossfade.infra.premises.document import Document, blank
from crossfade.infra.premises.router import Neighbour, Router, TunnelEnd
from crossfade.infra.routing import Announcement
from crossfade.infra.tunnels import (
    DPD_INTERVAL,
    DPD_TIMEOUT,
    ESP_LIFETIME,
    IKE_LIFETIME,
    MSS_BYTES,
    MTU_BYTES,
    PROPOSALS,
)

_TUNNEL_INTERFACE = 100
"""Tunnel101 and Tunnel102: numbers that a router seldom has already."""
_HASHES = {"SHA2-256": "sha256", "SHA2-384": "sha384", "SHA2-512": "sha512"}
_CIPHERS = {"AES256-GCM-16": "aes-gcm-256", "AES256": "aes-cbc-256"}


def ios_xe(router: Router) -> tuple[Document, ...]:
    """What is entered in configuration mode; the keys in a file of their own, to be entered first."""
    lines = [
        "! Enter cisco-ios-xe-keys.txt first: the profiles below name its keyrings.",
        *_ike(),
        *(line for tunnel in router.tunnels for line in _tunnel(router, tunnel)),
        *(_direct_connect(router, router.direct_connect) if router.direct_connect else ()),
        *_policies(router),
        *_bgp(router),
    ]
    return (
        Document(path="cisco-ios-xe.txt", text=_text(lines)),
        Document(path="cisco-ios-xe-keys.txt", text=_text(_keys(router)), secret=True),
    )


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in (*lines, "end"))


def _ike() -> Iterator[str]:
    groups = " ".join(dict.fromkeys(str(proposal.group) for proposal in PROPOSALS))
    hashes = " ".join(dict.fromkeys(_HASHES[proposal.hash] for proposal in PROPOSALS))
    ciphers = tuple(dict.fromkeys(proposal.cipher for proposal in PROPOSALS))
    for cipher in ciphers:
        yield f"crypto ikev2 proposal CROSSFADE-{cipher}"
        yield f" encryption {_CIPHERS[cipher]}"
        yield f" {'prf' if 'GCM' in cipher else 'integrity'} {hashes}"
        yield f" group {groups}"
    yield "crypto ikev2 policy CROSSFADE"
    yield from (f" proposal CROSSFADE-{cipher}" for cipher in ciphers)
    yield "crypto ipsec transform-set CROSSFADE-GCM esp-gcm 256"
    yield " mode tunnel"
    yield "crypto ipsec transform-set CROSSFADE-CBC esp-aes 256 esp-sha384-hmac"
    yield " mode tunnel"
    yield "crypto ipsec fragmentation before-encryption"


def _keys(router: Router) -> Iterator[str]:
    for tunnel in router.tunnels:
        yield f"crypto ikev2 keyring CROSSFADE-TUNNEL-{tunnel.number}"
        yield f" peer TUNNEL-{tunnel.number}"
        yield f"  address {tunnel.aws_address}"
        yield f"  pre-shared-key {tunnel.key}"
    if router.direct_connect:
        yield f"router bgp {router.asn}"
        yield f" neighbor {router.direct_connect.address} remote-as {router.amazon_asn}"
        yield f" neighbor {router.direct_connect.address} password {blank('direct-connect-bgp-key')}"


def _tunnel(router: Router, tunnel: TunnelEnd) -> Iterator[str]:
    name, own = f"CROSSFADE-TUNNEL-{tunnel.number}", tunnel.neighbour
    retries = int(DPD_TIMEOUT / DPD_INTERVAL)
    yield f"crypto ikev2 profile {name}"
    yield f" match identity remote address {tunnel.aws_address} 255.255.255.255"
    yield f" identity local address {router.address}"
    yield " authentication remote pre-share"
    yield " authentication local pre-share"
    yield f" keyring local {name}"
    yield f" lifetime {int(IKE_LIFETIME.total_seconds())}"
    yield f" dpd {int(DPD_INTERVAL.total_seconds())} {retries} periodic"
    yield f"crypto ipsec profile {name}"
    yield " set transform-set CROSSFADE-GCM CROSSFADE-CBC"
    yield f" set pfs group{PROPOSALS[0].group}"
    yield f" set ikev2-profile {name}"
    yield f" set security-association lifetime seconds {int(ESP_LIFETIME.total_seconds())}"
    if not tunnel.starts_here:
        yield " responder-only"
    yield f"interface Tunnel{_TUNNEL_INTERFACE + tunnel.number}"
    yield f" description AWS {own.name}"
    yield f" ip address {own.own_address} {_mask(own)}"
    yield f" ip mtu {MTU_BYTES}"
    yield f" ip tcp adjust-mss {MSS_BYTES}"
    yield f" tunnel source {router.address}"
    yield " tunnel mode ipsec ipv4"
    yield f" tunnel destination {tunnel.aws_address}"
    yield f" tunnel protection ipsec profile {name}"
    yield " no shutdown"


def _direct_connect(router: Router, own: Neighbour) -> Iterator[str]:
    yield f"interface {blank('direct-connect-interface')}.{router.vlan}"
    yield " description AWS Direct Connect"
    yield f" encapsulation dot1Q {router.vlan}"
    yield f" ip address {own.own_address} {_mask(own)}"
    yield " no shutdown"


def _mask(neighbour: Neighbour) -> str:
    length = neighbour.prefix_length
    return str(IPv4Network(f"0.0.0.0/{length}").netmask) if length.isdigit() else blank("direct-connect-mask")


def _policies(router: Router) -> Iterator[str]:
    yield f"ip prefix-list CROSSFADE-AWS seq 5 permit {router.aws_network}"
    for announcement in router.announcements:
        yield from _policy(announcement)


def _policy(announcement: Announcement) -> Iterator[str]:
    name = name_of(announcement.path)
    for number, prefix in enumerate(announcement.prefixes, start=1):
        yield f"ip prefix-list {name}-OUT seq {5 * number} permit {prefix}"
    yield f"route-map {name}-IN permit 10"
    yield " match ip address prefix-list CROSSFADE-AWS"
    yield f" set local-preference {announcement.local_preference}"
    yield f"route-map {name}-OUT permit 10"
    yield f" match ip address prefix-list {name}-OUT"


def _bgp(router: Router) -> Iterator[str]:
    """IOS announces a prefix only if it has a route for the very same: hence a route inward, behind all better ones."""
    for prefix in router.announced:
        inward = blank("next-hop-into-the-data-center")
        yield f"ip route {prefix.network_address} {prefix.netmask} {inward} 250"
    yield f"router bgp {router.asn}"
    yield f" bgp router-id {router.address}"
    yield " bgp log-neighbor-changes"
    for neighbour in router.neighbours:
        yield from session(router, neighbour)
    yield " address-family ipv4"
    yield from (f"  network {prefix.network_address} mask {prefix.netmask}" for prefix in router.announced)
    for neighbour in router.neighbours:
        yield from policy(neighbour)
    yield " exit-address-family"
