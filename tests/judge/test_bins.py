from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crossfade.judge.bins import division, log_bounds, monotone_ratio, smoothed
from tests.judge.traffic import EDGES_MS, bin_chances

edges = st.lists(st.floats(0.1, 1e5), min_size=1, max_size=20, unique=True).map(lambda drawn: tuple(sorted(drawn)))


@given(edges=edges, divisor=st.floats(1, 11), data=st.data())
def test_division_moves_every_request_down_or_nowhere(
    edges: tuple[float, ...], divisor: float, data: st.DataObject
) -> None:
    assume(all(high / low > 1 + 1e-6 for low, high in pairwise(edges)))
    learnt = data.draw(st.lists(st.integers(0, 50), min_size=len(edges) + 1, max_size=len(edges) + 1))
    parts = division(edges, np.array(learnt, float) + 0.1, divisor, rising=data.draw(st.booleans()))
    assert np.allclose(parts.sum(axis=1), 1)
    assert np.allclose(np.triu(parts, 1), 0)


def test_division_is_a_shift_when_bins_are_as_wide_as_the_divisor() -> None:
    parts = division(tuple(10 * 1.05**i for i in range(8)), np.arange(1.0, 10.0), 1.05, rising=True)
    assert np.allclose(parts[1:], np.eye(9)[:-1])
    assert parts[0, 0] == 1


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
