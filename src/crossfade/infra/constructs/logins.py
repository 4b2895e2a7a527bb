"""Secrets of roles that log in to the target's database, and their rotation from within the VPC."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.names import resource_name
from crossfade.infra.stacks.stack import acknowledge
from crossfade.model.file import MigrationFile


class Login(secrets.Secret):
    """The secret of a role that the engine makes in the database before anybody uses it."""

    def __init__(
        self,
        scope: Construct,
        kind: str,
        *,
        file: MigrationFile,
        key: StackKey,
        says: str,
        names: Mapping[str, str | int],
    ) -> None:
        """`names` is all of the secret but the password: the keys that DMS, rotation and the checks read."""
        self._file, self._key, self._kind = file, key, kind
        super().__init__(
            scope,
            kind.title(),
            secret_name=resource_name(file, f"secret-{kind}"),
            description=says,
            encryption_key=key,
            generate_secret_string=secrets.SecretStringGenerator(
                secret_string_template=cdk.Stack.of(scope).to_json_string({"engine": "postgres", **names}),
                generate_string_key="password",
                password_length=40,
                exclude_punctuation=True,
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def rotate(self, *, vpc: ec2.IVpc, subnets: ec2.SubnetSelection, group: ec2.ISecurityGroup) -> None:
        """Every `posture.secret_rotation_days`, by Secrets Manager's own function, which logs in as the role itself.

        Not at once: the role is not in the database yet when this is deployed. A rotation that fails leaves the old
        password, and is tried again by Secrets Manager.
        """
        name = resource_name(self._file, f"function-rotation-{self._kind}")
        logged = log_groups(self, self._file, self._key, {"RotationLogs": f"/aws/lambda/{name}"})["RotationLogs"]
        schedule = self.add_rotation_schedule(
            "Rotation",
            automatically_after=cdk.Duration.days(self._file.posture.secret_rotation_days),
            rotate_immediately_on_update=False,
            hosted_rotation=secrets.HostedRotation.postgre_sql_single_user(
                function_name=name,
                vpc=vpc,
                vpc_subnets=subnets,
                security_groups=[group],
                exclude_characters=NOT_IN_PASSWORDS,
            ),
        )
        schedule.node.add_dependency(logged)  # or Lambda makes the group itself, without a key and for ever

    def keep(self, why: str) -> None:
        """Not rotated, for a reason that a reviewer accepts."""
        acknowledge(self, why, "AwsSolutions-SMG4", "SecretsManagerRotationEnabled")


NOT_IN_PASSWORDS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Punctuation needs quoting in some connection strings, and DMS takes not all of it."""
