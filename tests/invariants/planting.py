"""Journals of sound migrations, and how one thing is made wrong in them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, EndReached, EndWanted, Event, GatePassed
from crossfade.model.plan import LadderStep, NeededApproval, ShadowLimits
from crossfade.model.terms import Outcome, Phase, Side
from tests.engine.world import START, Bench, plan

Journal = list[Entry]
LADDER = tuple(LadderStep(percent=p, bake=timedelta(seconds=3)) for p in (10.0, 50.0, 100.0))
TO_TARGET = ends.WriterIs(side=Side.TARGET, epoch=1)
AWAKE = ends.WayBackAwake(primary=Side.TARGET, epoch=1)
VERIFIED = ends.DataVerified(primary=Side.TARGET, epoch=1)
ENDED = ends.WayBackEnded()


def share(percent: float) -> End:
    return ends.SharesAre(canary_percent=percent)


def bench() -> Bench:
    return Bench(plan(ladder=LADDER, approvals=(NeededApproval(phase=Phase.FINALIZE, by=("ann",)),)))


@cache
def completed() -> tuple[Entry, ...]:
    """Approved, completed, no rule broken."""
    made = bench()
    made.say(events.Approved(phase=Phase.FINALIZE, reason="change 1"))
    assert made.engine().run() is Outcome.COMPLETED
    return made.journal.read()


@cache
def turned(phase: Phase) -> tuple[Entry, ...]:
    """Asked to go back in `phase`, and gone back."""
    made = bench()
    made.run_until(lambda b: b.phase is phase and b.world.percent > 0)
    made.say(events.RollbackRequested(reason="enough"))
    made.engine().run()
    return made.journal.read()


@cache
def shadowed() -> tuple[Entry, ...]:
    """Completed, after both sides' answers were compared."""
    limits = ShadowLimits(duration=timedelta(seconds=5), minimum_pairs=200, repeat=1.0)
    made = Bench(plan(ladder=LADDER, mirror_percent=100.0, shadow=limits))
    assert made.engine().run() is Outcome.COMPLETED
    return made.journal.read()


def comparing(**changed: object) -> Callable[[Journal], Journal]:
    """Each look at the answers says something else."""
    return lambda entries: [
        replace(e, event=replace(e.event, **changed)) if isinstance(e.event, events.AnswersCompared) else e  # type: ignore[arg-type]
        for e in entries
    ]


def rolled_back() -> tuple[Entry, ...]:
    return turned(Phase.CANARY)


def failed_back() -> tuple[Entry, ...]:
    return turned(Phase.BAKE)


def number(entries: Journal) -> Journal:
    return [replace(entry, position=position) for position, entry in enumerate(entries, start=1)]


def place(entries: Journal, event: Event | type[Event]) -> int:
    """Where `event` stands; outcomes are found by their end."""
    return next(
        i
        for i, e in enumerate(entries)
        if (e.event == event or type(e.event) is event)
        or (isinstance(event, EndReached | GatePassed) and _same(e.event, event))
    )


def _same(one: Event, other: EndReached | GatePassed) -> bool:
    if isinstance(other, EndReached):
        return isinstance(one, EndReached) and one.end == other.end
    return isinstance(one, GatePassed) and one.gate == other.gate


def put(entries: Journal, at: int, *given: Event, by: str = "engine", later: timedelta = timedelta()) -> Journal:
    moment = entries[at - 1].at + later
    new = [Entry(position=0, at=moment, by=by, event=event, hash="") for event in given]
    return number([*entries[:at], *new, *entries[at:]])


def put_before(event: Event | type[Event], *given: Event, by: str = "engine") -> Callable[[Journal], Journal]:
    return lambda entries: put(entries, place(entries, event), *given, by=by)


def put_after(event: Event | type[Event], *given: Event, by: str = "engine") -> Callable[[Journal], Journal]:
    return lambda entries: put(entries, place(entries, event) + 1, *given, by=by)


def without(*gone: Callable[[Event], bool]) -> Callable[[Journal], Journal]:
    return lambda entries: number([e for e in entries if not any(is_gone(e.event) for is_gone in gone)])


def about(end: End) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, EndWanted | EndReached) and event.end == end


def is_like(sample: Event) -> Callable[[Event], bool]:
    return lambda event: type(event) is type(sample) and getattr(event, "gate", None) == getattr(sample, "gate", None)


def instead(old: End, new: End) -> Callable[[Journal], Journal]:
    """Another end is wanted and reached in its place."""

    def change(entries: Journal) -> Journal:
        return [
            replace(e, event=replace(e.event, end=new))
            if isinstance(e.event, EndWanted | EndReached) and e.event.end == old
            else e
            for e in entries
        ]

    return change


def both(end: End) -> tuple[Event, Event]:
    return EndWanted(end=end), EndReached(end=end)


def missed(end: End, **facts: str | None) -> Event:
    return EndMissed(end=end, reason="no", remedy="", retryable=True, facts=facts)


def differing(**facts: int) -> tuple[Event, Event]:
    """The verification of bake, with rows that differ."""
    found = EndMissed(end=VERIFIED, reason="rows differ", remedy="", retryable=False, facts=facts)
    return EndWanted(end=VERIFIED), found


def ending(outcome: Outcome) -> Callable[[Journal], Journal]:
    return lambda entries: [
        *entries[:-1],
        replace(entries[-1], event=events.MigrationEnded(outcome=outcome, reason="so it says")),
    ]


def look(entries: Journal) -> events.Looked:
    return next(e.event for e in entries if isinstance(e.event, events.Looked))


def looking(**changes: object) -> Callable[[Journal], Journal]:
    """The judge's last look before the first share has passed says something else."""

    def change(entries: Journal) -> Journal:
        last = max(i for i in range(place(entries, JUDGED)) if isinstance(entries[i].event, events.Looked))
        looked = replace(look(entries[last : last + 1]), **changes)  # type: ignore[arg-type]  # fields of Looked
        return [*entries[:last], replace(entries[last], event=looked), *entries[last + 1 :]]

    return change


def sooner(event: Event, by: timedelta) -> Callable[[Journal], Journal]:
    """From `event` on all happens earlier."""

    def change(entries: Journal) -> Journal:
        first = place(entries, event)
        return [*entries[:first], *(replace(e, at=e.at - by) for e in entries[first:])]

    return change


def planned(*ladder: LadderStep) -> events.MigrationPlanned:
    return events.MigrationPlanned(plan=plan(ladder=ladder))


JUDGED = GatePassed(gate="judged:0")
BAKED = GatePassed(gate="baked")
APPROVED = GatePassed(gate="approved")
OVER = events.Overridden(reason="known", until=START)
WAITS = events.GateWaits(gate="caught_up", cause="lag", reason="late")
SOME = timedelta(seconds=2)
