"""A4: what MGN needs to replicate and launch the servers, and what launched servers may do.

MGN's own roles come with the initialisation of the service, once an account. Its replication template and the launch
template of each server have no CloudFormation type: their settings stand in parameters, of which the engine makes them.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_mgn as mgn
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.names import log_group_name
from crossfade.infra.reach import Party
from crossfade.infra.replication_settings import instance_types, replication_settings
from crossfade.infra.stacks.data import DataStack
from crossfade.infra.stacks.network import STAGING, NetworkStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile
from crossfade.model.file.servers import PostLaunchAction

_MGN_ROLE = "role/aws-service-role/mgn.amazonaws.com/AWSServiceRoleForApplicationMigrationService"
_INSTALLS = "AWSApplicationMigrationAgentInstallationPolicy"
_SESSION_HOURS = 12
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
    """Keys and settings of the replication, actions after a launch, the role of servers, the role to install agents."""

    def __init__(self, scope: Construct, file: MigrationFile, *, network: NetworkStack, data: DataStack) -> None:
        super().__init__(scope, "servers", file=file, description="MGN's settings and the servers' roles")
        self.key = StackKey(self, file=file, purpose="servers")
        self._let_mgn_use_the_key()
        self.logs = log_groups(
            self,
            file,
            self.key,
            {"Servers": log_group_name(file, "servers"), "PostLaunch": log_group_name(file, "post-launch")},
        )
        self._server_role(data)
        self._agent_role()
        self._settings(network)
        self._launch_template()

    def _let_mgn_use_the_key(self) -> None:
        """For replicated volumes. Told by a condition, for a policy must not name a role that is not there yet."""
        mgn_only = {
            "StringEquals": {"aws:PrincipalAccount": self.account},
            "ArnEquals": {"aws:PrincipalArn": self.format_arn(service="iam", region="", resource=_MGN_ROLE)},
        }
        use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        for sid, actions, more in (
            ("MgnUses", use, {}),
            ("MgnGrantsToVolumes", ["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ):
            self.key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AnyPrincipal()],
                    actions=actions,
                    resources=["*"],  # in a key's policy: this key
                    conditions={**mgn_only, **more},
                )
            )

    def _server_role(self, data: DataStack) -> None:
        role = ServiceRole(
            self, "ServerRole", name=self.named("role-server"), service="ec2.amazonaws.com", on_behalf_of_anyone=True
        )
        role.may("SystemsManagerAgent", AGENT_CHANNELS, ["*"])
        role.may("Metrics", ["cloudwatch:PutMetricData"], ["*"], {"StringEquals": {"cloudwatch:namespace": "CWAgent"}})
        role.may("Logs", ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], self._own_groups())
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

    def _agent_role(self) -> None:
        """People take it to install agents in the data center, with a second factor where the file asks for one."""
        conditions = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if self.file.posture.require_mfa else {}
        role = iam.Role(
            self,
            "AgentRole",
            role_name=self.named("role-agent-installation"),
            description="Installs the replication agent on servers of the data center",
            assumed_by=iam.PrincipalWithConditions(iam.AccountRootPrincipal(), conditions),
            max_session_duration=cdk.Duration.hours(_SESSION_HOURS),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_INSTALLS)],
        )
        acknowledge(
            role,
            "The calls of the agent's installer are undocumented and change with it; AWS keeps this policy in step "
            "with them, and it allows nothing else.",
            f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_INSTALLS}]",
        )

    def _settings(self, network: NetworkStack) -> None:
        settings = replication_settings(
            self.file,
            subnet=network.vpc.select_subnets(subnet_group_name=STAGING).subnet_ids[0],
            group=network.groups[Party.STAGING].security_group_id,
            key_arn=self.key.key_arn,
        )
        for identity, kind, says, content in (
            ("Replication", "replication", "Request for MGN's replication template", settings),
            ("InstanceTypes", "instance-types", "Instance type by tier", instance_types(self.file)),
        ):
            ssm.StringParameter(
                self,
                identity,
                parameter_name=f"/crossfade/{self.named(f'servers-{kind}')}",
                description=says,
                string_value=self.to_json_string(content),
            )

    def _launch_template(self) -> None:
        cutover = self.file.servers.cutover
        mgn.CfnLaunchConfigurationTemplate(
            self,
            "LaunchTemplate",
            associate_public_ip_address=False,
            boot_mode="USE_SOURCE",
            copy_private_ip=cutover.copy_private_address,
            copy_tags=cutover.copy_tags,
            launch_disposition="STARTED",
            target_instance_type_right_sizing_method="NONE",  # the file says the type
            enable_parameters_encryption=True,
            parameters_encryption_key=self.key.key_arn,
            small_volume_conf=mgn.CfnLaunchConfigurationTemplate.LaunchTemplateDiskConfProperty(volume_type="gp3"),
            large_volume_conf=mgn.CfnLaunchConfigurationTemplate.LaunchTemplateDiskConfProperty(volume_type="gp3"),
            post_launch_actions=mgn.CfnLaunchConfigurationTemplate.PostLaunchActionsProperty(
                deployment="TEST_AND_CUTOVER",
                cloud_watch_log_group_name=self.logs["PostLaunch"].log_group_name,
                ssm_documents=self._validation(),
            ),
        )

    def _validation(self) -> list[mgn.CfnLaunchConfigurationTemplate.SsmDocumentProperty]:
        """The agent of Systems Manager is installed by MGN itself; that of CloudWatch is State Manager's."""
        if PostLaunchAction.VALIDATE not in self.file.servers.post_launch:
            return []
        return [
            mgn.CfnLaunchConfigurationTemplate.SsmDocumentProperty(
                action_name="validate",
                ssm_document_name=self.named("document-validate-server"),
                must_succeed_for_cutover=True,
                timeout_seconds=600,
            )
        ]
