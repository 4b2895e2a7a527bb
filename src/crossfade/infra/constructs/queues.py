"""Queues that keep what could not be delivered."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossfade.infra.stacks.stack import acknowledge


def undelivered(scope: Construct, name: str, key: kms.IKey) -> sqs.Queue:
    """Encrypted, kept for 14 days, and gone with its stack."""
    queue = sqs.Queue(
        scope,
        "Lost",
        queue_name=name,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    acknowledge(queue, "It is itself the queue of what could not be delivered.", "AwsSolutions-SQS3")
    return queue
