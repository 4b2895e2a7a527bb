from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crossfade.judge.bins import division, log_bounds, monotone_ratio, smoothed
from tests.judge.traffic import EDGES_MS, bin_chances

edges = st.lists(st.floats(0.1, 1e5), min_size=1, max_size=20, unique=True).map(lambda drawn: tuple(sorted(drawn)))


@given(edges=edges, divisor=st.floats(1, 11), allowance=st.floats(0, 1e5), data=st.data())
def test_division_moves_every_request_down_or_nowhere(
    edges: tuple[float, ...], divisor: float, allowance: float, data: st.DataObject
) -> None:
    assume(all(high / low > 1 + 1e-6 for low, high in pairwise(edges)))
    learnt = data.draw(st.lists(st.integers(0, 50), min_size=len(edges) + 1, max_size=len(edges) + 1))
    parts = division(
        edges, np.array(learnt, float) + 0.1, divisor, rising=data.draw(st.booleans()), allowance_ms=allowance
    )
    assert np.allclose(parts.sum(axis=1), 1)
    assert np.allclose(np.triu(parts, 1), 0)


def test_division_is_a_shift_when_bins_are_as_wide_as_the_divisor() -> None:
    parts = division(tuple(10 * 1.05**i for i in range(8)), np.arange(1.0, 10.0), 1.05, rising=True)
    assert np.allclose(parts[1:], np.eye(9)[:-1])
    assert parts[0, 0] == 1


def test_an_allowance_is_a_shift_when_bins_are_as_wide() -> None:
    edges_ms = tuple(10.0 * i for i in range(1, 9))
    for rising in (True, False):
        parts = division(edges_ms, np.arange(1.0, 10.0), 1.0, rising=rising, allowance_ms=20.0)
        assert np.allclose(parts[2:-1], np.eye(9)[:-3])
        assert (parts[:2, 0] == 1).all()


def test_an_allowance_brings_what_the_link_made_slower_back_to_where_it_was() -> None:
    baseline, slower = (np.array(bin_chances(14.0, 0.55, EDGES_MS, link)) for link in (0.0, 20.0))
    back = slower @ division(EDGES_MS, baseline * 1e6, 1.0, rising=True, allowance_ms=20.0)
    assert abs(back - baseline).sum() < 0.003


@pytest.mark.parametrize("rising", [True, False])
def test_what_is_faster_than_the_allowance_lies_in_the_first_bin(rising: bool) -> None:
    learnt = np.zeros(len(EDGES_MS) + 1)
    learnt[30] = 1e6
    parts = division(EDGES_MS, learnt, 1.05, rising=rising, allowance_ms=50.0)
    faster = [i for i, edge in enumerate(EDGES_MS) if edge <= 50.0]
    assert (parts[faster, 0] == 1).all()


def test_division_is_a_number_when_so_much_was_learnt_that_shares_round_to_one() -> None:
    edges_ms = tuple(2.0 * 1.15**i for i in range(62))
    learnt = np.array(bin_chances(12.0, 0.2, edges_ms)) * 1e6
    for rising in (True, False):
        assert np.isfinite(division(edges_ms, learnt, 1.05, rising=rising)).all()


@pytest.mark.parametrize(("rising", "bin_from_the_end"), [(True, 3), (False, 1)])
def test_division_puts_the_open_last_bin_where_a_bet_pays_least(rising: bool, bin_from_the_end: int) -> None:
    parts = division(tuple(10 * 1.1**i for i in range(8)), np.arange(1.0, 10.0), 1.2, rising=rising)
    assert parts[-1, -bin_from_the_end] == 1


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.2, 0.55])
def test_division_undoes_a_slowdown_when_latencies_vary_less_than_a_bin_is_wide(sigma: float) -> None:
    edges_ms = tuple(5 * 1.1**i for i in range(40))
    baseline, slower = (np.array(bin_chances(median, sigma, edges_ms)) for median in (12.3, 12.3 * 1.05))
    assert abs(slower @ division(edges_ms, baseline * 1e6, 1.05, rising=True) - baseline).sum() < 0.003


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.3, 3.0])
def test_smoothing_finds_the_scaled_distribution_when_much_was_learnt(factor: float) -> None:
    learnt = np.array(bin_chances(80.0, 0.55)) * 1e6
    chances = smoothed(EDGES_MS, learnt, 0.02, (1.0, factor))
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-9)
    truth = np.array(bin_chances(80.0 * factor, 0.55))
    assert abs(chances[1] - truth).sum() < 0.02


def test_no_bin_is_impossible_when_all_requests_lay_in_one() -> None:
    learnt = np.zeros(len(EDGES_MS) + 1)
    learnt[20] = 1000
    assert (smoothed(EDGES_MS, learnt, 0.0, (1.0,)) > 0).all()


def test_a_monotone_ratio_rises_or_falls_and_is_bounded() -> None:
    rng = np.random.default_rng(1)
    chances, reference = rng.dirichlet(np.full(30, 0.3), 2) + 1e-12
    rising = monotone_ratio(chances, reference, rising=True)
    falling = monotone_ratio(chances, reference, rising=False)
    assert (np.diff(rising) >= 0).all()
    assert (np.diff(falling) <= 0).all()
    assert rising.max() <= 50
    assert falling.min() >= 1 / 50


def test_bounds_are_finite_when_there_is_one_edge() -> None:
    assert np.isfinite(log_bounds((10.0,))).all()
