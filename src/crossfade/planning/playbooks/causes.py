"""What turns a migration back by itself: each thing that may go wrong is shown to the runbook, which says what it does.

What is shown is beyond every limit of the plan, and seen as often as its patience asks for. What the runbook does not
answer at a place is no trigger there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import islice

from crossfade.model import ends, events
from crossfade.model.comparing import FieldCount, FieldCounts, ShadowReading
from crossfade.model.counts import ArmCounts, ArmReading
from crossfade.model.ends import End
from crossfade.model.events import EndMissed, EndReached, Event
from crossfade.model.seen import NOT_ASKED, Replication, Seen
from crossfade.model.terms import NoData, Outcome, Phase, Sighting
from crossfade.planning.playbooks.driving import Answer, Place, judged, reached, rounds, tick

_REQUESTS = 10**9
_PAIRS = 10**7
_ROUNDS = 6
_LOOKS = 12
_LITTLE = timedelta(seconds=2)
_FIELD = "a field"


class Cause(StrEnum):
    """What goes wrong."""

    ERRORS = "requests to the modern servers fail"
    ANSWERS = "answers of the modern servers differ"
    WAL = "the source keeps more WAL for the migration than it may"
    DISK = "the source's disk is nearly full"
    CONNECTIONS = "the source's connections run out, for longer than they may"
    LOST = "replication has lost changes"
    WAY_BACK = "the way back is dead, for longer than it may be"
    OUT_OF_REACH = "what the phase sets out to do fails, and trying again would not help"
    COULD_NOT_COMPARE = "the sides cannot be compared, however often it is tried"


class Reaction(StrEnum):
    """What the runbook does by itself."""

    ROLLS_BACK = "rolls back"
    FAILS_BACK = "fails back"
    ASKS = "holds, and asks a person"
    HALTS = "halts, for a person to look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """`cause` at a place, and what the runbook does about it."""

    cause: Cause
    reaction: Reaction


def triggers(places: Sequence[Place]) -> tuple[Trigger, ...]:
    """What turns the migration back at any of these places, holds it for a person or halts it, without anybody's word.

    Ends are missed at every place; everything else is shown at the first and the last of each phase.
    """
    corners = _corners(places)
    found = [
        Trigger(cause=cause, reaction=reaction)
        for cause, show in _SHOWN.items()
        for place in (places if cause in _OF_ENDS else corners)
        if (reaction := _reaction(show(place if cause in _OF_ENDS else judged(place)))) is not None
    ]
    return tuple(dict.fromkeys(found))


def _corners(places: Sequence[Place]) -> tuple[Place, ...]:
    by_phase: dict[Phase | None, list[Place]] = {}
    for place in places:
        by_phase.setdefault(place.state.phase, []).append(place)
    return tuple(place for of in by_phase.values() for place in (of[0], of[-1]))


def _reaction(happened: Iterator[Event]) -> Reaction | None:
    """The first decision, as long as the migration stands where it stood; to go on, or to wait, is none."""
    for event in happened:
        match event:
            case events.RollbackDecided():
                return Reaction.ROLLS_BACK
            case events.FailBackDecided():
                return Reaction.FAILS_BACK
            case events.Held():
                return Reaction.ASKS
            case events.MigrationEnded(outcome=Outcome.HALTED):
                return Reaction.HALTS
            case events.PhaseEntered() | events.EndReached(end=ends.WriterIs()):
                return None
            case _:
                pass
    return None


def _seeing(place: Place, see: Callable[[Seen], Seen], patience: timedelta = _LITTLE) -> Iterator[Event]:
    """It is seen once, and again when the patience with it is over."""
    first = tick(place, see=see)
    yield from first.events
    if first.place.state.outcome is None:
        yield from tick(replace(first.place, now=first.place.now + patience), see=see).events


def _errors(place: Place) -> Iterator[Event]:
    """Look by look, everything that the modern servers get fails."""
    share = place.state.canary_percent / 100
    modern = round(_REQUESTS * share)
    for look in range(_LOOKS):
        bad = ArmReading(
            boot="1",
            baseline=ArmCounts(requests=look * (_REQUESTS - modern), errors=0),
            canary=ArmCounts(requests=look * modern, errors=look * modern),
        )
        done = tick(replace(place, arms=bad))
        yield from done.events
        place = done.place
        if place.state.outcome is not None:
            return


def _answers(place: Place) -> Iterator[Event]:
    wrong = FieldCount(path=_FIELD, counts=FieldCounts(candidate_only=_PAIRS))
    reading = ShadowReading(boot="1", pairs=_PAIRS, repeated=_PAIRS, fields=(wrong,))

    def see(seen: Seen) -> Seen:
        asked = seen.shadow.value != NOT_ASKED
        return replace(seen, shadow=Sighting(at=seen.at, value=reading)) if asked else seen

    return _seeing(place, see)


def _wal(place: Place) -> Iterator[Event]:
    limit = place.state.plan_or_raise.replication.retained_wal_bytes

    def see(seen: Seen) -> Seen:
        found = seen.replication.value
        if isinstance(found, NoData):
            return seen
        return replace(seen, replication=Sighting(at=seen.at, value=replace(found, retained_wal_bytes=limit + 1)))

    return _seeing(place, see)


def _source(place: Place, patience: timedelta, **short: int) -> Iterator[Event]:
    def see(seen: Seen) -> Seen:
        found = seen.source.value
        if isinstance(found, NoData):
            return seen
        return replace(seen, source=Sighting(at=seen.at, value=replace(found, **short)))

    return _seeing(place, see, patience)


def _disk(place: Place) -> Iterator[Event]:
    return _source(place, _LITTLE, free_disk_bytes=0)


def _connections(place: Place) -> Iterator[Event]:
    return _source(place, place.state.plan_or_raise.source.patience + _LITTLE, connections=100)


def _lost(place: Place) -> Iterator[Event]:
    def see(seen: Seen) -> Seen:
        asked = seen.replication.value != NOT_ASKED
        gone: Sighting[Replication] = Sighting(at=seen.at, value=NoData(reason="the slot is gone", lost=True))
        return replace(seen, replication=gone) if asked else seen

    return _seeing(place, see)


def _way_back(place: Place) -> Iterator[Event]:
    def see(seen: Seen) -> Seen:
        found = seen.way_back.value
        if isinstance(found, NoData):
            return seen
        return replace(seen, way_back=Sighting(at=seen.at, value=replace(found, proven=False)))

    return _seeing(place, see, place.state.plan_or_raise.max_way_back_lag + _LITTLE)


def _out_of_reach(place: Place) -> Iterator[Event]:
    end = _next_end(place)
    return iter(()) if end is None else _missing(place, end, retryable=False)


def _could_not_compare(place: Place) -> Iterator[Event]:
    end = _next_end(place)
    return _missing(place, end, retryable=True) if isinstance(end, ends.DataVerified) else iter(())


def _next_end(place: Place) -> End | None:
    """What the runbook will want next, if nothing goes wrong."""
    for done in islice(rounds(place), _ROUNDS):
        for event in done.events:
            if isinstance(event, events.EndWanted):
                return event.end
    return None


def _missing(place: Place, end: End, *, retryable: bool) -> Iterator[Event]:
    attempts = place.state.plan_or_raise.attempts if retryable else 1
    for done in islice(rounds(place, _misses(end, retryable=retryable)), 2 * attempts + _ROUNDS):
        yield from done.events


def _misses(missed: End, *, retryable: bool) -> Answer:
    def answer(end: End) -> EndReached | EndMissed:
        if end != missed:
            return reached(end)
        return EndMissed(end=end, reason="it would not", remedy="", retryable=retryable)

    return answer


_SHOWN: dict[Cause, Callable[[Place], Iterator[Event]]] = {
    Cause.ERRORS: _errors,
    Cause.ANSWERS: _answers,
    Cause.WAL: _wal,
    Cause.DISK: _disk,
    Cause.CONNECTIONS: _connections,
    Cause.LOST: _lost,
    Cause.WAY_BACK: _way_back,
    Cause.OUT_OF_REACH: _out_of_reach,
    Cause.COULD_NOT_COMPARE: _could_not_compare,
}
_OF_ENDS = {Cause.OUT_OF_REACH, Cause.COULD_NOT_COMPARE}
