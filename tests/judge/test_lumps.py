"""Failures that come in lumps, and what chance explains."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from crossfade.judge.lumps import ArmScatters, Failures, Scatter, scatter


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 500), st.integers(1, 500))
def test_the_chance_is_the_binomial_one_when_failures_come_one_by_one(
    canary: int, baseline: int, requests: int, others: int
) -> None:
    failures = Failures(canary=canary, canary_requests=requests, baseline=baseline, baseline_requests=others)
    expected = binom.sf(canary - 1, canary + baseline, requests / (requests + others))
    assert failures.chance_of_lot() == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_the_chance_at_a_rate_is_the_binomial_one_when_failures_come_one_by_one() -> None:
    assert Failures(canary=9, canary_requests=100).chance_at(0.05) == pytest.approx(binom.sf(8, 100, 0.05))


@given(st.integers(1, 40), st.integers(0, 40), st.floats(1, 20))
def test_lumps_never_make_a_canary_more_suspect_when_it_fails_more_often(
    canary: int, baseline: int, size: float
) -> None:
    single = Failures(canary=canary, canary_requests=100, baseline=baseline, baseline_requests=900)
    lumped = Failures(canary=canary, canary_requests=100, baseline=baseline, baseline_requests=900, scatter=size)
    if single.canary_rate > 2 * single.baseline_rate:
        assert lumped.chance_of_lot() >= single.chance_of_lot() * (1 - 1e-9)


def test_explains_everything_when_nothing_failed_or_there_is_nothing_to_compare() -> None:
    assert Failures(canary=0, canary_requests=100, baseline=3, baseline_requests=100).chance_of_lot() == 1
    assert Failures(canary=9, canary_requests=100).chance_of_lot() == 1
    assert Failures(canary=0, canary_requests=100).chance_at(0.05) == 1


@pytest.mark.parametrize(
    ("looks", "size"),
    [
        ([0, 0, 0], 1.0),
        ([0, 1, 0, 0, 1], 1.0),
        ([0, 0, 10, 0, 0], 10.0),
        ([0, 0, 0, 10], 10.0),
        ([500], 500.0),
        ([10] * 20, 1.0),
    ],
)
def test_scatter_is_the_size_of_lumps(looks: list[float], size: float) -> None:
    assert scatter(looks) == size


def test_scatter_stays_near_one_when_independent_failures_change_their_rate_once() -> None:
    rng = np.random.default_rng(4)
    assert scatter([*rng.poisson(0.2, 60).tolist(), *rng.poisson(8, 60).tolist()]) < 1.5


def test_scatter_finds_bursts_of_ten_when_they_are_many() -> None:
    rng = np.random.default_rng(5)
    assert 8 < scatter((10 * rng.poisson(0.5, 200)).tolist()) < 13


def scattered(looks: list[tuple[int, int]]) -> Scatter:
    each = Scatter()
    for failures, requests in looks:
        each = each.after(failures, requests)
    return each


def test_running_scatter_stays_at_one_when_failures_come_one_by_one() -> None:
    rng = np.random.default_rng(6)
    for rate in (0.001, 0.03, 0.5, 0.97):
        assert scattered([(int(rng.binomial(500, rate)), 500) for _ in range(300)]).size < 1.1


def test_running_scatter_grows_with_bursts_and_forgets_them() -> None:
    rng = np.random.default_rng(7)
    bursts = scattered([(10 * int(rng.poisson(0.5)), 500) for _ in range(300)])
    assert 4 < bursts.size < 10
    later = bursts
    for _ in range(400):
        later = later.after(int(rng.binomial(500, 0.01)), 500)
    assert later.size == pytest.approx(1, abs=0.2)


def test_running_scatter_does_not_take_a_changing_load_for_lumps() -> None:
    rng = np.random.default_rng(8)
    loads = [50, 5000] * 60
    assert scattered([(int(rng.binomial(load, 0.05)), load) for load in loads]).size < 1.2


def test_running_scatter_of_arms_is_the_larger_one() -> None:
    arms = ArmScatters()
    for burst in [0, 30] * 5:
        arms = arms.after((1, 100), (burst, 900))
    assert arms.size == arms.baseline.size > 5
    assert arms.canary.size == 1
    assert Scatter(failures=3, requests=9).after(0, 0) == Scatter(failures=3, requests=9)
