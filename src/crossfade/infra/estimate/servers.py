"""The servers that MGN will launch: they stand in no template, and cost and count nevertheless. Pure."""

import re
from dataclasses import dataclass
from math import ceil

from crossfade.infra.replication_settings import instance_types
from crossfade.model.file import MigrationFile

_DISKS_OF_A_REPLICATION_SERVER = 15
"""Source: MGN user guide, replication server settings."""
_MANY = re.compile(r"(\d+)xlarge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Servers of one instance type."""

    what: str
    instance_type: str
    count: int

    @property
    def vcpus(self) -> int:
        """Of all of them: two up to the size large, twice as many with each doubling from there.

        Source: EC2 user guide, instance types. Only medium and smaller Graviton sizes have fewer.
        """
        size = self.instance_type.rpartition(".")[2]
        many = _MANY.fullmatch(size)
        each = 4 * int(many[1]) if many else 4 if size == "xlarge" else 2
        return self.count * each


def application_servers(file: MigrationFile) -> tuple[Fleet, ...]:
    """As many as the file counts, by tier; without tiers, all of one type."""
    types, tiers = instance_types(file), file.source.tiers
    if not tiers:
        return (Fleet(what="servers", instance_type=types["servers"], count=file.servers.count),)
    return tuple(Fleet(what=f"{t.name} servers", instance_type=types[t.name], count=t.servers) for t in tiers)


def replication_servers(file: MigrationFile) -> Fleet:
    """The fewest there can be: fifteen disks share one, and each server has one disk at least."""
    count = file.servers.count
    least = count if file.servers.staging.dedicated else ceil(count / _DISKS_OF_A_REPLICATION_SERVER)
    return Fleet(what="replication servers", instance_type=file.servers.staging.instance_type, count=least)
