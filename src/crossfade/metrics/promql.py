"""What is asked of Prometheus: queries made of plain selectors, so that each is sound whatever a person wrote.

A counter that begins anew, a process that comes or goes, and a series that does not exist before its first event are
told apart here, and not by whoever writes the file.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/ and its page of functions; docs/metrics.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crossfade.metrics.business import ARM, Business

_BEFORE_THE_HOUR = timedelta(minutes=5)  # Prometheus's own lookback: the sample before the first of the hour
_PROCESS = "job, instance, pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """Selectors of counters, in each of which `{arm}` stands for the arm.

    `latency` selects the `_bucket` series of a classic histogram, whose `le` is `le_in_ms` milliseconds each (1000 when
    the histogram is in seconds); None where there is none. `baseline` and `canary` are what `{arm}` becomes.
    """

    requests: str
    errors: str
    latency: str | None = None
    le_in_ms: float = 1.0
    business: tuple[Business, ...] = ()
    users_with_errors: str | None = None
    baseline: str = "legacy"
    canary: str = "modern"


ENVOY = Selectors(
    requests='envoy_cluster_upstream_rq_completed{envoy_cluster_name="{arm}"}',
    errors='envoy_cluster_upstream_rq_xx{envoy_cluster_name="{arm}",envoy_response_code_class="5"}',
    latency='envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="{arm}"}',
)
"""Envoy's own names. Source: Envoy, cluster statistics. Its latencies leave out requests without an answer."""

ISTIO = Selectors(
    requests='istio_requests_total{reporter="source",destination_workload="{arm}"}',
    errors='istio_requests_total{reporter="source",destination_workload="{arm}",response_code=~"5..|0"}',
    latency='istio_request_duration_milliseconds_bucket{reporter="source",destination_workload="{arm}"}',
)
"""Istio's standard metrics, as the callers' side reports them. 0 is the code of a request without an answer."""


def of_arm(selector: str, arm: str) -> str:
    """The selector for one arm; an arm's name is a value within quotes and is escaped as such."""
    return selector.replace(ARM, arm.replace("\\", "\\\\").replace('"', '\\"'))


def total(selector: str) -> str:
    return f"sum({selector})"


def part(selector: str, of: str) -> str:
    """0 where nothing of the part was ever counted, but only while the whole is there: missing is never 0."""
    return f"sum({selector}) or sum({of}) * 0"


def buckets(selector: str) -> str:
    return f"sum by (le) ({selector})"


def oldest_sample(selector: str) -> str:
    """When the series that was measured longest ago was measured, in seconds of the epoch."""
    return f"min(timestamp({selector}))"


def processes(selector: str, at: datetime) -> str:
    """The processes that count now, each with how often it began anew since shortly before the hour of `at`.

    The window begins at the same instant for a whole hour, so the answer changes whenever a counter begins anew, and
    stays when nothing happens but that time passes.
    """
    since = at - hour_of(at) + _BEFORE_THE_HOUR
    window = f"{int(since.total_seconds())}s"
    return f"sum by ({_PROCESS}) (resets({selector}[{window}])) and count by ({_PROCESS}) ({selector})"


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
