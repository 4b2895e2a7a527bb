"""From what the migration file says of metrics to what a source is asked for."""

from dataclasses import replace

from crossfade.metrics.business import Business
from crossfade.metrics.cloudwatch_queries import Arm
from crossfade.metrics.promql import ENVOY, ISTIO, Selectors
from crossfade.model.file.limits import Metrics
from crossfade.model.file.metrics import CloudWatchArm, CloudWatchSource, LatencyUnit, MetricNames

_NAMES = {MetricNames.ENVOY: ENVOY, MetricNames.ISTIO: ISTIO}


def business(metrics: Metrics) -> tuple[Business, ...]:
    return tuple(Business(name=each.name, good=each.good, total=each.total) for each in metrics.business)


def selectors(metrics: Metrics) -> Selectors:
    """The file's selectors, and those of its `names` where it gives none.

    With own requests and no own latency, latency is not judged: a histogram of other requests would be.
    """
    asked, names = metrics.prometheus, _NAMES[metrics.prometheus.names]
    own = asked.requests is not None
    in_seconds = asked.latency is not None and asked.latency_unit is LatencyUnit.SECONDS
    return replace(
        names,
        requests=asked.requests or names.requests,
        errors=asked.errors or names.errors,
        latency=asked.latency or (None if own else names.latency),
        le_in_ms=1000.0 if in_seconds else 1.0,
        business=business(metrics),
        users_with_errors=metrics.users_with_errors,
        baseline=asked.baseline,
        canary=asked.canary,
    )


def target_groups(source: CloudWatchSource) -> tuple[Arm, Arm]:
    """Baseline and canary."""
    return _arm(source.baseline), _arm(source.canary)


def _arm(given: CloudWatchArm) -> Arm:
    return Arm(name=given.name, load_balancer=given.load_balancer, target_group=given.target_group)
