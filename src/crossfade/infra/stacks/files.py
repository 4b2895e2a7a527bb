"""A13: where files lie on AWS, and the tasks of DataSync that bring them there, and back.

The tasks have no schedule: the engine starts them, one direction at a time, for DataSync knows no two writers.
"""

import aws_cdk as cdk
from aws_cdk import aws_datasync as datasync
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from crossfade.infra import wants
from crossfade.infra.constructs.buckets import EmptiedBucket
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.names import log_group_name
from crossfade.infra.reach import Party
from crossfade.infra.stacks.network import DATA, NetworkStack, group_of
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile
from crossfade.model.file.servers import FileTarget, Share

_BITS = 8


class FilesStack(MigrationStack):
    """A bucket or a file system for each share, and two tasks for it where the file names agent and server."""

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack) -> None:
        super().__init__(scope, "files", file=file, description="places for files, and DataSync")
        self._network = network
        self.key = StackKey(self, file=file, purpose="files")
        self._logs = log_groups(self, file, self.key, {"Logs": log_group_name(file, "datasync")})["Logs"]
        self._let_datasync_log()
        self._access_logs: EmptiedBucket | None = None
        for share in file.files.shares:
            title = share.name.title().replace("-", "")
            place = self._on_s3(share, title) if share.target is FileTarget.S3 else self._on_efs(share, title)
            if wants.datasync_tasks(file):
                self._tasks(share, title, place)

    def _let_datasync_log(self) -> None:
        service = iam.ServicePrincipal("datasync.amazonaws.com")
        streams = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{log_group_name(self.file, 'datasync')}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        logs.ResourcePolicy(
            self,
            "LogsPolicy",
            resource_policy_name=self.named("policy-datasync-logs"),
            policy_statements=[
                iam.PolicyStatement(
                    principals=[service],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[streams],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            ],
        )

    def _on_s3(self, share: Share, title: str) -> str:
        """The location's ARN."""
        if self._access_logs is None:
            self._access_logs = EmptiedBucket(self, "AccessLogs", file=self.file, kind="files-access-logs", key=None)
            self._access_logs.add_lifecycle_rule(expiration=cdk.Duration.days(self.file.metrics.log_retention_days))
        bucket = EmptiedBucket(
            self, f"Bucket{title}", file=self.file, kind=f"files-{share.name}", key=self.key, logs=self._access_logs
        )
        bucket.add_lifecycle_rule(
            abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            noncurrent_version_expiration=cdk.Duration.days(30),
        )
        role = ServiceRole(
            self, f"Role{title}", name=self.named(f"role-files-{share.name}"), service="datasync.amazonaws.com"
        )
        listing = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        objects = [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ]
        role.may("List", listing, [bucket.bucket_arn])
        role.may("ReadAndWrite", objects, [bucket.arn_for_objects("*")])
        role.may("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [self.key.key_arn])
        acknowledge(
            role,
            "Every object of the one bucket that belongs to the share: that is what is copied.",
            f"AwsSolutions-IAM5[Resource::<{self.get_logical_id(_l1(bucket))}.Arn>/*]",
        )
        location = datasync.CfnLocationS3(
            self,
            f"Place{title}",
            s3_bucket_arn=bucket.bucket_arn,
            s3_config=datasync.CfnLocationS3.S3ConfigProperty(bucket_access_role_arn=role.role_arn),
        )
        if role.permissions is not None:
            location.node.add_dependency(role.permissions)
        return location.attr_location_arn

    def _on_efs(self, share: Share, title: str) -> str:
        """The location's ARN."""
        vpc, group = self._network.vpc, group_of(self, self._network, Party.FILES)
        subnets = ec2.SubnetSelection(subnet_group_name=DATA)
        system = efs.FileSystem(
            self,
            f"System{title}",
            file_system_name=self.named(f"file-system-{share.name}"),
            vpc=vpc,
            vpc_subnets=subnets,
            security_group=group,
            encrypted=True,
            kms_key=self.key,
            allow_anonymous_access=False,
            enable_automatic_backups=False,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        acknowledge(
            system,
            "The files also lie in the data center until the migration is finalized; backups would stay after the "
            "stack is destroyed (A16).",
            "EFSInBackupPlan",
        )
        location = datasync.CfnLocationEFS(
            self,
            f"Place{title}",
            efs_filesystem_arn=system.file_system_arn,
            in_transit_encryption="TLS1_2",
            ec2_config=datasync.CfnLocationEFS.Ec2ConfigProperty(
                security_group_arns=[
                    self.format_arn(service="ec2", resource="security-group", resource_name=group.security_group_id)
                ],
                subnet_arn=self.format_arn(
                    service="ec2",
                    resource="subnet",
                    resource_name=vpc.select_subnets(subnet_group_name=DATA).subnet_ids[0],
                ),
            ),
        )
        location.node.add_dependency(system.mount_targets_available)
        return location.attr_location_arn

    def _tasks(self, share: Share, title: str, place: str) -> None:
        files = self.file.files
        source = datasync.CfnLocationNFS(
            self,
            f"Source{title}",
            server_hostname=files.server,
            subdirectory=share.path,
            on_prem_config=datasync.CfnLocationNFS.OnPremConfigProperty(agent_arns=[str(files.agent)]),
        )
        for way, (of, to) in {
            "forward": (source.attr_location_arn, place),
            "back": (place, source.attr_location_arn),
        }.items():
            datasync.CfnTask(
                self,
                f"{way.title()}{title}",
                name=self.named(f"task-files-{share.name}-{way}"),
                source_location_arn=of,
                destination_location_arn=to,
                cloud_watch_log_group_arn=self._logs.log_group_arn,
                excludes=[
                    datasync.CfnTask.FilterRuleProperty(filter_type="SIMPLE_PATTERN", value="|".join(share.exclude))
                ]
                if share.exclude
                else None,
                options=datasync.CfnTask.OptionsProperty(
                    transfer_mode="CHANGED",
                    overwrite_mode="ALWAYS",
                    preserve_deleted_files="REMOVE",  # both sides are to hold the same, and only one is written
                    verify_mode="ONLY_FILES_TRANSFERRED" if files.verify_checksums else "NONE",
                    posix_permissions="PRESERVE",
                    uid="INT_VALUE",
                    gid="INT_VALUE",
                    mtime="PRESERVE",
                    atime="BEST_EFFORT",
                    log_level="TRANSFER",
                    bytes_per_second=files.bandwidth_limit // _BITS if files.bandwidth_limit else -1,
                ),
            )


def _l1(bucket: EmptiedBucket) -> cdk.CfnElement:
    resource = bucket.node.default_child
    if not isinstance(resource, cdk.CfnElement):
        raise TypeError("a bucket is one resource")
    return resource
