"""Recorded observations of rollouts: JSON Lines, checked whole before anything is judged."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossfade.judge import Look, Metric
from crossfade.judge.look import look_faults
from crossfade.model.counts import CONVERSION, ArmCounts, Counted, LatencyHistogram

Count = Annotated[int, Field(ge=0)]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
_PLACES = {f"{arm}.latency": f"{arm}.latency_ms" for arm in ("baseline", "canary")}


class Record(BaseModel):
    """Strict: nothing is guessed, nothing is passed over."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", frozen=True)


class HistogramRecord(Record):
    """`counts` is one longer than `edges`, which rise, in milliseconds."""

    edges: list[Number]
    counts: list[Count]


class CountedRecord(Record):
    """Of `total` events `good` went well."""

    good: Count
    total: Count


class ArmRecord(Record):
    """What one arm did in a look."""

    requests: Count
    errors: Count
    users_with_errors: Count | None = None
    conversions: Count | None = None
    latency_ms: HistogramRecord | None = None
    counted: dict[MetricName, CountedRecord] = Field(default_factory=dict)

    def counts(self) -> ArmCounts:
        latency = self.latency_ms and LatencyHistogram(
            edges_ms=tuple(self.latency_ms.edges), counts=tuple(self.latency_ms.counts)
        )
        counted = tuple(Counted(name=name, good=each.good, total=each.total) for name, each in self.counted.items())
        return ArmCounts(
            requests=self.requests,
            errors=self.errors,
            latency=latency or None,
            users_with_errors=self.users_with_errors,
            conversions=self.conversions,
            counted=counted,
        )


class LookRecord(Record):
    """One look at both arms; counts of that look alone."""

    step: Count
    share: Annotated[Number, Field(ge=0, le=1)]
    seconds: Annotated[Number, Field(gt=0, le=1e9)]
    baseline: ArmRecord
    canary: ArmRecord

    def look(self) -> Look:
        return Look(
            step=self.step,
            share=self.share,
            duration=timedelta(seconds=self.seconds),
            baseline=self.baseline.counts(),
            canary=self.canary.counts(),
        )


class RolloutRecord(Record):
    """A rollout begins; `metrics` are those to be judged, where they are not to be taken from the looks."""

    rollout: str | int
    metrics: Annotated[list[MetricName], Field(min_length=1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRollout:
    """The looks of one rollout in order; `rollout` is None where none was named."""

    rollout: str | int | None
    looks: tuple[Look, ...] = ()
    declared: tuple[str, ...] | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those declared; else what both arms of some look bring: errors always, latency, conversions, counted ones.

        All looks are asked before any is judged: so a metric that comes later has its part of alpha from the start.
        """
        if self.declared is not None:
            return self.declared
        found: dict[str, None] = {Metric.ERRORS: None}
        for look in self.looks:
            found.update(dict.fromkeys(_brought(look)))
        return tuple(found)


def _brought(look: Look) -> Iterable[str]:
    baseline, canary = look.baseline, look.canary
    if baseline.latency is not None and canary.latency is not None:
        yield Metric.LATENCY
    if baseline.conversions is not None and canary.conversions is not None:
        yield CONVERSION
    if baseline.counted and canary.counted:
        yield from (counted.name for counted in canary.counted if baseline.metric(counted.name) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """What is wrong in a line, counted from 1, and where in it."""

    line: int
    place: str
    problem: str


@dataclass(slots=True)
class _Reading:
    """A rollout while its lines are being read."""

    rollout: str | int | None = None
    looks: list[Look] = field(default_factory=list)
    edges: tuple[float, ...] | None = None
    declared: tuple[str, ...] | None = None

    def add(self, record: LookRecord) -> list[LineFault]:
        look = record.look()
        faults = list(_faults_of_counts(look, self.edges))
        self.looks.append(look)
        histogram = look.baseline.latency or look.canary.latency
        if self.edges is None and histogram is not None:
            self.edges = histogram.edges_ms
        return faults


def read_observations(lines: Iterable[bytes]) -> tuple[tuple[RecordedRollout, ...], tuple[LineFault, ...]]:
    """All rollouts, and all faults; where there is a fault nothing is to be judged. Blank lines are skipped."""
    rollouts: list[_Reading] = []
    faults: list[LineFault] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record = _parsed(line)
        found: list[LineFault] = []
        if isinstance(record, RolloutRecord):
            declared = None if record.metrics is None else tuple(dict.fromkeys(record.metrics))
            rollouts.append(_Reading(record.rollout, declared=declared))
        elif isinstance(record, LookRecord):
            rollouts = rollouts or [_Reading()]
            found = rollouts[-1].add(record)
        else:
            found = record
        faults.extend(replace(fault, line=number) for fault in found)
    read = tuple(
        RecordedRollout(rollout=each.rollout, looks=tuple(each.looks), declared=each.declared) for each in rollouts
    )
    return read, tuple(faults)


def _parsed(line: bytes) -> RolloutRecord | LookRecord | list[LineFault]:
    kind = RolloutRecord if b'"rollout"' in line and b'"step"' not in line else LookRecord
    try:
        return kind.model_validate_json(line)
    except ValidationError as fault:
        return [
            LineFault(line=0, place=".".join(str(part) for part in error["loc"]), problem=_problem(error["msg"]))
            for error in fault.errors(include_url=False, include_input=False)
        ]


def _problem(message: str) -> str:
    return message[:1].lower() + message[1:]


def _faults_of_counts(look: Look, edges: tuple[float, ...] | None) -> Iterable[LineFault]:
    for text in look_faults(look, edges):
        place, _, problem = text.partition(": ")
        yield LineFault(line=0, place=_PLACES.get(place, place), problem=problem)
