"""Which quotas of the account the migration needs, against what an account has by default. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.infra import wants
from crossfade.infra.estimate.resources import Resources
from crossfade.infra.estimate.servers import application_servers, replication_servers
from crossfade.model.file import MigrationFile

_FAMILIES_COUNTED_TOGETHER = frozenset("acdhimrtz")
"""Standard instances share one quota. Source: EC2 user guide, on-demand instance quotas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One quota of an account and region."""

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


_BY_TYPE = (
    ("vpc", "VPCs per Region", "AWS::EC2::VPC", 5),
    ("vpc", "Internet gateways per Region", "AWS::EC2::InternetGateway", 5),
    ("vpc", "Subnets per VPC", "AWS::EC2::Subnet", 200),
    ("vpc", "Route tables per VPC", "AWS::EC2::RouteTable", 200),
    ("vpc", "VPC security groups per Region", "AWS::EC2::SecurityGroup", 2500),
    ("ec2", "EC2-VPC Elastic IPs", "AWS::EC2::EIP", 5),
    ("ec2", "Customer gateways per region", "AWS::EC2::CustomerGateway", 50),
    ("ec2", "Virtual private gateways per region", "AWS::EC2::VPNGateway", 5),
    ("ec2", "VPN connections per region", "AWS::EC2::VPNConnection", 50),
    ("directconnect", "Direct Connect gateways per account", "AWS::DirectConnect::DirectConnectGateway", 200),
    ("elasticloadbalancing", "Application Load Balancers per Region", "AWS::ElasticLoadBalancingV2::LoadBalancer", 50),
    ("rds", "DB instances", "AWS::RDS::DBInstance", 40),
    ("dms", "Replication instances", "AWS::DMS::ReplicationInstance", 60),
    ("dms", "Endpoints", "AWS::DMS::Endpoint", 1000),
    ("route53", "Hosted zones", "AWS::Route53::HostedZone", 500),
    ("route53", "Health checks", "AWS::Route53::HealthCheck", 200),
    ("route53resolver", "Resolver endpoints per AWS Region", "AWS::Route53Resolver::ResolverEndpoint", 4),
    ("acm-pca", "Private certificate authorities (CAs)", "AWS::ACMPCA::CertificateAuthority", 200),
    ("datasync", "Tasks", "AWS::DataSync::Task", 100),
    ("dynamodb", "Tables per Region", "AWS::DynamoDB::Table", 2500),
)
"""Default values. Source: AWS General Reference, service endpoints and quotas, of each service; as of 2025-01."""


def quotas(file: MigrationFile, resources: Resources) -> tuple[Quota, ...]:
    """All that the migration touches, those to raise first, then those that it fills most."""
    found = [*_counted(resources), *_endpoints(resources), *_servers(file)]
    used = (quota for quota in found if quota.needed)
    return tuple(sorted(used, key=lambda quota: (not quota.to_raise, -quota.needed / quota.default, quota.name)))


def _counted(resources: Resources) -> Iterator[Quota]:
    for service, name, kind, default in _BY_TYPE:
        yield Quota(service=service, name=name, needed=resources.count(kind), default=default)


def _endpoints(resources: Resources) -> Iterator[Quota]:
    kinds = [endpoint.get("VpcEndpointType") for endpoint in resources.all("AWS::EC2::VPCEndpoint")]
    yield Quota(service="vpc", name="Interface VPC endpoints per VPC", needed=kinds.count("Interface"), default=50)
    yield Quota(service="vpc", name="Gateway VPC endpoints per Region", needed=kinds.count("Gateway"), default=20)
    storage = sum(int(i["AllocatedStorage"]) for i in resources.all("AWS::RDS::DBInstance") if "AllocatedStorage" in i)
    yield Quota(service="rds", name="Total storage for all DB instances, GB", needed=storage, default=100_000)


def _servers(file: MigrationFile) -> Iterator[Quota]:
    """Twice the servers: test instances run beside what is replicated, and go before the cutover instances come."""
    fleets = () if wants.ecs(file) else application_servers(file)
    times = 2 if file.servers.test.enabled else 1
    fleets = (*(fleet for _ in range(times) for fleet in fleets), replication_servers(file))
    vcpus = sum(f.vcpus for f in fleets if f.instance_type[0] in _FAMILIES_COUNTED_TOGETHER)
    name = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
    note = "vCPUs: the servers, once more for test instances, and replication servers"
    yield Quota(service="ec2", name=name, needed=vcpus, default=5, note=note if times == 2 else "vCPUs")
    if wants.mgn(file):
        yield Quota(service="mgn", name="Max active source servers", needed=file.servers.count, default=150)
