"""A14: Migration Hub and Application Discovery Service, for the accounts that still have them; both are switches."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from crossfade.infra.constructs.functions import LoggedRole, PackagedFunction
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.queues import undelivered
from crossfade.infra.constructs.taught import TaughtResource
from crossfade.infra.constructs.users import ProgramUser
from crossfade.infra.stacks.events import EventsStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile

_TOLD = {"dynamodb": {"NewImage": {"item": {"S": ["state", {"prefix": "server#"}]}}}}
"""What of the table's stream is told: the lag and single events are not Migration Hub's."""
REGISTER = "arsenal:RegisterOnPremisesAgent"


class ToolsStack(MigrationStack):
    """Only what the file switches on: progress of the migration in Migration Hub, the user of discovery agents."""

    def __init__(self, scope: Construct, file: MigrationFile, *, events: EventsStack) -> None:
        super().__init__(scope, "tools", file=file, description="AWS's own migration tools")
        self.key = StackKey(self, file=file, purpose="tools")
        if file.aws_tools.migration_hub:
            self._report(events)
        if file.aws_tools.discovery:
            self._discover()

    def _report(self, events: EventsStack) -> None:
        """A stream of tasks, and the function that tells what the tracking table says."""
        home, name = self.file.aws_tools.home_region, self.named("crossfade")
        stream = self.format_arn(service="mgh", region=home, resource="progressUpdateStream", resource_name=name)
        taught = TaughtResource(
            self, "progress_stream", file=self.file, key=self.key, does="Keeps Migration Hub's stream of this migration"
        )
        taught.role.may("KeepTheStream", ["mgh:CreateProgressUpdateStream", "mgh:DeleteProgressUpdateStream"], [stream])
        made = taught.make({"Name": name, "HomeRegion": home})
        function = self._teller(events, stream, {"STREAM": name, "HOME_REGION": home})
        function.node.add_dependency(made)

    def _teller(self, events: EventsStack, stream: str, environment: dict[str, str]) -> PackagedFunction:
        if events.tracking is None or events.tracking.table_stream_arn is None:
            raise TypeError("Migration Hub is told what the tracking table's stream brings")
        lost = undelivered(self, self.named("queue-lost-progress"), self.key)
        role = LoggedRole(self, "", file=self.file, kind="progress", key=self.key)
        tasks = f"{stream}/migrationTask/{self.file.migration.name}*"
        role.may("Tell", ["mgh:ImportMigrationTask", "mgh:NotifyMigrationTaskState"], [tasks])
        reads = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        role.may("ReadTheTablesStream", reads, [events.tracking.table_stream_arn])
        role.may("ListStreams", ["dynamodb:ListStreams"], ["*"])
        role.may("KeepTheUndelivered", ["sqs:SendMessage"], [lost.queue_arn])
        role.may("UseKeys", ["kms:Decrypt", "kms:GenerateDataKey"], [self.key.key_arn, events.key.key_arn])
        acknowledge(
            role,
            "Streams are listed without a resource (service authorization reference); one table's is read.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        acknowledge(
            role,
            "A task for the migration and one for each of its servers, named after it.",
            f"AwsSolutions-IAM5[Resource::arn:aws:mgh:{self.file.aws_tools.home_region}:{self.account_text}:"
            f"progressUpdateStream/{self.named('crossfade')}/migrationTask/{self.file.migration.name}*]",
        )
        function = PackagedFunction(
            self,
            "progress",
            does="Tells Migration Hub what the tracking table says",
            role=role,
            key=self.key,
            environment=environment,
        )
        acknowledge(function, "It calls a public endpoint of AWS, in another region as a rule.", "LambdaInsideVPC")
        acknowledge(function, "What it cannot tell goes from the stream to a queue of its own.", "LambdaDLQ")
        function.add_event_source(
            sources.DynamoEventSource(
                events.tracking,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=10,
                retry_attempts=20,
                bisect_batch_on_error=True,
                on_failure=sources.SqsDlq(lost),
                filters=[lambda_.FilterCriteria.filter(_TOLD)],
            )
        )
        return function

    def _discover(self) -> None:
        """Agents in the data center register with an access key, and can take no role."""
        user = ProgramUser(self, "Discovery", file=self.file, kind="discovery", key=self.key)
        user.may("RegisterAgents", [REGISTER], ["*"])
        acknowledge(
            user,
            "An agent has no resource to IAM before it is registered (service authorization reference); AWS's own "
            "policy for agents says the same.",
            "AwsSolutions-IAM5[Resource::*]",
        )
