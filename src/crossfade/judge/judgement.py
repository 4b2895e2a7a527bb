"""The judge: folds looks into evidence and says promote, hold or abort. Pure and deterministic."""

from crossfade.judge import reasons
from crossfade.judge.capital import e_value
from crossfade.judge.counted_labels import CountedLabels
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.judge.look import Look, LookInvalid, look_faults
from crossfade.judge.promotion import Lack, lacking
from crossfade.judge.settings import CountedMetric, JudgeSettings, Metric
from crossfade.judge.state import JudgeState
from crossfade.judge.step import ShareCheck, StepCounts
from crossfade.judge.verdict import Decision, Verdict


def begin(settings: JudgeSettings) -> JudgeState:
    """The state before the first look: no evidence at all."""
    return JudgeState(counted=tuple(CountedLabels() for _ in settings.counted))


def judge(state: JudgeState, look: Look, settings: JudgeSettings) -> tuple[JudgeState, Verdict]:
    """The state and the verdict after one more look. Looks come in order; the same looks give the same answers.

    Over a whole rollout a canary that is not worse (errors: rate not above the baseline's; latency: not slower beyond
    the margin; counted metrics: odds of going badly within theirs) is aborted with a chance of at most alpha, however
    often one looks. A promotion needs evidence in its own step. A look without requests, or whose counts do not
    fit its share, changes nothing and holds. Looks at share 0 teach the judge the baseline's latencies before the
    rollout.
    Raises LookInvalid for counts that cannot be.
    """
    if faults := look_faults(look, state.latency.edges_ms if state.latency else None):
        raise LookInvalid(faults)
    if look.baseline.requests + look.canary.requests == 0:
        reason = "No data: neither arm answered a request in this look."
        return state, _verdict(state, settings, Decision.HOLD, (reason, None))
    share = ShareCheck.of(look)
    if not share.fits(settings.sticky_users):
        return state, _verdict(state, settings, Decision.HOLD, (reasons.share_misfit(share), None))
    state = state.at_step(look.step)
    assert state.step is not None
    step = state.step.after(look, share)
    state = _learned(state, step, look, settings)
    worst = state.worst(settings)
    if state.log_e(worst, settings) >= settings.log_threshold_of(worst):
        return state, _verdict(state, settings, Decision.ABORT, (_why_abort(state, step, worst, settings), worst))
    if lack := lacking(state, step, look, settings):
        return state, _verdict(state, settings, Decision.HOLD, lack, worst)
    reason = reasons.promoted_alone(step, settings) if look.share == 1 else reasons.promoted(state, step, settings)
    return state, _verdict(state, settings, Decision.PROMOTE, (reason, None), worst)


def _learned(state: JudgeState, step: StepCounts, look: Look, settings: JudgeSettings) -> JudgeState:
    errors, latency = state.errors, state.latency
    if Metric.ERRORS in settings.metrics and look.baseline.requests and look.canary.requests:
        errors = errors.after(look)
    baseline, canary = look.baseline.latency, look.canary.latency
    if Metric.LATENCY in settings.metrics and baseline is not None and canary is not None:
        latency = (latency or LatencyLabels.unlearnt(baseline.edges_ms)).after(baseline, canary, settings)
    counted = state.counted
    if counted:
        each = zip(counted, settings.counted, strict=True)
        counted = tuple(_counted(labels, look, metric) for labels, metric in each)
    return JudgeState(errors=errors, latency=latency, counted=counted, step=step)


def _counted(labels: CountedLabels, look: Look, metric: CountedMetric) -> CountedLabels:
    canary, baseline = look.canary.metric(metric.name), look.baseline.metric(metric.name)
    return labels if canary is None or baseline is None else labels.after(canary, baseline, metric.margin)


def _why_abort(state: JudgeState, step: StepCounts, name: str, settings: JudgeSettings) -> str:
    labels = state.labels(name, settings)
    if isinstance(labels, LatencyLabels):
        return reasons.latency_worse(labels, step, settings)
    if isinstance(labels, CountedLabels):
        return reasons.counted_worse(name, labels, settings)
    return reasons.errors_worse(state.errors, step, settings.alpha)


def _verdict(
    state: JudgeState, settings: JudgeSettings, decision: Decision, told: Lack, worst: str | None = None
) -> Verdict:
    """`told` are the reason and the metric that decided, `worst` the metric that is worst where that is known."""
    reason, metric = told
    name = metric or worst or state.worst(settings)
    return Verdict(
        decision=decision,
        metric=metric,
        e_value=e_value(state.log_e(name, settings)),
        threshold=settings.threshold_of(name),
        reason=reason,
    )
