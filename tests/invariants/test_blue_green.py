"""A sound blue-green move breaks no rule, and each of its gates is missed by one where it is left out."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from crossfade.invariants import Rule, broken_rules
from crossfade.model import ends, events
from crossfade.model.entry import Entry
from crossfade.model.events import EndMissed, GatePassed
from crossfade.model.plan import LadderStep, NeededApproval
from crossfade.model.terms import Outcome, Phase, Suite
from tests.engine.world import Bench, plan
from tests.invariants.planting import Journal, is_like, number, place, put, without

LADDER = tuple(LadderStep(percent=percent, bake=timedelta(seconds=3)) for percent in (0.0, 100.0))
PROMOTION = NeededApproval(phase=Phase.CANARY, share=100.0, valid_for=timedelta(minutes=1))
PREVIEWED = GatePassed(gate="previewed")
APPROVED = GatePassed(gate="approved:100")


@cache
def completed() -> tuple[Entry, ...]:
    bench = Bench(
        plan(ladder=LADDER, preview=timedelta(seconds=5), keep_warm=timedelta(minutes=3), approvals=(PROMOTION,))
    )
    bench.run_until(lambda b: any(waits.gate == "approved:100" for waits in b.events(events.GateWaits)))
    bench.say(events.Approved(phase=Phase.CANARY, share=100.0, reason="change 1"))
    assert bench.engine().run() is Outcome.COMPLETED
    return bench.journal.read()


def broken(journal: Journal) -> set[Rule]:
    return {violation.rule for violation in broken_rules(journal)}


def test_no_rule_is_broken_by_a_sound_move() -> None:
    assert broken(list(completed())) == set()


@pytest.mark.parametrize(
    ("gate", "rule"),
    [("previewed", Rule.SHARES), ("approved:100", Rule.SHARES), ("kept_warm", Rule.VERIFIED)],
)
def test_a_gate_is_missed_when_it_is_left_out(gate: str, rule: Rule) -> None:
    assert rule in broken(without(is_like(GatePassed(gate=gate)))(list(completed())))


def test_a_preview_does_not_count_when_a_check_has_failed_within_it() -> None:
    entries = list(completed())
    checks = ends.ChecksPassed(suite=Suite.TARGET)
    failed = EndMissed(end=checks, reason="no", remedy="", retryable=True)
    assert Rule.DATA in broken(put(entries, place(entries, PREVIEWED), events.EndWanted(end=checks), failed))


def test_an_approval_does_not_count_when_it_is_too_old() -> None:
    entries = list(completed())
    said = place(entries, events.Approved)
    later = [replace(entry, at=entry.at + timedelta(minutes=2)) for entry in entries[said + 1 :]]
    heard = replace(entries[said + 1], event=events.EngineStarted(), at=entries[said].at)  # by whose clock it counts
    assert Rule.WORDS in broken(number([*entries[: said + 1], heard, *later]))


def test_an_approval_does_not_count_when_it_is_of_another_share() -> None:
    entries = list(completed())
    said = place(entries, events.Approved)
    entries[said] = replace(entries[said], event=events.Approved(phase=Phase.CANARY, reason="change 1"))
    assert Rule.WORDS in broken(entries)
