"""Absolute limits beside the judge: error rate, p95 latency, burn rate. Pure.

They see what a comparison cannot: both arms bad for a reason of the canary's own, or a canary that is alone. They are
blunt, so each needs minimum counts, and a baseline that breaks the same limit makes it a common incident, not the
canary's fault.
Source: Beyer et al., 'The Site Reliability Workbook' (2018), ch. 5, 'Alerting on SLOs' (burn rates, two windows).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import reduce

from scipy.stats import binom

from crossfade.judge.guard_limits import BurnLimit, GuardLimits
from crossfade.judge.look import Look
from crossfade.judge.reasons import percent
from crossfade.model.counts import ArmCounts, LatencyHistogram

_CHANCE = 1e-4
_TELLING_ERRORS = 3.0


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
    """Counts of the last so many seconds; `baseline` is None where there is one arm only."""

    canary: ArmCounts
    baseline: ArmCounts | None = None


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
                canary=reduce(_added, (look.canary for look in chosen)),
                baseline=reduce(_added, compared) if compared else None,
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
    if counts.canary.errors < limits.minimum_errors or _rate(counts.canary) <= limit:
        return _clear(kind)
    return _blamed(kind, counts, limits, f"above the limit of {percent(limit)}")


def _burn(window: GuardWindow, limits: GuardLimits, burn: BurnLimit) -> GuardVerdict:
    # Rounded, or 10 times 0.1 % would be a little more than 1 % and a rate of just that not reach it.
    kind, limit = GuardKind.BURN_RATE, round(burn.rate * (1 - limits.availability), 12)
    counts, latest = window.counts.get(burn.window), window.counts.get(burn.short_window)
    if counts is None or latest is None or counts.canary.requests < limits.minimum_requests:
        return _no_data(kind, burn.window, counts, limits)
    still = latest.canary.requests > 0 and _rate(latest.canary) >= limit
    if counts.canary.errors < limits.minimum_errors or _rate(counts.canary) < limit or not still:
        return _clear(kind)
    times = _rate(counts.canary) / (1 - limits.availability)
    budget = percent(1 - limits.availability)
    text = f"burning the error budget of {budget} {times:.3g} times as fast as it may (limit {burn.rate:g})"
    return _blamed(kind, counts, limits, text)


def _blamed(kind: GuardKind, counts: WindowCounts, limits: GuardLimits, what: str) -> GuardVerdict:
    """The canary is beyond a limit of its error rate: its own fault, or one that the baseline shares?"""
    canary, baseline = counts.canary, counts.baseline
    text = f"The canary fails on {percent(_rate(canary))} of {canary.requests:,} requests, {what}"
    if baseline is not None and _could_tell(canary, baseline) and not _clearly_worse(canary, baseline, limits):
        reason = f"{text}, and so does the baseline on {percent(_rate(baseline))}: a common incident."
        return GuardVerdict(state=GuardState.COMMON, guard=kind, reason=reason)
    return GuardVerdict(state=GuardState.BREACHED, guard=kind, reason=text + ".")


def _could_tell(canary: ArmCounts, baseline: ArmCounts) -> bool:
    """Had the baseline failed as often as the canary, some of its errors would have been seen."""
    return baseline.requests * _rate(canary) >= _TELLING_ERRORS


def _clearly_worse(canary: ArmCounts, baseline: ArmCounts, limits: GuardLimits) -> bool:
    """More than chance: a dozen errors that fall on two arms by lot fall ten to two often enough.

    The errors' labels are binomial when both arms fail alike (docs/judge.md); the bound is small because a guard is
    asked at every look.
    """
    share = canary.requests / (canary.requests + baseline.requests)
    by_chance = float(binom.sf(canary.errors - 1, canary.errors + baseline.errors, share))
    return by_chance < _CHANCE and _rate(canary) >= limits.common_ratio * _rate(baseline)


def _p95(window: GuardWindow, limits: GuardLimits) -> GuardVerdict:
    kind, limit = GuardKind.P95, limits.p95_ms
    if limit is None:
        return _clear(kind)
    counts = window.counts.get(limits.window)
    canary = _slow(counts.canary, limits) if counts else None
    if counts is None or canary is None:
        return _no_data(kind, limits.window, counts, limits)
    if canary <= limit:
        return _clear(kind)
    baseline = _slow(counts.baseline, limits) if counts.baseline else None
    text = f"95 % of the canary's requests take up to {canary:.0f} ms, above the limit of {limit:g} ms"
    if baseline is not None and canary < limits.common_ratio * baseline:
        reason = f"{text}, and so do the baseline's with {baseline:.0f} ms: a common incident."
        return GuardVerdict(state=GuardState.COMMON, guard=kind, reason=reason)
    return GuardVerdict(state=GuardState.BREACHED, guard=kind, reason=text + ".")


def _slow(arm: ArmCounts, limits: GuardLimits) -> float | None:
    if arm.latency is None or sum(arm.latency.counts) < limits.minimum_requests:
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


def _added(one: ArmCounts, other: ArmCounts) -> ArmCounts:
    latency: LatencyHistogram | None = None
    if one.latency is not None and other.latency is not None:
        counts = tuple(a + b for a, b in zip(one.latency.counts, other.latency.counts, strict=True))
        latency = LatencyHistogram(edges_ms=one.latency.edges_ms, counts=counts)
    return ArmCounts(requests=one.requests + other.requests, errors=one.errors + other.errors, latency=latency)
