"""Seeded simulations: how often the guards cry wolf, and after how many looks they find gross damage.

The whole table is benchmarks/guards.py's.
"""

import statistics

import pytest

from tests.judge.guarded import RUNGS, World, breached_at, drawn
from tests.judge.worlds import HEALTHY_WORLDS, INCIDENT_WORLDS, UNCOUNTED_WORLDS, Damage

WORLDS = {
    **HEALTHY_WORLDS,
    **UNCOUNTED_WORLDS,
    **{f"common: {name}": world for name, world in INCIDENT_WORLDS.items()},
}
A_MINUTE = 120  # looks


@pytest.mark.parametrize("name", WORLDS)
def test_seldom_blames_the_canary_in_a_whole_rollout_when_it_is_not_worse(name: str) -> None:
    # The promise is 0.5 % of rollouts, 1 % with an incident: two of 20 would be seen in one of 60 test runs at 1 %.
    assert sum(breached_at(drawn(WORLDS[name], seed)) is not None for seed in range(20)) <= 1


@pytest.mark.parametrize("errors", [0.051, 1.0], ids=["+5 % errors", "nothing but errors"])
@pytest.mark.parametrize("rung", [0, 4, 9, 10], ids=lambda rung: f"{RUNGS[rung][0]:.0%}")
@pytest.mark.parametrize("requests", [150, 50_000])
def test_finds_gross_damage_within_a_minute_of_looks(errors: float, rung: int, requests: int) -> None:
    first = sum(looks for _, looks in RUNGS[:rung])
    world = World(requests=requests, course=Damage(first=first, errors=errors))
    found = [breached_at(drawn(world, seed), first=first) for seed in range(7)]
    assert statistics.median(float("inf") if at is None else at - first + 1 for at in found) <= A_MINUTE
