"""What the runbook does when it is asked to go back, at every place of the way: places that do the same are one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached, EndWanted, Event, GatePassed
from crossfade.model.plan import Plan
from crossfade.model.terms import NEITHER, Outcome, Phase, Side
from crossfade.planning.playbooks.driving import Answer, LooksAt, Place, places, reached, rounds, say
from crossfade.runbook.phases import Gate, Reach
from crossfade.runbook.state import State

ASKED = "a person asks to go back"
_MISSED = "the switch was not seen to its end"


class Way(StrEnum):
    """Which way back there is."""

    ROLL_BACK = "roll back"
    FAIL_BACK = "fail back"
    NONE = "no way back"


class Unsettled(StrEnum):
    """How a switch that was not seen to its end is found once both sides can be asked again."""

    OPENED = "the target takes writes after all"
    SOURCE = "the source takes writes again"
    NEITHER = "neither side takes writes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that is asked for on the way back: an end to bring about, or a gate to wait at."""

    what: End | Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Retreat:
    """What happens after the word, in order. `refused`: why the word is not followed, where it is not."""

    way: Way
    steps: tuple[Asked, ...]
    outcome: Outcome | None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of the way forward at which going back is one and the same thing.

    `share` in percent is that of the users on the modern servers, where it tells stages of one phase apart.
    """

    phase: Phase
    writer: Side
    returns: bool
    share: float | None = None
    unsettled: Unsettled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """Stages from which the very same steps lead back. `places` are those of the way forward that it holds for."""

    retreat: Retreat
    stages: tuple[Stage, ...]
    places: tuple[Place, ...]


def chapters(plan: Plan, looks_at: LooksAt) -> tuple[Chapter, ...]:
    """The whole way of `plan`, from the first phase on; every place is in one chapter."""
    found: list[tuple[Stage, Retreat, Place]] = []
    for place in places(plan, looks_at):
        if place.state.outcome is None:
            found.append((stage_of(place.state), retreat_from(place), place))
            found += _unsettled(place)
    grouped: dict[Retreat, list[tuple[Stage, Place]]] = {}
    for stage, retreat, place in found:
        grouped.setdefault(retreat, []).append((stage, place))
    return tuple(
        Chapter(
            retreat=retreat,
            stages=tuple(dict.fromkeys(stage for stage, _ in members)),
            places=tuple(place for _, place in members),
        )
        for retreat, members in grouped.items()
    )


def stage_of(state: State) -> Stage:
    """The stage that a state on the way forward belongs to. It has a phase."""
    if state.phase is None:
        raise LookupError("nothing has begun")
    share = state.canary_percent if state.phase is Phase.CANARY else None
    return Stage(phase=state.phase, writer=state.writer, returns=state.returns, share=share)


def retreat_from(place: Place, answer: Answer = reached) -> Retreat:
    """What follows a person's word at `place`."""
    return _followed(say(place, events.RollbackRequested(reason=ASKED)), answer)


def _followed(place: Place, answer: Answer) -> Retreat:
    happened: list[Event] = []
    for done in rounds(place, answer):
        happened += done.events
        refused = next((e for e in done.events if isinstance(e, events.RequestRefused)), None)
        if refused is not None:
            return Retreat(way=Way.NONE, steps=(), outcome=None, refused=refused.reason)
    ended = next(e for e in happened if isinstance(e, events.MigrationEnded))
    return Retreat(way=_way(happened), steps=tuple(_asked_for(happened)), outcome=ended.outcome)


def _asked_for(happened: Sequence[Event]) -> Iterator[Asked]:
    """What was wanted, each once, also when it was tried again."""
    before: End | None = None
    for event in happened:
        if isinstance(event, EndWanted) and event.end != before:
            before = event.end
            yield Asked(what=event.end)
        elif isinstance(event, GatePassed):
            yield Asked(what=Gate(event.gate.partition(":")[0]))


def _way(happened: Sequence[Event]) -> Way:
    """The last decision counts: a roll back may turn out to be a fail back."""
    decided = [e for e in happened if isinstance(e, events.RollbackDecided | events.FailBackDecided)]
    if not decided:
        return Way.NONE
    return Way.FAIL_BACK if isinstance(decided[-1], events.FailBackDecided) else Way.ROLL_BACK


def _unsettled(place: Place) -> Iterator[tuple[Stage, Retreat, Place]]:
    """Where a switch to the target is due: it breaks off, a person asks to go back, and then both sides say how it is.

    While nobody can say, the runbook tries the switch again, whoever asks: finding out comes first.
    """
    due = place.state.step
    if not isinstance(due, Reach) or not isinstance(due.end, ends.WriterIs) or due.end.side is not Side.TARGET:
        return
    broken = next(islice(rounds(place, _breaks_off(None)), 1)).place
    asked = say(broken, events.RollbackRequested(reason=ASKED))
    stage = stage_of(place.state)
    for unsettled, answer in (
        (Unsettled.OPENED, reached),
        (Unsettled.SOURCE, _breaks_off(Side.SOURCE.value)),
        (Unsettled.NEITHER, _breaks_off(NEITHER)),
    ):
        at = Stage(phase=stage.phase, writer=stage.writer, returns=stage.returns, unsettled=unsettled)
        yield at, _followed(asked, answer), broken


def _breaks_off(writer: str | None) -> Answer:
    """The switch to the target is missed, and `writer` takes writes by the databases' own word; None: nobody knows."""

    def answer(end: End) -> EndReached | EndMissed:
        if not isinstance(end, ends.WriterIs) or end.side is not Side.TARGET:
            return reached(end)
        return EndMissed(end=end, reason=_MISSED, remedy="", retryable=True, facts={"writer": writer})

    return answer


def tries(chapter: Chapter) -> int:
    """How often the runbook tries the first end of this way back when it never succeeds, before it halts."""
    first = next(step.what for step in chapter.retreat.steps if not isinstance(step.what, Gate))

    def answer(end: End) -> EndReached | EndMissed:
        if end != first:
            return reached(end)
        return EndMissed(end=end, reason="it would not", remedy="", retryable=True)

    asked = say(chapter.places[-1], events.RollbackRequested(reason=ASKED))
    happened = [event for done in rounds(asked, answer) for event in done.events]
    return sum(isinstance(event, EndMissed) and event.end == first for event in happened)
