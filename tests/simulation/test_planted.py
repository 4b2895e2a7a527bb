"""Bugs are planted one at a time, and the simulation finds each within 2,000 runs.

By default the search begins at the seed that found it last (benchmarks/results/planted.json) and goes on from seed 1
only if that one does not. With CROSSFADE_SOAK=1 it is from seed 1 for each.
"""

import json
import os
from pathlib import Path

import pytest

from crossfade.simulation.run import run
from tests.simulation.planted import PLANTS, search
from tests.simulation.plants.plant import Plant

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "planted.json"
AS_THE_ISSUE_HAS_THEM = {
    "no fence",
    "a fence that misses a role",
    "the slot advanced before the flush",
    "sequences forgotten",
    "the way back not proven",
    "a share raised twice",
    "an event dropped",
    "the outcome recorded before the effect",
    "two writers for one entry",
    "a hold ignored",
    "an override without end",
    "verification skipped after the cutover",
    "a stale observation believed",
    "a resume that repeats a step",
    "finalize before the bake ends",
}


@pytest.fixture(scope="module")
def found_by() -> dict[str, int]:
    """The seed by which each was found, by its name."""
    if os.environ.get("CROSSFADE_SOAK"):
        return {}
    return {name: entry["seed"] for name, entry in json.loads(RESULTS.read_text())["planted"].items()}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name.replace(" ", "-"))
def test_a_planted_bug_is_found_by_the_rule_it_breaks(plant: Plant, found_by: dict[str, int]) -> None:
    known = found_by.get(plant.name)
    found = search(plant, first=known, most=1) if known is not None else None
    found = found or search(plant)
    assert found is not None, f"no run shows it: {plant.harm}"
    assert found.rules & plant.rules
    assert run(found.seed).violations == ()


def test_every_bug_that_must_be_found_is_planted() -> None:
    names = [plant.name for plant in PLANTS]
    assert len(names) == len(set(names))
    assert set(names) >= AS_THE_ISSUE_HAS_THEM


def test_each_has_been_found_in_a_search_from_the_first_seed() -> None:
    kept = json.loads(RESULTS.read_text())["planted"]
    assert kept.keys() == {plant.name for plant in PLANTS}
    assert all(entry["runs"] <= 2_000 for entry in kept.values())
