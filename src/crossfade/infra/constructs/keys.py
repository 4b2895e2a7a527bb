"""Encryption keys: one for each stack that keeps data, so that none is shared and no stack needs another's key."""

from functools import cache

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from crossfade.infra.names import resource_name
from crossfade.model.file import MigrationFile

_USE = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]


@cache
def _days(number: int) -> cdk.Duration:
    """Made once: every key has the same, and each is a round trip to Node."""
    return cdk.Duration.days(number)


class StackKey(kms.Key):
    """A key with rotation. The account's policies decide about it; services get what their task needs, no more."""

    def __init__(self, scope: Construct, *, file: MigrationFile, purpose: str) -> None:
        super().__init__(
            scope,
            "Key",
            alias=f"alias/{resource_name(file, f'key-{purpose}')}",
            description=f"Encrypts {purpose} of the migration {file.migration.name}",
            enable_key_rotation=True,
            rotation_period=_days(file.posture.key_rotation_days),
            removal_policy=cdk.RemovalPolicy.DESTROY,
            pending_window=_days(7),
        )
        self._times_logs = 0

    def allow_logs(self, *groups: str) -> None:
        """CloudWatch Logs may use the key for the log groups of these names, and for no others."""
        stack = cdk.Stack.of(self)
        self._times_logs += 1
        arns = [
            stack.format_arn(
                service="logs", resource="log-group", resource_name=g, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
            )
            for g in groups
        ]
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"LogGroups{self._times_logs if self._times_logs > 1 else ''}",  # a policy names each once
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=_USE,
                resources=["*"],  # in a key's policy: this key
                conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arns}},
            )
        )

    def allow_service(self, principal: str, *actions: str) -> None:
        """A service of AWS may do so on behalf of this account."""
        stack = cdk.Stack.of(self)
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=principal.split(".", 1)[0].replace("-", "").title(),
                principals=[iam.ServicePrincipal(principal)],
                actions=list(actions),
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            )
        )

    def allow_bus(self, name: str) -> None:
        """EventBridge may keep the archive of a bus of ours. Named, not referred to: the bus needs the key already."""
        stack = cdk.Stack.of(self)
        bus = stack.format_arn(service="events", resource="event-bus", resource_name=name)
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ArchiveOfTheBus",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ReEncrypt*"],
                resources=["*"],  # in a key's policy: this key
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": stack.account,
                        "kms:EncryptionContext:aws:events:event-bus:arn": bus,
                    }
                },
            )
        )
