"""What both ends of a VPN tunnel must agree on: one table for the templates and for the router. Pure."""

from dataclasses import dataclass
from datetime import timedelta

CIPHERS = ("AES256-GCM-16", "AES256")
HASHES = ("SHA2-256", "SHA2-384", "SHA2-512")
GROUPS = (19, 20, 21)
"""What AWS is told to accept, in both phases. Source: Site-to-Site VPN user guide, tunnel options."""

IKE_VERSION = "ikev2"
IKE_LIFETIME = timedelta(hours=8)
ESP_LIFETIME = timedelta(hours=1)
DPD_INTERVAL = timedelta(seconds=10)
DPD_TIMEOUT = timedelta(seconds=30)
"""A silent end is given up after this long. Source: Site-to-Site VPN user guide, tunnel options."""

BGP_KEEPALIVE = timedelta(seconds=10)
BGP_HOLD = timedelta(seconds=30)
"""Source: what AWS writes into every VPN's configuration, as `bgp/hold_time`."""

MSS_BYTES = 1379
"""Largest TCP segment in a tunnel. Source: what AWS writes into every VPN's configuration, `tcp_mss_adjustment`."""
MTU_BYTES = MSS_BYTES + 40
"""Largest packet in a tunnel: the segment, its TCP and its IPv4 header."""

_HASH_OF_GROUP = {20: "SHA2-384", 21: "SHA2-512", 19: "SHA2-256"}
"""The hash that is as strong as the group; the first is preferred. Source: RFC 6379."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One set that a router offers, named as AWS names its parts."""

    cipher: str
    hash: str
    """Of the messages; with a GCM cipher of the key derivation alone."""
    group: int


PROPOSALS = tuple(
    Proposal(cipher=cipher, hash=hash_, group=group) for cipher in CIPHERS for group, hash_ in _HASH_OF_GROUP.items()
)
"""What the data center's router offers, the best first. Each is one that AWS accepts."""
