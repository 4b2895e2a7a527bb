"""A run that fails back goes on with a later cutover, in whose way the same faults stand."""

from dataclasses import replace

import pytest

from crossfade.model.terms import Outcome, Side
from crossfade.simulation.faults import Fault
from crossfade.simulation.run import RunResult, carry_out
from crossfade.simulation.scenario import Scenario, draw

BACK = Fault(kind="person", place="phase:bake", of="rollback", delay=0.2)


@pytest.fixture(scope="module")
def calm() -> Scenario:
    drawn = map(draw, range(100))
    return next(one for one in drawn if not one.faults and not one.canary.worse and one.plan.approvals == ())


def carried_out(scenario: Scenario, *faults: Fault, again: bool = True) -> RunResult:
    return carry_out(replace(scenario, faults=(BACK, *faults), again=again), keep=True)


def test_a_later_cutover_completes_after_a_fail_back_when_it_is_drawn(calm: Scenario) -> None:
    alone, again = carried_out(calm, again=False), carried_out(calm)
    assert (alone.outcome, alone.cut_over_again, alone.violations) == (Outcome.FAILED_BACK, False, ())
    assert (again.outcome, again.cut_over_again, again.violations) == (Outcome.COMPLETED, True, ())
    assert again.events > alone.events
    assert any("writer_is (side target, epoch 3)" in str(happening) for happening in again.happenings)


def test_faults_strike_the_later_cutover_too(calm: Scenario) -> None:
    died = carried_out(calm, Fault(kind="engine-kill", place="wanted:writer_is", nth=3, lasts=1.0))
    assert (died.outcome, died.crashes, died.violations) == (Outcome.COMPLETED, 1, ())
    assert died.cut_over_again


def test_none_begins_when_a_slot_is_gone_after_the_fail_back(calm: Scenario) -> None:
    gone = Fault(kind="slot-dropped", place="reached:data_verified", nth=4, side=Side.TARGET)
    found = next(
        result
        for nth in range(2, 6)
        if (result := carried_out(calm, replace(gone, nth=nth))).outcome is Outcome.FAILED_BACK
    )
    assert (found.cut_over_again, found.violations) == (False, ())
    assert any("no later cutover" in str(happening) for happening in found.happenings)
