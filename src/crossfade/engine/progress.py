"""What a person sees, from the state and the last look."""

from datetime import datetime, timedelta
from typing import TypeVar

from crossfade.model.counts import ArmCounts
from crossfade.model.events import Looked
from crossfade.model.progress import ArmRates, Progress
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Phase
from crossfade.report.end_words import aim
from crossfade.runbook.comparing import awaits_answers
from crossfade.runbook.phases import Await, Course, Gate, Reach, rungs
from crossfade.runbook.state import State

T = TypeVar("T")
_RATES_OVER = timedelta(seconds=3)


def progress_of(state: State, seen: Seen, now: datetime) -> Progress:
    replication, way_back, files = _known(seen.replication.value), _known(seen.way_back.value), _known(seen.files.value)
    looked = state.looked
    recent = [look for at, look in state.recent if now - at <= _RATES_OVER]
    step = state.step
    return Progress(
        at=now,
        phase=state.phase,
        course=state.course.value,
        held=state.held is not None,
        doing=aim(step.end) if isinstance(step, Reach) else None,
        waiting=_waiting(state),
        canary_percent=state.canary_percent,
        baseline=_rates(recent, "baseline"),
        canary=_rates(recent, "canary"),
        lag=replication.lag if replication else None,
        lag_bytes=replication.lag_bytes if replication else None,
        retained_wal_bytes=replication.retained_wal_bytes if replication else None,
        writer=state.writer,
        way_back_proven=way_back.proven if way_back else None,
        files_pending=files.pending if files else None,
        verdict=looked.verdict if looked else None,
        reason=looked.reason if looked else None,
        e_value=looked.e_value if looked else None,
        time_left=time_left(state, now),
        warnings=tuple(warning.reason for warning in state.warnings),
    )


def time_left(state: State, now: datetime) -> timedelta | None:
    """The waits still to come on the way forward; what the adapters take comes on top. None when it is not forward."""
    plan = state.plan
    if plan is None or state.phase is None or state.course is not Course.FORWARD or state.outcome is not None:
        return None
    left = timedelta()
    for phase in list(Phase)[list(Phase).index(state.phase) :]:
        if phase is Phase.BAKE:
            left += plan.bake
        if phase is Phase.SHADOW:
            left += _comparing(state, now)
        if phase is Phase.CANARY:
            left += sum((rung.bake for rung in rungs(plan)), plan.preview or timedelta())
    if state.phase is Phase.CANARY:
        passed = [step for step in state.steps[: state.cursor] if isinstance(step, Await) and step.gate is Gate.JUDGED]
        left -= sum((rungs(plan)[step.rung].bake for step in passed), _previewed(state, now))
    step = state.step
    if isinstance(step, Await) and step.gate in {Gate.JUDGED, Gate.BAKED}:
        full = rungs(plan)[step.rung].bake if step.gate is Gate.JUDGED else plan.bake
        left -= min(full, state.held_since(now))
    elif state.phase is Phase.BAKE and any(
        isinstance(s, Await) and s.gate is Gate.BAKED for s in state.steps[: state.cursor]
    ):
        left -= plan.bake
    if state.moved is None or state.phase is Phase.FINALIZE:
        return left
    return max(left, state.moved + plan.keep_warm - now)


def _previewed(state: State, now: datetime) -> timedelta:
    """How much of the preview is over."""
    preview = state.plan_or_raise.preview
    if preview is None or any(
        isinstance(step, Await) and step.gate is Gate.PREVIEWED for step in state.steps[: state.cursor]
    ):
        return preview or timedelta()
    return min(preview, now - state.sound_since) if state.sound_since else timedelta()


def _comparing(state: State, now: datetime) -> timedelta:
    """How long answers are still compared at least."""
    plan = state.plan_or_raise
    if not plan.mirror_percent or Await(gate=Gate.ANSWERS_AGREE) in state.steps[: state.cursor]:
        return timedelta()
    passed = state.held_since(now) if awaits_answers(state) else timedelta()
    return max(plan.shadow.duration - passed, timedelta())


def _waiting(state: State) -> str | None:
    """What is waited for; the judge's own words stand beside it, newer than the journal's."""
    if state.waits is None:
        return None
    return "for the judge" if state.waits.cause.startswith("judge:") else state.waits.reason


def _known(value: T | NoData) -> T | None:
    return None if isinstance(value, NoData) else value


def _rates(looks: list[Looked], arm: str) -> ArmRates | None:
    if not looks:
        return None
    counts: list[ArmCounts] = [getattr(look, arm) for look in looks]
    seconds = sum(look.duration.total_seconds() for look in looks)
    requests, errors = sum(c.requests for c in counts), sum(c.errors for c in counts)
    histograms = [c.latency for c in counts if c.latency is not None]
    total = histograms[0] if histograms else None
    for histogram in histograms[1:]:
        total = total + histogram if total else histogram
    return ArmRates(
        requests_per_second=requests / seconds if seconds else 0.0,
        error_rate=errors / requests if requests else 0.0,
        p50_ms=total.quantile_ms(0.5) if total else None,
        p95_ms=total.quantile_ms(0.95) if total else None,
    )
