"""A4: what MGN needs to replicate and launch the servers.

MGN's own roles come with the initialisation of the service, once an account. The launch template of each server is made
by MGN when the server registers; the engine sets its instance type from the parameter that stands here.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_mgn as mgn
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.taught import TaughtResource
from crossfade.infra.names import tags_of
from crossfade.infra.reach import Party
from crossfade.infra.replication_settings import replication_settings
from crossfade.infra.stacks.network import STAGING, NetworkStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file.servers import PostLaunchAction

_MGN_ROLE = "role/aws-service-role/mgn.amazonaws.com/AWSServiceRoleForApplicationMigrationService"
_INSTALLS = "AWSApplicationMigrationAgentInstallationPolicy"
_SESSION_HOURS = 12
MGN_LOOKS = (
    *(
        f"ec2:Describe{what}"
        for what in (
            "AvailabilityZones",
            "InstanceTypeOfferings",
            "InstanceTypes",
            "SecurityGroups",
            "Subnets",
            "Vpcs",
        )
    ),
    "ec2:GetEbsDefaultKmsKeyId",
    "ec2:GetEbsEncryptionByDefault",
)
"""What MGN looks at in the caller's name, to see that a template's settings hold together."""


class Mgn(Construct):
    """The key's grants to MGN, the account's replication and launch templates, the role to install agents."""

    def __init__(self, scope: MigrationStack, *, network: NetworkStack, key: StackKey, post_launch_logs: str) -> None:
        super().__init__(scope, "Mgn")
        self._stack, self._file, self._key = scope, scope.file, key
        self._let_mgn_use_the_key()
        self._agent_role()
        self._replication_template(network)
        self._launch_template(post_launch_logs)

    def _let_mgn_use_the_key(self) -> None:
        """For replicated volumes. Told by a condition, for a policy must not name a role that is not there yet."""
        mgn_only = {
            "StringEquals": {"aws:PrincipalAccount": self._stack.account},
            "ArnEquals": {"aws:PrincipalArn": self._stack.format_arn(service="iam", region="", resource=_MGN_ROLE)},
        }
        use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        for sid, actions, more in (
            ("MgnUses", use, {}),
            ("MgnGrantsToVolumes", ["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ):
            self._key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AnyPrincipal()],
                    actions=actions,
                    resources=["*"],  # in a key's policy: this key
                    conditions={**mgn_only, **more},
                )
            )

    def _agent_role(self) -> None:
        """People take it to install agents in the data center, with a second factor where the file asks for one."""
        conditions = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if self._file.posture.require_mfa else {}
        role = iam.Role(
            self,
            "AgentRole",
            role_name=self._stack.named("role-agent-installation"),
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

    def _replication_template(self, network: NetworkStack) -> None:
        """Every server that registers is replicated by it. The pinned CDK has no type for it (ADR 13)."""
        stack, tags = self._stack, tags_of(self._file)
        settings = replication_settings(
            self._file,
            subnet=network.vpc.select_subnets(subnet_group_name=STAGING).subnet_ids[0],
            group=network.groups[Party.STAGING].security_group_id,
            key_arn=self._key.key_arn,
        )
        mark = {name: tags[name] for name in ("project", "environment")}
        taught = TaughtResource(
            self, "replication_template", file=self._file, key=self._key, does="Keeps MGN's replication template"
        )
        role, requested = taught.role, {f"aws:RequestTag/{name}": value for name, value in mark.items()}
        role.may("Look", ["mgn:DescribeReplicationConfigurationTemplates", *MGN_LOOKS], ["*"])
        role.may(
            "Create",
            ["mgn:CreateReplicationConfigurationTemplate", "mgn:TagResource"],
            ["*"],
            {"StringEquals": requested},
        )
        templates = stack.format_arn(service="mgn", resource="replication-configuration-template", resource_name="*")
        ours = {"StringEquals": {f"aws:ResourceTag/{name}": value for name, value in mark.items()}}
        changes = ["mgn:DeleteReplicationConfigurationTemplate", "mgn:UpdateReplicationConfigurationTemplate"]
        role.may("ChangeOurs", changes, [templates], ours)
        role.may("KnowTheKey", ["kms:DescribeKey"], [self._key.key_arn])
        of_volumes = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        role.may("GrantToVolumes", ["kms:CreateGrant"], [self._key.key_arn], of_volumes)
        acknowledge(
            role,
            "MGN knows no resource for what is listed or not made yet (service authorization reference); what is made "
            "must carry this migration's tags.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        acknowledge(
            role,
            "The template's id is not known before; only one that carries this migration's tags is changed or deleted.",
            f"AwsSolutions-IAM5[Resource::arn:aws:mgn:{stack.region}:{stack.account_text}:"
            "replication-configuration-template/*]",
        )
        content = {"Settings": settings, "Mark": mark, "Tags": tags}
        taught.make({name: stack.to_json_string(value) for name, value in content.items()})

    def _launch_template(self, logs: str) -> None:
        cutover = self._file.servers.cutover
        disk = mgn.CfnLaunchConfigurationTemplate.LaunchTemplateDiskConfProperty(volume_type="gp3")
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
            parameters_encryption_key=self._key.key_arn,
            small_volume_conf=disk,
            large_volume_conf=disk,
            post_launch_actions=mgn.CfnLaunchConfigurationTemplate.PostLaunchActionsProperty(
                deployment="TEST_AND_CUTOVER",
                cloud_watch_log_group_name=logs,
                ssm_documents=self._validation(),
            ),
        )

    def _validation(self) -> list[mgn.CfnLaunchConfigurationTemplate.SsmDocumentProperty]:
        """The agent of Systems Manager is installed by MGN itself; that of CloudWatch is State Manager's."""
        if PostLaunchAction.VALIDATE not in self._file.servers.post_launch:
            return []
        return [
            mgn.CfnLaunchConfigurationTemplate.SsmDocumentProperty(
                action_name="validate",
                ssm_document_name=self._stack.named("document-validate-server"),
                must_succeed_for_cutover=True,
                timeout_seconds=600,
            )
        ]
