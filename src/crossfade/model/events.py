"""What happened. A journal is a stream of these, and state is only ever their fold.

Every event is a fact in the past tense. `facts` are evidence for people and reports: names and plain values.
No event holds a secret, a row's values or anything else about a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from crossfade.model.comparing import Agreement, FieldJudged, ShadowReading
from crossfade.model.counts import ArmCounts, ArmReading
from crossfade.model.ends import End
from crossfade.model.plan import Plan
from crossfade.model.terms import Outcome, Phase

Facts = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The journal that failed back, on whose databases a later cutover goes on.

    `entries` is how many there are in it and in those before it, `head` the hash of its last, `epoch` the one under
    which the source takes writes since.
    """

    entries: int
    head: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlanned:
    """What begins every journal; `after` only that of a later cutover after a fail back."""

    plan: Plan
    after: Earlier | None = None
    kind: Literal["migration_planned"] = "migration_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStarted:
    """An engine took this migration up; every one after the first is a resume."""

    kind: Literal["engine_started"] = "engine_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEntered:
    phase: Phase
    kind: Literal["phase_entered"] = "phase_entered"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndWanted:
    """The intent: recorded before anything is done about it."""

    end: End
    kind: Literal["end_wanted"] = "end_wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndReached:
    end: End
    facts: Facts = field(default_factory=dict)
    kind: Literal["end_reached"] = "end_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMissed:
    end: End
    reason: str
    remedy: str
    retryable: bool
    facts: Facts = field(default_factory=dict)
    kind: Literal["end_missed"] = "end_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePassed:
    gate: str
    facts: Facts = field(default_factory=dict)
    kind: Literal["gate_passed"] = "gate_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWaits:
    """Recorded once for each new `cause` (a stable word) of waiting; `reason` tells people more."""

    gate: str
    cause: str
    reason: str
    kind: Literal["gate_waits"] = "gate_waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something nears a limit or is gone that will be needed; nothing is done about it yet.

    `subject` is a stable word: link, wal, disk, connections, load, way_back, way_back_unseen, evidence, return,
    override.
    """

    subject: str
    reason: str
    facts: Facts = field(default_factory=dict)
    kind: Literal["warned"] = "warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningEnded:
    """What was warned of under `subject` was seen to be over."""

    subject: str
    kind: Literal["warning_ended"] = "warning_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingStarted:
    """From this reading on, requests count for the judge (the share was reached and the warm-up is over)."""

    reading: ArmReading
    kind: Literal["counting_started"] = "counting_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A look at both arms: what was counted since the look before, and what the judge and the guards said."""

    step: int
    share: float
    duration: timedelta
    baseline: ArmCounts
    canary: ArmCounts
    reading: ArmReading
    verdict: str
    metric: str | None
    e_value: float
    reason: str
    guard: str | None = None
    kind: Literal["looked"] = "looked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersCompared:
    """A look at what mirrored requests were answered by both sides, all since `reading` began.

    `fields` are those that differed, the worst first; no value of them is here. `threshold` is the e-value of a
    regression.
    """

    reading: ShadowReading
    threshold: float
    fields: tuple[FieldJudged, ...]
    verdict: Agreement
    reason: str
    kind: Literal["answers_compared"] = "answers_compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """`phase` may begin; with a `share`, in percent, its share may rise to that."""

    phase: Phase
    reason: str
    share: float | None = None
    kind: Literal["approved"] = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    reason: str
    kind: Literal["held"] = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    reason: str
    kind: Literal["released"] = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequested:
    reason: str
    kind: Literal["rollback_requested"] = "rollback_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """Until `until` the judge and guards of traffic neither hold nor abort, nor do answers that differ; nor does a link
    without backup hold.

    Nothing that protects data can be overridden.
    """

    reason: str
    until: datetime
    kind: Literal["overridden"] = "overridden"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackDecided:
    """Undo before cutover. `cause` is one of judge, guard, shadow, person, end, replication, source."""

    cause: str
    reason: str
    facts: Facts = field(default_factory=dict)
    kind: Literal["rollback_decided"] = "rollback_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailBackDecided:
    """Move writes back to the source after cutover."""

    cause: str
    reason: str
    facts: Facts = field(default_factory=dict)
    kind: Literal["fail_back_decided"] = "fail_back_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused:
    """A person asked for what is no longer possible."""

    request: str
    reason: str
    kind: Literal["request_refused"] = "request_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationEnded:
    outcome: Outcome
    reason: str
    kind: Literal["migration_ended"] = "migration_ended"


Event = Annotated[
    MigrationPlanned
    | EngineStarted
    | PhaseEntered
    | EndWanted
    | EndReached
    | EndMissed
    | GatePassed
    | GateWaits
    | Warned
    | WarningEnded
    | CountingStarted
    | Looked
    | AnswersCompared
    | Approved
    | Held
    | Released
    | RollbackRequested
    | Overridden
    | RollbackDecided
    | FailBackDecided
    | RequestRefused
    | MigrationEnded,
    Field(discriminator="kind"),
]
