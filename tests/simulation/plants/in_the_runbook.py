"""Bugs of the runbook: what is decided, on which grounds."""

from dataclasses import replace
from typing import Any

import pytest

from crossfade.invariants import Rule
from crossfade.model import ends
from crossfade.model.events import RollbackDecided
from crossfade.model.terms import Phase
from crossfade.runbook import approving, decide, gates, phases, turning
from crossfade.runbook.phases import RUNBOOK, Gate, Reach, Row, Step
from crossfade.runbook.state import State
from tests.simulation.plants.plant import ENDS, HALTS, LOST, ONE_AT_THE_END, OUTCOME, Garden

GARDEN = Garden()


def _without(monkeypatch: pytest.MonkeyPatch, phase: Phase, left_out: Any) -> None:
    """The steps of `phase` but for those that `left_out` says."""
    steps = RUNBOOK[phase].steps

    def fewer(plan: Any, epoch: int) -> tuple[Step, ...]:
        return tuple(step for step in steps(plan, epoch) if not left_out(step))

    monkeypatch.setitem(RUNBOOK, phase, Row(steps=fewer, undo=RUNBOOK[phase].undo))


def _reaches(kind: Any) -> Any:
    return lambda step: isinstance(step, Reach) and isinstance(step.end, kind)


@GARDEN.plant("Somebody said stop, and the money moves on.", Rule.WORDS)
def a_hold_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    advance = decide._advance
    monkeypatch.setattr(decide, "_advance", lambda state, *more: advance(replace(state, held=None), *more))


@GARDEN.plant("What was allowed for two minutes is allowed for ever.", Rule.DATA, Rule.NO_FLAPPING)
def an_override_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "overridden", lambda state, _: state.override is not None)


@GARDEN.plant("The old ledger is switched off, and nobody has compared it with the new one.", Rule.VERIFIED)
def verification_skipped_after_the_cutover(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, Phase.BAKE, _reaches(ends.DataVerified))


@GARDEN.plant("The bank works on in a ledger that nobody has compared.", Rule.VERIFIED)
def verification_skipped_after_failing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = phases.steps_failing_back
    monkeypatch.setattr("crossfade.runbook.state.steps_failing_back", lambda epoch: steps(epoch)[:-1])


@GARDEN.plant("What was so an hour ago is taken for what is so.", Rule.DATA)
def a_stale_observation_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_fresh", lambda sighting, plan, now: sighting.value)


@GARDEN.plant("Who sees nothing goes on as if all were well.", Rule.DATA, HALTS, LOST)
def missing_data_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_no_data", lambda found: gates.Passed(facts={}))


@GARDEN.plant("The way back is gone before anybody could find that it is needed.", Rule.VERIFIED)
def finalize_before_the_bake_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gates._GATES, Gate.BAKED, gates._way_back_alive)


@GARDEN.plant("The point of no return is passed over a way back that may be dead for days.", Rule.WAY_BACK)
def finalize_without_a_look_at_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, Phase.FINALIZE, lambda step: getattr(step, "gate", None) is Gate.WAY_BACK_ALIVE)


@GARDEN.plant("Migrations go on from a cutover with no way back awake.", Rule.WAY_BACK, HALTS)
def the_way_back_never_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, Phase.CUTOVER, _reaches(ends.WayBackAwake))


@GARDEN.plant("After turning back, customers' requests still go to servers that are being taken down.", OUTCOME)
def a_roll_back_that_forgets_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNBOOK, Phase.SHADOW, replace(RUNBOOK[Phase.SHADOW], undo=()))


@GARDEN.plant("After turning back, customers are still sent to servers that are gone.", OUTCOME, Rule.SHARES)
def a_roll_back_that_forgets_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNBOOK, Phase.CANARY, replace(RUNBOOK[Phase.CANARY], undo=()))


@GARDEN.plant("The new servers are worse, the judge says so, and more customers get them.", ENDS, Rule.NO_FLAPPING)
def the_judge_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "_judged", lambda looked: None)


@GARDEN.plant("Somebody said go back, and nothing happens.", Rule.WORDS)
def a_request_to_roll_back_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "_asked", lambda state: None)


@GARDEN.plant("One person says yes twice where two must.", Rule.WORDS)
def one_approval_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    still_needed = approving.still_needed
    monkeypatch.setattr(
        gates, "still_needed", lambda needed, given, now: still_needed(replace(needed, by=(), count=1), given, now)
    )


@GARDEN.plant(
    "The new ledger is thrown away with everything that was written to it.",
    Rule.ONE_WRITER, LOST, HALTS, OUTCOME, ONE_AT_THE_END,
)  # fmt: skip
def a_roll_back_after_the_cutover(monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(state: Any, cause: Any) -> Any:
        return RollbackDecided(cause=cause.word, reason=cause.reason, facts=cause.facts)

    monkeypatch.setattr(decide, "turn", turn)


@GARDEN.plant("A part that is ill is asked again and again without a pause.", Rule.NO_FLAPPING)
def no_pause_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    try_it = decide._try

    def at_once(state: Any, step: Any, now: Any) -> Any:
        plan = state.plan_or_raise
        return try_it(replace(state, plan=replace(plan, retry_after=plan.retry_after * 0)), step, now)

    monkeypatch.setattr(decide, "_try", at_once)


@GARDEN.plant("Counts from before the share was raised speak for the share that follows.", Rule.DATA)
def an_old_look_counts_for_a_new_share(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(at: Any) -> Any:
        looked = at.state.looked
        rung = phases.rungs(at.plan)[at.gate.rung]
        if at.state.held_since(at.now) < rung.bake or looked is None or looked.verdict != "promote":
            return gates.Waits(cause="bake", reason="not yet")
        return gates.Passed(facts={})

    monkeypatch.setitem(gates._GATES, Gate.JUDGED, judged)


@GARDEN.plant("Everybody is sent to servers that were looked at once, and fell over a minute later.", Rule.DATA)
def a_preview_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gates._GATES, Gate.PREVIEWED, lambda _: gates.Passed(facts={}))


@GARDEN.plant("Half of the customers move, and those who had to agree are not asked.", Rule.WORDS)
def a_share_raised_without_approval(monkeypatch: pytest.MonkeyPatch) -> None:
    still_needed = approving.still_needed
    monkeypatch.setattr(
        gates, "still_needed", lambda needed, *given: 0 if needed.share is not None else still_needed(needed, *given)
    )


@GARDEN.plant("What was agreed on Monday, before the incident, lets writes move on Friday.", Rule.WORDS)
def an_approval_that_never_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approving, "_expired", lambda *_: False)


@GARDEN.plant("The old servers are gone an hour after everybody has left them.", Rule.VERIFIED)
def an_old_side_not_kept_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gates._GATES, Gate.KEPT_WARM, lambda _: gates.Passed(facts={}))
