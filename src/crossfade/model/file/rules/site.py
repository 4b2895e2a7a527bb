"""Rules of networks, names, servers and files."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from crossfade.model.file.connectivity import Path as LinkPath
from crossfade.model.file.document import MigrationFile
from crossfade.model.file.rules.finding import Finding, unique
from crossfade.model.file.site import ComputeEngine
from crossfade.model.file.traffic import RouterEngine
from crossfade.model.file.tree import Path

_LIMITS = (
    ("target-group-green", 32),
    ("load-balancer", 32),
    ("replication-instance", 63),
    ("role-data-migration-rollback", 64),
)
"""The tightest names that are built as `type-suffix`, and AWS's limit of each. Source: the services' API references."""

_BUCKET_LIMIT = 63
_TARGET_GROUP_LIMIT = 32
_LINK_LOCAL = IPv4Network("169.254.0.0/16")


def networks(file: MigrationFile) -> Iterator[Finding]:
    """Both sides' networks are apart, and the VPC's has room for its subnets."""
    source, target = file.source.cidr, file.target.cidr
    places = (("target", "cidr"), ("source", "cidr"))
    if source.overlaps(target):
        yield Finding(
            places=places,
            problem=f"the VPC's {target} overlaps the data center's {source}",
            remedy="choose a target.cidr that the data center does not use, or nothing can be routed",
        )
    if not 16 <= target.prefixlen <= 22:
        yield Finding(
            places=(("target", "cidr"),),
            problem=f"/{target.prefixlen} does not hold three subnets in each zone",
            remedy="choose a network from /16 to /22",
        )


def zones(file: MigrationFile) -> Iterator[Finding]:
    """Zones are different, two or more, and of the region."""
    path = ("target", "zones")
    region = file.environment.region
    for i, zone in enumerate(file.target.zones):
        if zone[:-1] != region:
            yield Finding(
                places=((*path, i), ("environment", "region")),
                problem=f"{zone} is not in {region}",
                remedy=f"name zones such as {region}a, or change environment.region",
            )
    yield from unique(path, "", file.target.zones)
    if len(file.target.zones) == 1:
        yield Finding(places=(path,), problem="is only one zone", remedy="name at least two, or none for the default")


def resource_names(file: MigrationFile) -> Iterator[Finding]:
    """Every resource name fits AWS's limits with the suffix."""
    suffix, path = file.environment.suffix, ("environment", "suffix")
    for kind, limit in _LIMITS:
        if len(name := f"{kind}-{suffix}") > limit:
            room = limit - len(kind) - 1
            yield Finding(
                places=(path,),
                problem=f"{name} would have {len(name)} letters; AWS allows {limit}",
                remedy=f"shorten the suffix to {room} letters or fewer",
            )
            break
    for i, share in enumerate(file.files.shares):
        name = f"files-{share.name}-000000000000-{suffix}"
        if len(name) > _BUCKET_LIMIT:
            yield Finding(
                places=(("files", "shares", i, "name"), path),
                problem=f"its bucket's name would have {len(name)} letters; AWS allows {_BUCKET_LIMIT}",
                remedy=f"shorten the name by {len(name) - _BUCKET_LIMIT}",
            )
    for i, tier in enumerate(file.source.tiers):
        if len(name := f"tg-{tier.name}-{suffix}") > _TARGET_GROUP_LIMIT:
            yield Finding(
                places=(("source", "tiers", i, "name"), path),
                problem=f"its target group {name} would have {len(name)} letters; AWS allows {_TARGET_GROUP_LIMIT}",
                remedy=f"shorten the name by {len(name) - _TARGET_GROUP_LIMIT}",
            )
    yield from unique(("files", "shares"), "name", (share.name for share in file.files.shares))


def server_counts(file: MigrationFile) -> Iterator[Finding]:
    """There are as many servers as are named and as the tiers need."""
    count, place = file.servers.count, ("servers", "count")
    if (named := len(file.source.servers)) > count:
        yield Finding(
            places=(place, ("source", "servers")),
            problem=f"{count} is fewer than the {named} servers named under source.servers",
            remedy=f"set it to {named} or more",
        )
    tiers = sum(tier.servers for tier in file.source.tiers)
    if file.source.tiers and tiers != count:
        yield Finding(
            places=(place, ("source", "tiers")),
            problem=f"{count} is not the sum of the tiers, {tiers}",
            remedy=f"set it to {tiers}, or correct the tiers",
        )


def server_entries(file: MigrationFile) -> Iterator[Finding]:
    """Servers and tiers are named once, addresses are the data center's, and tiers that are meant exist."""
    source, tiers = file.source, {tier.name for tier in file.source.tiers}
    yield from unique(("source", "tiers"), "name", (tier.name for tier in source.tiers))
    yield from unique(("source", "servers"), "name", (server.name.lower() for server in source.servers))
    yield from unique(("source", "servers"), "address", (server.address for server in source.servers))
    for i, server in enumerate(source.servers):
        if server.address and server.address not in source.cidr:
            yield Finding(
                places=(("source", "servers", i, "address"), ("source", "cidr")),
                problem=f"{server.address} is not within {source.cidr}",
                remedy="correct the address, or source.cidr",
            )
    meant: list[tuple[Path, str | None]] = [
        (("source", "servers", i, "tier"), server.tier) for i, server in enumerate(source.servers)
    ]
    meant += [(("servers", "instance_types", name), name) for name in file.servers.instance_types]
    meant += [(("checks", "http", i, "tier"), check.tier) for i, check in enumerate(file.checks.http)]
    for path, name in meant:
        if name is not None and name not in tiers:
            yield Finding(
                places=(path, ("source", "tiers")),
                problem=f"{name} is no tier",
                remedy=f"name one of {', '.join(sorted(tiers))}" if tiers else "describe it under source.tiers",
            )


def images(file: MigrationFile) -> Iterator[Finding]:
    """Containers have an image."""
    path = ("target", "containers", "image")
    if file.target.containers.image:
        return
    if file.target.compute is ComputeEngine.ECS:
        yield Finding(
            places=(path, ("target", "compute")),
            problem="compute: ecs needs an image",
            remedy="name the image as target.containers.image",
        )
    if file.traffic.router is RouterEngine.ARGO:
        yield Finding(
            places=(path, ("traffic", "router")),
            problem="router: argo needs an image",
            remedy="name the image as target.containers.image",
        )


def links(file: MigrationFile) -> Iterator[Finding]:
    """The path that is primary exists, and its numbers fit."""
    connectivity, vpn = file.connectivity, file.connectivity.vpn
    direct = ("connectivity", "direct_connect")
    if connectivity.primary is LinkPath.DIRECT_CONNECT and not connectivity.direct_connect.enabled:
        yield Finding(
            places=(("connectivity", "primary"), (*direct, "enabled")),
            problem="names a path that is not built",
            remedy="set connectivity.direct_connect.enabled: true, or primary: vpn",
        )
    if vpn.customer_asn == vpn.amazon_asn:
        yield Finding(
            places=(("connectivity", "vpn", "customer_asn"), ("connectivity", "vpn", "amazon_asn")),
            problem=f"customer_asn and amazon_asn are both {vpn.customer_asn}",
            remedy="give each side a BGP number of its own",
        )
    tunnels = ("connectivity", "vpn", "tunnels")
    for i, tunnel in enumerate(vpn.tunnels):
        inside = tunnel.inside_cidr
        if inside and not (inside.prefixlen == 30 and inside.subnet_of(_LINK_LOCAL)):
            yield Finding(
                places=((*tunnels, i, "inside_cidr"),),
                problem=f"{inside} is not a /30 of {_LINK_LOCAL}",
                remedy="write one such as 169.254.21.0/30, or leave it to AWS",
            )
    yield from unique(tunnels, "inside_cidr", (tunnel.inside_cidr for tunnel in vpn.tunnels))


ALL = (networks, zones, resource_names, server_counts, server_entries, images, links)
