"""The tunnels for a router that runs Linux: strongSwan (swanctl), interfaces of their own, and nftables. Pure.

Source: strongSwan documentation, swanctl.conf and route-based VPN with XFRM interfaces.
"""

from collections.abc import Iterator
from shlex import quote

from crossfade.infra.premises.document import Document, blank
from crossfade.infra.premises.router import Neighbour, Router, TunnelEnd
from crossfade.infra.tunnels import (
    DPD_INTERVAL,
    ESP_LIFETIME,
    IKE_LIFETIME,
    MSS_BYTES,
    MTU_BYTES,
    PROPOSALS,
    Proposal,
)

_CIPHERS = {"AES256-GCM-16": "aes256gcm16", "AES256": "aes256"}
_HASHES = {"SHA2-256": "sha256", "SHA2-384": "sha384", "SHA2-512": "sha512"}
_GROUPS = {19: "ecp256", 20: "ecp384", 21: "ecp521"}
_LIFE_OVER_REKEY = 1.1
"""strongSwan ends an association a tenth later than it would renew it: `life_time` is 1.1 `rekey_time`."""


def interface(tunnel: TunnelEnd) -> str:
    """The interface of a tunnel, which BGP speaks over."""
    return f"xfrm-aws-{tunnel.number}"


def strongswan(router: Router) -> tuple[Document, ...]:
    """Everything below /etc that the tunnels need, the keys in a file of their own."""
    return (
        Document(path="linux/swanctl/conf.d/crossfade.conf", text=_connections(router)),
        Document(path="linux/swanctl/conf.d/crossfade-keys.conf", text=_keys(router), secret=True),
        Document(path="linux/strongswan.d/crossfade.conf", text=_CHARON),
        Document(path="linux/interfaces.sh", text=_interfaces(router)),
        Document(path="linux/nftables.d/crossfade.nft", text=_segments(router)),
    )


_CHARON = """\
# The tunnels' selectors are everything; routes come from BGP and never from strongSwan.
charon {
  install_routes = no
}
"""


def _connections(router: Router) -> str:
    bodies = "\n".join(_connection(router, tunnel) for tunnel in router.tunnels)
    return f"# To /etc/swanctl/conf.d/; then: swanctl --load-all\nconnections {{\n{bodies}}}\n"


def _connection(router: Router, tunnel: TunnelEnd) -> str:
    start = "start" if tunnel.starts_here else "none"
    who = "the data center brings it up" if tunnel.starts_here else "AWS brings it up"
    return f"""\
  crossfade-tunnel-{tunnel.number} {{
    # {who}
    version = 2
    remote_addrs = {tunnel.aws_address}
    proposals = {", ".join(_ike(proposal) for proposal in PROPOSALS)}
    rekey_time = {int(IKE_LIFETIME.total_seconds() / _LIFE_OVER_REKEY)}s
    dpd_delay = {int(DPD_INTERVAL.total_seconds())}s
    unique = replace
    mobike = no
    if_id_in = {tunnel.number}
    if_id_out = {tunnel.number}
    local {{
      auth = psk
      id = {router.address}
    }}
    remote {{
      auth = psk
      id = {tunnel.aws_address}
    }}
    children {{
      crossfade-tunnel-{tunnel.number} {{
        local_ts = 0.0.0.0/0
        remote_ts = 0.0.0.0/0
        esp_proposals = {", ".join(dict.fromkeys(_esp(proposal) for proposal in PROPOSALS))}
        rekey_time = {int(ESP_LIFETIME.total_seconds() / _LIFE_OVER_REKEY)}s
        start_action = {start}
        dpd_action = restart
      }}
    }}
  }}
"""


def _keys(router: Router) -> str:
    bodies = "".join(
        f"""\
  ike-crossfade-tunnel-{tunnel.number} {{
    id-1 = {router.address}
    id-2 = {tunnel.aws_address}
    secret = "{tunnel.key}"
  }}
"""
        for tunnel in router.tunnels
    )
    return f"# To /etc/swanctl/conf.d/, readable by root alone.\nsecrets {{\n{bodies}}}\n"


def _ike(proposal: Proposal) -> str:
    combined = _CIPHERS[proposal.cipher].endswith("gcm16")
    hash_ = _HASHES[proposal.hash]
    return f"{_CIPHERS[proposal.cipher]}-{'prf' if combined else ''}{hash_}-{_GROUPS[proposal.group]}"


def _esp(proposal: Proposal) -> str:
    if _CIPHERS[proposal.cipher].endswith("gcm16"):
        return f"{_CIPHERS[proposal.cipher]}-{_GROUPS[proposal.group]}"
    return f"{_CIPHERS[proposal.cipher]}-{_HASHES[proposal.hash]}-{_GROUPS[proposal.group]}"


def _interfaces(router: Router) -> str:
    lines = [line for tunnel in router.tunnels for line in _interface(tunnel)]
    if router.direct_connect:
        lines += _vlan(router, router.direct_connect)
    return "\n".join(
        (
            "#!/bin/sh",
            "# Interfaces, before strongSwan and FRR start; doing it twice is harmless.",
            "set -eu",
            "sysctl -q -w net.ipv4.ip_forward=1",
            *lines,
            "",
        )
    )


def _interface(tunnel: TunnelEnd) -> Iterator[str]:
    name = interface(tunnel)
    yield f"ip link show {name} >/dev/null 2>&1 || ip link add {name} type xfrm dev lo if_id {tunnel.number}"
    yield from _address(name, tunnel.neighbour)
    yield f"ip link set {name} mtu {MTU_BYTES} up"
    yield f"sysctl -q -w net.ipv4.conf.{name}.rp_filter=2  # an answer may come through the other tunnel"


def _vlan(router: Router, own: Neighbour) -> Iterator[str]:
    name, carrier = "aws-direct", quote(blank("direct-connect-interface"))
    yield f"ip link show {name} >/dev/null 2>&1 || ip link add link {carrier} name {name} type vlan id {router.vlan}"
    yield from _address(name, own)
    yield f"ip link set {name} up"


def _address(name: str, own: Neighbour) -> Iterator[str]:
    yield f"ip address replace {quote(f'{own.own_address}/{own.prefix_length}')} dev {name}"


def _segments(router: Router) -> str:
    names = ", ".join(f'"{interface(tunnel)}"' for tunnel in router.tunnels)
    clamp = f"tcp flags syn / syn,rst tcp option maxseg size > {MSS_BYTES} tcp option maxseg size set {MSS_BYTES}"
    return f"""\
# No TCP segment is longer than a tunnel carries: AWS does not put encrypted fragments together.
table inet crossfade {{
  chain segments {{
    type filter hook forward priority mangle; policy accept;
    iifname {{ {names} }} {clamp}
    oifname {{ {names} }} {clamp}
  }}
}}
"""
