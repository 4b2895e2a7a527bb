"""Which services of AWS are reached through endpoints in the VPC, so that nothing private leaves. Pure."""

from collections.abc import Iterator

from crossfade.infra import wants
from crossfade.model.file import MigrationFile

OF_AWS_IN_S3 = (
    "aws-application-migration-service-{region}",
    "aws-application-migration-service-hashes-{region}",
    "aws-mgn-clients-{region}",
    "aws-mgn-clients-hashes-{region}",
    "aws-mgn-internal-{region}",
    "aws-mgn-internal-hashes-{region}",
    "amazon-ssm-{region}",
    "amazon-ssm-packages-{region}",
    "aws-ssm-{region}",
    "aws-ssm-document-attachments-{region}",
    "patch-baseline-snapshot-{region}",
    "{region}-birdwatcher-prod",
    "amazoncloudwatch-agent-{region}",
    "prod-{region}-starport-layer-bucket",
)
"""Buckets of AWS from which agents and replication servers fetch their software.

Source: MGN user guide, network requirements; Systems Manager user guide, SSM Agent communications with S3 buckets;
ECR user guide, interface endpoints.
"""


def interface_endpoints(file: MigrationFile) -> tuple[str, ...]:
    """Services as they are named after the region, sorted; only those that the described migration uses."""
    return tuple(sorted(set(_services(file))))


def _services(file: MigrationFile) -> Iterator[str]:
    yield from ("ssm", "ssmmessages", "ec2messages")  # agents, State Manager, validation
    yield from ("logs", "monitoring", "kms", "secretsmanager", "sts", "sns", "ec2")
    if wants.mgn(file):
        yield "mgn"
    if file.events.eventbridge:
        yield "events"
    if file.events.kinesis:
        yield "kinesis-streams"
    if file.files.shares:
        yield "datasync"
    if wants.efs(file):
        yield "elasticfilesystem"
    if wants.ecs(file):
        yield from ("ecr.api", "ecr.dkr")
