"""Quotas of an account that templates count against: one table for the estimate and for the look beforehand. Pure."""

from dataclasses import dataclass

from crossfade.infra.estimate.resources import Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A quota of an account and region."""

    service: str
    """As Service Quotas calls it, like `name` and `code`."""
    name: str
    kind: str
    """The type of CloudFormation that counts against it."""
    default: int
    """What an account has that never asked for more."""
    code: str = ""
    """Those with a code are looked up before a deployment: other systems of an account eat them up."""
    having: tuple[str, str] | None = None
    """Only resources with this property and value count."""
    in_new_vpc: bool = False
    """It counts within the VPC, which is new, so that nothing is in use of it."""

    def needed(self, resources: Resources) -> int:
        """How many of the resources count against it."""
        if self.having is None:
            return resources.count(self.kind)
        name, value = self.having
        return sum(properties.get(name) == value for properties in resources.all(self.kind))


_INTERFACE, _GATEWAY = (("VpcEndpointType", kind) for kind in ("Interface", "Gateway"))
QUOTAS = (
    Quota(service="vpc", name="VPCs per Region", kind="AWS::EC2::VPC", default=5, code="L-F678F1CE"),
    Quota(service="vpc", name="Internet gateways per Region", kind="AWS::EC2::InternetGateway", default=5),
    Quota(service="vpc", name="Subnets per VPC", kind="AWS::EC2::Subnet", default=200),
    Quota(service="vpc", name="Route tables per VPC", kind="AWS::EC2::RouteTable", default=200),
    Quota(service="vpc", name="VPC security groups per Region", kind="AWS::EC2::SecurityGroup", default=2500),
    Quota(
        service="vpc",
        name="Interface VPC endpoints per VPC",
        kind="AWS::EC2::VPCEndpoint",
        default=50,
        code="L-29B6F2EB",
        having=_INTERFACE,
        in_new_vpc=True,
    ),
    Quota(
        service="vpc",
        name="Gateway VPC endpoints per Region",
        kind="AWS::EC2::VPCEndpoint",
        default=20,
        having=_GATEWAY,
    ),
    Quota(service="ec2", name="EC2-VPC Elastic IPs", kind="AWS::EC2::EIP", default=5, code="L-0263D0A3"),
    Quota(service="ec2", name="Customer gateways per region", kind="AWS::EC2::CustomerGateway", default=50),
    Quota(service="ec2", name="Virtual private gateways per region", kind="AWS::EC2::VPNGateway", default=5),
    Quota(
        service="ec2",
        name="VPN connections per region",
        kind="AWS::EC2::VPNConnection",
        default=50,
        code="L-3E6EC3A3",
    ),
    Quota(
        service="directconnect",
        name="Direct Connect gateways per account",
        kind="AWS::DirectConnect::DirectConnectGateway",
        default=200,
    ),
    Quota(
        service="elasticloadbalancing",
        name="Application Load Balancers per Region",
        kind="AWS::ElasticLoadBalancingV2::LoadBalancer",
        default=50,
    ),
    Quota(service="rds", name="DB instances", kind="AWS::RDS::DBInstance", default=40, code="L-7B6409FD"),
    Quota(service="dms", name="Replication instances", kind="AWS::DMS::ReplicationInstance", default=60),
    Quota(service="dms", name="Endpoints", kind="AWS::DMS::Endpoint", default=1000),
    Quota(service="route53", name="Hosted zones", kind="AWS::Route53::HostedZone", default=500),
    Quota(service="route53", name="Health checks", kind="AWS::Route53::HealthCheck", default=200),
    Quota(
        service="route53resolver",
        name="Resolver endpoints per AWS Region",
        kind="AWS::Route53Resolver::ResolverEndpoint",
        default=4,
    ),
    Quota(
        service="acm-pca",
        name="Private certificate authorities (CAs)",
        kind="AWS::ACMPCA::CertificateAuthority",
        default=200,
    ),
    Quota(service="datasync", name="Tasks", kind="AWS::DataSync::Task", default=100),
    Quota(service="dynamodb", name="Tables per Region", kind="AWS::DynamoDB::Table", default=2500),
)
"""Default values. Source: AWS General Reference, service endpoints and quotas, of each service; as of 2025-01."""

LOOKED_UP = tuple(quota for quota in QUOTAS if quota.code)
