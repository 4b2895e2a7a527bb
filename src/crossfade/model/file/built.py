"""What a file may describe although the part of Crossfade that uses it is not built yet. The one table of it."""

from collections.abc import Callable
from dataclasses import dataclass

from crossfade.model.file.database import ReplicationEngine
from crossfade.model.file.document import MigrationFile
from crossfade.model.file.kubernetes import StepJudge
from crossfade.model.file.section import Section
from crossfade.model.file.texts import SecretStore
from crossfade.model.file.traffic import RouterEngine

_AWS = "used on AWS only, and that side is planned"
_SYNTH = "in the templates of `crossfade synth`; a migration on AWS is planned"


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
    _Planned("migration.cost_center", f"a tag of AWS resources: {_SYNTH}"),
    _Planned("environment", f"names, tags and region of AWS resources: {_SYNTH}"),
    _Planned("source.tiers", "planned; every server of the rehearsal carries web and API"),
    _Planned(
        "source.servers",
        f"addresses and tiers: {_SYNTH}; the rehearsal takes the names",
        lambda file: any(server.model_fields_set != {"name"} for server in file.source.servers),
    ),
    _Planned("target", f"network, load balancer and containers: {_SYNTH}"),
    _Planned("servers.engine", f"MGN and CloudEndure: {_AWS}; the rehearsal copies releases and settings itself"),
    _Planned("servers.instance_types", f"a parameter: {_SYNTH}, which sets launch templates by it"),
    _Planned("servers.release_path", f"{_AWS}; the rehearsal's servers have places of their own"),
    _Planned("servers.settings_path", f"{_AWS}; the rehearsal's servers have places of their own"),
    _Planned("servers.staging", f"MGN's replication template: {_SYNTH}; the rehearsal has no staging area"),
    _Planned("servers.test", f"{_AWS}; the rehearsal always checks test instances, which have half a minute"),
    _Planned("servers.cutover", f"{_AWS}; the rehearsal's instances have half a minute"),
    _Planned("servers.post_launch", f"actions of MGN and State Manager: {_SYNTH}"),
    _Planned("servers.configuration", _AWS),
    _Planned(
        "database.name",
        f"{_AWS}; the rehearsal's database is ledger",
        lambda file: file.database.name != "ledger",
    ),
    _Planned(
        "database.application_roles",
        f"{_AWS}; the rehearsal's application logs in as ledger_app",
        lambda file: file.database.application_roles != ("ledger_app",),
    ),
    _Planned(
        "database.schemas",
        f"{_AWS}; the rehearsal moves the schema ledger",
        lambda file: file.database.schemas != ("ledger",),
    ),
    _Planned("database.tables", f"{_AWS}; the rehearsal moves all tables"),
    _Planned("database.exclude_tables", f"{_AWS}; the rehearsal moves all tables"),
    _Planned(
        "database.source.version",
        f"{_AWS}; the rehearsal's source is PostgreSQL 13",
        lambda file: file.database.source.version != 13,
    ),
    _Planned("database.source.host", f"{_SYNTH}; the rehearsal makes a source of its own"),
    _Planned("database.source.port", f"{_SYNTH}; the rehearsal's is that of `rehearsal.ports`"),
    _Planned("database.source.credentials", f"{_SYNTH}; the rehearsal makes its own"),
    _Planned("database.source.tls", f"{_SYNTH}; the rehearsal's connections stay on this computer"),
    _Planned("database.source.root_certificate", f"{_SYNTH}; the rehearsal's connections stay on this computer"),
    _Planned("database.source.highly_available", _AWS),
    _Planned("database.target", f"RDS and Aurora: {_SYNTH}; the rehearsal makes a PostgreSQL of its own"),
    _Planned(
        "database.replication.engine",
        "DMS is planned with the AWS side; the rehearsal replicates natively",
        lambda file: file.database.replication.engine is ReplicationEngine.DMS,
    ),
    _Planned(
        "database.replication.copy_workers",
        "indexes are made so; how many tables are copied at once is planned, the rehearsal's target copies two",
    ),
    _Planned("database.replication.full_load_limit", "planned; a full load may take as long as it takes"),
    _Planned("database.replication.dms", f"instance and endpoints: {_SYNTH}; the tasks' settings not yet"),
    _Planned("database.replication.lob", f"modes of DMS: {_AWS}; native replication moves large objects whole"),
    _Planned(
        "database.schema_changes",
        "carried out by a person with `crossfade schema`, on both databases; as a step of a migration planned",
    ),
    _Planned("files.engine", f"DataSync: {_SYNTH}; the rehearsal copies files itself"),
    _Planned("files.shares", f"{_SYNTH}; the rehearsal has a share of its own"),
    _Planned("files.max_lag", "planned; files may lag as far as `database.replication.max_lag_time`"),
    _Planned("files.server", f"{_SYNTH}; the rehearsal has a share of its own"),
    _Planned("files.agent", f"{_SYNTH}; the rehearsal copies files itself"),
    _Planned("files.bandwidth_limit", f"{_SYNTH}; the rehearsal copies without a limit"),
    _Planned(
        "files.verify_checksums",
        "planned; the rehearsal always compares checksums",
        lambda file: not file.files.verify_checksums,
    ),
    _Planned("files.final_delta_limit", "planned; the bake waits until the files are in step"),
    _Planned("connectivity.vpn", f"the VPN itself: {_SYNTH}"),
    _Planned("connectivity.direct_connect", f"{_SYNTH}; the rehearsal's backup path bears its name if it is enabled"),
    _Planned("connectivity.on_premises_dns", _SYNTH),
    _Planned("connectivity.proxy", _AWS),
    _Planned(
        "traffic.router",
        "Route 53 is planned; the router for Argo Rollouts has no engine yet; the rehearsal always uses Envoy",
        lambda file: file.traffic.router is not RouterEngine.ENVOY,
    ),
    _Planned("traffic.drain_timeout", f"{_SYNTH}; the rehearsal waits until no request is in flight"),
    _Planned(
        "traffic.share_tolerance_percent",
        f"{_AWS}; the judge always holds where counts do not fit the share beyond chance",
    ),
    _Planned("traffic.dns", f"the private zone: {_SYNTH}"),
    _Planned(
        "metrics",
        "`crossfade metrics` asks them; dashboard and logs are in the templates of `crossfade synth`; a migration that "
        "is judged by them is planned; the rehearsal asks its router, of `business` for transfers alone",
    ),
    _Planned("shadow", "the rehearsal compares live; on AWS it is planned", lambda file: file.shadow.enabled),
    _Planned("checks", "planned; the rehearsal asks its own application: health, database, an account"),
    _Planned("bake.verification_interval", "planned; everything is verified once, at the end of the bake"),
    _Planned("bake.marker_interval", "planned; a marker proves the way back once, right after the switch"),
    _Planned(
        "notifications.terminal",
        "planned; the terminal where a rehearsal was started always shows it",
        lambda file: not file.notifications.terminal,
    ),
    _Planned(
        "notifications.webhooks",
        "addresses and keys in a secret store are planned; the rehearsal tells receivers on this computer only",
        lambda file: any(
            hook.url is None or (hook.signing_key is not None and hook.signing_key.store is not SecretStore.ENV)
            for hook in file.notifications.webhooks
        ),
    ),
    _Planned(
        "notifications.email",
        "credentials are planned; the rehearsal tells receivers on this computer only",
        lambda file: any(mail.credentials is not None for mail in file.notifications.email),
    ),
    _Planned("notifications.sns", f"SNS: {_SYNTH}; terminal, webhooks and e-mail are built"),
    _Planned("notifications.retry_for", "planned; a notice is tried until the engine ends"),
    _Planned("posture", "keys and passwords rotate in the templates of `crossfade synth`; security checks are planned"),
    _Planned("events", f"DynamoDB, EventBridge, Kinesis: {_SYNTH}; Kafka not yet; the rehearsal's journal is SQLite"),
    _Planned("orchestration", f"{_AWS}; attempts and looks are those of `database.switch` and `limits.judge`"),
    _Planned("aws_tools", f"Migration Hub, and the user of discovery agents: {_SYNTH}; the other tools not yet"),
    _Planned("facade", "an application gives these to `crossfade.facade` itself; nothing reads them from the file yet"),
    _Planned(
        "kubernetes.judged_by",
        "manifests that wait for Crossfade are written; an engine that leads them is planned with the AWS side",
        lambda file: file.kubernetes.judged_by is StepJudge.CROSSFADE,
    ),
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
