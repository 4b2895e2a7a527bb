"""A2: what DMS needs to carry the changes, there and back. The tasks themselves are the engine's.

CloudFormation does not start a task and replaces it when its instance changes, and a running task cannot be changed; so
here stand the instance, the endpoints and the groups, and the engine makes, starts and resumes the tasks, whose names
are given here because alarms watch them.
"""

from collections.abc import Mapping

from aws_cdk import aws_dms as dms
from aws_cdk import aws_secretsmanager as secrets
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossfade.infra.constructs.alarms import ABOVE, UNKNOWN, Limit, ToldAlarm, metric
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.reach import Party
from crossfade.infra.stacks.data import DataStack
from crossfade.infra.stacks.network import DATA, NetworkStack
from crossfade.infra.stacks.stack import MigrationStack
from crossfade.model.file import MigrationFile
from crossfade.model.file.database import TlsMode

_GIGABYTE = 10**9
_HEARTBEAT_MINUTES = 1


class ReplicationStack(MigrationStack):
    """A replication instance and four endpoints: each side as a source and as a target of DMS."""

    def __init__(
        self,
        scope: Construct,
        file: MigrationFile,
        *,
        network: NetworkStack,
        data: DataStack,
        told: sns.ITopic,
        certificates: Mapping[str, str],
    ) -> None:
        """`certificates` are those that a side's own is verified by; without them TLS is required, not verified."""
        super().__init__(scope, "replication", file=file, description="DMS: instance and endpoints")
        self.key = StackKey(self, file=file, purpose="replication")
        self.task, self.task_back = self.named("task-forward"), self.named("task-back")
        self._instance(network)
        self._endpoints(data, certificates)
        self.late = self._alarm(told)

    def _instance(self, network: NetworkStack) -> None:
        settings, identifier = self.file.database.replication.dms, self.named("replication-instance")
        group = log_groups(self, self.file, self.key, {"TaskLogs": f"dms-tasks-{identifier}"})["TaskLogs"]
        subnets = dms.CfnReplicationSubnetGroup(
            self,
            "Subnets",
            replication_subnet_group_identifier=self.named("subnet-group-replication"),
            replication_subnet_group_description=f"Data subnets of {self.file.migration.name}",
            subnet_ids=network.vpc.select_subnets(subnet_group_name=DATA).subnet_ids,
        )
        instance = dms.CfnReplicationInstance(
            self,
            "Instance",
            replication_instance_identifier=identifier,
            replication_instance_class=settings.instance_class,
            allocated_storage=-(-settings.storage // _GIGABYTE),
            multi_az=settings.multi_az,
            publicly_accessible=False,
            auto_minor_version_upgrade=False,  # an upgrade restarts it, and with it every running task
            kms_key_id=self.key.key_arn,
            replication_subnet_group_identifier=subnets.ref,
            vpc_security_group_ids=[network.groups[Party.REPLICATION].security_group_id],
        )
        instance.node.add_dependency(group)

    def _endpoints(self, data: DataStack, certificates: Mapping[str, str]) -> None:
        given = self.file.database.source.credentials
        source = secrets.Secret.from_secret_name_v2(self, "SourceSecret", given.name if given else "")
        readers = {
            "source": self._reader("source", f"{source.secret_arn}-??????", None),
            "target": self._reader("target", data.replicator.secret_arn, data.key.key_arn),
        }
        ids = {"source": source.secret_name, "target": data.replicator.secret_arn}
        for side, asked in (("source", self.file.database.source.tls), ("target", self.file.database.target.tls)):
            authority = self._authority(side, certificates.get(side)) if asked is not TlsMode.REQUIRE else None
            for use in ("source", "target"):
                endpoint = dms.CfnEndpoint(
                    self,
                    f"{side.title()}As{use.title()}",
                    endpoint_identifier=self.named(f"endpoint-{side}-as-{use}"),
                    endpoint_type=use,
                    engine_name="postgres" if side == "source" else _engine(self.file),
                    database_name=self.file.database.name,
                    ssl_mode=asked.value if authority else TlsMode.REQUIRE.value,
                    certificate_arn=authority,
                    kms_key_id=self.key.key_arn,
                    postgre_sql_settings=self._settings(readers[side], ids[side], reads=use == "source"),
                )
                permissions = readers[side].permissions
                if permissions is not None:
                    endpoint.node.add_dependency(permissions)

    def _authority(self, side: str, certificate: str | None) -> str | None:
        """The ARN of what a side's certificate is verified by. Without it the notes of a synthesis say so."""
        if certificate is None:
            return None
        return dms.CfnCertificate(
            self,
            f"{side.title()}Authority",
            certificate_identifier=self.named(f"certificate-{side}"),
            certificate_pem=certificate,
        ).ref

    def _settings(self, reader: ServiceRole, secret: str, *, reads: bool) -> dms.CfnEndpoint.PostgreSqlSettingsProperty:
        """DMS by default has no heartbeat, so that an idle source keeps WAL, and cuts large objects in silence."""
        if not reads:
            return dms.CfnEndpoint.PostgreSqlSettingsProperty(
                secrets_manager_access_role_arn=reader.role_arn, secrets_manager_secret_id=secret
            )
        heartbeat = self.file.database.replication.dms.wal_heartbeat
        return dms.CfnEndpoint.PostgreSqlSettingsProperty(
            secrets_manager_access_role_arn=reader.role_arn,
            secrets_manager_secret_id=secret,
            capture_ddls=False,  # the schema is moved in two halves by the engine, and does not change meanwhile
            fail_tasks_on_lob_truncation=True,
            heartbeat_enable=heartbeat,
            heartbeat_frequency=_HEARTBEAT_MINUTES if heartbeat else None,
            heartbeat_schema=self.file.database.schemas[0] if heartbeat else None,
            plugin_name="test_decoding",
        )

    def _reader(self, side: str, secret_arn: str, key_arn: str | None) -> ServiceRole:
        role = ServiceRole(
            self,
            f"Reader{side.title()}",
            name=self.named(f"role-replication-{side}"),
            service=f"dms.{self.region}.amazonaws.com",
            on_behalf_of_anyone=True,
        )
        role.may("ReadSecret", ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], [secret_arn])
        if key_arn is not None:
            role.may("Decrypt", ["kms:Decrypt"], [key_arn])
        return role

    def _alarm(self, told: sns.ITopic) -> ToldAlarm:
        dimensions = {
            "ReplicationInstanceIdentifier": self.named("replication-instance"),
            "ReplicationTaskIdentifier": self.task,
        }
        return ToldAlarm(
            self,
            self.named("alarm-replication-lag"),
            says="DMS applies changes to the target later than database.replication.max_lag_time allows.",
            of=metric("AWS/DMS", "CDCLatencyTarget", dimensions, "Maximum"),
            limit=Limit(
                comparison=ABOVE,
                threshold=self.file.database.replication.max_lag_time.total_seconds(),
                missing=UNKNOWN,
                periods=5,
            ),
            topic=told,
        )


def _engine(file: MigrationFile) -> str:
    return "aurora-postgresql" if file.database.target.engine == "aurora" else "postgres"
