"""The usual rules, as they are reported beside the judge."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from crossfade.judge import Classified, Look, beside
from crossfade.judge.beside import classify, slower_p
from crossfade.model.counts import ArmCounts, Counted
from tests.judge.traffic import HEALTHY, Arm, Traffic


@pytest.mark.parametrize("seed", range(5))
def test_mann_whitney_is_scipys_in_the_direction_of_a_slower_canary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    baseline, canary = rng.poisson(6.0, 300), rng.poisson(6.0 + 0.2 * seed, 80)
    counts = (np.bincount(arm, minlength=40).astype(float) for arm in (baseline, canary))
    expected = mannwhitneyu(baseline, canary, alternative="less", method="asymptotic").pvalue
    assert slower_p(*counts) == pytest.approx(expected)


def test_mann_whitney_is_small_when_the_canary_is_slower_and_not_when_it_is_faster() -> None:
    fast, slow = np.array([50.0, 20.0, 5.0]), np.array([5.0, 20.0, 50.0])
    assert (slower_p(fast, slow) or 1) < 1e-9
    assert (slower_p(slow, fast) or 0) > 0.999
    assert slower_p(fast, 0 * slow) is None
    assert slower_p(np.array([0.0, 9.0]), np.array([0.0, 9.0])) == 1


def test_series_are_classified_by_their_shift() -> None:
    rng = np.random.default_rng(4)
    series = rng.normal(1.0, 0.1, 40)
    assert classify(series, series + 0.3) is Classified.HIGH
    assert classify(series, series - 0.3) is Classified.LOW
    assert classify(series, rng.normal(1.0, 0.1, 40)) is Classified.PASS
    assert classify(series, series[:1]) is Classified.NO_DATA


def with_orders(rng: np.random.Generator, arm: ArmCounts, bad: int) -> ArmCounts:
    return replace(arm, counted=(Counted(name="orders", good=90 - bad + int(rng.integers(5)), total=100),))


def looks(canary: Arm, *, bad: int) -> list[Look]:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(20):
        look = Traffic(share=0.5, requests=400, canary=canary).look(rng)
        found.append(
            replace(look, baseline=with_orders(rng, look.baseline, 0), canary=with_orders(rng, look.canary, bad))
        )
    return found


def test_the_score_is_the_part_of_metrics_that_do_not_lie_higher() -> None:
    assert beside(looks(HEALTHY, bad=0)).score == 100
    worse = beside(looks(HEALTHY.times(latency=1.5), bad=20))
    assert worse.classified["latency"] is worse.classified["orders"] is Classified.HIGH
    assert worse.classified["errors"] is Classified.PASS
    assert worse.score == pytest.approx(100 / 3)


def test_nothing_is_said_without_data() -> None:
    said = beside(())
    assert (said.slower_p, said.score) == (None, None)
    assert set(said.classified.values()) == {Classified.NO_DATA}
