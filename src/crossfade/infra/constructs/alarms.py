"""Alarms: every one says what missing data means, and tells people."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
AT_MOST = cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD

BREACHING = cloudwatch.TreatMissingData.BREACHING
"""No data is as bad as bad data: for what reports always, as long as it lives."""
UNKNOWN = cloudwatch.TreatMissingData.MISSING
"""No data is no judgement: for whatever starts a roll back, which missing data must never do (the runbook's rule 4)."""
QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
"""No data is good: for counters that report nothing when there is nothing to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """When a metric is bad: so many of the last `periods` beyond the threshold."""

    comparison: cloudwatch.ComparisonOperator
    threshold: float
    missing: cloudwatch.TreatMissingData
    periods: int = 3
    of_them: int | None = None
    """All of them, unless it says fewer."""


def metric(
    namespace: str, name: str, dimensions: dict[str, str], statistic: str, period: timedelta = timedelta(minutes=1)
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=_duration(period),
    )


@cache
def _duration(length: timedelta) -> cdk.Duration:
    """Made once: most metrics have the same period, and each is a round trip to Node."""
    return cdk.Duration.seconds(int(length.total_seconds()))


class ToldAlarm(cloudwatch.Alarm):
    """An alarm that tells a topic when it goes off and when it ends."""

    def __init__(
        self, scope: Construct, name: str, *, says: str, of: cloudwatch.IMetric, limit: Limit, topic: sns.ITopic
    ) -> None:
        """`name` with the suffix; its last but one part names it in the tree."""
        super().__init__(
            scope,
            f"Alarm{name.removeprefix('alarm-').title().replace('-', '')}",
            alarm_name=name,
            alarm_description=says,
            metric=of,
            comparison_operator=limit.comparison,
            threshold=limit.threshold,
            evaluation_periods=limit.periods,
            datapoints_to_alarm=limit.of_them or limit.periods,
            treat_missing_data=limit.missing,
        )
        self.add_alarm_action(actions.SnsAction(topic))
        self.add_ok_action(actions.SnsAction(topic))
