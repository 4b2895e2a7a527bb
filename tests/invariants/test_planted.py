"""Each rule finds what breaks it: the journal of a sound migration, with one thing made wrong in it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from crossfade.invariants import Rule, Rules, broken_rules
from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, EndReached, EndWanted, Event, GatePassed, PhaseEntered
from crossfade.model.plan import LadderStep, NeededApproval
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side, Sighting
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


def rolled_back() -> tuple[Entry, ...]:
    return turned(Phase.CANARY)


def failed_back() -> tuple[Entry, ...]:
    return turned(Phase.BAKE)


@pytest.mark.parametrize("journal", [completed, rolled_back, failed_back])
def test_nothing_is_found_when_all_is_as_it_should_be(journal: Callable[[], tuple[Entry, ...]]) -> None:
    assert broken_rules(journal()) == ()


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


def _planned(*ladder: LadderStep) -> events.MigrationPlanned:
    return events.MigrationPlanned(plan=plan(ladder=ladder))


JUDGED = GatePassed(gate="judged:0")
BAKED = GatePassed(gate="baked")
APPROVED = GatePassed(gate="approved")
OVER = events.Overridden(reason="known", until=START)
WAITS = events.GateWaits(gate="caught_up", cause="lag", reason="late")
SOME = timedelta(seconds=2)

PLANTS: dict[str, tuple[Rule, Callable[[], tuple[Entry, ...]], Callable[[Journal], Journal]]] = {
    "the modern servers end under their users": (
        Rule.SHARES,
        completed,
        put_before(JUDGED, *both(ends.CutoverInstancesGone())),
    ),
    "the epoch does not grow": (
        Rule.ONE_WRITER,
        completed,
        instead(TO_TARGET, ends.WriterIs(side=Side.TARGET, epoch=0)),
    ),
    "the epoch jumps": (Rule.ONE_WRITER, completed, instead(TO_TARGET, ends.WriterIs(side=Side.TARGET, epoch=2))),
    "the writer is opened again": (
        Rule.ONE_WRITER,
        completed,
        instead(TO_TARGET, ends.WriterIs(side=Side.SOURCE, epoch=1)),
    ),
    "the switch is not prepared": (Rule.ONE_WRITER, completed, without(about(ends.SwitchPrepared(to=Side.TARGET)))),
    "writes move in canary": (Rule.ONE_WRITER, completed, put_before(EndWanted(end=share(10.0)), *both(TO_TARGET))),
    "rolls back after the switch": (
        Rule.ONE_WRITER,
        completed,
        put_before(BAKED, events.RollbackDecided(cause="person", reason="")),
    ),
    "rolls back though a missed switch opened the target": (
        Rule.ONE_WRITER,
        completed,
        put_after(
            EndWanted(end=TO_TARGET),
            missed(TO_TARGET, writer="target"),
            events.RollbackDecided(cause="person", reason=""),
        ),
    ),
    "fails back before the switch": (
        Rule.ONE_WRITER,
        completed,
        put_before(JUDGED, events.FailBackDecided(cause="person", reason="")),
    ),
    "ended rolled back on the target": (Rule.ONE_WRITER, completed, ending(Outcome.ROLLED_BACK)),
    "ended completed on the source": (Rule.ONE_WRITER, failed_back, ending(Outcome.COMPLETED)),
    "the way back is not proven": (Rule.WAY_BACK, completed, without(about(AWAKE))),
    "the way back is not built": (Rule.WAY_BACK, completed, without(about(ends.WayBackBuilt()))),
    "replication is removed on the way forward": (
        Rule.WAY_BACK,
        completed,
        put_before(JUDGED, *both(ends.ReplicationRemoved())),
    ),
    "the source is retired while one may go back": (
        Rule.WAY_BACK,
        completed,
        put_before(EndWanted(end=ENDED), *both(ends.SourceRetired())),
    ),
    "turns back after the point of no return": (
        Rule.WAY_BACK,
        completed,
        put_after(EndReached(end=ENDED), events.FailBackDecided(cause="person", reason="")),
    ),
    "verification is skipped after the switch": (Rule.VERIFIED, completed, without(about(VERIFIED))),
    "verified before the switch only": (
        Rule.VERIFIED,
        completed,
        lambda entries: put_before(EndWanted(end=TO_TARGET), *both(VERIFIED))(without(about(VERIFIED))(entries)),
    ),
    "writes move unverified": (
        Rule.VERIFIED,
        completed,
        without(about(ends.DataVerified(primary=Side.SOURCE, epoch=0))),
    ),
    "failed back unverified": (
        Rule.VERIFIED,
        failed_back,
        without(about(ends.DataVerified(primary=Side.SOURCE, epoch=2))),
    ),
    "finalized before bake ends": (Rule.VERIFIED, completed, without(is_like(BAKED))),
    "bake is cut short": (Rule.VERIFIED, completed, sooner(BAKED, SOME)),
    "the way back ends in bake": (Rule.VERIFIED, completed, put_before(BAKED, *both(ENDED))),
    "the way back ends, and nobody looked whether it lives": (
        Rule.WAY_BACK,
        completed,
        without(is_like(GatePassed(gate="way_back_alive"))),
    ),
    "servers are not finalized": (Rule.VERIFIED, completed, without(about(ends.ServersFinalized()))),
    "a share passes with its bake cut short": (
        Rule.DATA,
        completed,
        sooner(JUDGED, timedelta(minutes=1)),
    ),
    "a share passes on a hold": (Rule.DATA, completed, looking(verdict="hold")),
    "a share passes without a look": (Rule.DATA, completed, without(is_like(look(list(completed()))))),
    "a share passes on an old look": (Rule.DATA, completed, sooner(JUDGED, -timedelta(seconds=11))),
    "another share's counts are judged": (Rule.DATA, completed, looking(share=0.5)),
    "a share passes by an override that has ended": (
        Rule.DATA,
        completed,
        lambda entries: put_before(
            EndReached(end=share(10.0)), replace(OVER, until=entries[place(entries, EndReached(end=share(10.0)))].at)
        )(looking(verdict="hold")(entries)),
    ),
    "fails back onto a source that lacks writes of the target": (
        Rule.WAY_BACK,
        failed_back,
        put_before(events.FailBackDecided, *differing(written_since_switch=1, age_unknown=0, unresolved=0)),
    ),
    "fails back by itself though nobody knows what that loses": (
        Rule.WAY_BACK,
        failed_back,
        lambda entries: [
            replace(e, event=replace(e.event, cause="judge")) if isinstance(e.event, events.FailBackDecided) else e
            for e in put_before(
                events.FailBackDecided, *differing(written_since_switch=0, age_unknown=1, unresolved=0)
            )(entries)
        ],
    ),
    "a hold is ignored": (Rule.WORDS, completed, put_before(JUDGED, events.Held(reason="wait"), by="ann")),
    "a request to roll back is not heard": (
        Rule.WORDS,
        completed,
        put_before(JUDGED, events.RollbackRequested(reason="back"), by="ann"),
    ),
    "a request is refused though one may go back": (
        Rule.WORDS,
        completed,
        put_before(JUDGED, events.RequestRefused(request="rollback", reason="no")),
    ),
    "a request is refused because nothing leads back, and then it goes on": (
        Rule.WORDS,
        completed,
        put_before(BAKED, events.RequestRefused(request="rollback", reason="lost")),
    ),
    "finalized without approval": (Rule.WORDS, completed, without(is_like(APPROVED))),
    "the gate passes without the approval": (
        Rule.WORDS,
        completed,
        without(lambda event: isinstance(event, events.Approved)),
    ),
    "the approval is of somebody else": (
        Rule.WORDS,
        completed,
        lambda entries: [replace(e, by="eve") if isinstance(e.event, events.Approved) else e for e in entries],
    ),
    "an override without end": (
        Rule.WORDS,
        completed,
        put_before(JUDGED, OVER, by="ann"),
    ),
    "an override of nobody": (
        Rule.WORDS,
        completed,
        put_before(JUDGED, replace(OVER, until=START + timedelta(days=1)), by="engine"),
    ),
    "an override without a reason": (
        Rule.WORDS,
        completed,
        put_before(JUDGED, replace(OVER, until=START + timedelta(days=1), reason=""), by="ann"),
    ),
    "an entry is dropped": (
        Rule.NO_FLAPPING,
        completed,
        lambda entries: [e for e in entries if not is_like(JUDGED)(e.event)],
    ),
    "a phase is left out": (
        Rule.NO_FLAPPING,
        completed,
        without(lambda event: event == PhaseEntered(phase=Phase.SHADOW)),
    ),
    "a phase is entered twice": (Rule.NO_FLAPPING, completed, put_before(JUDGED, PhaseEntered(phase=Phase.CANARY))),
    "forward again after the turn": (
        Rule.NO_FLAPPING,
        rolled_back,
        put_before(events.MigrationEnded, PhaseEntered(phase=Phase.CUTOVER)),
    ),
    "turns twice": (
        Rule.NO_FLAPPING,
        rolled_back,
        put_before(events.MigrationEnded, events.RollbackDecided(cause="person", reason="")),
    ),
    "a gate of the way forward passes on the way back": (
        Rule.NO_FLAPPING,
        rolled_back,
        put_before(events.MigrationEnded, BAKED),
    ),
    "something follows the end": (
        Rule.NO_FLAPPING,
        completed,
        lambda entries: put(entries, len(entries), events.EngineStarted()),
    ),
    "an abort is not acted upon": (Rule.NO_FLAPPING, completed, looking(verdict="abort")),
    "a guard is not acted upon": (Rule.NO_FLAPPING, completed, looking(guard="too many errors")),
    "the same wait is told twice": (Rule.NO_FLAPPING, completed, put_before(JUDGED, WAITS, WAITS)),
    "tried again without a pause": (
        Rule.NO_FLAPPING,
        completed,
        put_after(EndWanted(end=AWAKE), missed(AWAKE), EndWanted(end=AWAKE)),
    ),
    "a share is left out": (Rule.SHARES, completed, without(about(share(50.0)))),
    "a share no ladder has": (Rule.SHARES, completed, instead(share(50.0), share(60.0))),
    "the share rises unjudged": (Rule.SHARES, completed, without(is_like(JUDGED))),
    "the share falls by steps": (Rule.SHARES, rolled_back, put_after(events.RollbackDecided, *both(share(5.0)))),
    "the share does not fall first": (
        Rule.SHARES,
        rolled_back,
        put_after(events.RollbackDecided, *both(ends.ServersReverted())),
    ),
    "the share rises on the way back": (
        Rule.SHARES,
        rolled_back,
        put_before(events.MigrationEnded, *both(share(10.0))),
    ),
    "cutover before the last share was judged": (Rule.SHARES, completed, without(is_like(GatePassed(gate="judged:2")))),
    "a ladder that does not rise": (
        Rule.SHARES,
        completed,
        lambda entries: [replace(entries[0], event=_planned(*reversed(LADDER))), *entries[1:]],
    ),
    "an outcome before its intent": (Rule.RECORD, completed, without(lambda event: event == EndWanted(end=AWAKE))),
    "an outcome of something else": (Rule.RECORD, completed, put_after(EndWanted(end=AWAKE), EndReached(end=VERIFIED))),
    "two intents at once": (Rule.RECORD, completed, put_after(EndWanted(end=AWAKE), EndWanted(end=VERIFIED))),
    "a step is done twice": (Rule.RECORD, completed, put_before(PhaseEntered(phase=Phase.BAKE), *both(AWAKE))),
    "two plans": (Rule.RECORD, completed, put_before(JUDGED, _planned(*LADDER))),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_violation_is_found_when_it_is_planted(name: str) -> None:
    rule, journal, change = PLANTS[name]
    found = broken_rules(change(list(journal())))
    assert rule in {violation.rule for violation in found}, [str(violation) for violation in found]


@pytest.mark.parametrize(
    "gate", ["full_load_done", "caught_up", "servers_ready", "files_in_step", "drained", "baked", "way_back_alive"]
)
@pytest.mark.parametrize("age", [None, timedelta(seconds=6)])
def test_a_gate_that_passes_on_missing_or_old_data_is_found(gate: str, age: timedelta | None) -> None:
    journal = rolled_back() if gate == "drained" else completed()
    rules, known = Rules(), {"replication", "servers", "files", "drained", "way_back", "writer"}
    for entry in journal:
        missing: Sighting[object] = Sighting(
            at=entry.at - (age or timedelta()), value=True if age else NoData(reason="gone")
        )
        fine: Sighting[object] = Sighting(at=entry.at, value=True)
        passes = isinstance(entry.event, GatePassed) and entry.event.gate == gate
        names = dict.fromkeys(known, missing if passes else fine)
        seen = Seen(at=entry.at, arms=fine, shares=fine, **names)  # type: ignore[arg-type]  # only their times matter
        assert bool(rules.hear(entry, seen)) is passes


def heard(journal: tuple[Entry, ...], until: Event) -> Rules:
    rules = Rules()
    for entry in journal[: place(list(journal), until) + 1]:
        rules.hear(entry)
    return rules


def test_a_clock_that_was_set_back_makes_no_bake_too_short() -> None:
    entries = list(completed())
    at = place(entries, BAKED)
    while not isinstance(entries[at - 1].event, GatePassed | EndReached):
        at -= 1
    at -= 1
    back = [replace(entry, at=entry.at - timedelta(hours=1)) for entry in entries[at:]]
    assert "bake ends" not in " ".join(str(found) for found in broken_rules([*entries[:at], *back]))


def test_two_writers_at_one_instant_are_found() -> None:
    rules = Rules()
    assert not rules.saw_writers(START, source_open=True, target_open=False)
    assert not rules.saw_writers(START, source_open=False, target_open=False)
    assert [v.rule for v in rules.saw_writers(START, source_open=True, target_open=True)] == [Rule.ONE_WRITER]


def test_a_way_back_that_is_dead_is_found_from_its_proof_until_the_point_of_no_return() -> None:
    steps: list[tuple[Event, bool]] = [(EndWanted(end=AWAKE), False), (EndReached(end=AWAKE), True)]
    for until, wrong in [*steps, (EndWanted(end=ENDED), False)]:
        assert bool(heard(completed(), until).saw_way_back(START, alive=False)) is wrong


def test_a_fault_excuses_a_dead_way_back_but_not_that_the_migration_goes_on_over_it() -> None:
    rules = heard(completed(), EndReached(end=AWAKE))
    journal = completed()
    rest = journal[place(list(journal), EndReached(end=AWAKE)) + 1 :]
    assert not rules.saw_way_back(rest[0].at, alive=False, fault="slot-dropped")
    for entry in rest:
        rules.hear(entry)
    assert {violation.rule for violation in rules.violations} == {Rule.WAY_BACK}


def test_nothing_is_found_when_the_way_back_lives_again_in_time() -> None:
    rules = heard(completed(), EndReached(end=AWAKE))
    journal = completed()
    rules.saw_way_back(START, alive=False, fault="slot-dropped")
    rules.saw_way_back(START, alive=True)
    for entry in journal[place(list(journal), EndReached(end=AWAKE)) + 1 :]:
        rules.hear(entry)
    assert not rules.violations


def test_a_share_is_found_that_the_journal_does_not_want() -> None:
    rules = heard(completed(), EndWanted(end=share(10.0)))
    assert not rules.saw_share(START, 10.0)
    assert rules.saw_share(START, 50.0)
    assert rules.saw_share(START, 5.0)


def test_a_share_that_rises_twice_is_found_unless_somebody_else_had_turned_it() -> None:
    rules = heard(completed(), EndWanted(end=share(10.0)))
    assert not rules.saw_share(START, 10.0)
    rules.saw_share(START, 0.0, by_hand=True)
    assert not rules.saw_share(START, 10.0)
    rules.saw_share(START, 0.0)
    assert [v.rule for v in rules.saw_share(START, 10.0)] == [Rule.SHARES]


def test_a_late_rise_is_found_after_the_share_fell() -> None:
    rules = heard(rolled_back(), EndReached(end=share(0.0)))
    assert rules.saw_share(START, 10.0)


@pytest.mark.parametrize(("lost", "doubled"), [(1, 0), (0, 1)])
def test_a_lost_or_doubled_write_is_found(lost: int, doubled: int) -> None:
    assert not Rules().saw_users(START, lost=0, doubled=0)
    assert [v.rule for v in Rules().saw_users(START, lost=lost, doubled=doubled)] == [Rule.PROMISE]


def test_a_violation_names_rule_entry_and_what_happened() -> None:
    found = broken_rules(put_before(JUDGED, events.Held(reason="wait"), by="ann")(list(completed())))
    assert str(found[0]).startswith("rule 4 a person's word: entry ")
    assert "judged:0" in str(found[0])


def test_every_rule_has_a_plant() -> None:
    sighted = {Rule.PROMISE}
    assert {rule for rule, _, _ in PLANTS.values()} | sighted == set(Rule)
