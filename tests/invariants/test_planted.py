"""Each rule finds what breaks it: the journal of a sound migration, with one thing made wrong in it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from crossfade.invariants import Rule, Rules, broken_rules
from crossfade.model import ends, events
from crossfade.model.comparing import Agreement, ShadowReading
from crossfade.model.entry import Entry
from crossfade.model.events import EndReached, EndWanted, GatePassed, PhaseEntered
from crossfade.model.seen import Seen
from crossfade.model.terms import NoData, Outcome, Phase, Side, Sighting
from tests.engine.world import START
from tests.invariants.planting import (
    APPROVED,
    AWAKE,
    BAKED,
    ENDED,
    JUDGED,
    LADDER,
    OVER,
    SOME,
    TO_TARGET,
    VERIFIED,
    WAITS,
    Journal,
    about,
    both,
    comparing,
    completed,
    differing,
    ending,
    failed_back,
    instead,
    is_like,
    look,
    looking,
    missed,
    place,
    planned,
    put,
    put_after,
    put_before,
    rolled_back,
    shadowed,
    share,
    sooner,
    without,
)

AGREED = GatePassed(gate="answers_agree")
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
        lambda entries: [replace(entries[0], event=planned(*reversed(LADDER))), *entries[1:]],
    ),
    "users come before answers were compared": (Rule.DATA, shadowed, without(is_like(AGREED))),
    "answers agree though they do not": (Rule.DATA, shadowed, comparing(verdict=Agreement.UNCLEAR)),
    "answers agree after too few pairs": (
        Rule.DATA,
        shadowed,
        comparing(reading=ShadowReading(boot="1", pairs=199, matched=199, repeated=199)),
    ),
    "answers that differ are not acted upon": (Rule.NO_FLAPPING, shadowed, comparing(verdict=Agreement.REGRESSION)),
    "an outcome before its intent": (Rule.RECORD, completed, without(lambda event: event == EndWanted(end=AWAKE))),
    "an outcome of something else": (Rule.RECORD, completed, put_after(EndWanted(end=AWAKE), EndReached(end=VERIFIED))),
    "two intents at once": (Rule.RECORD, completed, put_after(EndWanted(end=AWAKE), EndWanted(end=VERIFIED))),
    "a step is done twice": (Rule.RECORD, completed, put_before(PhaseEntered(phase=Phase.BAKE), *both(AWAKE))),
    "two plans": (Rule.RECORD, completed, put_before(JUDGED, planned(*LADDER))),
}


@pytest.mark.parametrize("journal", [completed, rolled_back, failed_back, shadowed])
def test_nothing_is_found_when_all_is_as_it_should_be(journal: Callable[[], tuple[Entry, ...]]) -> None:
    assert broken_rules(journal()) == ()


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


def test_a_violation_names_rule_entry_and_what_happened() -> None:
    found = broken_rules(put_before(JUDGED, events.Held(reason="wait"), by="ann")(list(completed())))
    assert str(found[0]).startswith("rule 4 a person's word: entry ")
    assert "judged:0" in str(found[0])


def test_every_rule_has_a_plant() -> None:
    sighted = {Rule.PROMISE}
    assert {rule for rule, _, _ in PLANTS.values()} | sighted == set(Rule)
