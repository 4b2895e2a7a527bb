"""The rank test by which a live request is found to wait for its shadow, on times drawn at random."""

import random
from collections.abc import Iterator

import pytest

from tests.shadowing.tail import Pair, tail_is_slower

PAIRS = 2000


def drawn(seed: int, stalled: float, waiting: float) -> Iterator[Pair]:
    """Times of a busy computer, `stalled` of which wait for others; `waiting` of the shadowed ones for their shadow."""
    chance = random.Random(seed)

    def one() -> float:
        return chance.lognormvariate(-7.0, 0.4) + (chance.expovariate(20) if chance.random() < stalled else 0.0)

    for _ in range(PAIRS):
        yield one() + (2.0 if chance.random() < waiting else 0.0), one()


@pytest.mark.parametrize("stalled", [0.0, 0.001, 0.05, 0.5])
def test_a_shadow_that_costs_nothing_is_never_found_guilty_however_busy_the_computer_is(stalled: float) -> None:
    assert not any(tail_is_slower(list(drawn(seed, stalled, 0.0))) for seed in range(20))


@pytest.mark.parametrize("stalled", [0.0, 0.05, 0.5])
def test_requests_that_wait_for_their_shadow_are_found_when_they_are_two_in_a_hundred(stalled: float) -> None:
    assert all(tail_is_slower(list(drawn(seed, stalled, 0.02))) for seed in range(10))


def test_the_cost_of_a_copy_is_no_slowness() -> None:
    chance = random.Random(1)
    alone = [chance.lognormvariate(-7.0, 0.1) for _ in range(PAIRS)]
    assert not tail_is_slower([(seconds + 0.1, seconds) for seconds in alone])
    assert tail_is_slower([(seconds + 0.3, seconds) for seconds in alone])
