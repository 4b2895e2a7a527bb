"""The servers that MGN will launch: they stand in no template, and cost and count nevertheless. Pure."""

from dataclasses import dataclass
from math import ceil

from crossfade.infra.estimate.prices import in_larges
from crossfade.infra.replication_settings import instance_types
from crossfade.model.file import MigrationFile

_DISKS_OF_A_REPLICATION_SERVER = 15
"""Source: MGN user guide, replication server settings."""
_OF_METAL = 128
"""Metal is a family's largest size; most have this many or fewer."""


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
        larges = in_larges(self.instance_type.rpartition(".")[2])
        return self.count * (_OF_METAL if larges is None else max(2, int(2 * larges)))


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
