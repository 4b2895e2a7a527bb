"""What comes next, and why: a pure function of the state, what was seen, and the time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from crossfade.model import ends
from crossfade.model.events import (
    CountingStarted,
    EndWanted,
    Event,
    GatePassed,
    GateWaits,
    Looked,
    MigrationEnded,
    PhaseEntered,
    RequestRefused,
)
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Suite
from crossfade.runbook.comparing import awaits_answers, compare_answers
from crossfade.runbook.differing import why_refused, would_be_lost
from crossfade.runbook.evolve import evolve
from crossfade.runbook.gates import Passed, ask
from crossfade.runbook.judging import counted_until, fresh_reading, look_at
from crossfade.runbook.phases import Course, Reach
from crossfade.runbook.state import State
from crossfade.runbook.turning import (
    beyond_attempts,
    opened_after_all,
    reason_to_turn,
    switch_half_done,
    turn,
    way_back_lost,
)
from crossfade.runbook.warning import warnings

_MODERN = ends.ChecksPassed(suite=Suite.TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Events to record, the last of which may be an intent to bring about, and when to look again.

    `look_again` is None when the migration has ended.
    """

    events: tuple[Event, ...]
    look_again: datetime | None


def decide(state: State, seen: Seen, now: datetime) -> Decision:
    """Go as far as is possible without acting: until an end is wanted, a gate waits, or the migration has ended."""
    if state.plan is None or state.outcome is not None:
        return Decision(events=(), look_again=None)
    decided: list[Event] = []
    for event in _next_events(state, seen, now):
        decided.append(event)
        state = evolve(state, event, now)
    ended = state.outcome is not None
    again = None if ended else now if state.wanted is not None else now + state.plan_or_raise.look_every
    return Decision(events=tuple(decided), look_again=again)


def _next_events(state: State, seen: Seen, now: datetime) -> Iterator[Event]:
    if state.phase is None:
        begins = PhaseEntered(phase=Phase.PREPARE)
        state = evolve(state, begins, now)
        yield begins
    looked: Looked | None = None
    for event in _looks(state, seen, now):
        looked = event if isinstance(event, Looked) else looked
        state = evolve(state, event, now)
        yield event
    for warning in warnings(state, seen, now):
        state = evolve(state, warning, now)
        yield warning
    why_not = _why_refused(state, seen) if state.rollback is not None else None
    if why_not is not None:
        refused = RequestRefused(request="rollback", reason=why_not)
        state = evolve(state, refused, now)
        yield refused
    cause = reason_to_turn(state, seen, looked, now)
    if cause is not None:
        turned = turn(state, cause)
        if turned is not None:
            state = evolve(state, turned, now)
            yield turned
    while state.outcome is None:
        event_or_none = _advance(state, seen, now)
        if event_or_none is None:
            return
        state = evolve(state, event_or_none, now)
        yield event_or_none
        if isinstance(event_or_none, EndWanted | GateWaits):
            return


def _looks(state: State, seen: Seen, now: datetime) -> Iterator[Event]:
    """At the answers of mirrored requests, or at both arms."""
    compared = compare_answers(state, seen.shadow, now)
    if compared is not None:
        yield compared
    else:
        yield from _looks_at_arms(state, seen, now)


def _looks_at_arms(state: State, seen: Seen, now: datetime) -> Iterator[Event]:
    """Count from the first fresh reading after the warm-up of a share; then judge what came since.

    A source that counts late is waited for: what it counts afterwards must all be of this share.
    """
    if state.course is not Course.FORWARD or state.canary_percent == 0 or state.plan is None:
        return
    if state.miss is not None and isinstance(state.miss.last.end, ends.SharesAre) and not _as_wanted(state, seen):
        return  # nobody knows under which share these requests were counted
    reading = fresh_reading(state, seen.arms, now)
    if isinstance(reading, NoData):
        return
    if state.counting is None:
        if state.held_since(counted_until(reading, seen.arms.at)) >= state.plan.warm_up:
            yield CountingStarted(reading=reading)
        return
    looked = look_at(state, reading, seen.arms.at)
    if isinstance(looked, Looked):
        yield looked
    elif reading.boot != state.counting.reading.boot:
        yield CountingStarted(reading=reading)


def _as_wanted(state: State, seen: Seen) -> bool:
    found = seen.shares.value
    return not isinstance(found, NoData) and found.canary_percent == state.canary_percent


def _advance(state: State, seen: Seen, now: datetime) -> Event | None:
    """The next event of the course the migration is on; None to look again later.

    What is checked repeatedly is checked before anything is decided on checks that failed or are old, and else when
    there is nothing more to say: an engine whose looks take long must come to its gates nevertheless.
    """
    if not state.checks_repeatedly:
        return _go_on(state, seen, now)
    again, checked = Reach(end=_MODERN), state.checked
    failed = state.miss is not None and state.miss.last.end == _MODERN
    if failed or checked is None or now - checked > state.plan_or_raise.fresh:
        return _try(state, again, now)
    following = _go_on(state, seen, now)
    due = now - checked >= state.plan_or_raise.check_every
    return _try(state, again, now) if following is None and due else following


def _go_on(state: State, seen: Seen, now: datetime) -> Event | None:
    drifted = _drifted(state, seen)
    if drifted is not None and not switch_half_done(state):  # a router that does not obey must not keep writes out
        return _try(state, Reach(end=drifted), now)
    if state.held is not None and state.course is Course.FORWARD and not switch_half_done(state):
        return _waits(state, "held", "held", f"held by {state.held.by}: {state.held.reason}")
    step = state.step
    if step is None:
        return _after_last_step(state)
    found_open = opened_after_all(state)
    if found_open is not None:
        return found_open
    if isinstance(step, Reach):
        return _try(state, step, now)
    answer = ask(step, state, seen, now)
    if isinstance(answer, Passed):
        return GatePassed(gate=step.name, facts=answer.facts)
    return _waits(state, step.name, answer.cause, answer.reason)


def _try(state: State, step: Reach, now: datetime) -> Event | None:
    if state.miss is None or state.plan is None or state.miss.last.end != step.end:
        return EndWanted(end=step.end)
    if beyond_attempts(state):  # on the way forward this has turned the course already
        reason = f"{state.miss.last.reason} ({state.course.value.replace('_', ' ')}, {state.miss.attempts} attempts)"
        return MigrationEnded(outcome=Outcome.HALTED, reason=reason)
    if now - state.miss.at < state.plan.retry_after:
        return None
    return EndWanted(end=step.end)


def _after_last_step(state: State) -> Event:
    if state.course is Course.ROLLING_BACK:
        return MigrationEnded(outcome=Outcome.ROLLED_BACK, reason="everything that was built is undone")
    if state.course is Course.FAILING_BACK:
        return MigrationEnded(outcome=Outcome.FAILED_BACK, reason="the source takes writes again")
    following = state.phase.next if state.phase else None
    if following is None:
        return MigrationEnded(outcome=Outcome.COMPLETED, reason="finalized")
    return PhaseEntered(phase=following)


def _drifted(state: State, seen: Seen) -> ends.End | None:
    """Share and mirror as they should be, where the router says another: it was restarted, or turned by hand.

    None where the next step sets the share anyway: on the way back it falls at once, and one that was set though it
    was reported as failed moves nobody back.
    """
    found, step = seen.shares.value, state.step
    if isinstance(found, NoData):
        return None
    if found.canary_percent == state.canary_percent:
        mirrored = state.plan_or_raise.mirror_percent
        lost = awaits_answers(state) and found.mirror_percent != mirrored
        return ends.MirrorIs(percent=mirrored) if lost else None
    due = step.end.canary_percent if isinstance(step, Reach) and isinstance(step.end, ends.SharesAre) else None
    if due == found.canary_percent or (state.course is not Course.FORWARD and state.canary_percent > 0):
        return None
    return ends.SharesAre(canary_percent=state.canary_percent)


def _waits(state: State, gate: str, cause: str, reason: str) -> Event | None:
    if state.waits is not None and (state.waits.gate, state.waits.cause) == (gate, cause):
        return None
    return GateWaits(gate=gate, cause=cause, reason=reason)


def _why_refused(state: State, seen: Seen) -> str | None:
    if not state.returns:
        return "the point of no return has been passed"
    if state.course is not Course.FORWARD:
        return f"the migration is {state.course.value.replace('_', ' ')} already"
    lost = None if switch_half_done(state) else way_back_lost(state, seen)
    if lost is not None:
        return f"what was written since the cutover would be lost: {lost.reason}"
    return why_refused(state.differing) if state.differing and would_be_lost(state.differing) else None
