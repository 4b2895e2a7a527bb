"""Who migrates, under which names, from where to where."""

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Count, Port
from crossfade.model.file.section import Section
from crossfade.model.file.texts import (
    Address,
    FilePath,
    HostName,
    InstanceType,
    Network,
    Region,
    Secret,
    Slug,
    Text,
    UrlPath,
)


class Migration(Section):
    """What this migration is called and whose it is."""

    name: Slug
    """Name of the migration and its id in the journal: lower-case letters, digits and hyphens."""
    owner: Text
    """The team that answers for it; becomes the tag `owner`."""
    description: str = ""
    """One or two sentences for reports."""
    cost_center: str = ""
    """Becomes the tag `cost-center`."""


Tag = Annotated[str, Form(r"[A-Za-z0-9 _.:/=+@-]+", "letters, digits, spaces and _.:/=+-@", 128)]
TagValue = Annotated[str, Form(r"[A-Za-z0-9 _.:/=+@-]*", "letters, digits, spaces and _.:/=+-@", 256)]


class Environment(Section):
    """Where the AWS side is built and how its resources are named."""

    suffix: Annotated[str, Form(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case letters, digits and single hyphens", 40)]
    """Ends every resource name (`resource-type-suffix`): lower-case letters, digits and single hyphens."""
    region: Region = "us-east-1"
    """AWS region of the target."""
    account: Annotated[str, Form(r"\d{12}", "twelve digits in quotes")] | None = None
    """AWS account, twelve digits in quotes; without it, that of the credentials."""
    tags: dict[Tag, TagValue] = Field(default_factory=dict)
    """Further tags for every resource."""


class TierRole(StrEnum):
    """What the servers of a tier do for users."""

    WEB = "web"
    API = "api"
    WORKER = "worker"


class Tier(Section):
    """A group of like application servers."""

    name: Slug
    """Name of the tier."""
    role: TierRole
    """What it does: `web` takes users' requests, `api` serves the web tier and partners, `worker` takes none."""
    servers: Count
    """How many of the servers carry it."""
    port: Port = 8080
    """Port it listens on."""
    health_path: UrlPath = "/health"
    """Path that answers 200 when the tier works."""


class SourceServer(Section):
    """A legacy server by name."""

    name: HostName
    """Host name."""
    address: Address | None = None
    """Address within the source network."""
    tier: Slug | None = None
    """Tier that it belongs to."""
    operating_system: str = ""
    """As the inventory gives it, for the readiness score."""


class Source(Section):
    """The data center that the system leaves."""

    cidr: Network
    """Its network; must not overlap that of the target."""
    name: Text = "data center"
    """What people call it."""
    inventory: FilePath | None = None
    """An export that lists the servers (RVTools, Azure Migrate, plain CSV …), relative to this file."""
    servers: Annotated[tuple[SourceServer, ...], Field(max_length=10_000)] = ()
    """Servers by name, instead of an inventory or beside it; may be fewer than `servers.count`."""
    tiers: tuple[Tier, ...] = ()
    """The tiers of the application. Empty: every server carries web and API."""


class ComputeEngine(StrEnum):
    """What runs the application on AWS."""

    EC2 = "ec2"
    ECS = "ecs"


class LoadBalancer(Section):
    """The load balancer before the application on AWS."""

    internal: bool = True
    """Only reachable from within the two networks."""
    certificate: Annotated[str, Form(r"arn:aws[a-z-]*:acm:\S+", "the ARN of an ACM certificate")] | None = None
    """ARN of the certificate for TLS; without it one is issued for the DNS zone."""
    idle_timeout_seconds: Annotated[int, Field(ge=1, le=4000)] = 60
    """Idle timeout of a connection."""


Variable = Annotated[str, Form(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable", 128)]


class Containers(Section):
    """Settings of `compute: ecs`, deployed by CodeDeploy blue-green."""

    image: str = ""
    """Image of the application; needed with `compute: ecs` and for Kubernetes manifests."""
    tasks: Count = 3
    """How many of it run."""
    cpu: Annotated[int, Field(ge=256, le=16_384)] = 1024
    """CPU units of a task."""
    memory_mib: Annotated[int, Field(ge=512, le=122_880)] = 2048
    """Memory of a task in MiB."""
    test_port: Port = 8443
    """Port of the load balancer at which a new version is looked at before users get it."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Environment variables of the container. Nothing secret: they stand in templates."""
    secrets: dict[Variable, Secret] = Field(default_factory=dict)
    """Environment variables whose values are secrets: where each is kept."""


Zone = Annotated[str, Form(r"[a-z0-9-]+\d[a-z]", "an Availability Zone, such as us-east-1a", 40)]


class Target(Section):
    """The landing ground on AWS."""

    cidr: Network = IPv4Network("10.0.0.0/16")
    """Network of the VPC, /16 to /22."""
    zones: Annotated[tuple[Zone, ...], Field(max_length=6)] = ()
    """Availability Zones by name. Empty: the first `zone_count` of the region."""
    zone_count: Annotated[int, Field(ge=2, le=6)] = 3
    """Number of Availability Zones when `zones` names none; each gets a public, a private and a data subnet."""
    compute: ComputeEngine = ComputeEngine.EC2
    """What runs the application: `ec2` behind a load balancer, or `ecs`."""
    instance_type: InstanceType = "m6i.large"
    """Instance type of application servers, unless the tier's is given in `servers.instance_types`."""
    load_balancer: LoadBalancer = LoadBalancer()
    """The load balancer before the application."""
    containers: Containers = Containers()
    """Settings of `compute: ecs`."""
    release_secret: Secret | None = None
    """Credentials of the artifact or image store, if it asks for any."""

    def zone_names(self, region: str) -> tuple[str, ...]:
        """The zones by name, given or the first `zone_count` of `region`."""
        return self.zones or tuple(f"{region}{letter}" for letter in "abcdef"[: self.zone_count])
