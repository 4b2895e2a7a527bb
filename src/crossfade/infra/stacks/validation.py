"""A10: documents of Systems Manager that check what was launched, and State Manager that keeps its settings."""

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from crossfade.infra.agent import agent_parameter, agent_settings
from crossfade.infra.attached import Attached
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.names import log_group_name
from crossfade.infra.stacks.data import DataStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.infra.validation import fleet_document, server_document
from crossfade.model.file import MigrationFile
from crossfade.model.file.servers import PostLaunchAction


class ValidationStack(MigrationStack):
    """One document for a server, one automation for all of them, and associations for the file's own settings.

    Servers are found by the tag `migration`, which launch templates give them.
    """

    def __init__(self, scope: Construct, file: MigrationFile, *, data: DataStack, attached: Attached) -> None:
        super().__init__(scope, "validation", file=file, description="checks of servers, and their settings")
        self.key = StackKey(self, file=file, purpose="validation")
        self.logs = log_groups(self, file, self.key, {"Logs": log_group_name(file, "validation")})["Logs"]
        server = self._document(
            "Server",
            "document-validate-server",
            "Command",
            server_document(file, database_host=data.host, secret=self.named("secret-validation")),
        )
        self._fleet(server)
        self._settings(attached)

    def _document(self, identity: str, kind: str, of: str, content: object) -> ssm.CfnDocument:
        return ssm.CfnDocument(
            self,
            identity,
            name=self.named(kind),
            document_type=of,
            document_format="JSON",
            content=content,
            update_method="NewVersion",
            target_type="/AWS::EC2::Instance" if of == "Command" else None,
        )

    def _fleet(self, server: ssm.CfnDocument) -> None:
        role = ServiceRole(
            self,
            "FleetRole",
            name=self.named("role-validation"),
            service="ssm.amazonaws.com",
            on_behalf_of_anyone=False,
        )
        document = self.format_arn(
            service="ssm", resource="document", resource_name=self.named("document-validate-server")
        )
        instances = self.format_arn(service="ec2", resource="instance", resource_name="*")
        role.may("SendTheDocument", ["ssm:SendCommand"], [document])
        tagged = {"StringEquals": {"ssm:resourceTag/migration": self.file.migration.name}}
        role.may("ToServersOfTheMigration", ["ssm:SendCommand"], [instances], tagged)
        role.may("GatherAnswers", ["ssm:ListCommands", "ssm:ListCommandInvocations"], ["*"])
        acknowledge(
            role,
            "Which servers are checked is decided by their tag: the condition lets the command go to those of this "
            "migration alone.",
            f"AwsSolutions-IAM5[Resource::arn:aws:ec2:{self.region}:{self.account_text}:instance/*]",
        )
        acknowledge(
            role,
            "Systems Manager knows no resource for lists of commands (service authorization reference).",
            "AwsSolutions-IAM5[Resource::*]",
        )
        content = fleet_document(
            self.file,
            server_document_name=self.named("document-validate-server"),
            role_arn=role.role_arn,
            logs=self.logs.log_group_name,
        )
        fleet = self._document("Fleet", "document-validate-servers", "Automation", content)
        fleet.add_resource_dependency(server)
        cdk.CfnOutput(self, "ValidateServers", value=fleet.ref, description="Automation that checks every server")

    def _configure_agent(self, targets: list[ssm.CfnAssociation.TargetProperty]) -> None:
        """An agent that is only installed gathers nothing."""
        settings = ssm.StringParameter(
            self,
            "AgentSettings",
            parameter_name=agent_parameter(self.file),
            description="What the CloudWatch agent gathers on servers",
            string_value=self.to_json_string(agent_settings(log_group_name(self.file, "servers"))),
        )
        ssm.CfnAssociation(
            self,
            "ConfigureMetricsAgent",
            association_name=self.named("association-metrics-settings"),
            name="AmazonCloudWatch-ManageAgent",
            parameters={
                "action": ["configure"],
                "mode": ["ec2"],
                "optionalConfigurationSource": ["ssm"],
                "optionalConfigurationLocation": [settings.parameter_name],
                "optionalRestart": ["yes"],
            },
            targets=targets,
            schedule_expression="rate(30 minutes)",  # it fails until the agent is installed
            max_concurrency="10%",
            max_errors="100%",
        )

    def _settings(self, attached: Attached) -> None:
        of_ours = [ssm.CfnAssociation.TargetProperty(key="tag:migration", values=[self.file.migration.name])]
        ssm.CfnAssociation(
            self,
            "KeepAgent",
            association_name=self.named("association-agent"),
            name="AWS-UpdateSSMAgent",
            targets=of_ours,
            schedule_expression="rate(14 days)",
            max_concurrency="10%",
            max_errors="10%",
        )
        if PostLaunchAction.CLOUDWATCH_AGENT in self.file.servers.post_launch:
            ssm.CfnAssociation(
                self,
                "KeepMetricsAgent",
                association_name=self.named("association-metrics-agent"),
                name="AWS-ConfigureAWSPackage",
                parameters={"action": ["Install"], "name": ["AmazonCloudWatchAgent"]},
                targets=of_ours,
                schedule_expression="rate(7 days)",
                max_concurrency="10%",
                max_errors="10%",
            )
            self._configure_agent(of_ours)
        for name, content in attached.documents.items():
            title = name.title().replace("-", "")
            document = self._document(f"Settings{title}", f"document-settings-{name}", "Command", content)
            kept = ssm.CfnAssociation(
                self,
                f"Keep{title}",
                association_name=self.named(f"association-{name}"),
                name=document.ref,
                targets=of_ours,
                schedule_expression="rate(30 minutes)",
                compliance_severity="HIGH",
                max_concurrency="10%",
                max_errors="10%",
            )
            kept.add_resource_dependency(document)
