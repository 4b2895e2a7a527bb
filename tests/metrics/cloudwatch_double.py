"""A CloudWatch in memory, which holds what it is asked and what it answers against botocore's own model."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.validate import ParamValidator

_OPERATION = boto3.client(
    "cloudwatch", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
).meta.service_model.operation_model("GetMetricData")
_VALIDATOR = ParamValidator()
Metric = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass
class CloudWatchDouble:
    """Values by metric and minute. It pages by `page` values and puts all of a call into `asked`."""

    values: dict[Metric, dict[datetime, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    page: int = 1000
    asked: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    """Status of a metric's results, by its name, where it is not Complete."""
    refusal: Exception | None = None

    def put(self, namespace: str, metric: str, dimensions: dict[str, str], at: datetime, *values: float) -> None:
        minute = at.replace(second=0, microsecond=0)
        self.values[(namespace, metric, frozenset(dimensions.items()))][minute].extend(values)

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        _hold(asked, _OPERATION.input_shape)
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        assert len(asked["MetricDataQueries"]) <= 500
        assert asked["EndTime"] - asked["StartTime"] <= timedelta(days=15)
        points = [
            (query["Id"], query["MetricStat"]["Metric"]["MetricName"], at, value)
            for query in asked["MetricDataQueries"]
            for at, value in self._statistic(query["MetricStat"], asked["StartTime"], asked["EndTime"])
        ]
        first = int(asked.get("NextToken", 0))
        here, more = points[first : first + self.page], len(points) > first + self.page
        answer = {"MetricDataResults": [self._result(query, here, more=more) for query in asked["MetricDataQueries"]]}
        answer |= {"NextToken": str(first + self.page)} if more else {}  # type: ignore[dict-item]
        _hold(answer, _OPERATION.output_shape)
        return answer

    def _result(self, query: dict[str, Any], points: list[tuple[str, str, datetime, float]], *, more: bool) -> Any:
        ours = [(at, value) for name, _, at, value in points if name == query["Id"]]
        status = self.statuses.get(query["MetricStat"]["Metric"]["MetricName"], "PartialData" if more else "Complete")
        return {
            "Id": query["Id"],
            "Label": query["Id"],
            "Timestamps": [at for at, _ in ours],
            "Values": [value for _, value in ours],
            "StatusCode": status,
        }

    def _statistic(self, asked: dict[str, Any], start: datetime, end: datetime) -> list[tuple[datetime, float]]:
        assert asked["Period"] == 60
        metric = asked["Metric"]
        dimensions = frozenset((each["Name"], each["Value"]) for each in metric["Dimensions"])
        minutes = self.values.get((metric["Namespace"], metric["MetricName"], dimensions), {})
        return [
            (at, _computed(asked["Stat"], values))
            for at, values in sorted(minutes.items())
            if start <= at.astimezone(UTC) < end and values
        ]


def _computed(statistic: str, values: list[float]) -> float:
    if statistic.startswith("PR(:"):
        edge = float(statistic[4:-1])
        return 100 * sum(value <= edge for value in values) / len(values)
    return {"Sum": float(sum(values)), "SampleCount": float(len(values))}[statistic]


def _hold(told: dict[str, Any], shape: Any) -> None:
    report = _VALIDATOR.validate(told, shape)
    assert not report.has_errors(), report.generate_report()
