"""Buckets: private, encrypted, TLS only, and emptied before they go."""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.names import resource_name
from crossfade.infra.stacks.stack import acknowledge
from crossfade.model.file import MigrationFile

_NO_COPY = (
    "What it holds also lies in the data center until the migration is finalized; a copy in another region would "
    "have to be destroyed as well (A16)."
)


class EmptiedBucket(s3.Bucket):
    """Named `kind-account-suffix`, for names of buckets are the world's."""

    def __init__(
        self,
        scope: Construct,
        identity: str,
        *,
        file: MigrationFile,
        kind: str,
        key: StackKey | None,
        logs: s3.IBucket | None = None,
    ) -> None:
        """Access to it is logged to `logs`; a bucket without that holds such logs itself.

        Without a key S3's own encrypts: the delivery of access logs knows no other.
        """
        account = cdk.Stack.of(scope).account
        super().__init__(
            scope,
            identity,
            bucket_name=resource_name(file, f"{kind}-{account}"),
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{kind}/" if logs else None,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        acknowledge(self, _NO_COPY, "S3BucketReplicationEnabled")
        if logs is None:
            acknowledge(
                self,
                "It holds access logs: logging access to it into itself would never end.",
                "AwsSolutions-S1",
                "S3BucketLoggingEnabled",
            )
            acknowledge(self, "Services deliver access logs only with S3's own encryption.", "S3DefaultEncryptionKMS")
