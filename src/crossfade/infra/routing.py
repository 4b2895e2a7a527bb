"""Which prefixes the data center announces over which path, so that the file's primary carries the traffic. Pure.

A virtual private gateway takes the longest prefix first; only among equal prefixes does it prefer Direct Connect over a
VPN, and AS-path prepending does not change that. So the primary gets two halves of what the backup gets whole.
Source: Site-to-Site VPN user guide, route priority.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network

from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Path

PREFERRED, ORDINARY = 200, 100
"""Local preferences on the data center's router for the VPC's prefix: the return path goes the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What the data center's router does on one path."""

    path: Path
    prefixes: tuple[IPv4Network, ...]
    """What it announces to AWS."""
    local_preference: int
    """What it gives to the routes that AWS announces there."""


def announcements(file: MigrationFile) -> tuple[Announcement, ...]:
    """One for each path that is built, the primary first.

    A lone VPN announces the network whole. With both, the primary announces two halves, each longer by a bit.
    """
    whole, connectivity = file.source.cidr, file.connectivity
    if not connectivity.direct_connect.enabled:
        return (Announcement(path=Path.VPN, prefixes=(whole,), local_preference=PREFERRED),)
    halves = tuple(whole.subnets(prefixlen_diff=1)) if whole.prefixlen < 32 else (whole,)
    backup = Path.VPN if connectivity.primary is Path.DIRECT_CONNECT else Path.DIRECT_CONNECT
    return (
        Announcement(path=connectivity.primary, prefixes=halves, local_preference=PREFERRED),
        Announcement(path=backup, prefixes=(whole,), local_preference=ORDINARY),
    )
