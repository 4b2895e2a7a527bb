"""A15, the database's half: RDS or Aurora for PostgreSQL, over several zones, encrypted, TLS forced."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossfade.infra.constructs.alarms import ABOVE, BELOW, BREACHING, Limit, ToldAlarm, metric
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logins import Login
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.reach import Party
from crossfade.infra.stacks.network import DATA, PRIVATE, NetworkStack, group_of
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile
from crossfade.model.file.database import ReplicationEngine, TargetEngine

ADMINISTRATOR, REPLICATOR, READER = "crossfade_admin", "crossfade_replication", "crossfade_validation"
PORT = 5432
_PARAMETERS = {
    "rds.force_ssl": "1",
    "rds.logical_replication": "1",  # the way back: the source subscribes to the target
    "max_replication_slots": "20",
    "max_wal_senders": "25",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_statement": "ddl",
    "log_min_duration_statement": "1000",
}
_GIGABYTE = 10**9
_NO_BACKUP_PLAN = (
    "Automatic backups with point-in-time recovery are on; a backup plan would keep data after the stack is destroyed, "
    "which the requirements forbid (A16)."
)


class DataStack(MigrationStack):
    """The target's database. It dies with the stack, whole: no protection, no final snapshot, no backups left."""

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack, told: sns.ITopic) -> None:
        super().__init__(scope, "data", file=file, description="the target's database")
        self._network = network
        self.key = StackKey(self, file=file, purpose="data")
        self.identifier = self.named("database")
        self._logs()
        database: rds.DatabaseCluster | rds.DatabaseInstance
        if file.database.target.engine is TargetEngine.AURORA:
            database, dimension = self._aurora(), "DBClusterIdentifier"
            self.host = database.cluster_endpoint.hostname
        else:
            database, dimension = self._rds(), "DBInstanceIdentifier"
            self.host = database.db_instance_endpoint_address
        for group in self._groups.values():
            database.node.add_dependency(group)
        self._acknowledge(database)
        self.replicator, self.reader = self._logins()
        self._alarms(dimension, told)

    def _logs(self) -> None:
        """The groups to which RDS exports, before it makes them itself without a key and for ever."""
        aurora = self.file.database.target.engine is TargetEngine.AURORA
        place = f"/aws/rds/{'cluster' if aurora else 'instance'}/{self.identifier}"
        names = {"PostgresqlLogs": f"{place}/postgresql"}
        if not aurora:
            names["UpgradeLogs"] = f"{place}/upgrade"
        self._exported = tuple(name.rsplit("/", 1)[1] for name in names.values())
        self._groups = log_groups(self, self.file, self.key, names)

    def _subnets(self) -> rds.SubnetGroup:
        return rds.SubnetGroup(
            self,
            "Subnets",
            description=f"Data subnets of {self.file.migration.name}",
            vpc=self._network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name=DATA),
            subnet_group_name=self.named("subnet-group-database"),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _monitoring(self) -> ServiceRole:
        role = ServiceRole(
            self,
            "MonitoringRole",
            name=self.named("role-database-monitoring"),
            service="monitoring.rds.amazonaws.com",
        )
        group = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name="RDSOSMetrics",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        role.may("LogGroup", ["logs:CreateLogGroup", "logs:PutRetentionPolicy"], [group])
        streams = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "logs:GetLogEvents"]
        role.may("LogStreams", streams, [f"{group}:log-stream:*"])
        acknowledge(
            role,
            "Enhanced monitoring writes to streams that RDS names after instances, in the one group that it fixes.",
            f"AwsSolutions-IAM5[Resource::arn:aws:logs:{self.region}:{self.account_text}:log-group:RDSOSMetrics:log-stream:*]",
        )
        return role

    def _rds(self) -> rds.DatabaseInstance:
        target, version = self.file.database.target, str(self.file.database.target.version)
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of(version, version))
        return rds.DatabaseInstance(
            self,
            "Database",
            instance_identifier=self.identifier,
            engine=engine,
            **self._common(engine),
            instance_type=ec2.InstanceType(target.instance_class.removeprefix("db.")),
            database_name=self.file.database.name,
            multi_az=target.multi_az,
            publicly_accessible=False,
            allocated_storage=storage_gigabytes(self.file),
            max_allocated_storage=2 * storage_gigabytes(self.file),
            storage_type=rds.StorageType.GP3,
            enable_performance_insights=True,
            performance_insight_encryption_key=self.key,
            backup_retention=cdk.Duration.days(target.backup_days),
            delete_automated_backups=True,
            auto_minor_version_upgrade=True,
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
        )

    def _aurora(self) -> rds.DatabaseCluster:
        target, version = self.file.database.target, str(self.file.database.target.version)
        engine = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.of(version, version))
        size = ec2.InstanceType(target.instance_class.removeprefix("db."))
        instances = [
            rds.ClusterInstance.provisioned(
                name,
                instance_identifier=f"{self.identifier}-{name}",
                instance_type=size,
                publicly_accessible=False,
                enable_performance_insights=True,
                performance_insight_encryption_key=self.key,
                auto_minor_version_upgrade=True,
            )
            for name in (("writer", "reader") if target.multi_az else ("writer",))
        ]
        return rds.DatabaseCluster(
            self,
            "Database",
            cluster_identifier=self.identifier,
            engine=engine,
            **self._common(engine),
            writer=instances[0],
            readers=instances[1:],
            default_database_name=self.file.database.name,
            backup=rds.BackupProps(retention=cdk.Duration.days(target.backup_days)),
        )

    def _common(self, engine: rds.IEngine) -> dict[str, Any]:
        """What RDS and Aurora have in common."""
        return {
            "credentials": rds.Credentials.from_username(ADMINISTRATOR, encryption_key=self.key),
            "manage_master_user_password": True,
            "vpc": self._network.vpc,
            "subnet_group": self._subnets(),
            "security_groups": [group_of(self, self._network, Party.DATABASE)],
            "port": PORT,
            "storage_encrypted": True,
            "storage_encryption_key": self.key,
            "iam_authentication": True,
            "monitoring_interval": cdk.Duration.seconds(60),
            "monitoring_role": self._monitoring(),
            "parameter_group": self._parameters(engine),
            "cloudwatch_logs_exports": list(self._exported),
            "deletion_protection": False,
            "removal_policy": cdk.RemovalPolicy.DESTROY,
            "copy_tags_to_snapshot": True,
        }

    def _parameters(self, engine: rds.IEngine) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            self,
            "Parameters",
            engine=engine,
            description=f"TLS forced and logical replication on, for {self.file.migration.name}",
            parameters=_PARAMETERS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _acknowledge(self, database: Construct) -> None:
        acknowledge(
            database,
            "Everything must be destroyable (A16): what the database holds is on its way elsewhere, and is still at "
            "the source until the migration is finalized.",
            "AwsSolutions-RDS10",
            "RDSInstanceDeletionProtectionEnabled",
        )
        acknowledge(database, _NO_BACKUP_PLAN, "RDSInBackupPlan")
        acknowledge(
            database,
            "The application's connection settings keep the port they have; security groups, not obscurity, guard it.",
            "AwsSolutions-RDS11",
        )
        if not self.file.database.target.multi_az:
            acknowledge(
                database, "database.target.multi_az: false, as the file asks.", "AwsSolutions-RDS3", "RDSMultiAZSupport"
            )

    def _logins(self) -> tuple[Login, Login]:
        """The role of replication, in both directions, and the role that reads for checks."""
        names: dict[str, str | int] = {"host": self.host, "port": PORT, "dbname": self.file.database.name}
        replicator = Login(
            self,
            "replication",
            file=self.file,
            key=self.key,
            says="Logs in to the target for replication, in both directions",
            names={"username": REPLICATOR, **names},
        )
        reader = Login(
            self,
            "validation",
            file=self.file,
            key=self.key,
            says="Logs in to the target to read, for checks",
            names={"username": READER, **names},
        )
        rotated = [reader]
        if self.file.database.replication.engine is ReplicationEngine.DMS:
            rotated.append(replicator)
        else:
            replicator.keep(
                "The source's subscription holds this password, where nothing on AWS can change it: to rotate it would "
                "end the way back. It lives as long as the migration."
            )
        inner = ec2.SubnetSelection(subnet_group_name=PRIVATE)
        for login in rotated:
            login.rotate(vpc=self._network.vpc, subnets=inner, group=group_of(login, self._network, Party.ROTATION))
        return replicator, reader

    def _alarms(self, dimension: str, told: sns.ITopic) -> None:
        def of(name: str) -> cloudwatch.IMetric:
            return metric("AWS/RDS", name, {dimension: self.identifier}, "Average")

        ToldAlarm(
            self,
            self.named("alarm-database-cpu"),
            says="The target's database has been busy for a quarter of an hour.",
            of=of("CPUUtilization"),
            limit=Limit(comparison=ABOVE, threshold=80, missing=BREACHING, periods=15),
            topic=told,
        )
        if dimension == "DBInstanceIdentifier":
            ToldAlarm(
                self,
                self.named("alarm-database-storage"),
                says="Less than a tenth of the target's storage is free.",
                of=of("FreeStorageSpace"),
                limit=Limit(
                    comparison=BELOW,
                    threshold=storage_gigabytes(self.file) * _GIGABYTE // 10,
                    missing=BREACHING,
                ),
                topic=told,
            )


def storage_gigabytes(file: MigrationFile) -> int:
    """What is allocated: the file's word, or half as much again as the database has; RDS wants 20 and more."""
    asked = file.database.target.storage or file.database.size * 3 // 2
    return max(20, -(-asked // _GIGABYTE))
