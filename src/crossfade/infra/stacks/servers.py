"""A3 and A4: what the replication of the servers needs, by MGN or CloudEndure, and what launched servers may do."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from crossfade.infra import wants
from crossfade.infra.agent import agent_parameter
from crossfade.infra.constructs.cloudendure import CloudEndureUser
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.mgn import Mgn
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.names import log_group_name
from crossfade.infra.replication_settings import instance_types
from crossfade.infra.stacks.data import DataStack
from crossfade.infra.stacks.network import NetworkStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile
from crossfade.model.file.servers import PostLaunchAction

AGENT_CHANNELS = (
    "logs:DescribeLogGroups",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:GetManifest",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""What the agent of Systems Manager calls; without GetParameter, which AWS's own policy adds for every parameter.

Source: Systems Manager user guide, instance permissions.
"""


class ServersStack(MigrationStack):
    """The key of the replicated volumes, what the file's engine needs, the role of servers, their instance types."""

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack, data: DataStack) -> None:
        super().__init__(scope, "servers", file=file, description="replication of servers, and their role")
        self.key = StackKey(self, file=file, purpose="servers")
        names = {"Servers": log_group_name(file, "servers")}
        if wants.mgn(file):
            names["PostLaunch"] = log_group_name(file, "post-launch")
        self.logs = log_groups(self, file, self.key, names)
        role = self._server_role(data)
        if wants.mgn(file):
            Mgn(self, network=network, key=self.key, post_launch_logs=self.logs["PostLaunch"].log_group_name)
        else:
            CloudEndureUser(self, network=network, key=self.key, server_role=role)
        self._say_types()

    def _server_role(self, data: DataStack) -> iam.IRole:
        role = ServiceRole(
            self, "ServerRole", name=self.named("role-server"), service="ec2.amazonaws.com", on_behalf_of_anyone=True
        )
        role.may("SystemsManagerAgent", AGENT_CHANNELS, ["*"])
        role.may("Metrics", ["cloudwatch:PutMetricData"], ["*"], {"StringEquals": {"cloudwatch:namespace": "CWAgent"}})
        role.may("Logs", ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], self._own_groups())
        if PostLaunchAction.CLOUDWATCH_AGENT in self.file.servers.post_launch:
            settings = self.format_arn(
                service="ssm", resource="parameter", resource_name=agent_parameter(self.file)[1:]
            )
            role.may("ReadTheAgentsSettings", ["ssm:GetParameter"], [settings])
        role.may("ReadTheDatabaseForChecks", ["secretsmanager:GetSecretValue"], [data.reader.secret_arn])
        role.may("DecryptThatSecret", ["kms:Decrypt"], [data.key.key_arn])
        acknowledge(
            role,
            "The agent's channels and metrics are no resources to IAM (service authorization reference); metrics are "
            "confined to the agent's namespace.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        acknowledge(
            role,
            "Streams are named after commands; the group is the one of this migration's checks.",
            f"AwsSolutions-IAM5[Resource::arn:aws:logs:{self.region}:{self.account_text}:log-group:"
            f"{log_group_name(self.file, 'validation')}:log-stream:*]",
        )
        iam.CfnInstanceProfile(
            self, "ServerProfile", instance_profile_name=self.named("profile-server"), roles=[role.role_name]
        )
        return role

    def _own_groups(self) -> list[str]:
        """Commands of Systems Manager write their output from the server itself."""
        validation = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=log_group_name(self.file, "validation"),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        streams = f"{validation}:log-stream:*"
        return [*(group.log_group_arn for group in self.logs.values()), validation, streams]

    def _say_types(self) -> None:
        """For the launch template that MGN makes of each server, and for people at CloudEndure's console."""
        ssm.StringParameter(
            self,
            "InstanceTypes",
            parameter_name=f"/crossfade/{self.named('servers-instance-types')}",
            description="Instance type by tier",
            string_value=self.to_json_string(instance_types(self.file)),
        )
