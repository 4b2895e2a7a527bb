"""What the rules remember of a journal: its own fold, apart from the runbook's, at a constant cost for each entry."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crossfade.model import ends, events
from crossfade.model.comparing import Agreement
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import Event
from crossfade.model.plan import LadderStep, Plan
from crossfade.model.terms import Outcome, Phase, Side, Suite

ENGINE = "engine"
UNKNOWN = "unknown"
MODERN = ends.ChecksPassed(suite=Suite.TARGET)
EVERYBODY = 100.0
_BETWEEN = timedelta(seconds=1)  # from a decision until it is recorded; an override may end in between


@dataclass(slots=True, kw_only=True)
class Story:
    """`began` is the entry at which the phase was entered or the migration turned, `stepped` when the last step was
    done. `reached` names the entry at which each end was reached last, `switched` that of the last switch.

    `unsettled`: who takes writes after a switch that was missed, by the databases' own word; None once it is settled.
    `share` is the last that was reached, `share_intent` the entry that wanted `share_wanted`. `abort` is what the judge
    or a guard said and nobody has acted on. `way_back_dead`: since when it is seen dead. `differing` are the facts of
    rows that were found to differ while the target takes writes. `approved` holds when who approved a phase, or its
    rise to a share. `sound_since`: since when no check of the modern side has failed; `moved_at`: since when everybody
    is there. A word is `unheard`, and an override only `override_said`, until the engine's next entry shows its clock.
    """

    plan: Plan | None = None
    position: int = 0
    phase: Phase | None = None
    began: int = 0
    stepped: datetime | None = None
    passed: set[str] = field(default_factory=set)
    wanted: End | None = None
    missed: events.EndMissed | None = None
    missed_at: datetime | None = None
    reached: dict[End, int] = field(default_factory=dict)
    turned: events.RollbackDecided | events.FailBackDecided | None = None
    writer: Side = Side.SOURCE
    epoch: int = 0
    switched: int = 0
    unsettled: str | None = None
    share: float = 0.0
    share_since: datetime | None = None
    share_wanted: float = 0.0
    share_intent: int = 0
    fell: bool = False
    looked: events.Looked | None = None
    looked_at: datetime | None = None
    compared: events.AnswersCompared | None = None
    held: bool = False
    asked: bool = False
    refused_though_open: bool = False
    abort: str | None = None
    override_until: datetime | None = None
    approved: dict[tuple[Phase, float | None, str], datetime] = field(default_factory=dict)
    unheard: set[tuple[Phase, float | None, str]] = field(default_factory=set)
    override_said: datetime | None = None
    sound_since: datetime | None = None
    checked_at: datetime | None = None
    moved_at: datetime | None = None
    waits: events.GateWaits | None = None
    returns: bool = True
    ended: bool = False
    way_back_dead: datetime | None = None
    differing: events.Facts | None = None

    def since_switch(self, end: End) -> bool:
        """`end` was reached after the last switch."""
        return self.reached.get(end, 0) > self.switched

    @property
    def woken(self) -> bool:
        """The way back was proven after the last switch."""
        return self.since_switch(ends.WayBackAwake(primary=self.writer, epoch=self.epoch))

    @property
    def needs_way_back(self) -> bool:
        """From its proof after cutover until the point of no return is wanted, or the migration has turned."""
        return self.writer is Side.TARGET and self.returns and self.turned is None and self.woken

    @property
    def opened_after_all(self) -> bool:
        """Rolling back, the target is found to take writes by the databases' own word."""
        missed = self.missed if isinstance(self.turned, events.RollbackDecided) else None
        return (
            missed is not None
            and isinstance(missed.end, ends.ReplicationRemoved)
            and missed.facts.get("writer") == Side.TARGET
        )

    def is_step(self, event: Event) -> bool:
        """Whether `event` goes forward. Repairing a share or finishing half a switch does not."""
        if self.turned is not None:
            return False
        match event:
            case events.EndWanted(end=ends.SharesAre(canary_percent=percent)):
                return percent != self.share
            case events.EndWanted(end=end) if self.repeats_check(end):
                return False
            case events.EndWanted(end=ends.MirrorIs() as end):
                return self.reached.get(end, 0) <= self.began  # or it is set again
            case events.EndWanted(end=ends.WriterIs()):
                return self.unsettled is None or self.unsettled == self.writer
            case events.MigrationEnded(outcome=outcome):
                return outcome is Outcome.COMPLETED
            case events.PhaseEntered(phase=Phase.PREPARE):
                return False  # it begins
            case _:
                return isinstance(event, events.EndWanted | events.GatePassed | events.PhaseEntered)

    def repeats_check(self, end: End) -> bool:
        """The modern side is checked again, as it is all the time while it is previewed and watched."""
        blue_green = self.plan is not None and self.plan.preview is not None and self.turned is None
        again = end == MODERN and self.reached.get(end, 0) > self.began
        return blue_green and again and self.phase is Phase.CANARY

    @property
    def loses_writes(self) -> bool:
        """Going back would surely lose what the target has written."""
        return self.differing is not None and bool(self.differing.get("written_since_switch"))

    @property
    def may_lose_writes(self) -> bool:
        """Nobody can say that it would not."""
        names = ("written_since_switch", "age_unknown", "unresolved")
        return self.differing is not None and any(self.differing.get(name) != 0 for name in names)

    def overridden(self, at: datetime) -> bool:
        lasts = self.override_until is not None and at < self.override_until + _BETWEEN
        return lasts or self.override_said is not None

    def _hear_engine(self, entry: Entry) -> None:
        """Where the clocks of who gave a word and of the engine are apart, what lasts goes by the engine's."""
        if entry.by != ENGINE:
            return
        fresh = self.plan.fresh if self.plan is not None else timedelta(0)
        took_up = isinstance(entry.event, events.EngineStarted)
        self.sound_since = None if took_up else self.sound_since
        for word in self.unheard:
            self.approved[word] = self.approved[word] if took_up else entry.at
        said, until = self.override_said, self.override_until
        if said is not None and until is not None and not took_up and abs(entry.at - said) > fresh:
            self.override_until = entry.at + (until - said)
        self.override_said = None
        self.unheard.clear()

    def go_on(self, entry: Entry) -> None:
        """One more entry has been heard."""
        self.position = entry.position
        self._hear_engine(entry)
        refused = isinstance(entry.event, events.RequestRefused)
        self.refused_though_open = refused and self.returns and self.turned is None and not self.loses_writes
        match entry.event:
            case events.EndWanted(end=end):
                self._want(end, entry.position)
            case events.EndReached(end=end):
                self._reach(end, entry)
            case events.EndMissed() as missed:
                self._miss(missed, entry.at)
            case events.Looked() | events.AnswersCompared() as looked:
                self._look(looked, entry.at)
            case events.CountingStarted():
                self.looked = self.looked_at = None
            case events.RollbackDecided() | events.FailBackDecided() as decided:
                if self.opened_after_all:
                    self.writer, self.epoch, self.switched = Side.TARGET, self.epoch + 1, entry.position
                self.turned, self.wanted, self.asked, self.abort = decided, None, False, None
                self.began = entry.position
                self.waits = self.missed = None
            case events.MigrationPlanned(plan=plan, after=after):
                self.plan = plan
                self.epoch = after.epoch if after else 0
            case events.MigrationEnded():
                self.ended = True
            case _:
                self._pass(entry)

    def _pass(self, entry: Entry) -> None:
        match entry.event:
            case events.PhaseEntered(phase=phase):
                self.phase, self.stepped, self.passed, self.began = phase, entry.at, set(), entry.position
                self.waits = self.missed = None
            case events.GatePassed(gate=gate):
                self.passed.add(gate)
                self.stepped = entry.at
                self.waits = self.missed = None
            case events.GateWaits() as waits:
                self.waits = waits
            case events.Approved(phase=phase, share=share):
                self.approved[phase, share, entry.by] = entry.at
                self.unheard.add((phase, share, entry.by))
                self.waits = None
            case events.Held():
                self.held, self.abort = True, None
            case events.Released():
                self.held, self.waits, self.missed = False, None, None
            case events.RollbackRequested():
                self.asked = True
            case events.RequestRefused():
                self.asked = False
            case events.Overridden(until=until):
                self.override_until, self.override_said = until, entry.at

    def _want(self, end: End, position: int) -> None:
        self.wanted, self.waits = end, self.waits if self.repeats_check(end) else None
        if isinstance(end, ends.WayBackEnded):
            self.returns = False
        if isinstance(end, ends.SharesAre):
            self.share_wanted, self.share_intent = end.canary_percent, position
            self.looked = self.looked_at = None
            self.fell = self.fell or (self.turned is not None and end.canary_percent == 0)

    def _reach(self, end: End, entry: Entry) -> None:
        self.wanted = self.missed = None
        again = isinstance(end, ends.MirrorIs) and self.reached.get(end, 0) > self.began
        self.reached[end] = entry.position
        if isinstance(end, ends.DataVerified):
            self.differing = None
        if not again and not isinstance(end, ends.SharesAre):  # what is set again is no step
            self.stepped = entry.at
        if isinstance(end, ends.WriterIs):
            self.writer, self.epoch, self.switched, self.unsettled = end.side, end.epoch, entry.position, None
        if isinstance(end, ends.SharesAre) and end.canary_percent != self.share:
            self.share, self.share_since = end.canary_percent, entry.at
            self.moved_at = entry.at if self.share == EVERYBODY else None
        if end == MODERN:
            self.sound_since, self.checked_at = self.sound_since or entry.at, entry.at

    def _miss(self, missed: events.EndMissed, at: datetime) -> None:
        self.wanted, self.missed, self.missed_at = None, missed, at
        if missed.end == MODERN:
            self.sound_since = None
        match missed.end:
            case ends.WriterIs():
                self.unsettled = str(missed.facts.get("writer") or UNKNOWN)
            case ends.DataVerified(primary=Side.TARGET) if not missed.retryable:
                self.differing = missed.facts

    def _look(self, looked: events.Looked | events.AnswersCompared, at: datetime) -> None:
        if isinstance(looked, events.AnswersCompared):
            self._compare(looked, at)
            return
        self.looked, self.looked_at = looked, at
        bad = looked.guard or (looked.reason if looked.verdict == "abort" else None)
        if bad is None or self.turned is not None or not self.returns or self.overridden(at) or self.plan is None:
            return
        by_itself = self.plan.fail_back_automatically and not self.may_lose_writes
        if not (self.held and self.writer is Side.TARGET and not by_itself):
            self.abort = bad

    def _compare(self, compared: events.AnswersCompared, at: datetime) -> None:
        self.compared = compared
        if compared.verdict is Agreement.REGRESSION and self.turned is None and not self.overridden(at):
            self.abort = compared.reason


def rungs(plan: Plan) -> tuple[LadderStep, ...]:
    """The shares above 0."""
    return tuple(step for step in plan.ladder if step.percent > 0)


def enters(event: Event, phase: Phase) -> bool:
    return isinstance(event, events.PhaseEntered) and event.phase is phase


def passes(event: Event, gate: str) -> bool:
    return isinstance(event, events.GatePassed) and event.gate == gate


def name_of(event: Event) -> str:
    """The event's kind and what it is about, for people."""
    about = getattr(event, "end", None) or getattr(event, "phase", None) or getattr(event, "gate", None)
    return f"{event.kind} {getattr(about, 'kind', about)}" if about is not None else event.kind
