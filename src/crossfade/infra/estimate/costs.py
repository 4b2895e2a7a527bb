"""What a deployed migration costs, by component: numbers from templates and file, prices from a pinned list. Pure.

Left out: whatever depends on use (data transfer, requests, logs, capacity beyond the least), volumes and backups of
servers, taxes and discounts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

from crossfade.infra import wants
from crossfade.infra.estimate.prices import Price, of_instance, prices
from crossfade.infra.estimate.resources import Properties, Resources
from crossfade.infra.estimate.servers import Fleet, application_servers, replication_servers
from crossfade.model.file import MigrationFile
from crossfade.model.file.servers import FileTarget

LEFT_OUT = (
    "data transfer and whatever else is charged by use: requests, queries, logs, messages, processed data",
    "the port of Direct Connect, which is a contract of yours",
    "volumes and backups of the servers that MGN launches and replicates to (it is free itself for 90 days a server)",
    "taxes, discounts, free tiers and support",
)
_REGION = "us-east-1"
_GIB = 1024**3
_FREE_DMS_GB = 100
"""With each replication instance of other families than T comes that much. Source: DMS pricing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One component."""

    component: str
    quantity: float
    """How many of the price's unit are charged at any time, or in all where it is paid once."""
    price: Price | None
    """None: there is no pinned price, and the total is without it."""
    once: bool = False
    """Paid once and not each month."""
    note: str = ""
    """What is estimated, and how."""

    @property
    def amount(self) -> float | None:
        """USD each month, or once."""
        return None if self.price is None else self.quantity * self.price.monthly


def costs(file: MigrationFile, resources: Resources) -> tuple[Cost, ...]:
    """The dearest first; what is paid once, and what has no price, stand last."""
    found = (
        *_network(resources),
        *_kept(resources),
        *_database(resources),
        *_replication(resources),
        *_servers(file),
        *_files(file),
    )
    told = (cost for cost in found if cost.quantity)
    return tuple(sorted(told, key=lambda cost: (cost.once, cost.amount is None, -(cost.amount or 0))))


def monthly(found: tuple[Cost, ...]) -> float:
    """USD a month of all that has a price and is not paid once."""
    return fsum(cost.amount for cost in found if cost.amount is not None and not cost.once)


def notes(file: MigrationFile) -> tuple[str, ...]:
    """What is true of the whole estimate of this file."""
    region = file.environment.region
    elsewhere = () if region == _REGION else (f"prices are those of {_REGION}; {region} differs",)
    return (*elsewhere, *(f"not in it: {what}" for what in LEFT_OUT))


def _network(resources: Resources) -> Iterator[Cost]:
    endpoints = [e for e in resources.all("AWS::EC2::VPCEndpoint") if e.get("VpcEndpointType") == "Interface"]
    yield _of("interface endpoints", "interface-endpoint", sum(len(e["SubnetIds"]) for e in endpoints))
    yield _of("VPN", "vpn-connection", resources.count("AWS::EC2::VPNConnection"))
    yield _of("NAT gateways", "nat-gateway", resources.count("AWS::EC2::NatGateway"))
    yield _of("public addresses", "elastic-ip", resources.count("AWS::EC2::EIP"))
    balancers = resources.count("AWS::ElasticLoadBalancingV2::LoadBalancer")
    yield _of("load balancer", "load-balancer", balancers)
    yield _of("load balancer, capacity", "load-balancer-capacity", balancers, note="one capacity unit, the least")
    addresses = sum(len(e["IpAddresses"]) for e in resources.all("AWS::Route53Resolver::ResolverEndpoint"))
    yield _of("resolver endpoints", "resolver-address", addresses)
    yield _of("private zone", "hosted-zone", resources.count("AWS::Route53::HostedZone"))
    yield _of("health checks", "health-check", resources.count("AWS::Route53::HealthCheck"))


def _kept(resources: Resources) -> Iterator[Cost]:
    authorities = resources.count("AWS::ACMPCA::CertificateAuthority")
    yield _of("private authority", "private-authority", authorities, note="none if the file names a certificate")
    yield _of("KMS keys", "kms-key", resources.count("AWS::KMS::Key"), note="a dollar more for each yearly rotation")
    managed = sum(bool(d.get("ManageMasterUserPassword")) for d in _servers_of_data(resources))
    yield _of("secrets", "secret", resources.count("AWS::SecretsManager::Secret") + managed)
    yield _of("alarms", "alarm", resources.count("AWS::CloudWatch::Alarm"))
    yield _of("composite alarms", "composite-alarm", resources.count("AWS::CloudWatch::CompositeAlarm"))
    yield _of("dashboard", "dashboard", resources.count("AWS::CloudWatch::Dashboard"))
    yield _of("stream", "kinesis-stream", resources.count("AWS::Kinesis::Stream"), note="Kinesis on demand, idle")


def _servers_of_data(resources: Resources) -> tuple[Properties, ...]:
    return (*resources.all("AWS::RDS::DBInstance"), *resources.all("AWS::RDS::DBCluster"))


def _database(resources: Resources) -> Iterator[Cost]:
    for instance in resources.all("AWS::RDS::DBInstance"):
        kind = "aurora" if "aurora" in str(instance.get("Engine")) else "rds"
        copies = 2 if instance.get("MultiAZ") else 1
        type_ = str(instance["DBInstanceClass"])
        yield Cost(component=f"database, {type_}", quantity=copies, price=of_instance(kind, type_))
        if kind == "rds":
            yield _of("database, storage", "rds-storage", copies * float(instance["AllocatedStorage"]))


def _replication(resources: Resources) -> Iterator[Cost]:
    for instance in resources.all("AWS::DMS::ReplicationInstance"):
        copies = 2 if instance.get("MultiAZ") else 1
        type_ = str(instance["ReplicationInstanceClass"])
        price, note = of_instance("dms", type_), ""
        if price is None and type_.startswith("dms.r6i."):
            price, note = of_instance("dms", type_.replace("r6i", "r5")), "estimated: as r5 of the same size"
        yield Cost(component=f"DMS, {type_}", quantity=copies, price=price, note=note)
        charged = max(0.0, float(instance["AllocatedStorage"]) - _FREE_DMS_GB)
        yield _of("DMS, storage", "dms-storage", copies * charged, note=f"{_FREE_DMS_GB} GB come with the instance")


def _servers(file: MigrationFile) -> Iterator[Cost]:
    if not wants.ecs(file):
        for fleet in application_servers(file):
            yield _fleet(fleet, "launched by the migration, and not by the templates")
    else:
        yield Cost(component="containers", quantity=file.servers.count, price=None, note="as many as there are servers")
    replicating = replication_servers(file)
    yield _fleet(replicating, "while servers replicate; estimated: the fewest, for one disk a server")


def _fleet(fleet: Fleet, note: str) -> Cost:
    price = of_instance("ec2", fleet.instance_type)
    return Cost(component=f"{fleet.what}, {fleet.instance_type}", quantity=fleet.count, price=price, note=note)


def _files(file: MigrationFile) -> Iterator[Cost]:
    for target, price in ((FileTarget.S3, "s3-storage"), (FileTarget.EFS, "efs-storage")):
        size = sum(share.size for share in file.files.shares if share.target is target) / _GIB
        yield _of(f"files on {target.upper()}", price, size, note="without old versions")
    copied = sum(share.size for share in file.files.shares) / _GIB
    if wants.datasync_tasks(file):
        first = prices()["datasync"]
        yield Cost(component="DataSync, first copy", quantity=copied, price=first, once=True, note="then what changes")


def _of(component: str, price: str, quantity: float, note: str = "") -> Cost:
    return Cost(component=component, quantity=quantity, price=prices()[price], note=note)
