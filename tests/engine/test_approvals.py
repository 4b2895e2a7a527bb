"""Persons before a share: who, how many, for how long their word counts, and what is judged meanwhile."""

from datetime import timedelta

import pytest

from crossfade.model import events
from crossfade.model.plan import NeededApproval
from crossfade.model.terms import Outcome, Phase
from tests.engine.world import Bench, plan, shares

BEFORE_50 = NeededApproval(phase=Phase.CANARY, share=50.0, by=("ann", "bob", "carl"), count=2)


def approve(bench: Bench, by: str, share: float | None = 50.0) -> None:
    bench.say(events.Approved(phase=Phase.CANARY, share=share, reason="change 1"), by=by)


def asked(bench: Bench) -> list[str]:
    return [w.cause for w in bench.events(events.GateWaits) if w.gate == "approved:50"]


def wait(bench: Bench, duration: timedelta) -> None:
    until = bench.clock.now() + duration
    bench.run_until(lambda b: b.clock.now() >= until)


def in_cutover(bench: Bench) -> bool:
    return events.PhaseEntered(phase=Phase.CUTOVER) in bench.events(events.PhaseEntered)


@pytest.fixture
def bench() -> Bench:
    """At 25 %, judged well, asking for two approvals of 50 %."""
    made = Bench(plan(approvals=(BEFORE_50,)))
    made.run_until(lambda b: bool(asked(b)))
    return made


def test_the_share_rises_no_further_until_enough_different_people_have_said_so(bench: Bench) -> None:
    assert bench.world.percent == 25.0
    approve(bench, "ann")
    approve(bench, "ann")
    approve(bench, "eve")
    approve(bench, "bob", share=None)  # of the phase, and not of its share
    approve(bench, "bob", share=90.0)
    wait(bench, timedelta(minutes=1))
    assert bench.world.percent == 25.0
    approve(bench, "carl")
    assert bench.engine().run() is Outcome.COMPLETED
    assert shares(bench) == [5.0, 25.0, 50.0, 90.0, 100.0]
    reasons = [w.reason for w in bench.events(events.GateWaits) if w.gate == "approved:50"]
    assert reasons[0] == "canary at 50 % needs 2 more approvals, of ann, bob or carl"
    assert reasons[-1] == "canary at 50 % needs 1 more approval, of bob or carl"


def test_what_waits_for_an_approval_is_judged_on_and_rolled_back_when_it_gets_worse(bench: Bench) -> None:
    bench.world.canary_error_rate = 0.05
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert shares(bench) == [5.0, 25.0, 0.0]


def test_an_approval_moves_nobody_when_there_is_no_evidence_any_more(bench: Bench) -> None:
    bench.world.blind.add("arms")
    wait(bench, timedelta(minutes=1))
    approve(bench, "ann")
    approve(bench, "bob")
    wait(bench, timedelta(minutes=1))
    assert bench.world.percent == 25.0
    assert asked(bench)[-1] == "no_data"
    bench.world.blind.clear()
    assert bench.engine().run() is Outcome.COMPLETED


def test_an_approval_must_be_given_again_when_it_is_older_than_it_may_be() -> None:
    needed = NeededApproval(phase=Phase.CUTOVER, valid_for=timedelta(minutes=2))
    bench = Bench(plan(approvals=(needed,)))
    bench.run_until(lambda b: b.world.percent == 5.0)
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="early"))
    given = bench.clock.now()
    wait(bench, timedelta(minutes=1))
    bench.say(events.Held(reason="incident"))
    bench.run_until(lambda b: b.clock.now() >= given + timedelta(minutes=3))
    bench.say(events.Released(reason="over"))
    bench.run_until(in_cutover)
    wait(bench, timedelta(minutes=1))
    assert bench.phase is Phase.CUTOVER
    waits = bench.events(events.GateWaits)[-1]
    assert (waits.cause, waits.reason) == (
        "approval_expired",
        "cutover needs a person's approval; that of ann has expired",
    )
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="again"))
    assert bench.engine().run() is Outcome.COMPLETED


def test_an_approval_counts_while_it_is_not_older_than_it_may_be() -> None:
    bench = Bench(plan(approvals=(NeededApproval(phase=Phase.CUTOVER, valid_for=timedelta(hours=1)),)))
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="early"))
    assert bench.engine().run() is Outcome.COMPLETED


def test_people_are_asked_anew_when_the_first_word_expires_before_the_second_is_given() -> None:
    needed = NeededApproval(phase=Phase.CUTOVER, count=2, valid_for=timedelta(seconds=30))
    bench = Bench(plan(approvals=(needed,)))
    bench.run_until(in_cutover)
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="1"), by="ann")
    wait(bench, timedelta(minutes=1))
    causes = [w.cause for w in bench.events(events.GateWaits) if w.gate == "approved"]
    assert causes == ["approval", "approval", "approval_expired"]
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="2"), by="bob")
    wait(bench, timedelta(seconds=5))
    assert bench.phase is Phase.CUTOVER
    assert bench.state.approval_waited_for == needed
    bench.say(events.Approved(phase=Phase.CUTOVER, reason="1 again"), by="ann")
    assert bench.engine().run() is Outcome.COMPLETED
