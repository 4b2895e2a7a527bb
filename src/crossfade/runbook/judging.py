"""Between the runbook and the judge: what two readings become, and what judge and guards are told of the plan."""

from datetime import datetime
from functools import lru_cache

from crossfade.judge import (
    BurnLimit,
    CountedMetric,
    Decision,
    GuardLimits,
    GuardState,
    JudgeSettings,
    JudgeState,
    Look,
    LookInvalid,
    begin,
    check_guards,
    guard_window,
    judge,
)
from crossfade.model.counts import ArmReading
from crossfade.model.events import Looked
from crossfade.model.plan import Plan
from crossfade.model.terms import NoData, Sighting
from crossfade.runbook.phases import rungs
from crossfade.runbook.state import State


@lru_cache(maxsize=8)
def judge_settings(plan: Plan) -> JudgeSettings:
    limits = plan.judge
    return JudgeSettings(
        alpha=limits.alpha,
        latency_margin=limits.latency_margin,
        latency_allowance_ms=limits.link_allowance.total_seconds() * 1000,
        latency_tolerance=limits.latency_tolerance,
        error_tolerance=limits.error_tolerance,
        error_rate_limit=plan.guards.error_rate,
        minimum_requests=limits.minimum_requests,
        counted=tuple(
            CountedMetric(name=each.name, margin=each.margin, tolerance=each.tolerance, promotes=each.promotes)
            for each in limits.counted
        ),
    )


@lru_cache(maxsize=8)
def guard_limits(plan: Plan) -> GuardLimits:
    limits = plan.guards
    return GuardLimits(
        error_rate=limits.error_rate,
        p95_ms=limits.p95.total_seconds() * 1000,
        window=limits.window,
        availability=limits.availability,
        burn=tuple(BurnLimit(rate=b.rate, window=b.window, short_window=b.short_window) for b in limits.burn),
        minimum_requests=limits.minimum_requests,
        minimum_errors=limits.minimum_errors,
    )


def begin_judging(plan: Plan) -> JudgeState:
    return begin(judge_settings(plan))


def fresh_reading(state: State, arms: Sighting[ArmReading], now: datetime) -> ArmReading | NoData:
    """The reading, if it is young enough to be believed."""
    if isinstance(arms.value, NoData):
        return arms.value
    age = now - counted_until(arms.value, arms.at)
    if state.plan is not None and age > state.plan.fresh:
        return NoData(reason=f"the router's counters are {age.total_seconds():.0f} s old")
    return arms.value


def counted_until(reading: ArmReading, at: datetime) -> datetime:
    """Up to when everything is counted in a reading that was taken at `at`; a source may count late, never early."""
    return at if reading.until is None else min(reading.until, at)


def look_at(state: State, reading: ArmReading, at: datetime) -> Looked | NoData:
    """What happened since the last reading, judged; NO_DATA when the two readings cannot be compared.

    A source that counts late may have nothing new: then the look waits for it.
    """
    plan, judged, counting = state.plan, state.judge, state.counting
    if plan is None or judged is None or counting is None:
        return NoData(reason="counting has not begun")
    if reading.boot != counting.reading.boot:
        return NoData(reason="the router was restarted: its counters began anew")
    look = Look(
        step=rung_of(plan, state.canary_percent),
        share=state.canary_percent / 100,
        duration=counted_until(reading, at) - counted_until(counting.reading, counting.at),
        baseline=reading.baseline - counting.reading.baseline,
        canary=reading.canary - counting.reading.canary,
    )
    try:
        _, verdict = judge(judged, look, judge_settings(plan))
    except LookInvalid as fault:
        return NoData(reason=str(fault))
    looks = [as_look(earlier) for _, earlier in state.recent]
    guards = check_guards(guard_window([*looks, look], guard_limits(plan)), guard_limits(plan))
    return Looked(
        step=look.step,
        share=look.share,
        duration=look.duration,
        baseline=look.baseline,
        canary=look.canary,
        reading=reading,
        verdict=str(verdict.decision),
        metric=verdict.metric,
        e_value=verdict.e_value,
        reason=verdict.reason,
        guard=guards.reason if guards.state is GuardState.BREACHED else None,
    )


def as_look(looked: Looked) -> Look:
    return Look(
        step=looked.step,
        share=looked.share,
        duration=looked.duration,
        baseline=looked.baseline,
        canary=looked.canary,
    )


def aborts(looked: Looked) -> bool:
    return looked.verdict == Decision.ABORT


def promotes(looked: Looked) -> bool:
    return looked.verdict == Decision.PROMOTE


def rung_of(plan: Plan, percent: float) -> int:
    """The ladder's step at which the canary has `percent`, counted from 1; 0 below the first."""
    return sum(1 for rung in rungs(plan) if rung.percent <= percent)
