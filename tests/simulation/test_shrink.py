"""Planted bugs are found, and a broken rule is shown by the fewest faults that break it."""

from dataclasses import replace

import pytest

from crossfade.database import fence
from crossfade.model.terms import Side
from crossfade.simulation import shrink as shrinking
from crossfade.simulation.faults import Fault
from crossfade.simulation.run import run
from crossfade.simulation.scenario import Scenario, draw
from crossfade.simulation.shrink import shrink
from crossfade.simulation.world import SimulatedWorld


@pytest.fixture
def calm() -> Scenario:
    """A scenario in which nothing goes wrong."""
    seeds = (seed for seed in range(60) if not draw(seed).faults and not draw(seed).canary.worse)
    return draw(next(seeds))


def test_two_writers_are_found_when_a_side_is_opened_before_the_other_is_fenced(
    calm: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "fence_script", lambda _: fence._now("fenced"))
    assert "1 one writer" in {found.rule for found in run(calm.seed).violations}


def test_only_the_fault_that_matters_is_left_when_a_run_is_shrunk(
    calm: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeat_what_was_sent(world: SimulatedWorld) -> None:
        world.violated("planted", "somebody took it back")

    needed = Fault(kind="person", place="phase:validate", of="rollback")
    harmless = (
        Fault(kind="clock-jump", place="phase:prepare", lasts=0.5),
        Fault(kind="link-slow", place="phase:replicate", lasts=0.2, side=Side.SOURCE),
    )
    scenario = replace(calm, faults=(harmless[0], needed, harmless[1]))
    monkeypatch.setattr(shrinking, "draw", lambda _: scenario)
    heal = SimulatedWorld.heal

    def heal_and_find(world: SimulatedWorld) -> None:
        heal(world)
        if any(fault.kind == "person" for fault in world.injector.happened):
            repeat_what_was_sent(world)

    monkeypatch.setattr(SimulatedWorld, "heal", heal_and_find)
    shown = shrink(calm.seed, "planted")
    assert shown.faults == (needed,)
    assert "VIOLATED: planted" in shown.happenings[-1].what
    assert str(needed) == "person rollback at phase:validate"


def test_a_rule_that_is_not_broken_cannot_be_shown(calm: Scenario) -> None:
    with pytest.raises(LookupError, match="does not break"):
        shrink(calm.seed, "1 one writer")
