"""The others' rules, as the benchmark measures them, beside scipy's own functions and cases computed by hand."""

import math

import numpy as np
import pytest
from benchmarks.peers.batch import ALPHA, Arms, Batch
from benchmarks.peers.burn_rate import by_minute, too_many
from benchmarks.peers.fisher import p_value_worse
from benchmarks.peers.kayenta import LEVEL, is_high, scores_low, shift
from benchmarks.peers.mann_whitney import is_slower, is_slower_corrected, p_value_slower
from benchmarks.peers.p95_ratio import has_slower_p95, quantile_ms
from benchmarks.peers.pooled_msprt import has_slower_pooled_mean, log_ratio
from numpy.typing import NDArray
from scipy import stats

EDGES_MS = (10.0, 20.0, 40.0, 80.0, 160.0)
BINS = len(EDGES_MS) + 1
LOOKS = 2


def arms(bins: list[list[int]], errors: list[int]) -> Arms:
    """One rollout, a row of bins for each look."""
    counted = np.array([bins], dtype=np.int64)
    return Arms(requests=counted.sum(axis=-1), errors=np.array([errors], dtype=np.int64), bins=counted)


def rollout(canary: Arms, baseline: Arms) -> Batch:
    return Batch(edges_ms=EDGES_MS, looks=LOOKS, minutes=5, planned=2, canary=canary, baseline=baseline)


QUIET = [0, 0, 0, 0]
ALIKE = [[5, 20, 50, 20, 4, 1]] * 4
SLOWER = [[2, 8, 30, 40, 15, 5]] * 4


@pytest.mark.parametrize("seed", range(20))
def test_mann_whitneys_p_value_is_scipys_when_latencies_are_binned(seed: int) -> None:
    rng = np.random.default_rng(seed)
    canary, baseline = rng.multinomial(40, np.full(BINS, 1 / BINS)), rng.multinomial(300, rng.dirichlet(np.ones(BINS)))
    middles = np.arange(BINS)
    expected = stats.mannwhitneyu(
        np.repeat(middles, canary), np.repeat(middles, baseline), alternative="greater", method="asymptotic"
    ).pvalue
    assert p_value_slower(canary, baseline) == pytest.approx(expected, rel=1e-9)


def test_mann_whitney_proves_nothing_when_an_arm_is_silent_or_all_requests_tie() -> None:
    nobody, tied = np.zeros(BINS, dtype=np.int64), np.array([0, 9, 0, 0, 0, 0])
    assert p_value_slower(nobody, np.array(ALIKE[0])) == 1.0
    assert p_value_slower(tied, tied) == 1.0


def test_mann_whitney_finds_the_slower_arm_and_not_the_faster_one() -> None:
    slow, usual = arms(SLOWER, QUIET), arms(ALIKE, QUIET)
    assert is_slower(rollout(slow, usual)).tolist() == [[False, True, False, True]]
    assert not is_slower(rollout(usual, slow)).any()


def test_bonferroni_divides_alpha_by_the_steps() -> None:
    a_little = [[4, 17, 46, 25, 6, 2]] * 4
    batch = rollout(arms(a_little, QUIET), arms(ALIKE, QUIET))
    p_value = float(p_value_slower(2 * np.array(a_little[0]), 2 * np.array(ALIKE[0])))
    assert ALPHA / 2 < p_value < ALPHA
    assert is_slower(batch)[0, 1]
    assert not is_slower_corrected(batch).any()


def kayentas(canary: NDArray[np.float64], baseline: NDArray[np.float64], mu: float) -> float:
    """The statistic whose roots Kayenta looks for, by its own way: ranks of shifted values, anew for each shift."""
    values = np.concatenate((canary - mu, baseline))
    n, m = len(canary), len(baseline)
    dz = stats.rankdata(values)[:n].sum() - n * (n + 1) / 2 - n * m / 2
    _, ties = np.unique(values, return_counts=True)
    sigma = math.sqrt(n * m / 12 * (n + m + 1 - (ties**3 - ties).sum() / ((n + m) * (n + m - 1))))
    return float((dz - 0.5 * np.sign(dz)) / sigma)


@pytest.mark.parametrize("digits", [6, 1], ids=["no ties", "ties"])
@pytest.mark.parametrize("seed", range(8))
def test_kayentas_interval_begins_where_its_statistic_passes_the_quantile(seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    canary, baseline = np.round(rng.normal(0.7, 1.0, 13), digits), np.round(rng.normal(0.0, 1.0, 11), digits)
    lower, estimate = shift(canary, baseline)
    for found, quantile in ((float(lower), stats.norm.ppf((1 + LEVEL) / 2)), (float(estimate), 0.0)):
        assert kayentas(canary, baseline, found + 1e-6) <= quantile < kayentas(canary, baseline, found - 1e-6)


def test_kayenta_is_high_only_upwards_and_removes_what_is_missing() -> None:
    low, high = np.arange(12.0), np.arange(12.0) + 50
    assert is_high(np.array([[high, low]]), np.array([[low, high]])).tolist() == [[True, False]]
    partly, nothing = high.copy(), np.full(12, np.nan)
    partly[3] = np.nan
    assert is_high(np.array([[partly, nothing]]), np.array([[low, low]])).tolist() == [[True, False]]


def test_kayenta_fails_the_canary_when_one_of_two_metrics_is_high() -> None:
    looks = 12
    rng = np.random.default_rng(5)
    shapes = [rng.multinomial(500, [0.05, 0.2, 0.5, 0.2, 0.04, 0.01]).tolist() for _ in range(2 * looks)]
    few, many = rng.integers(0, 3, looks).tolist(), rng.integers(20, 30, looks).tolist()
    for errors, fails in ((few, False), (many, True)):
        batch = Batch(
            edges_ms=EDGES_MS,
            looks=looks,
            minutes=5,
            planned=1,
            canary=arms(shapes[:looks], errors),
            baseline=arms(shapes[looks:], few),
        )
        assert scores_low(batch)[0].tolist() == [False] * (looks - 1) + [fails]


def test_a_quantile_is_interpolated_within_its_bin() -> None:
    # The 95th of 100 requests is the 15th of 20 in the bin from 40 to 80 ms.
    assert quantile_ms(np.array([0, 40, 40, 20, 0, 0]), EDGES_MS, 0.95) == pytest.approx(40 + 40 * 15 / 20)
    assert quantile_ms(np.array([0, 0, 0, 0, 0, 9]), EDGES_MS, 0.95) == 160.0
    assert math.isnan(float(quantile_ms(np.zeros(BINS, dtype=np.int64), EDGES_MS, 0.95)))


def test_p95_is_slower_only_beyond_its_ratio() -> None:
    usual, much = [[0, 40, 40, 20, 0, 0]] * 4, [[0, 40, 20, 20, 20, 0]] * 4
    assert has_slower_p95(rollout(arms(much, QUIET), arms(usual, QUIET)))[0].tolist() == [False, True, False, True]
    assert not has_slower_p95(rollout(arms(usual, QUIET), arms(usual, QUIET))).any()


def test_the_mixture_ratio_is_the_integral_over_its_effects() -> None:
    canary, baseline = (
        (np.float64(60), np.float64(4.5), np.float64(0.3)),
        (np.float64(900), np.float64(4.3), np.float64(0.28)),
    )
    error = math.sqrt(0.3 / 60 + 0.28 / 900)
    effects = np.linspace(-1, 1, 200_001)
    mixed = stats.norm.pdf(0.2, effects, error) * stats.norm.pdf(effects, 0, 0.1)
    expected = math.log(np.trapezoid(mixed, effects) / stats.norm.pdf(0.2, 0, error))
    told = log_ratio(tuple(map(np.asarray, canary)), tuple(map(np.asarray, baseline)), 0.1)
    assert float(told) == pytest.approx(expected, rel=1e-6)


def test_pooling_blames_the_canary_when_an_incident_meets_it_at_a_larger_share() -> None:
    """Simpson's paradox: both arms alike in each look, the slow look at a larger share."""
    usual, slow = np.array([5, 20, 50, 20, 4, 1]), np.array([0, 1, 4, 20, 50, 25])
    canary = arms([(1 * usual).tolist(), (9 * slow).tolist()], [0, 0])
    baseline = arms([(9 * usual).tolist(), (1 * slow).tolist()], [0, 0])
    assert has_slower_pooled_mean(rollout(canary, baseline))[0].tolist() == [False, True]


@pytest.mark.parametrize(("ours", "theirs"), [(3, 2), (0, 5), (5, 0), (1, 40)])
def test_fishers_p_value_is_scipys(ours: int, theirs: int) -> None:
    canary, baseline = arms([[60, 0, 0, 0, 0, 0]], [ours]), arms([[900, 0, 0, 0, 0, 0]], [theirs])
    expected = stats.fisher_exact(np.array([[ours, 60 - ours], [theirs, 900 - theirs]]), alternative="greater").pvalue
    assert float(p_value_worse(canary, baseline)[0, 0]) == pytest.approx(expected, rel=1e-9)


def test_one_error_in_a_minute_of_eight_requests_burns_too_fast() -> None:
    requests, errors = np.array([[8, 300], [0, 300]]), np.array([[1, 3], [0, 4]])
    assert too_many(requests, errors).tolist() == [True, True]
    assert too_many(requests[:1, 1:], errors[:1, 1:]).tolist() == [False]


def test_a_look_is_dealt_to_its_minutes_without_loss() -> None:
    rng = np.random.default_rng(1)
    requests, errors = np.array([[40, 7, 0]]), np.array([[3, 7, 0]])
    dealt, failed = by_minute(rng, requests, errors, 5)
    assert dealt.sum(axis=-1).tolist() == requests.tolist()
    assert failed.sum(axis=-1).tolist() == errors.tolist()
    assert (failed <= dealt).all()
