"""What a step still lacks before the canary's share may rise: evidence, never the lack of it."""

import math

from crossfade.judge import reasons
from crossfade.judge.counted_labels import CountedLabels, odds_interval
from crossfade.judge.error_labels import log_e_rate_below, ratio_interval
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.judge.look import Look
from crossfade.judge.settings import CountedMetric, JudgeSettings, Metric
from crossfade.judge.state import JudgeState
from crossfade.judge.step import StepCounts

Lack = tuple[str, str | None]


def lacking(state: JudgeState, step: StepCounts, look: Look, settings: JudgeSettings) -> Lack | None:
    """The first thing that is missing, and the metric it belongs to; None when the canary may be promoted."""
    if not step.share.fits(settings.sticky_users):
        return reasons.share_misfit(step.share), None
    if lack := _of_arms(look):
        return lack, None
    if step.canary_requests < settings.minimum_requests:
        return reasons.too_few(step, settings), None
    if look.share == 1:
        if _rate_is_low(step, settings):
            return None
        judged = Metric.ERRORS if Metric.ERRORS in settings.metrics else None  # its absolute limit holds in any case
        return reasons.unclear_alone(step, settings), judged
    if Metric.ERRORS in settings.metrics and (lack := _of_errors(state, step, settings)):
        return lack, Metric.ERRORS
    if Metric.LATENCY in settings.metrics and (lack := _of_latency(state.latency, step, look, settings)):
        return lack, Metric.LATENCY
    for metric, counted in zip(settings.counted, state.counted, strict=True):
        if lack := _of_counted(metric, counted, look, settings):
            return lack, metric.name
    return None


def _of_arms(look: Look) -> str | None:
    if look.share == 0:
        return "The canary receives no traffic in this step, so there is nothing to compare."
    if look.canary.requests == 0:
        return "No data: the canary answered no request in this look."
    if look.share < 1 and look.baseline.requests == 0:
        return "No data: the baseline answered no request in this look."
    return None


def _rate_is_low(step: StepCounts, settings: JudgeSettings) -> bool:
    log_e = log_e_rate_below(settings.error_rate_limit, step.canary_requests, step.canary_errors)
    return log_e >= -math.log(settings.promotion_alpha)


def _of_errors(state: JudgeState, step: StepCounts, settings: JudgeSettings) -> str | None:
    if _rate_is_low(step, settings):
        return None
    _, high = ratio_interval(state.errors.step, settings.promotion_alpha)
    return None if high < settings.error_tolerance else reasons.errors_unclear(state.errors, step, settings)


def _of_latency(labels: LatencyLabels | None, step: StepCounts, look: Look, settings: JudgeSettings) -> str | None:
    if look.baseline.latency is None or look.canary.latency is None or labels is None:
        return "No data: this look holds no latencies of both arms."
    if labels.log_e_promotion < -math.log(settings.promotion_alpha):
        return reasons.latency_unclear(labels, step, settings)
    return None


def _of_counted(metric: CountedMetric, labels: CountedLabels, look: Look, settings: JudgeSettings) -> str | None:
    if look.baseline.metric(metric.name) is None or look.canary.metric(metric.name) is None:
        return f"No data: this look holds no counts of {metric.name} of both arms."
    if labels.step_counts is None or not all(counted.total for counted in labels.step_counts):
        return f"No data: an arm has had no event of {metric.name} in this step."
    if not metric.promotes:
        return None
    _, high = odds_interval(labels.step, settings.promotion_alpha)
    return None if high < metric.tolerance else reasons.counted_unclear(metric, labels, settings)
