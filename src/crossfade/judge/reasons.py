"""Sentences for people: what was found, how much worse it is, and what is missing."""

import math

from crossfade.judge.counted_labels import CountedLabels, likeliest_odds, odds_interval
from crossfade.judge.error_labels import GRID, ErrorLabels, likeliest_ratio, ratio_interval
from crossfade.judge.intervals import Interval, QuantileComparison, compared_quantiles, log_mean_interval
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.judge.settings import CountedMetric, JudgeSettings
from crossfade.judge.state import JudgeState
from crossfade.judge.step import ShareCheck, StepCounts


def percent(rate: float) -> str:
    """A rate as people read it: two digits, no needless zeros."""
    return f"{100 * rate:.2g} %" if rate < 0.995 else f"{100 * rate:.0f} %"


def errors_worse(labels: ErrorLabels, step: StepCounts, alpha: float) -> str:
    """Why errors abort."""
    return f"The canary fails more often than the baseline: {_error_ratio(labels, alpha)}; {_errors_in_step(step)}."


def errors_unclear(labels: ErrorLabels, step: StepCounts, settings: JudgeSettings) -> str:
    """Why errors do not yet promote."""
    low, high = ratio_interval(labels.step, settings.promotion_alpha)
    ratio = "" if (low, high) == (GRID[0], GRID[-1]) else f" (now {_interval(low, high)})"
    return (
        f"Not yet shown that the canary fails less than {settings.error_tolerance:g} times as often as the baseline"
        f"{ratio} or on less than {percent(settings.error_rate_limit)} of requests; {_errors_in_step(step)}."
    )


def latency_worse(labels: LatencyLabels, step: StepCounts, settings: JudgeSettings) -> str:
    """Why latency aborts; the ratio is that of all steps.

    The evidence is of some part of the latencies, such as the slowest; their mean may lie within the margin.
    """
    ratio = labels.rollout_ratio()
    quantile = compared_quantiles(labels, settings.alpha)[1:2]
    tail = f"; {_tail(*quantile)}" if quantile else ""
    part = " in part of its requests" if ratio and math.exp(ratio[0]) <= 1 + settings.latency_margin else ""
    return (
        f"The canary is slower than the baseline by more than {percent(settings.latency_margin)}"
        f"{_allowed(settings)}{part}: "
        f"{_latency_ratio(ratio, settings.alpha)} over all steps{tail}; "
        f"{_requests(step.canary_requests)} of it in this step."
    )


def latency_unclear(labels: LatencyLabels, step: StepCounts, settings: JudgeSettings) -> str:
    """Why latency does not yet promote."""
    return (
        f"Not yet shown that the canary is less than {percent(settings.latency_tolerance)}{_allowed(settings)} "
        f"slower than the baseline: {_latency_ratio(labels.step_ratio(), settings.alpha)} "
        f"after {_requests(step.canary_requests)} of it in this step."
    )


def counted_worse(name: str, labels: CountedLabels, settings: JudgeSettings) -> str:
    """Why a counted metric aborts; the odds ratio is that of all steps."""
    low, high = odds_interval(labels.rollout, settings.alpha)
    best = likeliest_odds(labels.rollout)
    return (
        f"More of the canary's {name} goes badly: {best:.3g} times the odds ({percent(1 - settings.alpha)} interval "
        f"{low:.3g} to {high:.3g}) over all steps; {_counted_in_step(labels)}."
    )


def counted_unclear(metric: CountedMetric, labels: CountedLabels, settings: JudgeSettings) -> str:
    """Why a counted metric does not yet promote."""
    low, high = odds_interval(labels.step, settings.promotion_alpha)
    return (
        f"Not yet shown that the canary's {metric.name} goes badly at less than {metric.tolerance:g} times the "
        f"baseline's odds (now {low:.3g} to {high:.3g} times); {_counted_in_step(labels)}."
    )


def share_misfit(check: ShareCheck) -> str:
    """Why counts that do not fit the share prove nothing."""
    return (
        f"The canary received {percent(check.observed)} of {_requests(check.total)} where "
        f"{percent(check.wanted)} was wanted, so the counts cannot be trusted."
    )


def too_few(step: StepCounts, settings: JudgeSettings) -> str:
    """Why a step has not lasted long enough."""
    needed = _requests(settings.minimum_requests)
    return f"The canary has answered {step.canary_requests:,} of the {needed} that this step needs."


def promoted(state: JudgeState, step: StepCounts, settings: JudgeSettings) -> str:
    """Why the share may rise."""
    estimate = state.latency.step_ratio() if state.latency else None
    latency = f"; {_latency_ratio(estimate, settings.alpha)}" if estimate else ""
    counted = ""
    for metric, labels in zip(settings.counted, state.counted, strict=True):
        counted += f"; {metric.name}{'' if metric.promotes else ', which only aborts'}: {_counted_in_step(labels)}"
    return f"The canary is shown to be within its tolerances: {_errors_in_step(step)}{latency}{counted}."


def promoted_alone(step: StepCounts, settings: JudgeSettings) -> str:
    """Why the step without another arm is done."""
    return (
        f"The canary alone fails on less than {percent(settings.error_rate_limit)} of requests: "
        f"{step.canary_errors:,} errors in {_requests(step.canary_requests)}."
    )


def unclear_alone(step: StepCounts, settings: JudgeSettings) -> str:
    """Why the step without another arm is not done."""
    return (
        f"Not yet shown that the canary fails on less than {percent(settings.error_rate_limit)} of requests: "
        f"{step.canary_errors:,} errors in {_requests(step.canary_requests)}."
    )


def _allowed(settings: JudgeSettings) -> str:
    allowance = settings.latency_allowance_ms
    return f" and the {allowance:.3g} ms that are the link's" if allowance else ""


def _requests(count: float) -> str:
    return f"{count:,.0f} request{'' if count == 1 else 's'}"


def _errors_in_step(step: StepCounts) -> str:
    return (
        f"in this step {step.canary_errors:,} errors in {_requests(step.canary_requests)} of the canary against "
        f"{step.baseline_errors:,} in {step.baseline_requests:,} of the baseline"
    )


def _counted_in_step(labels: CountedLabels) -> str:
    if labels.step_counts is None:
        return "nothing in this step"
    canary, baseline = labels.step_counts
    return (
        f"in this step {canary.good:,} of {canary.total:,} events of the canary went well against {baseline.good:,} of "
        f"{baseline.total:,} of the baseline"
    )


def _interval(low: float, high: float) -> str:
    if high >= GRID[-1]:
        return f"at least {low:.2g} times"
    if low <= GRID[0]:
        return f"at most {high:.2g} times"
    return f"{low:.2g} to {high:.2g} times"


def _error_ratio(labels: ErrorLabels, alpha: float) -> str:
    low, high = ratio_interval(labels.rollout, alpha)
    best = likeliest_ratio(labels.rollout)
    if high >= GRID[-1]:
        return f"at least {low:.2g} times its error rate ({percent(1 - alpha)} confidence)"
    return f"{best:.2g} times its error rate ({percent(1 - alpha)} interval {low:.2g} to {high:.2g})"


def _latency_ratio(estimate: tuple[float, float] | None, alpha: float) -> str:
    if estimate is None:
        return "latencies of both arms are too few to compare"
    low, high = log_mean_interval(estimate, alpha)
    return (
        f"it takes {math.exp(estimate[0]):.2f} times as long (geometric mean, {percent(1 - alpha)} interval "
        f"{math.exp(low):.2f} to {math.exp(high):.2f})"
    )


def _tail(compared: QuantileComparison) -> str:
    canary, baseline = compared.canary_ms, compared.baseline_ms
    return (
        f"{percent(compared.quantile)} of its requests in this step take up to {canary.estimate:.3g} ms "
        f"({_between(canary)}), of the baseline's up to {baseline.estimate:.3g} ms ({_between(baseline)})"
    )


def _between(interval: Interval) -> str:
    if interval.high == math.inf:
        return f"at least {interval.low:.3g}"
    return f"{interval.low:.3g} to {interval.high:.3g}"
