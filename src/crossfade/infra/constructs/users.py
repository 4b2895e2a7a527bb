"""Users for programs outside AWS that can take no role. Each other program gets a role (`roles`)."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.roles import Permitted
from crossfade.infra.names import resource_name
from crossfade.infra.stacks.stack import acknowledge
from crossfade.model.file import MigrationFile


class ProgramUser(iam.User, Permitted):
    """It has no password, its one access key lies in Secrets Manager, and it may do nothing until `may` says so.

    The key is the stack's own, for CloudFormation cannot delete a user who has another one.
    """

    def __init__(self, scope: Construct, identity: str, *, file: MigrationFile, kind: str, key: StackKey) -> None:
        super().__init__(scope, identity, user_name=resource_name(file, f"user-{kind}"))
        self._group = iam.Group(self, "Group", group_name=resource_name(file, f"group-{kind}"))
        self.add_to_group(self._group)
        access = iam.AccessKey(self, "AccessKey", user=self)
        kept = secrets.Secret(
            self,
            "Kept",
            secret_name=resource_name(file, f"secret-{kind}"),
            description=f"Access key of {resource_name(file, f'user-{kind}')}",
            encryption_key=key,
            secret_object_value={
                "access_key_id": cdk.SecretValue.unsafe_plain_text(access.access_key_id),  # the id is no secret
                "secret_access_key": access.secret_access_key,
            },
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        acknowledge(
            kept,
            "The program outside AWS keeps a copy that nothing on AWS can replace; the key lives as long as the "
            "replication that it is for, and goes with this stack.",
            "AwsSolutions-SMG4",
            "SecretsManagerRotationEnabled",
        )

    def _policy(self) -> iam.ManagedPolicy:
        return iam.ManagedPolicy(self, "Permissions", groups=[self._group])
