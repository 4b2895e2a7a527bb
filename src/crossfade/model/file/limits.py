"""When a rollout is too bad to go on, and when it is shown to be good enough."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from crossfade.model.file.metrics import CloudWatchSource, PrometheusSource
from crossfade.model.file.quantities import Count, Duration, Percent, PositivePercent, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import Secret, Slug, Text, WebAddress


def _at_most_a_minute(value: timedelta) -> timedelta:
    if value > timedelta(minutes=1):
        raise PydanticCustomError("duration", "is longer than a minute", {"remedy": "write a duration up to 1m"})
    return value


class JudgeSettings(Section):
    """The sequential test that compares both arms. Source: docs/judge.md."""

    alpha_percent: Annotated[PositivePercent, Field(lt=50)] = 5.0
    """Chance of a false abort in a whole rollout, split over the metrics; below 50."""
    latency_margin_percent: Percent = 5.0
    """How much slower the canary may be without an abort."""
    latency_tolerance_percent: PositivePercent = 20.0
    """Promotion asks for evidence that the canary is slower by less than this."""
    error_tolerance: Annotated[float, Field(gt=1, le=100)] = 2.0
    """Promotion asks for evidence that the canary's errors are fewer than this many times the baseline's."""
    minimum_requests: Count = 100
    """Requests of the canary that a step needs before it can be promoted."""
    link_allowance: Annotated[Duration, AfterValidator(_at_most_a_minute)] | None = None
    """How much longer a request may take on the modern servers because its statements cross the link to the source,
    until cutover: the link's round trip for each statement, and what the line adds when it is busy. What is allowed is
    not found when it is the canary's own. Without it, twice `rehearsal.wan_round_trip`."""
    look_every: Span = timedelta(seconds=30)
    """Time between two looks."""


class BurnWindow(Section):
    """A window over which the burn of the error budget is measured."""

    length: Span
    """Length of the window."""
    max_burn_rate: Annotated[float, Field(gt=0, le=1000)]
    """Times the rate at which the budget would just last; above it the guard aborts."""


class BurnRate(Section):
    """How fast the error budget of the objective is used up."""

    objective_percent: Annotated[Percent, Field(ge=50, lt=100)] = 99.9
    """Share of requests that must succeed."""
    windows: Annotated[tuple[BurnWindow, ...], Field(min_length=1)] = (
        BurnWindow(length=timedelta(minutes=5), max_burn_rate=10.0),
        BurnWindow(length=timedelta(hours=1), max_burn_rate=5.0),
    )
    """Windows, each with its limit; 10 times aborts at once."""


class Guards(Section):
    """How much must have been seen before an absolute limit or burn rate may abort."""

    minimum_requests: Count = 100
    """Requests in the window."""
    minimum_errors: Count = 10
    """Errors in the window."""


class Limits(Section):
    """What ends a rollout by itself, and what people asked for as success."""

    max_error_rate_percent: Annotated[PositivePercent, Field(lt=100)] = 3.0
    """Absolute limit of the error rate, below 100; a baseline that exceeds it as well does not roll back."""
    max_p95: Span = timedelta(milliseconds=500)
    """Absolute limit of the 95th percentile of response time."""
    burn_rate: BurnRate = BurnRate()
    """Limits of SLO burn."""
    guards: Guards = Guards()
    """Minimum counts of the guards."""
    judge: JudgeSettings = JudgeSettings()
    """The comparison of both arms."""
    rollback_within: Span = timedelta(minutes=5)
    """Longest time from the decision until nobody is on the side that failed; watched, and reported when missed."""
    decide_on_data_younger_than: Span = timedelta(minutes=2)
    """Older observations count as missing, and missing data holds."""
    hold_at_most: Span = timedelta(hours=24)
    """A rollout that holds longer for want of evidence asks a person."""


class MetricsEngine(StrEnum):
    """Where counts are read from. The rehearsal reads its router."""

    CLOUDWATCH = "cloudwatch"
    PROMETHEUS = "prometheus"
    ENVOY = "envoy"


class BusinessMetric(Section):
    """A counted metric of both arms: of `total` events, `good` went well."""

    name: Slug
    """Name, such as `conversion`."""
    good: Text
    """Counter of good events; `{arm}` stands for the arm. A selector of Prometheus, or a metric of CloudWatch."""
    total: Text
    """Counter of all events."""
    margin_percent: Percent = 0.0
    """How much higher the odds of going badly may be without counting against the canary."""
    tolerance: Annotated[float, Field(gt=1, le=50)] = 2.0
    """Promotion asks for evidence that these odds are less than this many times the baseline's."""
    promotes: bool = True
    """Ask for that evidence; `false` where so few events go badly that every step would last long: it only aborts."""


class Metrics(Section):
    """Where the numbers come from and where they are shown."""

    engine: MetricsEngine = MetricsEngine.CLOUDWATCH
    """Where counts are read from on AWS."""
    url: WebAddress | None = None
    """Address of Prometheus or of Envoy's administration."""
    credentials: Secret | None = None
    """Where a token for it is kept."""
    prometheus: PrometheusSource = PrometheusSource()
    """What Prometheus is asked for."""
    cloudwatch: CloudWatchSource | None = None
    """Which target groups CloudWatch is asked about."""
    business: tuple[BusinessMetric, ...] = ()
    """Metrics of the business that are judged beside errors and latency."""
    users_with_errors: Text | None = None
    """Counter of users who met an error, each counted once; then they are judged, and not the errors."""
    dashboard: bool = True
    """Build the CloudWatch dashboard."""
    log_retention_days: Annotated[int, Field(ge=1, le=3653)] = 30
    """How long log groups keep their entries."""
    tracing: bool = False
    """Send traces by OpenTelemetry."""
