"""What was asked for: the plan that a journal begins with, as labels and texts."""

from collections.abc import Sequence
from datetime import timedelta

from crossfade.journal.port import Entry
from crossfade.model.events import MigrationPlanned
from crossfade.model.plan import GuardLimits, JudgeLimits, NeededApproval, Plan, ReplicationLimits, ShadowLimits
from crossfade.report.telling import threshold
from crossfade.report.units import say_bytes, say_count, say_duration, say_number, say_percent

Lines = tuple[tuple[str, str], ...]


def plan_in_words(entries: Sequence[Entry]) -> Lines:
    """The plan's lines; empty for a journal without a plan."""
    return next((_lines(entry.event.plan) for entry in entries if isinstance(entry.event, MigrationPlanned)), ())


def _lines(plan: Plan) -> Lines:
    ladder = ", ".join(f"{say_percent(step.percent)} for {say_duration(step.bake)}" for step in plan.ladder)
    return (
        ("Ladder", ladder or "none") if plan.preview is None else ("Blue-green", _blue_green(plan)),
        ("Bake time on the target", say_duration(plan.bake)),
        ("Old side kept warm", f"{say_duration(plan.keep_warm)} after everybody has moved" if plan.keep_warm else "no"),
        ("Approvals", "; ".join(map(_approval, plan.approvals)) or "none"),
        ("Mirror", _mirror(plan.mirror_percent, plan.shadow) if plan.mirror_percent else "off"),
        ("Judge", f"{_judge(plan.judge)}; aborts at an e-value of {say_number(threshold(plan))}"),
        ("Guards", _guards(plan.guards)),
        ("Replication limits", _replication(plan.replication)),
    )


def _blue_green(plan: Plan) -> str:
    preview = say_duration(plan.preview or timedelta())
    return f"checked for {preview} at 0 %, then 100 %, watched for {say_duration(plan.ladder[-1].bake)}"


def _approval(needed: NeededApproval) -> str:
    whose = f"one of {', '.join(needed.by)}" if needed.by else "anybody"
    if needed.count > 1:
        whose = f"{needed.count} of {', '.join(needed.by)}" if needed.by else f"{needed.count} people"
    stand_in = f", or the {needed.stand_in} itself" if needed.stand_in else ""
    share = "" if needed.share is None else f" to {say_percent(needed.share)}"
    valid = f", valid for {say_duration(needed.valid_for)}" if needed.valid_for else ""
    return f"{needed.phase}{share} by {whose}{stand_in}{valid}"


def _mirror(percent: float, limits: ShadowLimits) -> str:
    return (
        f"{say_percent(percent)} of reads; answers are compared for {say_duration(limits.duration)} and "
        f"{say_count(limits.minimum_pairs)} pairs at least, the legacy side asked twice in "
        f"{say_percent(100 * limits.repeat)}; at most {say_percent(100 * limits.max_difference)} may differ beyond "
        "noise"
    )


def _judge(limits: JudgeLimits) -> str:
    counted = "".join(
        f"{metric.name}: odds of going badly below {metric.tolerance:g} times the baseline's, "
        f"margin {say_percent(100 * metric.margin)}; "
        for metric in limits.counted
    )
    return (
        f"false aborts at most {say_percent(100 * limits.alpha)} of rollouts; "
        f"latency margin {say_percent(100 * limits.latency_margin)}, "
        f"tolerance {say_percent(100 * limits.latency_tolerance)}; "
        f"errors below {limits.error_tolerance:g} times the baseline's; {counted}"
        f"at least {limits.minimum_requests:,} requests a step"
    )


def _guards(limits: GuardLimits) -> str:
    burns = "".join(
        f", burn rate {burn.rate:g} over {say_duration(burn.window)} and {say_duration(burn.short_window)}"
        for burn in limits.burn
    )
    return (
        f"error rate {say_percent(100 * limits.error_rate)} and p95 {say_duration(limits.p95)} "
        f"over {say_duration(limits.window)}; availability {100 * limits.availability:g} %{burns}; "
        f"only from {limits.minimum_requests:,} requests on"
    )


def _replication(limits: ReplicationLimits) -> str:
    return (
        f"{say_duration(limits.lag)} and {say_bytes(limits.lag_bytes)} behind, "
        f"{say_bytes(limits.retained_wal_bytes)} of WAL kept"
    )
