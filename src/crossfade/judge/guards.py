"""Absolute limits beside the judge: error rate, p95 latency, burn rate. Pure.

They see what a comparison cannot wait for or cannot see: gross damage, or a canary that is alone. They are blunt, so
each needs minimum counts; and while there is a baseline, only what it clearly does not share is the canary's fault.
Source: Beyer et al., 'The Site Reliability Workbook' (2018), ch. 5, 'Alerting on SLOs' (burn rates, two windows).
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from crossfade.judge.error_labels import errors_counted
from crossfade.judge.guard_limits import BurnLimit, GuardLimits
from crossfade.judge.look import Look
from crossfade.judge.lumps import Failures, scatter
from crossfade.judge.reasons import percent
from crossfade.model.counts import ArmCounts, LatencyHistogram

# Of blaming a canary that fails no more often than the baseline: spent by each guard at each look. The four guards of
# the default limits spend less than 0.2 % in all over the 220 looks of the default ladder that compare.
CHANCE_PER_LOOK = 2e-6
_TELLING_FAILURES = 3.0
_NEGLIGIBLE_BASELINE = 1 / 40  # of the requests: where so few went to it, the canary is as good as alone
_SLOW_PART = 0.05  # of requests, which a p95 lets be slower


class GuardState(StrEnum):
    """What a guard found; only BREACHED calls for going back, NO_DATA holds."""

    CLEAR = "clear"
    NO_DATA = "no_data"
    COMMON = "common"
    BREACHED = "breached"


class GuardKind(StrEnum):
    """Which limit."""

    ERROR_RATE = "error_rate"
    P95 = "p95"
    BURN_RATE = "burn_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCounts:
    """Counts of the last so many seconds; `baseline` is None where there is one arm only.

    `looks` are those that were summed, in order of time; where there are none each failure counts for itself.
    """

    canary: ArmCounts
    baseline: ArmCounts | None = None
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardWindow:
    """The latest counts by length of window. A window that is missing is no data."""

    counts: Mapping[timedelta, WindowCounts]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardVerdict:
    """The worst that any guard found; `guard` is the one that did, None when all are clear."""

    state: GuardState
    guard: GuardKind | None
    reason: str


def guard_window(looks: Sequence[Look], limits: GuardLimits) -> GuardWindow:
    """Counts over each window from looks in order of time, the newest last; a look counts whole or not.

    A window longer than all looks together counts them all: early in a rollout that is all there is. One arm only (no
    requests of the baseline wanted, share 1) gives no baseline.
    """
    counts = {}
    for span in limits.windows:
        covered = timedelta(0)
        chosen: list[Look] = []
        for look in reversed(looks):
            if chosen and covered + look.duration > span:
                break
            covered += look.duration
            chosen.append(look)
        if chosen:
            compared = [look.baseline for look in chosen if look.share < 1]
            counts[span] = WindowCounts(
                canary=_sum([look.canary for look in chosen]),
                baseline=_sum(compared) if compared else None,
                looks=tuple(reversed(chosen)),
            )
    return GuardWindow(counts=counts)


def check_guards(window: GuardWindow, limits: GuardLimits) -> GuardVerdict:
    """The worst finding of all guards: breached, else a common incident, else no data, else clear."""
    found = [
        _error_rate(window, limits),
        _p95(window, limits),
        *(_burn(window, limits, limit) for limit in limits.burn),
    ]
    order = (GuardState.BREACHED, GuardState.COMMON, GuardState.NO_DATA)
    for state in order:
        for verdict in found:
            if verdict.state is state:
                return verdict
    return GuardVerdict(state=GuardState.CLEAR, guard=None, reason="Every absolute limit is kept.")


def _error_rate(window: GuardWindow, limits: GuardLimits) -> GuardVerdict:
    kind, limit = GuardKind.ERROR_RATE, limits.error_rate
    if limit is None:
        return _clear(kind)
    counts = window.counts.get(limits.window)
    if counts is None or counts.canary.requests < limits.minimum_requests:
        return _no_data(kind, limits.window, counts, limits)
    failures = _errors(counts)
    if failures.lumps < limits.minimum_errors or _rate(counts.canary) <= limit:
        return _clear(kind)
    return _blamed(kind, failures, limits, _fails(counts.canary, f"above the limit of {percent(limit)}"))


def _burn(window: GuardWindow, limits: GuardLimits, burn: BurnLimit) -> GuardVerdict:
    # Rounded, or 10 times 0.1 % would be a little more than 1 % and a rate of just that not reach it.
    kind, limit = GuardKind.BURN_RATE, round(burn.rate * (1 - limits.availability), 12)
    counts, latest = window.counts.get(burn.window), window.counts.get(burn.short_window)
    if counts is None or latest is None or counts.canary.requests < limits.minimum_requests:
        return _no_data(kind, burn.window, counts, limits)
    still = latest.canary.requests > 0 and _rate(latest.canary) >= limit
    failures = _errors(counts)
    if failures.lumps < limits.minimum_errors or _rate(counts.canary) < limit or not still:
        return _clear(kind)
    times = _rate(counts.canary) / (1 - limits.availability)
    budget = percent(1 - limits.availability)
    text = f"burning the error budget of {budget} {times:.3g} times as fast as it may (limit {burn.rate:g})"
    return _blamed(kind, failures, limits, _fails(counts.canary, text))


def _p95(window: GuardWindow, limits: GuardLimits) -> GuardVerdict:
    kind, limit = GuardKind.P95, limits.p95_ms
    if limit is None:
        return _clear(kind)
    counts = window.counts.get(limits.window)
    p95 = _p95_ms(counts.canary, limits) if counts else None
    if counts is None or p95 is None:
        return _no_data(kind, limits.window, counts, limits)
    failures = _slow(counts, limit)
    if failures.chance_at(_SLOW_PART) >= CHANCE_PER_LOOK:
        return _clear(kind)
    return _blamed(
        kind,
        failures,
        limits,
        f"95 % of the canary's requests take up to {p95:.0f} ms, above the limit of {limit:g} ms, and "
        f"{percent(failures.canary_rate)} take longer than that limit",
    )


def _blamed(kind: GuardKind, failures: Failures, limits: GuardLimits, what: str) -> GuardVerdict:
    """The canary is beyond a limit: its own fault, or one that the baseline shares?"""
    requests = failures.baseline_requests
    could_tell = requests * failures.canary_rate >= _TELLING_FAILURES
    negligible = requests < _NEGLIGIBLE_BASELINE * (requests + failures.canary_requests)
    twice = failures.canary_rate >= limits.common_ratio * failures.baseline_rate
    if (negligible and not could_tell) or (twice and failures.chance_of_lot() < CHANCE_PER_LOOK):
        return GuardVerdict(state=GuardState.BREACHED, guard=kind, reason=f"{what}.")
    rate = percent(failures.baseline_rate)
    if not could_tell:
        reason = f"{what}; the baseline's {requests:,} requests are too few to tell whether it does as well."
        return GuardVerdict(state=GuardState.NO_DATA, guard=kind, reason=reason)
    reason = f"{what}, and so does the baseline on {rate}: a common incident."
    if twice:
        reason = f"{what}, the baseline on {rate}, which may be chance: taken for a common incident."
    return GuardVerdict(state=GuardState.COMMON, guard=kind, reason=reason)


def _fails(canary: ArmCounts, what: str) -> str:
    return f"The canary fails on {percent(_rate(canary))} of {canary.requests:,} requests, {what}"


def _errors(counts: WindowCounts) -> Failures:
    """Errors; users with errors in looks in which both arms tell them."""
    each = [errors_counted(look) for look in counts.looks]
    if not each:
        each = [(counts.canary.errors, counts.baseline.errors if counts.baseline else 0)]
    requests = counts.canary.requests, counts.baseline.requests if counts.baseline else 0
    return _failures(each, requests, lumped=bool(counts.looks))


def _slow(counts: WindowCounts, limit: float) -> Failures:
    """Requests that took longer than the limit, of those whose latency is known."""
    each = [(_slower(look.canary, limit), _slower(look.baseline, limit)) for look in counts.looks]
    if not each:
        each = [(_slower(counts.canary, limit), _slower(counts.baseline, limit) if counts.baseline else 0.0)]
    requests = _timed(counts.canary), _timed(counts.baseline) if counts.baseline else 0
    return _failures(each, requests, lumped=bool(counts.looks))


def _failures(each: Sequence[tuple[float, float]], requests: tuple[int, int], *, lumped: bool) -> Failures:
    """Of `each` look (or of all together) the failures of canary and baseline, in so many `requests` of both."""
    canary, baseline = zip(*each, strict=True)
    compared = baseline if requests[1] else ()
    return Failures(
        canary=sum(canary),
        canary_requests=requests[0],
        baseline=sum(compared),
        baseline_requests=requests[1],
        scatter=max(scatter(canary), scatter(compared)) if lumped else 1.0,
    )


def _timed(arm: ArmCounts) -> int:
    return sum(arm.latency.counts) if arm.latency else 0


def _slower(arm: ArmCounts, limit: float) -> float:
    """Requests above the limit, interpolated within its bin as a quantile is."""
    if arm.latency is None:
        return 0.0
    edges, counts = arm.latency.edges_ms, arm.latency.counts
    at = bisect_left(edges, limit)
    above = float(sum(counts[at + 1 :]))
    if at == len(edges):
        return above
    low = edges[at - 1] if at else 0.0
    return above + counts[at] * (edges[at] - limit) / (edges[at] - low)


def _p95_ms(arm: ArmCounts, limits: GuardLimits) -> float | None:
    if arm.latency is None or _timed(arm) < limits.minimum_requests:
        return None
    return arm.latency.quantile_ms(0.95)


def _rate(arm: ArmCounts) -> float:
    return arm.errors / arm.requests if arm.requests else 0.0


def _clear(kind: GuardKind) -> GuardVerdict:
    return GuardVerdict(state=GuardState.CLEAR, guard=kind, reason="Within its limit.")


def _no_data(kind: GuardKind, span: timedelta, counts: WindowCounts | None, limits: GuardLimits) -> GuardVerdict:
    seen = counts.canary.requests if counts else 0
    reason = (
        f"Too little data for the guard of {kind.value.replace('_', ' ')}: {seen:,} requests "
        f"in {span.total_seconds():g} s, {limits.minimum_requests:,} needed."
    )
    return GuardVerdict(state=GuardState.NO_DATA, guard=kind, reason=reason)


def _sum(arms: Sequence[ArmCounts]) -> ArmCounts:
    """All counts together; latencies only where all have them."""
    histograms = [arm.latency for arm in arms if arm.latency is not None]
    latency: LatencyHistogram | None = None
    if len(histograms) == len(arms):
        columns = zip(*(histogram.counts for histogram in histograms), strict=True)
        latency = LatencyHistogram(edges_ms=histograms[0].edges_ms, counts=tuple(map(sum, columns)))
    return ArmCounts(
        requests=sum(arm.requests for arm in arms), errors=sum(arm.errors for arm in arms), latency=latency
    )
