"""Where users come in at the data center. Pure."""

from ipaddress import IPv4Address

from crossfade.model.file import MigrationFile
from crossfade.model.file.site import TierRole


def entrances(file: MigrationFile) -> tuple[IPv4Address, ...]:
    """Where users come in at the data center: the addresses of the web tier, or all there are."""
    web = {tier.name for tier in file.source.tiers if tier.role is TierRole.WEB}
    known = [server for server in file.source.servers if server.address is not None]
    chosen = [server for server in known if server.tier in web] or known
    return tuple(server.address for server in chosen if server.address is not None)
