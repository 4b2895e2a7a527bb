"""A9: who is told of phases, errors and completion."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.stacks.stack import MigrationStack
from crossfade.model.file import MigrationFile
from crossfade.model.file.people import Subscription, SubscriptionProtocol, Topic

_PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")


class NotificationsStack(MigrationStack):
    """One topic each for phases, errors and completion, encrypted, with the file's subscribers. Alarms tell `error`."""

    def __init__(self, scope: Construct, file: MigrationFile) -> None:
        super().__init__(scope, "notifications", file=file, description="topics and their subscribers")
        self.key = StackKey(self, file=file, purpose="notifications")
        for publisher in _PUBLISHERS:
            self.key.allow_service(publisher, "kms:Decrypt", "kms:GenerateDataKey*")
        self.topics = {topic: self._topic(topic) for topic in Topic}
        for number, subscriber in enumerate(file.notifications.sns, start=1):
            self._subscribe(number, subscriber)

    @property
    def errors(self) -> sns.Topic:
        """Where alarms are told."""
        return self.topics[Topic.ERROR]

    def _topic(self, topic: Topic) -> sns.Topic:
        made = sns.Topic(
            self,
            f"Topic{topic.title()}",
            topic_name=self.named(f"topic-{topic}"),
            display_name=f"{self.file.migration.name}: {topic}",
            master_key=self.key,
            enforce_ssl=True,
        )
        made.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsAndEvents",
                principals=[iam.ServicePrincipal(publisher) for publisher in _PUBLISHERS],
                actions=["sns:Publish"],
                resources=[made.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return made

    def _subscribe(self, number: int, subscriber: Subscription) -> None:
        endpoint = subscriber.endpoint
        for topic in subscriber.topics:
            of = self.topics[topic]
            match subscriber.protocol:
                case SubscriptionProtocol.EMAIL:
                    of.add_subscription(subscriptions.EmailSubscription(endpoint))
                case SubscriptionProtocol.HTTPS:
                    of.add_subscription(subscriptions.UrlSubscription(endpoint))
                case SubscriptionProtocol.SQS:
                    queue = sqs.Queue.from_queue_arn(self, f"Subscriber{number}{topic.title()}", endpoint)
                    of.add_subscription(subscriptions.SqsSubscription(queue, raw_message_delivery=True))
                case SubscriptionProtocol.LAMBDA:
                    function = lambda_.Function.from_function_arn(self, f"Subscriber{number}{topic.title()}", endpoint)
                    of.add_subscription(subscriptions.LambdaSubscription(function))
