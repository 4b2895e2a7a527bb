"""When the next step may begin: each gate looks at what was seen and passes with its evidence, or waits and says why.

Missing data never passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from crossfade.model.comparing import Agreement
from crossfade.model.events import Facts
from crossfade.model.plan import Plan
from crossfade.model.seen import FileSync, Link, Replication, Seen, ServerState
from crossfade.model.terms import NoData, Side, Sighting
from crossfade.runbook.approving import expired, in_words, still_needed, what
from crossfade.runbook.comparing import fresh_shadow, last_of_its_boot
from crossfade.runbook.judging import promotes
from crossfade.runbook.phases import Await, Gate, rungs
from crossfade.runbook.state import State
from crossfade.runbook.warning import lives, without_backup

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """`cause` is a stable word, recorded when it changes; `reason` is for people and may hold figures."""

    cause: str
    reason: str


Answer = Passed | Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    gate: Await
    state: State
    plan: Plan
    seen: Seen
    now: datetime


def ask(gate: Await, state: State, seen: Seen, now: datetime) -> Answer:
    """Whether `gate` passes now. `state` has a plan and a phase."""
    return _GATES[gate.gate](Situation(gate=gate, state=state, plan=state.plan_or_raise, seen=seen, now=now))


def _approved(at: Situation) -> Answer:
    share, given = at.gate.share, at.state.approvals
    needed = at.plan.approval(at.state.phase, share) if at.state.phase else None
    if needed is not None and still_needed(needed, given, at.now) > 0:
        cause = "approval_expired" if expired(needed, given, at.now) else "approval"
        return Waits(cause=cause, reason=f"{what(needed)} needs {in_words(needed, given, at.now)}")
    if share is None:
        return Passed(facts={"phase": str(at.state.phase)})
    promotable = _promotable(at) if at.gate.rung > 0 else Passed(facts={})  # the approval may have taken days
    return Passed(facts={"to_share": share / 100}) if isinstance(promotable, Passed) else promotable


def _full_load_done(at: Situation) -> Answer:
    found = _fresh(at.seen.replication, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    if not found.copied:
        return Waits(cause="full_load", reason=f"{found.tables_copied} of {found.tables} tables are copied")
    return Passed(facts={"tables": found.tables})


def _caught_up(at: Situation) -> Answer:
    found = _fresh(at.seen.replication, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    late = _behind(found, at.plan)
    return late or Passed(facts=_lag_facts(found))


def _servers_ready(at: Situation) -> Answer:
    found = _fresh(at.seen.servers, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    late = [server.name for server in found if server.state is ServerState.NOT_READY]
    if late or not found:
        return Waits(cause="servers", reason=f"{len(found) - len(late)} of {len(found)} servers are replicated")
    return Passed(facts={"servers": len(found)})


def _files_in_step(at: Situation) -> Answer:
    found = _fresh(at.seen.files, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    if not _in_step(found, at.plan):
        return Waits(cause="files", reason=f"{found.pending} of {found.files} files are still to be copied")
    return Passed(facts={"files": found.files, "bytes": found.bytes, "pending": found.pending})


def _judged(at: Situation) -> Answer:
    bake = rungs(at.plan)[at.gate.rung].bake
    if at.state.held_since(at.now) < bake:
        return Waits(cause="bake", reason=f"{_who_runs(at)} for {_seconds(bake)}")
    return _promotable(at)


def _who_runs(at: Situation) -> str:
    return "both arms run together" if at.plan.preview is None else "the modern servers are watched"


def _promotable(at: Situation) -> Answer:
    """What the last look says of the share that there is."""
    looked = at.state.looked
    if at.state.overridden(at.now):
        return Passed(facts={"override": True})
    if at.state.counting is None or looked is None or at.now - at.state.counting.at > at.plan.fresh:
        return Waits(cause="no_data", reason="there are no fresh counts of both arms")
    if looked.share != at.state.canary_percent / 100 or not promotes(looked):
        return Waits(cause=f"judge:{looked.metric}", reason=looked.reason)
    return Passed(facts={"share": looked.share, "e_value": round(looked.e_value, 4), "reason": looked.reason})


def _previewed(at: Situation) -> Answer:
    preview, since, checked = at.plan.preview or timedelta(), at.state.sound_since, at.state.checked
    if since is None or checked is None:
        return Waits(cause="checks", reason="the new side's checks must pass again")
    if checked - since < preview:
        return Waits(cause="preview", reason=f"the new side is checked for {_seconds(preview)} before anybody moves")
    return Passed(facts={"seconds": round((checked - since).total_seconds(), 1)})


def _kept_warm(at: Situation) -> Answer:
    until = None if at.state.moved is None else at.state.moved + at.plan.keep_warm
    if until is None or at.now < until:
        reason = f"the old side is kept warm for {_seconds(at.plan.keep_warm)} after everybody has moved"
        return Waits(cause="keep_warm", reason=reason)
    return Passed(facts={"seconds": round((at.now - until + at.plan.keep_warm).total_seconds(), 1)})


def _answers_agree(at: Situation) -> Answer:
    """After the whole duration, by a look at pairs that came till its end: a silent mirror passes nothing."""
    limits, compared, began = at.plan.shadow, at.state.compared, at.state.since
    if at.state.held_since(at.now) < limits.duration or began is None:
        return Waits(cause="duration", reason=f"answers are compared for {_seconds(limits.duration)}")
    if at.state.overridden(at.now):
        return Passed(facts={"override": True})
    found = fresh_shadow(at.plan, at.seen.shadow, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    if found.pairs < limits.minimum_pairs:
        return Waits(cause="pairs", reason=f"{found.pairs:,} of {limits.minimum_pairs:,} pairs are compared")
    if compared is None or at.state.compared_at is None or at.state.compared_at - began < limits.duration:
        return Waits(cause="look", reason="more pairs are needed since the last look at them")
    if last_of_its_boot(at.state, found).pairs < limits.minimum_pairs:
        return Waits(cause="look", reason="the collector has begun anew since the last look")
    if compared.verdict is not Agreement.AGREES:
        return Waits(cause=f"answers:{compared.verdict}", reason=compared.reason)
    seen = compared.reading
    return Passed(facts={"pairs": seen.pairs, "matched": seen.matched, "latency_ratio": seen.latency_ratio})


def _link_backed(at: Situation) -> Answer:
    if at.state.overridden(at.now):
        return Passed(facts={"override": True})
    found = _fresh(at.seen.links, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    missing = without_backup(found)
    return Waits(cause="no_backup", reason=missing) if missing else Passed(facts=_link_facts(found))


def _link_facts(found: tuple[Link, ...]) -> Facts:
    seconds = [link.round_trip.total_seconds() for link in found if link.redundant and link.round_trip is not None]
    return {link.name: "up" for link in found if link.redundant} | (
        {"round_trip_ms": round(1000 * min(seconds), 2)} if seconds else {}
    )


def _drained(at: Situation) -> Answer:
    found = _fresh(at.seen.drained, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    return Passed(facts={}) if found else Waits(cause="in_flight", reason="requests are still in flight")


def _baked(at: Situation) -> Answer:
    left = at.plan.bake - at.state.held_since(at.now)
    if left.total_seconds() > 0:
        return Waits(cause="bake", reason=f"both sides stay alive for {_seconds(at.plan.bake)}")
    return _way_back_alive(at)


def _way_back_alive(at: Situation) -> Answer:
    found = _fresh(at.seen.way_back, at.plan, at.now)
    if isinstance(found, NoData):
        return _no_data(found)
    if not lives(found, at.state):
        return Waits(cause="way_back", reason="the way back is not proven to be alive")
    writer = _fresh(at.seen.writer, at.plan, at.now)
    if isinstance(writer, NoData):
        return _no_data(writer)
    if writer.side is not Side.TARGET:
        return Waits(cause="writer", reason="by their own word, not the target alone takes writes")
    lag = _fresh(at.seen.replication, at.plan, at.now)
    if isinstance(lag, NoData):
        return _no_data(lag)
    shares = _fresh(at.seen.shares, at.plan, at.now)
    if isinstance(shares, NoData):  # users of a router that has forgotten its share would be left with nobody
        return _no_data(shares)
    if shares.canary_percent != at.state.canary_percent:
        return Waits(cause="share", reason=f"the router sends {shares.canary_percent:g} % of users to the target")
    late = _behind(lag, at.plan)
    return late or Passed(facts={"way_back": "alive", **_lag_facts(lag)})


def _behind(found: Replication, plan: Plan) -> Waits | None:
    limits = plan.replication
    if not found.applying:
        return Waits(cause="not_applying", reason="the other side does not apply changes")
    if found.lag is None:
        return Waits(cause="no_marker", reason="no marker has arrived on the other side yet")
    if found.lag > limits.lag or found.lag_bytes > limits.lag_bytes:
        return Waits(cause="lag", reason=f"replication lag is {_seconds(found.lag)}, {found.lag_bytes} bytes")
    return None


def _in_step(found: FileSync, plan: Plan) -> bool:
    return found.pending == 0 or (found.lag is not None and found.lag <= plan.replication.lag)


def _lag_facts(found: Replication) -> Facts:
    seconds = None if found.lag is None else round(found.lag.total_seconds(), 3)
    return {"lag_seconds": seconds, "lag_bytes": found.lag_bytes}


def _fresh(sighting: Sighting[T], plan: Plan, now: datetime) -> T | NoData:
    if not isinstance(sighting.value, NoData) and now - sighting.at > plan.fresh:
        return NoData(reason=f"last seen {_seconds(now - sighting.at)} ago")
    return sighting.value


def _no_data(found: NoData) -> Waits:
    return Waits(cause="no_data", reason=found.reason)


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.1f} s"


_GATES: dict[Gate, Callable[[Situation], Answer]] = {
    Gate.APPROVED: _approved,
    Gate.FULL_LOAD_DONE: _full_load_done,
    Gate.CAUGHT_UP: _caught_up,
    Gate.SERVERS_READY: _servers_ready,
    Gate.FILES_IN_STEP: _files_in_step,
    Gate.ANSWERS_AGREE: _answers_agree,
    Gate.JUDGED: _judged,
    Gate.DRAINED: _drained,
    Gate.BAKED: _baked,
    Gate.WAY_BACK_ALIVE: _way_back_alive,
    Gate.LINK_BACKED: _link_backed,
    Gate.PREVIEWED: _previewed,
    Gate.KEPT_WARM: _kept_warm,
}
