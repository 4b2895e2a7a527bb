"""What a file may describe although the part of Crossfade that uses it is not built yet. The one table of it."""

from collections.abc import Callable
from dataclasses import dataclass

from crossfade.model.file.database import ReplicationEngine
from crossfade.model.file.document import MigrationFile
from crossfade.model.file.section import Section
from crossfade.model.file.traffic import RouterEngine, Strategy

_AWS = "used on AWS only, and that side is planned"
_PLAN = "planned with `crossfade plan`; nothing reads it yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBuilt:
    """A described section whose part is not built, and what that means."""

    section: str
    says: str


@dataclass(frozen=True, slots=True)
class _Planned:
    """`when` narrows a row to files that really ask for it; without it, naming the section is enough."""

    section: str
    says: str
    when: Callable[[MigrationFile], bool] | None = None


_PLANNED = (
    _Planned("environment", f"names, tags and region of AWS resources: {_AWS}"),
    _Planned("source.inventory", _PLAN),
    _Planned("target", f"networks and servers on AWS: {_AWS}"),
    _Planned("servers.engine", f"MGN and CloudEndure: {_AWS}; the rehearsal copies releases and settings itself"),
    _Planned("servers.instance_types", _AWS),
    _Planned("servers.staging", _AWS),
    _Planned("servers.post_launch", _AWS),
    _Planned("servers.configuration", _AWS),
    _Planned("database.source.host", f"{_AWS}; the rehearsal makes a source of its own"),
    _Planned("database.source.credentials", f"{_AWS}; the rehearsal makes its own"),
    _Planned("database.target", f"RDS and Aurora: {_AWS}; the rehearsal makes a PostgreSQL of its own"),
    _Planned(
        "database.replication.engine",
        "DMS is planned with the AWS side; the rehearsal replicates natively",
        lambda file: file.database.replication.engine is ReplicationEngine.DMS,
    ),
    _Planned("database.replication.dms", f"DMS: {_AWS}"),
    _Planned("database.replication.lob", f"modes of DMS: {_AWS}; native replication moves large objects whole"),
    _Planned(
        "database.preflight_accept", "planned with the whole preflight; today blockers stop and warnings are told"
    ),
    _Planned("database.schema_changes", "planned with `crossfade schema`; nothing reads it yet"),
    _Planned("files.engine", f"DataSync: {_AWS}; the rehearsal copies files itself"),
    _Planned("files.shares", f"{_AWS}; the rehearsal has a share of its own"),
    _Planned("connectivity", f"VPN and Direct Connect: {_AWS}"),
    _Planned(
        "traffic.strategy",
        "blue-green is planned; the rehearsal runs canaries",
        lambda file: file.traffic.strategy is Strategy.BLUE_GREEN,
    ),
    _Planned("traffic.blue_green", "blue-green is planned; the rehearsal runs canaries"),
    _Planned(
        "traffic.router",
        "Route 53 and Argo Rollouts are planned; the rehearsal always uses Envoy",
        lambda file: file.traffic.router is not RouterEngine.ENVOY,
    ),
    _Planned("traffic.dns", f"the private zone: {_AWS}"),
    _Planned("metrics", "CloudWatch, Prometheus and business metrics are planned; the rehearsal asks its router"),
    _Planned("shadow", "planned; the shadow phase is passed over", lambda file: file.shadow.enabled),
    _Planned("checks.services", f"checks by Systems Manager: {_AWS}"),
    _Planned("notifications.sns", f"SNS: {_AWS}; terminal, webhooks and e-mail are built"),
    _Planned("posture", "security checks are planned with the AWS side"),
    _Planned("planning", _PLAN),
    _Planned("events", f"DynamoDB, EventBridge, Kinesis and Kafka: {_AWS}; the rehearsal's journal is SQLite"),
    _Planned("aws_tools", _AWS),
    _Planned("facade", "planned; nothing reads it yet"),
    _Planned("kubernetes", "planned with `crossfade manifests`; nothing reads it yet"),
)


def not_built(file: MigrationFile) -> tuple[NotBuilt, ...]:
    """The sections that the file itself describes and that nothing uses yet, in the order of the table."""
    return tuple(
        NotBuilt(section=row.section, says=row.says)
        for row in _PLANNED
        if _described(file, row.section) and (row.when is None or row.when(file))
    )


def _described(file: MigrationFile, section: str) -> bool:
    """Whether the file says something at the path, rather than leaving it to the default."""
    value: object = file
    for name in section.split("."):
        if not isinstance(value, Section) or name not in value.model_fields_set:
            return False
        value = getattr(value, name)
    return value is not None and value != ()
