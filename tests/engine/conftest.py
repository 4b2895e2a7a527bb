import pytest

from tests.engine.world import Bench, plan


@pytest.fixture
def bench() -> Bench:
    return Bench(plan())
