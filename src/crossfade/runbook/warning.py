"""What people are told of in time, before anything is decided by it: a link without backup, a source short of room.

A warning is recorded once and stays until its matter was seen to be better; missing data neither warns nor reassures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from crossfade.model.events import Facts, Warned, WarningEnded
from crossfade.model.plan import Plan
from crossfade.model.seen import NOT_ASKED, Link, Seen, WayBack
from crossfade.model.terms import NoData, Side
from crossfade.runbook.phases import Await, Course, Gate, rungs
from crossfade.runbook.state import State

MEGABYTE = 10**6
_EASED = 0.9  # of a limit: what lingers about it is not told again and again


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """`over`: beyond the limit at which people are told. `eased`: clearly below it again."""

    over: bool
    eased: bool
    reason: str
    facts: Facts


_FINE = Concern(over=False, eased=True, reason="", facts={})


def warnings(state: State, seen: Seen, now: datetime) -> Iterator[Warned | WarningEnded]:
    """What is to be told now that was not told before, and what is over. `state` has a plan."""
    plan = state.plan_or_raise
    concerns = {subject: look(plan, seen) for subject, look in _CONCERNS.items()}
    concerns |= {subject: wait(state, now) for subject, wait in _WAITS.items()}
    if state.needs_way_back:
        concerns |= {"way_back": _way_back(state, seen), "way_back_unseen": _way_back_unseen(seen)}
    for subject, concern in concerns.items():
        if concern is None:
            continue
        known = state.warned_of(subject)
        if known is None and concern.over:
            yield Warned(subject=subject, reason=concern.reason, facts=concern.facts)
        elif known is not None and concern.eased and now - known.at >= plan.fresh:
            yield WarningEnded(subject=subject)


def _evidence(state: State, now: datetime) -> Concern:
    """A share that is held for want of evidence, and by no person, for longer than people want to wait for it."""
    plan, step = state.plan_or_raise, state.step
    if not isinstance(step, Await) or step.gate not in {Gate.JUDGED, Gate.PREVIEWED}:
        return _FINE
    if state.course is not Course.FORWARD or state.held is not None:
        return _FINE
    bake = rungs(plan)[step.rung].bake if step.gate is Gate.JUDGED else plan.preview or timedelta()
    missing = state.waits.reason if state.waits is not None else "there is none"
    reason = (
        f"{state.canary_percent:g} % is held for longer than {_minutes(plan.hold_at_most)} for want of evidence: "
        f"{missing}. A person must say whether to override or to roll back"
    )
    late = state.held_since(now) - bake
    return Concern(
        over=late > plan.hold_at_most, eased=False, reason=reason, facts={"seconds": round(late.total_seconds())}
    )


def _return(state: State, now: datetime) -> Concern:
    """Users who are still on the side that failed, longer after the decision than they may."""
    within, turned = state.plan_or_raise.rollback_within, state.turned
    if turned is None or state.canary_percent == 0:
        return _FINE
    took = now - turned
    reason = (
        f"{state.canary_percent:g} % of users are still on the modern servers, more than {_minutes(within)} after it"
        " was decided to bring them back"
    )
    return Concern(over=took > within, eased=False, reason=reason, facts={"seconds": round(took.total_seconds())})


def _override(state: State, now: datetime) -> Concern:
    """Nobody hears the judge: everybody is told, and told when that is over."""
    override = state.override
    if override is None or not state.overridden(now) or state.course is not Course.FORWARD:
        return _FINE
    until = f"{override.until:%Y-%m-%d %H:%M:%S %Z}".strip()
    reason = f"the judge of traffic is not heard until {until}, by the word of {override.by}: {override.reason}"
    return Concern(over=True, eased=False, reason=reason, facts={})


def without_backup(links: tuple[Link, ...]) -> str | None:
    """Why traffic has no other path to take; None while it has, or where paths have no backup by design."""
    redundant = [link for link in links if link.redundant]
    up = [link.name for link in redundant if link.up]
    down = ", ".join(link.name for link in redundant if not link.up)
    if not redundant or len(up) > 1:
        return None
    if not up:
        return f"no path between the sites carries traffic: {down} down"
    return f"{up[0]} alone carries the traffic between the sites" + (f": {down} down" if down else "")


def lives(found: WayBack, state: State) -> bool:
    """The way back was seen to carry writes of the target, since the last switch."""
    return found.proven and found.primary is state.writer is Side.TARGET and state.woken == (state.writer, state.epoch)


def way_back_ailing(state: State, seen: Seen) -> str | None:
    """What ails the way back itself; None where it is well, or where nobody can say or help it: it is cut off."""
    found, replication = seen.way_back.value, seen.replication.value
    if isinstance(found, NoData) or _cut_off(seen) is not None:
        return None
    if not lives(found, state):
        return "the way back is dead: what is written on the target does not reach the source"
    limit = state.plan_or_raise.max_way_back_lag
    if isinstance(replication, NoData) or replication.lag is None or replication.lag <= limit:
        return None
    return f"the way back is {replication.lag.total_seconds():.0f} s late, more than {limit.total_seconds():.0f} s"


def _way_back(state: State, seen: Seen) -> Concern:
    ailing = way_back_ailing(state, seen)
    return Concern(over=ailing is not None, eased=ailing is None, reason=ailing or "", facts={})


def _way_back_unseen(seen: Seen) -> Concern | None:
    found = seen.way_back.value
    if found == NOT_ASKED or (isinstance(found, NoData) and found.lost):  # what is lost ends the migration
        return None
    why = found.reason if isinstance(found, NoData) else _cut_off(seen)
    reason = f"whether the way back lives cannot be seen, so nothing is finalized: {why}"
    return Concern(over=why is not None, eased=why is None, reason=reason, facts={})


def _cut_off(seen: Seen) -> str | None:
    """Why nothing passes between the sites, by the network's word; None where it does or there is no such word."""
    found = seen.links.value
    if isinstance(found, NoData):
        return None
    down = [link.name for link in found if not link.up]
    needed = any(not link.up and not link.redundant for link in found)
    redundant = [link.up for link in found if link.redundant]
    if needed or (redundant and not any(redundant)):
        return f"{', '.join(down)} down"
    return None


def _link(_plan: Plan, seen: Seen) -> Concern | None:
    found = seen.links.value
    if isinstance(found, NoData):
        return None
    missing = without_backup(found)
    facts: Facts = {link.name: "up" if link.up else "down" for link in found if link.redundant}
    return Concern(over=missing is not None, eased=missing is None, reason=missing or "", facts=facts)


def _wal(plan: Plan, seen: Seen) -> Concern | None:
    found, source = seen.replication.value, seen.source.value
    if isinstance(found, NoData):
        return None
    limit, whose = plan.replication.warn_wal_bytes, f"gives way at {_mb(plan.replication.retained_wal_bytes)}"
    allowed = None if isinstance(source, NoData) else source.slot_wal_limit_bytes
    if allowed is not None and found.primary is Side.SOURCE and allowed // 2 < limit:
        limit, whose = allowed // 2, f"loses its slot at {_mb(allowed)} (max_slot_wal_keep_size)"
    reason = f"the {found.primary} keeps {_mb(found.retained_wal_bytes)} of WAL for the migration, which {whose}"
    return _rising(found.retained_wal_bytes, limit, reason, {"retained_wal_bytes": found.retained_wal_bytes})


def _disk(plan: Plan, seen: Seen) -> Concern | None:
    found = seen.source.value
    if isinstance(found, NoData) or found.free_disk_bytes is None:
        return None
    warn, give_way = plan.source.free_disk_warn_bytes, plan.source.free_disk_give_way_bytes
    free = found.free_disk_bytes
    return Concern(
        over=free < warn,
        eased=free > warn / _EASED,
        reason=f"the source's disk has {_mb(free)} left; the migration gives way at {_mb(give_way)}",
        facts={"free_disk_bytes": free, "wal_bytes": found.wal_bytes},
    )


def _connections(plan: Plan, seen: Seen) -> Concern | None:
    found = seen.source.value
    if isinstance(found, NoData):
        return None
    reason = (
        f"{found.connections} of the source's {found.most_connections} connections are used, {found.our_sessions} of "
        f"them by the migration, which gives way at {plan.source.connections_give_way:.0%}"
    )
    facts: Facts = {"connections": found.connections, "most_connections": found.most_connections}
    return _rising(found.connections, plan.source.connections_warn * found.most_connections, reason, facts)


def _load(plan: Plan, seen: Seen) -> Concern | None:
    found = seen.source.value
    if isinstance(found, NoData):
        return None
    seconds, limit = found.look.total_seconds(), plan.source.slow_look.total_seconds()
    reason = f"the source takes {seconds:.1f} s to say how it is, with {found.our_sessions} sessions of the migration"
    return _rising(seconds, limit, reason, {"our_sessions": found.our_sessions})


def _rising(value: float, limit: float, reason: str, facts: Facts) -> Concern:
    return Concern(over=value > limit, eased=value < limit * _EASED, reason=reason, facts=facts)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / MEGABYTE:,.0f} MB"


def _minutes(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"{seconds:g} s" if seconds % 60 else f"{seconds / 60:g} min"


_WAITS: dict[str, Callable[[State, datetime], Concern]] = {
    "evidence": _evidence,
    "return": _return,
    "override": _override,
}
_CONCERNS: dict[str, Callable[[Plan, Seen], Concern | None]] = {
    "link": _link,
    "wal": _wal,
    "disk": _disk,
    "connections": _connections,
    "load": _load,
}
