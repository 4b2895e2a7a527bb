"""When a migration turns back: a person's word, the judge, a guard, a limit of the source, an end out of reach.

Before the target takes writes it rolls back; afterwards it fails back, or halts where the way back is lost for good;
after the point of no return it halts. A way back that cannot be seen turns nothing: docs/adr/0008. Where rows differ
that the target may have written, only a person may say to go back: docs/adr/0009.
"""

from dataclasses import dataclass
from datetime import datetime

from crossfade.model import ends
from crossfade.model.comparing import Agreement
from crossfade.model.events import (
    EndMissed,
    Event,
    Facts,
    FailBackDecided,
    Held,
    Looked,
    MigrationEnded,
    RollbackDecided,
)
from crossfade.model.seen import Seen
from crossfade.model.terms import NEITHER, NoData, Outcome, Phase, Side
from crossfade.runbook.comparing import awaits_answers
from crossfade.runbook.differing import could_not_compare, in_words, loses_nothing
from crossfade.runbook.judging import aborts
from crossfade.runbook.phases import Course
from crossfade.runbook.state import State
from crossfade.runbook.warning import way_back_ailing

_PATIENCE_IN_UNDOING = 12
"""Giving up halfway back, or after the point of no return, leaves things in between: try that much longer."""
_LEFT = (
    "The target goes on taking writes, users stay where they are, and nothing is finalized. What is left: verify the"
    " target; to go back without loss, move back by a full load from the target"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """`word` is one of person, judge, guard, shadow, replication, way_back, source, end."""

    word: str
    reason: str
    facts: Facts
    way_back_lost: bool = False


def reason_to_turn(state: State, seen: Seen, looked: Looked | None, now: datetime) -> Cause | None:
    """The first reason to leave the way forward, the gravest first; None to go on."""
    if state.course is not Course.FORWARD or not state.returns:
        return None
    if switch_half_done(state) and not _neither_writes(state):
        return None  # the new side takes writes, or may: to find the switch done comes first, then it can fail back
    return (
        way_back_lost(state, seen)
        or _asked(state)
        or (None if state.overridden(now) else _judged(looked))
        or (None if state.overridden(now) else _compared(state))
        or _replication(state, seen)
        or _source(state, seen, now)
        or _lost(seen)
        or _way_back(state, seen, now)
        or _missed(state)
    )


def turn(state: State, cause: Cause) -> Event | None:
    """The decision that `cause` leads to where the migration stands.

    None while it is held for that very decision, or is being verified again.
    """
    if state.phase is Phase.PREPARE and cause.word == "end":
        return MigrationEnded(outcome=Outcome.HALTED, reason=f"not ready: {cause.reason}")
    if state.writer is Side.TARGET:
        if cause.way_back_lost:  # to fail back would lose what was written since
            reason = f"the way back is lost for good: {cause.reason}. {_LEFT}"
            return MigrationEnded(outcome=Outcome.HALTED, reason=reason)
        doubt = state.differing if state.differing and not loses_nothing(state.differing) else None
        if doubt and cause.word != "person" and not beyond_attempts(state):
            return None  # somebody has released: first everything is verified again
        asks = doubt or _not_compared(state, cause) or not state.plan_or_raise.fail_back_automatically
        if asks and cause.word != "person":
            reason = f"whether to fail back is for a person to say: {_why(state, cause, doubt)}"
            return None if state.held else Held(reason=reason)
        return FailBackDecided(cause=cause.word, reason=cause.reason, facts=cause.facts)
    return RollbackDecided(cause=cause.word, reason=cause.reason, facts=cause.facts)


def opened_after_all(state: State) -> FailBackDecided | None:
    """Rolling back, the target is found to take writes: a switch that was missed, or another engine's, went on.

    Nothing was undone that replication needs, so it fails back instead.
    """
    last = state.miss.last if state.miss is not None and state.course is Course.ROLLING_BACK else None
    if last is None or not isinstance(last.end, ends.ReplicationRemoved) or last.facts.get("writer") != Side.TARGET:
        return None
    return FailBackDecided(cause="end", reason=f"it cannot roll back: {last.reason}", facts={"end": last.end.kind})


def _not_compared(state: State, cause: Cause) -> bool:
    """Nothing is known to differ: the comparison itself failed. That the target is ill nobody has said."""
    return cause.word == "end" and state.miss is not None and could_not_compare(state.miss.last)


def _why(state: State, cause: Cause, doubt: EndMissed | None) -> str:
    if doubt is not None:
        return in_words(doubt) if cause.reason == doubt.reason else f"{cause.reason}; and {in_words(doubt)}"
    if _not_compared(state, cause):
        return (
            f"the sides could not be compared: {cause.reason}. The target goes on taking writes. Release to try again"
        )
    return cause.reason


def beyond_attempts(state: State) -> bool:
    """The end that is due cannot be reached: not retryable, or tried as often as the plan allows."""
    if state.miss is None or state.plan is None:
        return False
    if switch_half_done(state):
        return False  # nothing is better than finishing the switch
    may_turn = state.course is Course.FORWARD and state.returns
    patience = state.plan.attempts if may_turn else state.plan.attempts * _PATIENCE_IN_UNDOING
    return not state.miss.last.retryable or state.miss.attempts >= patience


def switch_half_done(state: State) -> bool:
    """A switch was missed, and the old side is not known to take writes: neither may, or the new one does already."""
    if state.missed_switch is None or not isinstance(state.missed_switch.end, ends.WriterIs):
        return False
    return _opened(state) != state.missed_switch.end.side.other


def way_back_lost(state: State, seen: Seen) -> Cause | None:
    """The target takes writes, and what leads back has lost some of them: nobody can go back, whoever asks."""
    return _lost(seen) if state.writer is Side.TARGET and state.returns else None


def _neither_writes(state: State) -> bool:
    """Nor will: it was tried again, which waits for whoever else was about it, a call of ours without answer too."""
    again = state.miss is not None and state.miss.last == state.missed_switch and state.miss.attempts > 1
    return again and _opened(state) == NEITHER


def _opened(state: State) -> str | int | float | bool | None:
    """Who takes writes after the switch that was missed, by the databases' own word; None when that is unknown."""
    return state.missed_switch.facts.get("writer") if state.missed_switch else None


def _asked(state: State) -> Cause | None:
    if state.rollback is None:
        return None
    return Cause(word="person", reason=state.rollback.reason, facts={"by": state.rollback.by})


def _judged(looked: Looked | None) -> Cause | None:
    if looked is None:
        return None
    facts: Facts = {
        "share": looked.share,
        "metric": looked.metric,
        "e_value": round(looked.e_value, 2),
        "baseline_requests": looked.baseline.requests,
        "canary_requests": looked.canary.requests,
    }
    if aborts(looked):
        return Cause(word="judge", reason=looked.reason, facts=facts)
    if looked.guard is not None:
        return Cause(word="guard", reason=looked.guard, facts=facts)
    return None


def _compared(state: State) -> Cause | None:
    """Answers of the modern servers differ, and users are not sent there before that is mended."""
    found = state.compared
    if found is None or found.verdict is not Agreement.REGRESSION or not awaits_answers(state):
        return None
    worst = found.fields[0]
    facts: Facts = {
        "field": worst.path,
        "differ": worst.differ,
        "noise": worst.noise,
        "pairs": found.reading.pairs,
        "e_value": round(worst.e_value, 2),
    }
    return Cause(word="shadow", reason=found.reason, facts=facts)


def _replication(state: State, seen: Seen) -> Cause | None:
    found = seen.replication.value
    if state.plan is None or isinstance(found, NoData) or found.primary is not Side.SOURCE:
        return None
    limit = state.plan.replication.retained_wal_bytes
    if found.retained_wal_bytes <= limit:
        return None
    reason = f"the source keeps {found.retained_wal_bytes} bytes of WAL for the migration, more than {limit}"
    return Cause(word="replication", reason=reason, facts={"retained_wal_bytes": found.retained_wal_bytes})


def _source(state: State, seen: Seen, now: datetime) -> Cause | None:
    """The source comes before the migration. Once it takes no writes, we could give back nothing it needs."""
    found = seen.source.value
    if state.plan is None or isinstance(found, NoData) or state.writer is not Side.SOURCE:
        return None
    limits, free, warned = state.plan.source, found.free_disk_bytes, state.warned_of("connections")
    if free is not None and free < limits.free_disk_give_way_bytes:
        reason = f"the source's disk has {free} bytes left, fewer than {limits.free_disk_give_way_bytes}"
        return Cause(word="source", reason=reason, facts={"free_disk_bytes": free, "wal_bytes": found.wal_bytes})
    most = limits.connections_give_way * found.most_connections
    if warned is not None and now - warned.at >= limits.patience and found.connections > most:
        reason = f"{found.connections} of the source's {found.most_connections} connections are used"
        return Cause(word="source", reason=reason, facts={"our_sessions": found.our_sessions})
    return None


def _lost(seen: Seen) -> Cause | None:
    """Replication has lost changes: nothing that waits for it will ever go on, and no override can help."""
    for found in (seen.replication.value, seen.way_back.value):
        if isinstance(found, NoData) and found.lost:
            return Cause(word="replication", reason=found.reason, facts={}, way_back_lost=True)
    return None


def _way_back(state: State, seen: Seen, now: datetime) -> Cause | None:
    """Both sides answer and the path is open, and yet the way back has been dead or late for longer than it may."""
    warned = state.warned_of("way_back")
    ailing = way_back_ailing(state, seen) if state.needs_way_back else None
    if warned is None or ailing is None or now - warned.at < state.plan_or_raise.max_way_back_lag:
        return None
    return Cause(word="way_back", reason=ailing, facts={"seconds": round((now - warned.at).total_seconds())})


def _missed(state: State) -> Cause | None:
    if state.miss is None or not beyond_attempts(state):
        return None
    last = state.miss.last
    return Cause(word="end", reason=last.reason, facts={"end": last.end.kind, "attempts": state.miss.attempts})
