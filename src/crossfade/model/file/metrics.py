"""How each source of counts names the two arms and what it counts for them. Source: docs/metrics.md."""

from enum import StrEnum
from typing import Annotated

from crossfade.model.file.form import Form
from crossfade.model.file.section import Section
from crossfade.model.file.texts import Text

Selector = Annotated[
    str,
    Form(
        r"[A-Za-z_:][A-Za-z0-9_:]*\{[^{}]*(\{arm\}[^{}]*)+\}",
        'a selector of a counter with {arm} in it, such as requests_total{arm="{arm}"}; '
        "anything more is the work of a recording rule",
    ),
]
ResourceName = Annotated[str, Form(r"[A-Za-z0-9/_.-]+", "the last part of its ARN, letters, digits, / and -", 255)]


class MetricNames(StrEnum):
    """Whose names of metrics are meant where the file gives none."""

    ENVOY = "envoy"
    ISTIO = "istio"


class LatencyUnit(StrEnum):
    """Unit of the bucket edges `le`."""

    MILLISECONDS = "ms"
    SECONDS = "s"


class PrometheusSource(Section):
    """What Prometheus is asked for, as selectors of counters in which `{arm}` stands for the arm."""

    names: MetricNames = MetricNames.ENVOY
    """Whose names are meant by the selectors that are not given."""
    baseline: Text = "legacy"
    """What `{arm}` becomes for those who stay."""
    canary: Text = "modern"
    """What `{arm}` becomes for those who move."""
    requests: Selector | None = None
    """Counter of all requests."""
    errors: Selector | None = None
    """Counter of requests that failed, which `requests` counts as well."""
    latency: Selector | None = None
    """The `_bucket` series of a classic histogram of latencies."""
    latency_unit: LatencyUnit = LatencyUnit.MILLISECONDS
    """Unit of its bucket edges; seconds in most client libraries."""


class CloudWatchArm(Section):
    """The target group that serves an arm."""

    load_balancer: ResourceName
    """Dimension `LoadBalancer`, such as app/alb-web-prod/50dc6c495c0c9188."""
    target_group: ResourceName
    """Dimension `TargetGroup`, such as targetgroup/tg-legacy-prod/73e2d6bc24d8a067."""
    name: Text
    """What `{arm}` becomes in `metrics.business`."""


class CloudWatchSource(Section):
    """Which target groups of Application Load Balancers serve the two arms."""

    baseline: CloudWatchArm
    """Those who stay."""
    canary: CloudWatchArm
    """Those who move."""
