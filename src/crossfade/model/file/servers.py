"""The application servers, their files, and how both get to AWS."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Bandwidth, Duration, Size, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import FilePath, HostName, InstanceType, Slug


class ServerEngine(StrEnum):
    """What replicates whole servers."""

    MGN = "mgn"
    CLOUDENDURE = "cloudendure"


class Staging(Section):
    """Where servers are replicated to before they are launched."""

    instance_type: InstanceType = "t3.medium"
    """Type of the replication servers in the staging subnet."""
    dedicated: bool = False
    """A replication server for each source server."""
    bandwidth_limit: Bandwidth | None = None
    """Limit for each server; none by default."""
    private_routing: bool = True
    """Replicate over the link between the sites, not over the internet."""


class PostLaunchAction(StrEnum):
    """What is done on a launched server."""

    SSM_AGENT = "ssm-agent"
    VALIDATE = "validate"
    CLOUDWATCH_AGENT = "cloudwatch-agent"
    HARDEN = "harden"


class TestLaunch(Section):
    """Test instances, launched apart from users before anything is shifted."""

    __test__ = False  # pytest takes classes named Test… for its own

    enabled: bool = True
    """Launch and check a test instance of each server."""
    time_limit: Span = timedelta(hours=1)
    """A test instance that does not answer by then fails."""


class CutoverLaunch(Section):
    """The instances that will take users."""

    time_limit: Span = timedelta(hours=1)
    """An instance that does not answer by then fails."""
    copy_tags: bool = True
    """Tags of the source server go to the instance."""
    copy_private_address: bool = False
    """Keep the last parts of the address; only where the networks allow it."""


class Servers(Section):
    """The application servers that are rebuilt on AWS."""

    count: Annotated[int, Field(ge=1, le=10_000)]
    """How many there are; servers named under `source.servers` are among them."""
    engine: ServerEngine = ServerEngine.MGN
    """`mgn`; `cloudendure` only where an account still has it, for it takes no new customers."""
    instance_types: dict[Slug, InstanceType] = Field(default_factory=dict)
    """Instance type for a tier, where it is not `target.instance_type`."""
    release_path: FilePath = "/opt/app"
    """Where the application's release lies on a server."""
    settings_path: FilePath = "/etc/app"
    """Where its settings lie."""
    staging: Staging = Staging()
    """Where servers are replicated to."""
    test: TestLaunch = TestLaunch()
    """Test instances."""
    cutover: CutoverLaunch = CutoverLaunch()
    """Instances that will take users."""
    post_launch: tuple[PostLaunchAction, ...] = (PostLaunchAction.SSM_AGENT, PostLaunchAction.VALIDATE)
    """What is done on each launched server, in this order."""
    configuration: dict[Slug, FilePath] = Field(default_factory=dict)
    """Settings that State Manager keeps on the servers: a name, and the document as a file relative to this one."""


class FileEngine(StrEnum):
    """What copies files between the sites."""

    DATASYNC = "datasync"


class FileTarget(StrEnum):
    """Where files lie on AWS."""

    S3 = "s3"
    EFS = "efs"


class Share(Section):
    """A file share."""

    name: Slug
    """Name of the share."""
    path: FilePath
    """Where it lies in the data center: an NFS export or a directory."""
    size: Size
    """Size of all its files."""
    target: FileTarget = FileTarget.S3
    """`s3` or `efs`."""
    exclude: tuple[str, ...] = ()
    """Patterns of files that stay behind."""


class Files(Section):
    """Files that move, kept in step and copied back if need be."""

    shares: tuple[Share, ...] = ()
    """The shares. Empty: no files move."""
    engine: FileEngine = FileEngine.DATASYNC
    """What copies them."""
    server: HostName | None = None
    """Host in the data center that exports the shares by NFS; DataSync needs it."""
    agent: Annotated[str, Form(r"arn:aws[a-z-]*:datasync:\S+:agent/agent-[0-9a-f]+", "the ARN of an agent")] | None = (
        None
    )
    """ARN of the DataSync agent in the data center. Without it the places on AWS are built, and no tasks."""
    interval: Span = timedelta(minutes=15)
    """Time between two incremental runs."""
    max_lag: Span = timedelta(hours=1)
    """Age of the oldest difference above which no phase goes on."""
    bandwidth_limit: Bandwidth | None = None
    """Limit for the copying; none by default."""
    verify_checksums: bool = True
    """Compare each transferred file by checksum."""
    final_delta_limit: Duration = timedelta(minutes=15)
    """How long the final delta may take after cutover; reads fall back to the old share until it is done."""
