from itertools import pairwise

import pytest

from crossfade.metrics.latency import EDGES_MS, envoy_bounds


def test_edges_rise_by_a_tenth_or_so_when_latencies_are_usual() -> None:
    usual = [edge for edge in EDGES_MS if 2 <= edge <= 100]
    assert all(1.04 < after / before < 1.15 for before, after in pairwise(usual))
    assert list(EDGES_MS) == sorted(set(EDGES_MS))
    assert 50 <= len(EDGES_MS) <= 65


def test_edges_have_two_digits_when_envoys_bins_must_not_be_cut() -> None:
    assert all(float(f"{edge:.1e}") == edge for edge in EDGES_MS)


@pytest.mark.parametrize(("edge", "bound"), [(2.0, 1900), (9.3, 9200), (10, 9900), (11, 10_000), (100, 99_000)])
def test_bound_is_one_bin_below_when_envoy_is_told_an_edge(edge: float, bound: int) -> None:
    assert envoy_bounds(1000)[EDGES_MS.index(edge)] == bound


def test_bounds_are_one_more_when_the_last_bin_is_open() -> None:
    assert len(envoy_bounds(1)) == len(EDGES_MS) + 1
