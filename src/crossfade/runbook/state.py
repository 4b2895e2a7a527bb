"""Where a migration stands: only ever the fold of its journal."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crossfade.judge import JudgeState
from crossfade.model import ends
from crossfade.model.counts import ArmReading
from crossfade.model.ends import End
from crossfade.model.events import AnswersCompared, EndMissed, GateWaits, Looked
from crossfade.model.plan import NeededApproval, Plan
from crossfade.model.terms import Outcome, Phase, Side, Suite
from crossfade.runbook.approving import Approvals
from crossfade.runbook.phases import (
    Await,
    Course,
    Gate,
    Reach,
    Step,
    steps_failing_back,
    steps_forward,
    steps_rolling_back,
)

OF_THE_WAY_BACK = ("way_back", "way_back_unseen")
"""Warnings that are over when the migration turns and takes the way back, or passes the point of no return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """The end that is being tried was missed `attempts` times, last at `at`."""

    last: EndMissed
    at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The reading up to which requests are judged, and when it was taken."""

    reading: ArmReading
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A person asked for it and why."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`by` said at `at` that the judge is not heard, and why.

    `until` is by the clock of who said it, and by the engine's once that has `heard` it.
    """

    by: str
    reason: str
    at: datetime
    until: datetime
    heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingWarning:
    """What people were told of at `at`, and have not been told to be over."""

    subject: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`cursor` is the place in the steps of the course; `since` when that place was reached.

    `epoch` is that of the last switch reached, `writer` the side it opened; `phase_epoch` is the epoch when the phase
    was entered or the course turned, from which its steps count on. `wanted` is an intent without outcome:
    after a crash this is where the engine goes on. `recent` holds the looks of the guards' window. `returns` is False
    from the moment the point of no return is wanted: after a crash nobody knows on which side of it we are.
    `missed_switch` is a switch that was missed last and is not settled yet, whatever was repaired since.
    `differing` is the verification that found the sides different while the target takes writes, until one finds them
    the same. `approvals` holds who approved which phase or share. `verified` and `woken` name the switch after which
    the data was last verified and the way back last proven. `entries_before` is how many entries the journals have from
    which this one goes on. `checked` is when the modern side passed its checks last, `sound_since` since when none of
    them has failed; `moved` since when everybody is there; `turned` when it was decided to go back. `compared`
    is the last look at shadow answers, at `compared_at`.
    """

    plan: Plan | None = None
    entries_before: int = 0
    phase: Phase | None = None
    course: Course = Course.FORWARD
    cursor: int = 0
    since: datetime | None = None
    wanted: End | None = None
    miss: Miss | None = None
    missed_switch: EndMissed | None = None
    differing: EndMissed | None = None
    epoch: int = 0
    phase_epoch: int = 0
    writer: Side = Side.SOURCE
    canary_percent: float = 0.0
    approvals: Approvals = ()
    held: Request | None = None
    rollback: Request | None = None
    override: Override | None = None
    counting: Counting | None = None
    judge: JudgeState | None = None
    looked: Looked | None = None
    recent: tuple[tuple[datetime, Looked], ...] = ()
    compared: AnswersCompared | None = None
    compared_at: datetime | None = None
    waits: GateWaits | None = None
    returns: bool = True
    outcome: Outcome | None = None
    engines: int = 0
    verified: tuple[Side, int] | None = None
    woken: tuple[Side, int] | None = None
    warnings: tuple[StandingWarning, ...] = ()
    checked: datetime | None = None
    sound_since: datetime | None = None
    moved: datetime | None = None
    turned: datetime | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the course the migration is on; empty before it has begun."""
        if self.plan is None or self.phase is None:
            return ()
        if self.course is Course.ROLLING_BACK:
            return steps_rolling_back(self.phase)
        if self.course is Course.FAILING_BACK:
            return steps_failing_back(self.phase_epoch)
        return steps_forward(self.plan, self.phase, self.phase_epoch)

    @property
    def step(self) -> Step | None:
        steps = self.steps
        return steps[self.cursor] if self.cursor < len(steps) else None

    @property
    def approval_waited_for(self) -> NeededApproval | None:
        """What the step that is due needs people to approve; None where it is no such step."""
        step = self.step
        if not isinstance(step, Await) or step.gate is not Gate.APPROVED or self.phase is None:
            return None
        return self.plan_or_raise.approval(self.phase, step.share)

    @property
    def plan_or_raise(self) -> Plan:
        """The plan of a migration that has begun."""
        if self.plan is None:
            raise LookupError("nothing is planned")
        return self.plan

    @property
    def needs_way_back(self) -> bool:
        """From its proof after the cutover on, until the point of no return is wanted or the migration turns."""
        forward = self.course is Course.FORWARD and self.returns and self.outcome is None
        return forward and self.writer is Side.TARGET and self.woken == (self.writer, self.epoch)

    def warned_of(self, subject: str) -> StandingWarning | None:
        return next((warning for warning in self.warnings if warning.subject == subject), None)

    @property
    def checks_repeatedly(self) -> bool:
        """Whether the modern side is checked again and again: previewed, or watched, in a blue-green move."""
        forward = self.phase is Phase.CANARY and self.course is Course.FORWARD and self.outcome is None
        if not forward or self.plan_or_raise.preview is None or not isinstance(self.step, Await):
            return False
        return Reach(end=ends.ChecksPassed(suite=Suite.TARGET)) in self.steps[: self.cursor]

    def overridden(self, now: datetime) -> bool:
        return self.override is not None and (now < self.override.until or not self.override.heard)

    def held_since(self, now: datetime) -> timedelta:
        """How long the current step has lasted."""
        return now - self.since if self.since else timedelta()
