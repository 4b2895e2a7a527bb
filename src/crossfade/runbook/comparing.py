"""Between the runbook and the comparison of shadow answers: when to look, and what a look finds.

The evidence is valid however often one looks: whether the control is asked twice is drawn for each pair by itself, with
a share that is known beforehand. Of the fields the k-th that differs gets no more than alpha / (k (k + 1)), which sums
to alpha over any number of them. Source: docs/shadow.md, 'Live'.
"""

from datetime import datetime

from crossfade.judge.capital import e_value
from crossfade.model.comparing import Agreement, FieldCount, FieldCounts, FieldFinding, FieldJudged, ShadowReading
from crossfade.model.events import AnswersCompared
from crossfade.model.plan import Plan, ShadowLimits
from crossfade.model.terms import NoData, Sighting
from crossfade.runbook.phases import Await, Course, Gate
from crossfade.runbook.state import State
from crossfade.shadow import FieldVerdict
from crossfade.shadow.evidence import log_e_regression, verdict

_FIRST_LOOK_PAIRS = 100
_GROWTH, _GROWTH_WHEN_DUE = 1.25, 1.05  # of the pairs, between two looks that are worth an entry of the journal
_SHARES = 1_000_000
_MOST_UNANSWERED = 0.01  # of the calls since the look before; a candidate that does not answer is not compared
_TOLD = 20  # fields in the journal; the worst come first
_ORDER = {finding: place for place, finding in enumerate(FieldFinding)}


def compare_answers(state: State, sighting: Sighting[ShadowReading], now: datetime) -> AnswersCompared | None:
    """The look that is due at what was collected; None where none is due, or where nobody could collect."""
    reading = fresh_shadow(state.plan_or_raise, sighting, now)
    if isinstance(reading, NoData) or not awaits_answers(state) or not _is_due(state, reading, now):
        return None
    before = last_of_its_boot(state, reading)
    limits, differing = state.plan_or_raise.shadow, max(len(reading.fields), 1)
    threshold = differing * (differing + 1) / limits.alpha
    fields = sorted(
        (_judged(field, reading, threshold, limits) for field in reading.fields),
        key=lambda field: (_ORDER[field.finding], -field.e_value, field.path),
    )
    found, reason = _agreement(fields, reading, before)
    return AnswersCompared(
        reading=_without_fields(reading),
        threshold=threshold,
        fields=tuple(fields[:_TOLD]),
        verdict=found,
        reason=reason,
    )


def awaits_answers(state: State) -> bool:
    """The migration stands at the gate of the shadow phase, on its way forward."""
    step = state.step
    return state.course is Course.FORWARD and isinstance(step, Await) and step.gate is Gate.ANSWERS_AGREE


def fresh_shadow(plan: Plan, sighting: Sighting[ShadowReading], now: datetime) -> ShadowReading | NoData:
    """What was collected, if it was asked lately."""
    if isinstance(sighting.value, NoData) or now - sighting.at <= plan.fresh:
        return sighting.value
    return NoData(reason=f"the collector was last asked {(now - sighting.at).total_seconds():.0f} s ago")


def last_of_its_boot(state: State, reading: ShadowReading) -> ShadowReading:
    """What the last look saw of these counts; nothing of them where the collector has begun anew since."""
    last = state.compared.reading if state.compared else None
    return last if last is not None and last.boot == reading.boot else ShadowReading(boot=reading.boot)


def _is_due(state: State, reading: ShadowReading, now: datetime) -> bool:
    limits = state.plan_or_raise.shadow
    is_time = state.held_since(now) >= limits.duration and reading.pairs >= limits.minimum_pairs
    growth = _GROWTH_WHEN_DUE if is_time else _GROWTH
    least = min(_FIRST_LOOK_PAIRS, limits.minimum_pairs)
    return reading.pairs >= max(growth * last_of_its_boot(state, reading).pairs, least)


def _judged(field: FieldCount, reading: ShadowReading, threshold: float, limits: ShadowLimits) -> FieldJudged:
    counts = field.counts
    repeated = round(_SHARES * limits.repeat)
    log_e = log_e_regression(counts, repeated, _SHARES - repeated)
    found = verdict(counts, log_e, threshold, limits.noise_alpha, limits.noise_ratio)
    is_little = _beyond_noise(counts, reading) <= limits.max_difference
    finding = FieldFinding.TOLERATED if is_little and found is not FieldVerdict.NOISE else FieldFinding(found.value)
    return FieldJudged(
        path=field.path, differ=counts.differ, noise=counts.noise, finding=finding, e_value=e_value(log_e)
    )


def _beyond_noise(counts: FieldCounts, reading: ShadowReading) -> float:
    """The fraction of pairs in which the candidate differs, less that in which the control differs from itself."""
    noise = counts.noise / reading.repeated if reading.repeated else 0.0
    return counts.differ / reading.pairs - noise


def _agreement(fields: list[FieldJudged], reading: ShadowReading, before: ShadowReading) -> tuple[Agreement, str]:
    wrong = [field for field in fields if field.finding is FieldFinding.REGRESSION]
    if wrong:
        named = ", ".join(f"{field.path} in {field.differ:,}" for field in wrong)
        return Agreement.REGRESSION, f"of {reading.pairs:,} pairs of answers the modern servers' differ: {named}"
    unclear = [field for field in fields if field.finding is FieldFinding.UNCLEAR]
    if unclear:
        named = ", ".join(f"{field.path} in {field.differ:,} (noise in {field.noise:,})" for field in unclear[:3])
        return Agreement.UNCLEAR, f"of {reading.pairs:,} pairs it is not clear yet why some differ: {named}"
    unanswered = reading.unanswered - before.unanswered
    calls = reading.pairs - before.pairs + unanswered
    if unanswered > _MOST_UNANSWERED * calls:
        return Agreement.UNCLEAR, f"the modern servers left {unanswered:,} of {calls:,} shadow calls unanswered"
    return (
        Agreement.AGREES,
        f"{reading.matched:,} of {reading.pairs:,} pairs of answers match; the others differ by noise, or too seldom",
    )


def _without_fields(reading: ShadowReading) -> ShadowReading:
    """Counts by field stand in the look as they were judged; thousands of them are not for a journal."""
    names = [name for name in ShadowReading.__dataclass_fields__ if name != "fields"]
    return ShadowReading(**{name: getattr(reading, name) for name in names})
