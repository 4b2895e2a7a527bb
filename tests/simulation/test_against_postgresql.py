"""The model of the databases is as good as this: the same schedules tell the same on real PostgreSQL."""

import contextlib

import pytest

from tests.database.conftest import Pair, clusters, pair, shelf
from tests.simulation.schedules import SCHEDULES
from tests.simulation.stages import RealStage, on_model

__all__ = ["clusters", "pair", "shelf"]


@pytest.mark.parts
@pytest.mark.parametrize("name", SCHEDULES)
def test_tells_the_same_on_the_model_as_on_real_servers(request: pytest.FixtureRequest, name: str) -> None:
    real: Pair = request.getfixturevalue("pair")
    with contextlib.closing(RealStage(real)) as stage:
        told = SCHEDULES[name](stage)
    assert on_model(SCHEDULES[name]) == told


@pytest.mark.parametrize("name", SCHEDULES)
def test_tells_the_same_on_the_model_whatever_the_chances(name: str) -> None:
    """Times are drawn; outcomes of a schedule that fixes the order of events do not depend on them."""
    assert [on_model(SCHEDULES[name], seed) for seed in (2, 3)] == [on_model(SCHEDULES[name])] * 2
