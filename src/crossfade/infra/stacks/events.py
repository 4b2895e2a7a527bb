"""A8: the journal, the tracking table, and the way of events to those who want them."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.queues import undelivered
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.names import log_group_name
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.infra.tracking import INDEXES, PARTITION, SORT
from crossfade.model.file import MigrationFile
from crossfade.model.file.services import JournalStore

EVENT_SOURCE = "crossfade"


class EventsStack(MigrationStack):
    """Tables with point-in-time recovery; a bus with an archive and a stream, fed from the journal's own stream."""

    def __init__(self, scope: Construct, file: MigrationFile) -> None:
        super().__init__(scope, "events", file=file, description="journal, tracking table, bus and stream")
        self.key = StackKey(self, file=file, purpose="events")
        self.tracking = self._tracking_table() if file.events.tracking_table else None
        self.journal = self._journal_table() if file.events.journal is JournalStore.DYNAMODB else None
        if self.journal is not None and (file.events.eventbridge or file.events.kinesis):
            self._pass_on(self.journal)

    def _tracking_table(self) -> dynamodb.Table:
        table = self._table("Tracking", "table-tracking", PARTITION, SORT, dynamodb.AttributeType.STRING)
        for index in INDEXES:
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.partition),
                sort_key=_text(index.sort),
                projection_type=dynamodb.ProjectionType.ALL,
            )
        return table

    def _journal_table(self) -> dynamodb.Table:
        return self._table("Journal", "table-journal", "migration", "position", dynamodb.AttributeType.NUMBER)

    def _table(
        self, identity: str, kind: str, partition: str, sort: str, sorted_as: dynamodb.AttributeType
    ) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            identity,
            table_name=self.named(kind),
            partition_key=_text(partition),
            sort_key=dynamodb.Attribute(name=sort, type=sorted_as),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            deletion_protection=False,
        )
        acknowledge(
            table,
            "It has point-in-time recovery and lives as long as its migration; a backup plan would keep data after the "
            "stack is destroyed, which the requirements forbid (A16).",
            "DynamoDBInBackupPlan",
        )
        return table

    def _pass_on(self, journal: dynamodb.Table) -> None:
        """The journal's stream is the outbox: what is recorded is passed on, in order, at least once."""
        lost = undelivered(self, self.named("queue-lost-events"), self.key)
        logged = log_groups(self, self.file, self.key, {"PipeLogs": log_group_name(self.file, "pipes")})["PipeLogs"]
        if self.file.events.eventbridge:
            bus = self._bus()
            self._pipe("bus", journal, bus.event_bus_arn, lost, logged.log_group_arn, "events:PutEvents")
        if self.file.events.kinesis:
            stream = self._stream()
            self._pipe("stream", journal, stream.stream_arn, lost, logged.log_group_arn, "kinesis:PutRecords")

    def _bus(self) -> events.EventBus:
        bus = events.EventBus(self, "Bus", event_bus_name=self.named("bus"), kms_key=self.key)
        self.key.allow_bus(self.named("bus"))
        events.CfnArchive(
            self,
            "Archive",
            archive_name=self.named("archive"),
            source_arn=bus.event_bus_arn,
            event_pattern={"source": [EVENT_SOURCE]},
            retention_days=self.file.events.archive_days,
            kms_key_identifier=self.key.key_arn,
        )
        return bus

    def _stream(self) -> kinesis.Stream:
        return kinesis.Stream(
            self,
            "Stream",
            stream_name=self.named("stream"),
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=self.key,
            retention_period=cdk.Duration.hours(24),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _pipe(
        self, to: str, journal: dynamodb.Table, target_arn: str, lost: sqs.Queue, log_arn: str, action: str
    ) -> None:
        stream_arn = journal.table_stream_arn
        if stream_arn is None:
            raise TypeError("the journal's table has a stream")
        role = ServiceRole(
            self, f"PipeRole{to.title()}", name=self.named(f"role-pipe-{to}"), service="pipes.amazonaws.com"
        )
        reading = [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ]
        role.may("ReadJournalStream", reading, [stream_arn])
        role.may("PassOn", [action], [target_arn])
        role.may("KeepTheUndelivered", ["sqs:SendMessage"], [lost.queue_arn])
        role.may("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [self.key.key_arn])
        pipe = pipes.CfnPipe(
            self,
            f"Pipe{to.title()}",
            name=self.named(f"pipe-{to}"),
            description=f"Passes the journal on to the {to}",
            role_arn=role.role_arn,
            source=stream_arn,
            target=target_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                dynamo_db_stream_parameters=pipes.CfnPipe.PipeSourceDynamoDBStreamParametersProperty(
                    starting_position="TRIM_HORIZON",
                    batch_size=10,
                    maximum_retry_attempts=20,
                    on_partial_batch_item_failure="AUTOMATIC_BISECT",
                    dead_letter_config=pipes.CfnPipe.DeadLetterConfigProperty(arn=lost.queue_arn),
                )
            ),
            target_parameters=_target_parameters(to),
            log_configuration=pipes.CfnPipe.PipeLogConfigurationProperty(
                level="ERROR",
                cloudwatch_logs_log_destination=pipes.CfnPipe.CloudwatchLogsLogDestinationProperty(
                    log_group_arn=log_arn
                ),
            ),
        )
        if role.permissions is not None:
            pipe.node.add_dependency(role.permissions)


def _target_parameters(to: str) -> pipes.CfnPipe.PipeTargetParametersProperty:
    if to == "bus":
        bus = pipes.CfnPipe.PipeTargetEventBridgeEventBusParametersProperty(
            detail_type="JournalEntry", source=EVENT_SOURCE
        )
        return pipes.CfnPipe.PipeTargetParametersProperty(event_bridge_event_bus_parameters=bus)
    stream = pipes.CfnPipe.PipeTargetKinesisStreamParametersProperty(partition_key="$.dynamodb.Keys.migration.S")
    return pipes.CfnPipe.PipeTargetParametersProperty(kinesis_stream_parameters=stream)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
