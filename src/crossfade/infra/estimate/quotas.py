"""Which quotas of the account the migration needs, against what an account has by default. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.infra import wants
from crossfade.infra.estimate.resources import Resources
from crossfade.infra.estimate.servers import application_servers, replication_servers
from crossfade.infra.quotas import QUOTAS
from crossfade.model.file import MigrationFile

_FAMILIES_COUNTED_TOGETHER = frozenset("acdhimrtz")
"""Standard instances share one quota. Source: EC2 user guide, on-demand instance quotas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededQuota:
    """How much of one quota is needed."""

    service: str
    """As Service Quotas calls it."""
    name: str
    needed: int
    """By this migration alone; what the account uses already comes on top."""
    default: int
    note: str = ""

    @property
    def to_raise(self) -> bool:
        """An account that has nothing else needs more than the default."""
        return self.needed > self.default


def quotas(file: MigrationFile, resources: Resources) -> tuple[NeededQuota, ...]:
    """All that the migration touches, those to raise first, then those that it fills most."""
    found = [*_counted(resources), *_storage(resources), *_servers(file)]
    used = (quota for quota in found if quota.needed)
    return tuple(sorted(used, key=lambda quota: (not quota.to_raise, -quota.needed / quota.default, quota.name)))


def _counted(resources: Resources) -> Iterator[NeededQuota]:
    for quota in QUOTAS:
        needed = quota.needed(resources)
        yield NeededQuota(service=quota.service, name=quota.name, needed=needed, default=quota.default)


def _storage(resources: Resources) -> Iterator[NeededQuota]:
    needed = sum(int(i["AllocatedStorage"]) for i in resources.all("AWS::RDS::DBInstance") if "AllocatedStorage" in i)
    yield NeededQuota(service="rds", name="Total storage for all DB instances, GB", needed=needed, default=100_000)


def _servers(file: MigrationFile) -> Iterator[NeededQuota]:
    """Twice the servers: test instances run beside what is replicated, and go before the cutover instances come."""
    fleets = () if wants.ecs(file) else application_servers(file)
    times = 2 if file.servers.test.enabled else 1
    fleets = (*(fleet for _ in range(times) for fleet in fleets), replication_servers(file))
    vcpus = sum(f.vcpus for f in fleets if f.instance_type[0] in _FAMILIES_COUNTED_TOGETHER)
    name = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
    note = "vCPUs: the servers, once more for test instances, and replication servers"
    yield NeededQuota(service="ec2", name=name, needed=vcpus, default=5, note=note if times == 2 else "vCPUs")
    if wants.mgn(file):
        yield NeededQuota(service="mgn", name="Max active source servers", needed=file.servers.count, default=150)
