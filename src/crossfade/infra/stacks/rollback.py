"""A11: the roll back that works when nothing else does, and the alarms that start it."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from crossfade.infra.constructs.alarms import ABOVE, QUIET, Limit, ToldAlarm, metric
from crossfade.infra.constructs.functions import LoggedRole, PackagedFunction
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.queues import undelivered
from crossfade.infra.stacks.dns import DnsStack
from crossfade.infra.stacks.events import EventsStack
from crossfade.infra.stacks.notifications import NotificationsStack
from crossfade.infra.stacks.stack import MigrationStack, acknowledge
from crossfade.model.file import MigrationFile


class RollbackStack(MigrationStack):
    """One composite alarm over all reasons, one topic, one function. It knows nothing of the engine."""

    def __init__(
        self,
        scope: Construct,
        file: MigrationFile,
        *,
        dns: DnsStack,
        events: EventsStack,
        notifications: NotificationsStack,
        triggers: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, "rollback", file=file, description="the roll back that alarms start")
        if events.tracking is None:
            raise TypeError("the roll back asks the tracking table which side takes the writes")
        self.key = StackKey(self, file=file, purpose="rollback")
        self.key.allow_service("cloudwatch.amazonaws.com", "kms:Decrypt", "kms:GenerateDataKey*")
        self.key.allow_service("sns.amazonaws.com", "kms:Decrypt", "kms:GenerateDataKey*")
        self._lost = undelivered(self, self.named("queue-lost-alarms"), self.key)
        self.function = self._function(dns, events, notifications)
        self.alarm = self._composite(triggers, notifications)
        self._watch(notifications.errors)

    def _role(self, dns: DnsStack, events: EventsStack, told: NotificationsStack) -> LoggedRole:
        """What the function's code calls, and no more."""
        role = LoggedRole(self, "", file=self.file, kind="rollback", key=self.key)
        table = events.tracking.table_arn if events.tracking else ""
        record = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": [dns.record_name]}
        role.may("FindWeights", ["route53:ListResourceRecordSets"], [dns.zone.hosted_zone_arn])
        role.may(
            "MoveWeights",
            ["route53:ChangeResourceRecordSets"],
            [dns.zone.hosted_zone_arn],
            {"ForAllValues:StringEquals": record, "Null": {next(iter(record)): "false"}},
        )
        role.may("KnowTheWriterAndRecord", ["dynamodb:GetItem", "dynamodb:PutItem"], [table])
        role.may("TellPeople", ["sns:Publish"], [told.errors.topic_arn])
        role.may(
            "UseKeys", ["kms:Decrypt", "kms:GenerateDataKey"], [k.key_arn for k in (self.key, events.key, told.key)]
        )
        role.may("LookAtAlarms", ["cloudwatch:DescribeAlarms"], ["*"])
        acknowledge(
            role,
            "CloudWatch answers DescribeAlarms for composite alarms only to a permission for every alarm (its API "
            "reference says so); the function reads the state of one.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        role.may("KeepTheUndelivered", ["sqs:SendMessage"], [self._lost.queue_arn])
        return role

    def _function(self, dns: DnsStack, events: EventsStack, told: NotificationsStack) -> PackagedFunction:
        function = PackagedFunction(
            self,
            "rollback",
            does="Leads everybody back to the source when an alarm goes off",
            role=self._role(dns, events, told),
            key=self.key,
            environment={
                "MIGRATION": self.file.migration.name,
                "HOSTED_ZONE": dns.zone.hosted_zone_id,
                "RECORD": dns.record_name,
                "TRACKING_TABLE": events.tracking.table_name if events.tracking else "",
                "TOPIC": told.errors.topic_arn,
                "FRESH_SECONDS": str(int(self.file.limits.decide_on_data_younger_than.total_seconds())),
            },
            lost=self._lost,
        )
        acknowledge(
            function,
            "It calls public endpoints of AWS only. In the VPC it would hang on the very network whose failure may "
            "have started it.",
            "LambdaInsideVPC",
        )
        return function

    def _composite(self, triggers: Sequence[cloudwatch.IAlarm], told: NotificationsStack) -> cloudwatch.CompositeAlarm:
        topic = sns.Topic(self, "Topic", topic_name=self.named("topic-rollback"), master_key=self.key, enforce_ssl=True)
        topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=_on_our_behalf(self.account)))
        topic.add_subscription(subscriptions.LambdaSubscription(self.function, dead_letter_queue=self._lost))
        alarm = cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            composite_alarm_name=self.named("alarm-rollback"),
            alarm_description="Something is wrong on AWS: everybody is led back to the source.",
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(trigger, cloudwatch.AlarmState.ALARM) for trigger in triggers)
            ),
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_alarm_action(actions.SnsAction(told.errors))
        return alarm

    def _watch(self, told: sns.ITopic) -> None:
        """Who watches the watchman: a roll back that failed, or an alarm that never arrived."""
        of = {"FunctionName": self.named("function-rollback")}
        ToldAlarm(
            self,
            self.named("alarm-rollback-failed"),
            says="The function that rolls back has failed; it is tried again twice.",
            of=metric("AWS/Lambda", "Errors", of, "Sum"),
            limit=Limit(comparison=ABOVE, threshold=0, missing=QUIET, periods=1),
            topic=told,
        )
        ToldAlarm(
            self,
            self.named("alarm-rollback-lost"),
            says="An alarm could not be acted upon and lies in the queue of the undelivered.",
            of=metric(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                {"QueueName": self.named("queue-lost-alarms")},
                "Maximum",
            ),
            limit=Limit(comparison=ABOVE, threshold=0, missing=QUIET, periods=1),
            topic=told,
        )


def _on_our_behalf(account: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"aws:SourceAccount": account}}
