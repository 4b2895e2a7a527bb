"""What CloudWatch is asked for of one arm. Source: docs/metrics.md."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossfade.metrics.business import ARM, Business

_BALANCERS = "AWS/ApplicationELB"
_TAIL = (1000.0, 1500.0, 2000.0, 3000.0, 5000.0, 10_000.0)
EDGES_MS: tuple[float, ...] = (
    *(5.0, 7.5, 10.0, 12.5, 15.0, 17.5, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0),
    *(120.0, 150.0, 180.0, 220.0, 270.0, 330.0, 400.0, 500.0, 700.0),
    *_TAIL,
)
"""Each edge is a query, and each query of a reading costs: steps of a quarter and less up to half a second."""
_METRIC = re.compile(r"(\S+) ([^\s{}]+)\{(.+)\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """The target group that serves an arm; `name` is what `{arm}` becomes in business metrics."""

    name: str
    load_balancer: str
    target_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A statistic of a metric, by minutes."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str

    def as_query(self, name: str) -> dict[str, Any]:
        """As GetMetricData takes it."""
        dimensions = [{"Name": key, "Value": value} for key, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": self.statistic}}


def of_arm(arm: Arm, business: Sequence[Business], users_with_errors: str | None = None) -> dict[str, Query]:
    """The queries of one arm by what they tell."""
    dimensions = (("LoadBalancer", arm.load_balancer), ("TargetGroup", arm.target_group))

    def of_group(metric: str, statistic: str) -> Query:
        return Query(namespace=_BALANCERS, metric=metric, dimensions=dimensions, statistic=statistic)

    queries = {
        "beat": of_group("HealthyHostCount", "SampleCount"),
        "requests": of_group("RequestCount", "Sum"),
        "errors": of_group("HTTPCode_Target_5XX_Count", "Sum"),
        "unreached": of_group("TargetConnectionErrorCount", "Sum"),
        "samples": of_group("TargetResponseTime", "SampleCount"),
    }
    queries |= {f"up to {edge:g}": of_group("TargetResponseTime", f"PR(:{edge / 1000:g})") for edge in EDGES_MS}
    for metric in business:
        queries[f"good {metric.name}"] = _counter(metric.good, arm.name)
        queries[f"total {metric.name}"] = _counter(metric.total, arm.name)
    if users_with_errors is not None:
        queries["users"] = _counter(users_with_errors, arm.name)
    return queries


def _counter(text: str, arm: str) -> Query:
    """`Ledger Accepted{Arm={arm}}`: namespace, metric and dimensions. Raises ValueError for another form."""
    found = _METRIC.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no metric of CloudWatch")
    pairs = (pair.partition("=") for pair in found[3].split(","))
    dimensions = tuple((name.strip(), value.strip().replace(ARM, arm)) for name, _, value in pairs)
    return Query(namespace=found[1], metric=found[2], dimensions=dimensions, statistic="Sum")
