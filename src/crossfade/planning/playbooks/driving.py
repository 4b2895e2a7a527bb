"""The real runbook, driven in memory: what it asks for is brought about at once, and everything seen is well.

Nothing here knows what undoes what. Whoever wants to know lets `decide` turn back, and writes down what it wants.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crossfade.model import ends, events
from crossfade.model.comparing import ShadowReading
from crossfade.model.counts import ArmReading
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached, Event
from crossfade.model.plan import LadderStep, NeededApproval, Plan
from crossfade.model.seen import (
    NOT_ASKED,
    FileSync,
    Link,
    Replication,
    Seen,
    ServerState,
    ServerStatus,
    Shares,
    SourceHealth,
    WayBack,
    Writer,
)
from crossfade.model.terms import NoData, Phase, Side, Sighting
from crossfade.runbook.comparing import awaits_answers
from crossfade.runbook.decide import decide
from crossfade.runbook.evolve import evolve
from crossfade.runbook.state import State

ENGINE = "engine"
_DRIVEN = "driven in memory"
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT = timedelta(seconds=1)
_EVER = timedelta(days=36_500)
_MOST_ROUNDS = 20_000
"""Far more than the longest ladder takes: a drive that needs more would never end."""

Answer = Callable[[End], EndReached | EndMissed]
See = Callable[[Seen], Seen]
LooksAt = Callable[[State], frozenset[str]]


class NeverEnded(RuntimeError):
    """The runbook waits for something that this world never shows: a fault of this module, not of a file."""

    def __init__(self, place: "Place") -> None:
        state = place.state
        super().__init__(f"it stands at {state.phase} {state.step} and waits: {state.waits}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a migration stands on its way: the state of the runbook, what the router does, and the time.

    `looks_at` names what an engine asks for in a state: what it does not ask for, nothing can be decided by.
    """

    state: State
    now: datetime
    looks_at: LooksAt
    percent: float = 0.0
    arms: ArmReading | NoData = field(default=NOT_ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of an engine: what was decided, how the end that was wanted turned out, and where that leads."""

    events: tuple[Event, ...]
    place: Place


def reached(end: End) -> EndReached:
    """Every end is reached when it is first asked for."""
    return EndReached(end=end)


def as_seen(seen: Seen) -> Seen:
    """All is well, and nothing else is to be seen."""
    return seen


def begin(plan: Plan, looks_at: LooksAt) -> Place:
    """Before the first phase. Waits are a second, and anybody may approve: neither changes what undoes what.

    Finalize always waits for approval here, so that its place before the point of no return is one to stand at.
    """
    second = _MOMENT
    asked = dict.fromkeys((needed.phase, needed.share) for needed in plan.approvals)
    asked[Phase.FINALIZE, None] = None
    quick = replace(
        plan,
        ladder=tuple(LadderStep(percent=step.percent, bake=second) for step in plan.ladder),
        warm_up=timedelta(0),
        bake=second,
        approvals=tuple(NeededApproval(phase=phase, share=share) for phase, share in asked),
        preview=None if plan.preview is None else second,
        check_every=second,
        keep_warm=min(plan.keep_warm, second),
        shadow=replace(plan.shadow, duration=second),
        retry_after=second,
    )
    state = evolve(State(), events.MigrationPlanned(plan=quick), _BEGIN, ENGINE)
    # The judge is given no evidence on the way forward; his own chapters show what he does with it.
    override = events.Overridden(reason=_DRIVEN, until=_BEGIN + _EVER)
    return Place(state=evolve(state, override, _BEGIN, "nobody"), now=_BEGIN, looks_at=looks_at)


def tick(place: Place, answer: Answer = reached, see: See = as_seen) -> Round:
    """One round of the only loop there is: look, decide, bring about, record."""
    now, happened = place.now + _MOMENT, []
    state, percent = place.state, place.percent
    for event in decide(state, see(_well(replace(place, now=now))), now).events:
        happened.append(event)
        state = evolve(state, event, now, ENGINE)
    if state.wanted is not None:
        outcome = answer(state.wanted)
        happened.append(outcome)
        if isinstance(outcome, EndReached) and isinstance(outcome.end, ends.SharesAre):
            percent = outcome.end.canary_percent
        state = evolve(state, outcome, now, ENGINE)
    return Round(events=tuple(happened), place=replace(place, state=state, now=now, percent=percent))


def rounds(place: Place, answer: Answer = reached, see: See = as_seen) -> Iterator[Round]:
    """Round after round until the migration has ended. Raises `NeverEnded`."""
    for _ in range(_MOST_ROUNDS):
        done = tick(place, answer, see)
        yield done
        place = done.place
        if place.state.outcome is not None:
            return
    raise NeverEnded(place)


def places(plan: Plan, looks_at: LooksAt) -> tuple[Place, ...]:
    """Every place of the way forward, in order: one for each step of each phase, from the first to the end."""
    found, place = [], begin(plan, looks_at)
    for _ in range(_MOST_ROUNDS):
        place = tick(place).place
        if not found or _where(place.state) != _where(found[-1].state):
            found.append(place)
        if place.state.outcome is not None:
            return tuple(found)
        waits = place.state.approval_waited_for
        if waits is not None:
            place = say(place, events.Approved(phase=waits.phase, share=waits.share, reason=_DRIVEN))
    raise NeverEnded(place)


def say(place: Place, event: Event, by: str = "a person") -> Place:
    """A person's word at this place."""
    return replace(place, state=evolve(place.state, event, place.now, by))


def judged(place: Place) -> Place:
    """The judge is heard from here on."""
    return replace(place, state=replace(place.state, override=None))


def _where(state: State) -> tuple[Phase | None, int, bool, bool]:
    return state.phase, state.cursor, state.returns, state.outcome is not None


def _well(at: Place) -> Seen:
    """All that can be seen, and every bit of it is well."""
    state, primary = at.state, at.state.writer
    values: dict[str, Any] = {
        "replication": Replication(
            primary=primary,
            tables=1,
            tables_copied=1,
            lag_bytes=0,
            lag=timedelta(0),
            retained_wal_bytes=0,
            applying=True,
        ),
        "way_back": WayBack(primary=primary, built=True, proven=True, lag_bytes=0),
        "writer": Writer(
            source_open=primary is Side.SOURCE,
            source_epoch=state.epoch,
            target_open=primary is Side.TARGET,
            target_epoch=state.epoch,
        ),
        "shares": Shares(canary_percent=at.percent, mirror_percent=_mirrored(state)),
        "arms": at.arms,
        "servers": (ServerStatus(name="server", state=ServerState.READY_FOR_TEST, instance_running=True),),
        "files": FileSync(primary=primary, files=0, bytes=0, pending=0, lag=timedelta(0)),
        "drained": True,
        "shadow": ShadowReading(boot="1"),
        "links": tuple(Link(name=name, up=True, redundant=True) for name in ("primary", "backup")),
        "source": SourceHealth(
            connections=0,
            most_connections=100,
            our_sessions=0,
            wal_bytes=0,
            slot_wal_limit_bytes=None,
            free_disk_bytes=None,
            look=timedelta(0),
        ),
    }
    asked = at.looks_at(state)
    sighted = {name: value if name in asked else NOT_ASKED for name, value in values.items()}
    return Seen(at=at.now, **{name: Sighting(at=at.now, value=value) for name, value in sighted.items()})


def _mirrored(state: State) -> float:
    return state.plan_or_raise.mirror_percent if awaits_answers(state) else 0.0
