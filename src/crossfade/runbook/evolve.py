"""How each event changes the state. A fold of these over a journal is all that is ever known of a migration."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from crossfade.judge import judge
from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import Event
from crossfade.model.terms import Side, Suite
from crossfade.runbook.approving import Given
from crossfade.runbook.differing import found_different
from crossfade.runbook.judging import as_look, begin_judging, judge_settings
from crossfade.runbook.phases import Course, Reach
from crossfade.runbook.state import OF_THE_WAY_BACK, Counting, Miss, Override, Request, StandingWarning, State

_MODERN = ends.ChecksPassed(suite=Suite.TARGET)


def fold(entries: Iterable[Entry], state: State | None = None) -> State:
    """The state after `entries`, beginning with `state`."""
    state = state or State()
    for entry in entries:
        state = evolve(state, entry.event, entry.at, entry.by)
    return state


def evolve(state: State, event: Event, at: datetime, by: str = "engine") -> State:
    """The state after one more event, which happened at `at` and was appended by `by`."""
    said = _after_a_persons_word(state, event, at, by)
    return said if said is not None else _hear(_after_the_engines_word(state, event, at), event, at)


def _hear(state: State, event: Event, at: datetime) -> State:
    """How long a person's word counts goes by the engine's clock; whoever gives it may have quite another one.

    The engine's first entry after a word shows what its clock says. Where no engine ran that could have heard it, the
    word's own time stays; so does the end of an override where both clocks nearly agree.
    """
    override, approvals = state.override, state.approvals
    if (override is None or override.heard) and all(word.heard for word in approvals):
        return state

    took_up = isinstance(event, events.EngineStarted)
    if override is not None and not override.heard:
        agree = took_up or abs(at - override.at) <= state.plan_or_raise.fresh
        until = override.until if agree else override.until + (at - override.at)
        override = replace(override, until=until, heard=True)
    heard = (word if word.heard else replace(word, at=word.at if took_up else at, heard=True) for word in approvals)
    return replace(state, override=override, approvals=tuple(heard))


def _after_a_persons_word(state: State, event: Event, at: datetime, by: str) -> State | None:
    match event:
        case events.Approved(phase=phase, share=share):
            others = (word for word in state.approvals if (word.phase, word.share, word.by) != (phase, share, by))
            approvals = (*others, Given(phase=phase, share=share, by=by, at=at))
            return replace(state, approvals=approvals, waits=None)  # who else is asked now?
        case events.Held(reason=reason):
            return replace(state, held=Request(by=by, reason=reason))
        case events.Released():
            return replace(state, held=None, waits=None, miss=None)  # whoever releases wants it tried anew
        case events.RollbackRequested(reason=reason):
            return replace(state, rollback=Request(by=by, reason=reason))
        case events.Overridden(reason=reason, until=until):
            override = Override(by=by, reason=reason, at=at, until=until)
            return replace(state, override=override, warnings=_without(state, "override"))
        case _:
            return None


def _after_the_engines_word(state: State, event: Event, at: datetime) -> State:  # noqa: C901, PLR0912 - a line for each event
    match event:
        case events.MigrationPlanned(plan=plan, after=after):
            begun = replace(state, plan=plan, judge=begin_judging(plan), since=at)
            return replace(begun, epoch=after.epoch, entries_before=after.entries) if after else begun
        case events.EngineStarted():
            unwatched = _unwatched_for(state, at)
            since, moved = (moment + unwatched if moment else None for moment in (state.since, state.moved))
            return replace(state, engines=state.engines + 1, since=since, moved=moved, sound_since=None)
        case events.PhaseEntered(phase=phase):
            return replace(state, phase=phase, cursor=0, since=at, phase_epoch=state.epoch, miss=None, waits=None)
        case events.EndWanted(end=end):
            return _wanting(state, end)
        case events.EndReached(end=end):
            return _reached(state, end, at)
        case events.EndMissed(end=end):
            attempts = state.miss.attempts + 1 if state.miss and state.miss.last.end == end else 1
            missed_switch = event if isinstance(end, ends.WriterIs) else state.missed_switch
            miss = Miss(last=event, at=at, attempts=attempts)
            differing = event if found_different(event) else state.differing
            sound_since = None if end == _MODERN else state.sound_since
            return replace(
                state,
                wanted=None,
                miss=miss,
                missed_switch=missed_switch,
                differing=differing,
                sound_since=sound_since,
            )
        case events.GatePassed():
            return replace(state, cursor=state.cursor + 1, since=at, miss=None, waits=None)
        case events.GateWaits():
            return replace(state, waits=event)
        case events.Warned(subject=subject, reason=reason):
            others = _without(state, subject)
            return replace(state, warnings=(*others, StandingWarning(subject=subject, reason=reason, at=at)))
        case events.WarningEnded(subject=subject):
            return replace(state, warnings=_without(state, subject))
        case events.CountingStarted(reading=reading):
            return replace(state, counting=Counting(reading=reading, at=at), looked=None)  # what was seen before is old
        case events.Looked():
            return _looked(state, event, at)
        case events.AnswersCompared():
            return replace(state, compared=event, compared_at=at)
        case events.RequestRefused():
            return replace(state, rollback=None)
        case events.RollbackDecided():
            return _turned(state, Course.ROLLING_BACK, at)
        case events.FailBackDecided():
            return _turned(_found_switched(state), Course.FAILING_BACK, at)
        case events.MigrationEnded(outcome=outcome):
            return replace(state, outcome=outcome, wanted=None)
        case _:
            raise TypeError(f"evolve knows no {type(event).__name__}")


def _unwatched_for(state: State, at: datetime) -> timedelta:
    """Time in which no engine looked is no bake time, and warms nothing; nor is a jump of the clock while none ran."""
    if state.since is None:
        return timedelta(0)
    watched_until = max(state.since, state.counting.at) if state.counting else state.since
    return max(at - watched_until, timedelta(0))


def _unwatched(state: State, at: datetime) -> bool:
    """Nobody can say that the modern side was sound until now: a check has failed, or none was made for too long."""
    if state.sound_since is None or state.checked is None:
        return True
    plan = state.plan_or_raise
    return at - state.checked > 2 * (plan.check_every + plan.fresh)


def _without(state: State, *subjects: str) -> tuple[StandingWarning, ...]:
    return tuple(warning for warning in state.warnings if warning.subject not in subjects)


def _wanting(state: State, end: End) -> State:
    returns = state.returns and not isinstance(end, ends.WayBackEnded)
    warnings = state.warnings if returns else _without(state, *OF_THE_WAY_BACK)
    waits = state.waits if end == _MODERN and state.checks_repeatedly else None  # nothing new is waited for
    state = replace(state, wanted=end, waits=waits, returns=returns, warnings=warnings)
    if isinstance(end, ends.SharesAre):  # counts of different shares must not be pooled: Simpson's paradox
        return replace(state, counting=None, recent=())
    return state


def _reached(state: State, end: End, at: datetime) -> State:
    after = replace(_consequences(end, state, at), wanted=None)
    due = state.step.end if isinstance(state.step, Reach) else None
    if due == end:
        return replace(after, miss=None, cursor=state.cursor + 1, since=at)
    # Brought about again (a router that had lost its share): no step forward, and what was missed still is.
    return after if state.miss and state.miss.last.end == due else replace(after, miss=None)


def _looked(state: State, event: events.Looked, at: datetime) -> State:
    plan, judged = state.plan, state.judge
    if plan is None or judged is None or state.counting is None:
        return state
    judged, _ = judge(judged, as_look(event), judge_settings(plan))
    since = at - plan.guards.longest_window
    recent = (*(seen for seen in state.recent if seen[0] > since), (at, event))
    counting = Counting(reading=event.reading, at=at)
    return replace(state, judge=judged, looked=event, recent=recent, counting=counting)


def _found_switched(state: State) -> State:
    """Who fails back has a target that takes writes, also where the switch was never seen to be done."""
    return state if state.writer is Side.TARGET else replace(state, writer=Side.TARGET, epoch=state.epoch + 1)


def _turned(state: State, course: Course, at: datetime) -> State:
    return replace(
        state,
        course=course,
        cursor=0,
        since=at,
        phase_epoch=state.epoch,
        wanted=None,
        miss=None,
        missed_switch=None,
        differing=None,
        waits=None,
        counting=None,
        rollback=None,
        turned=at,
        warnings=_without(state, *OF_THE_WAY_BACK),
    )


def _consequences(end: End, state: State, at: datetime) -> State:
    match end:
        case ends.SharesAre(canary_percent=percent):
            return replace(state, canary_percent=percent, moved=(state.moved or at) if percent == 100 else None)
        case ends.ChecksPassed(suite=Suite.TARGET):
            return replace(state, checked=at, sound_since=at if _unwatched(state, at) else state.sound_since)
        case ends.WriterIs(side=side, epoch=epoch):
            return replace(state, writer=side, epoch=epoch, missed_switch=None)
        case ends.DataVerified(primary=primary, epoch=epoch):
            return replace(state, verified=(primary, epoch), differing=None)
        case ends.WayBackAwake(primary=primary, epoch=epoch):
            return replace(state, woken=(primary, epoch))
        case _:
            return state
