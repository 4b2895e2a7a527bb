"""AnalysisTemplates: what Argo's controller measures, and when it goes on, waits or goes back.

A measurement is successful or failed by complementary conditions whenever there is a number. Without one (an empty
answer, NaN) both are false: Inconclusive, which pauses the rollout. So missing data never passes. A Prometheus that
cannot be asked at all is an Error; five in a row go back, for nobody sees any more what the new side does.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist

from crossfade.infra.kubernetes import queries
from crossfade.infra.kubernetes.arguments import TOKEN, WINDOW, declared, said
from crossfade.infra.kubernetes.names import ROLLOUTS_API, Object, application, metadata, seconds
from crossfade.model.file import MigrationFile
from crossfade.model.file.limits import MetricsEngine
from crossfade.model.file.quantities import duration_text

GUARDS, LIMITS, BASELINE, WATCH = "guards", "limits", "baseline", "watch"
"""Beside every step; at each step, absolute; at each step, against the baseline; after a blue-green promotion."""

_MEASUREMENTS = 3
_UNANSWERED = 1
"""Of three measurements one may be without data. As many as there are measurements would let a run without any data
pass. Source: Argo Rollouts, `assessMetricStatus`."""
_ERRORS_IN_A_ROW = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """A query whose answer must not pass `limit`."""

    name: str
    query: str
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pace:
    """How often is measured. Without `count` as long as the rollout lasts, which only a background analysis may."""

    interval: timedelta
    count: int | None
    unanswered: int
    delay: timedelta = timedelta(0)


def template_name(file: MigrationFile, template: str) -> str:
    return f"{application(file)}-{template}"


def weighted_templates(file: MigrationFile) -> list[Object]:
    """Those of a canary: guards beside its steps, limits and the comparison at each of them."""
    every = file.limits.judge.look_every
    looks = _Pace(interval=every, count=_MEASUREMENTS, unanswered=_UNANSWERED)
    patience = math.ceil(file.limits.hold_at_most / every)
    window = said(WINDOW)
    return [
        _template(file, GUARDS, [*_guards(file)], _Pace(interval=every, count=None, unanswered=patience)),
        _template(file, LIMITS, _limits(file, window), looks),
        _template(file, BASELINE, _against_baseline(file, window), looks),
    ]


def watch_template(file: MigrationFile) -> Object:
    """That of a blue-green promotion: measured for as long as the new side is watched."""
    shortest = min(window.length for window in file.limits.burn_rate.windows)
    return _template(file, WATCH, [*_guards(file), *_limits(file, seconds(shortest))], _watch(file))


def watched_for(file: MigrationFile) -> timedelta:
    """From the promotion to the last measurement of the watch, and one interval more."""
    pace = _watch(file)
    return pace.delay + pace.interval * (pace.count or 0)


def _watch(file: MigrationFile) -> _Pace:
    """Half of the measurements may be without data."""
    watch, every = file.traffic.blue_green.watch, file.limits.judge.look_every
    delay = min(file.traffic.warm_up, watch)
    count = max(_MEASUREMENTS, math.ceil((watch - delay) / every))
    return _Pace(interval=every, count=count, unanswered=count // 2, delay=delay)


def business_metrics(file: MigrationFile) -> bool:
    """Whether the file's business metrics are queries that Prometheus understands."""
    return file.metrics.engine is MetricsEngine.PROMETHEUS


def prometheus_address(file: MigrationFile) -> str | None:
    by_engine = file.metrics.url if file.metrics.engine is MetricsEngine.PROMETHEUS else None
    return file.kubernetes.prometheus or by_engine


def significant(file: MigrationFile) -> float:
    """Standard errors above which a difference is one.

    The chance of a false abort is shared out over every measurement of every comparison at every share, whatever they
    have to do with each other (Bonferroni). It says nothing of more looks than these: Crossfade's own judge does.
    """
    compared = 1 + (len(file.metrics.business) if business_metrics(file) else 0)
    shares = sum(share < 100 for share, _ in file.traffic.steps())
    looks = max(1, compared * shares * _MEASUREMENTS)
    exact = NormalDist().inv_cdf(1 - file.limits.judge.alpha_percent / 100 / looks)
    return math.ceil(exact * 100) / 100


def _guards(file: MigrationFile) -> list[_Measured]:
    return [
        _Measured(
            name=f"burn-rate-{duration_text(window.length)}",
            query=queries.burn_rate(file, seconds(window.length), window.max_burn_rate),
            limit=window.max_burn_rate,
        )
        for window in file.limits.burn_rate.windows
    ]


def _limits(file: MigrationFile, window: str) -> list[_Measured]:
    rate = file.limits.max_error_rate_percent / 100
    return [
        _Measured(name="error-rate", query=queries.error_rate(file, window, rate), limit=rate),
        _Measured(name="p95", query=queries.p95(file, window), limit=file.limits.max_p95.total_seconds()),
    ]


def _against_baseline(file: MigrationFile, window: str) -> list[_Measured]:
    tolerance = 1 + file.limits.judge.latency_tolerance_percent / 100
    errors_of = significant(file)
    found = [
        _Measured(name="more-errors", query=queries.more_errors(file, window), limit=errors_of),
        _Measured(name="p95-ratio", query=queries.p95_ratio(file, window), limit=tolerance),
    ]
    if business_metrics(file):
        found += [
            _Measured(
                name=f"fewer-{metric.name}", query=queries.fewer_good(file, metric.good, metric.total), limit=errors_of
            )
            for metric in file.metrics.business
        ]
    return found


def _template(file: MigrationFile, template: str, measured: list[_Measured], pace: _Pace) -> Object:
    return {
        "apiVersion": ROLLOUTS_API,
        "kind": "AnalysisTemplate",
        "metadata": metadata(file, template_name(file, template)),
        "spec": {
            "args": declared(window=template in {LIMITS, BASELINE}, token_secret=file.kubernetes.prometheus_token),
            "metrics": [_metric(file, one, pace) for one in measured],
        },
    }


def _metric(file: MigrationFile, measured: _Measured, pace: _Pace) -> Object:
    """Every limit is written out: Argo's defaults are not what one would guess."""
    number = "len(result) > 0 && !isNaN(result[0])"
    found: Object = {"name": measured.name}
    if pace.delay:
        found["initialDelay"] = seconds(pace.delay)
    found["interval"] = seconds(pace.interval)
    if pace.count is not None:
        found["count"] = pace.count
    return found | {
        "successCondition": f"{number} && result[0] <= {measured.limit:.10g}",
        "failureCondition": f"{number} && result[0] > {measured.limit:.10g}",
        "failureLimit": 0,
        "inconclusiveLimit": pace.unanswered,
        "consecutiveErrorLimit": _ERRORS_IN_A_ROW,
        "provider": {"prometheus": _prometheus(file, measured.query)},
    }


def _prometheus(file: MigrationFile, query: str) -> Object:
    found: Object = {"address": prometheus_address(file)}
    if file.kubernetes.prometheus_token is not None:
        found["headers"] = [{"key": "Authorization", "value": f"Bearer {said(TOKEN)}"}]
    return found | {"query": f"{query}\n"}
