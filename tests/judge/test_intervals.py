"""How much worse: intervals that hold at all looks together, simulated."""

import math
from dataclasses import replace

import numpy as np
import pytest

from crossfade.judge import JudgeSettings, Metric, begin, compare, judge
from crossfade.judge.intervals import QUANTILES, log_mean_interval, quantile_intervals
from tests.judge.traffic import EDGES_MS, HEALTHY, Traffic, bin_chances

RUNS, LOOKS = 60, 25
TOO_MANY = 8  # of 60 runs missed at 5 % each: seen in one of 120 test runs


def test_an_interval_of_each_quantile_holds_at_all_times_when_looks_go_on() -> None:
    rng, chances = np.random.default_rng(21), bin_chances(80.0, 0.55)
    truth = [80.0 * math.exp(0.55 * z) for z in (0.0, 1.6449, 2.3263)]
    missed = np.zeros(len(QUANTILES))
    for _ in range(RUNS):
        counts = np.cumsum(rng.multinomial(60, chances, size=LOOKS), axis=0).astype(float)
        out = np.zeros(len(QUANTILES), dtype=bool)
        for seen in counts:
            found = quantile_intervals(EDGES_MS, seen, QUANTILES, 0.05)
            out |= [not each.low <= true <= each.high for each, true in zip(found, truth, strict=True)]
        missed += out
    assert (missed <= TOO_MANY).all()


def test_intervals_of_quantiles_are_as_narrow_as_two_bins_when_requests_are_many() -> None:
    counts = np.array(bin_chances(80.0, 0.55)) * 200_000
    for interval in quantile_intervals(EDGES_MS, counts.round(), QUANTILES, 0.05):
        assert interval.low < interval.estimate < interval.high
        assert interval.high / interval.low < 1.13**3


def test_quantiles_are_open_when_hardly_anything_was_seen() -> None:
    counts = np.zeros(len(EDGES_MS) + 1)
    counts[30] = 2
    median, _, highest = quantile_intervals(EDGES_MS, counts, QUANTILES, 0.05)
    assert (median.low, median.high) == (0.0, math.inf)
    # Two of two above it: that is enough to say where the slowest hundredth is not.
    assert (highest.low, highest.high) == (EDGES_MS[29], math.inf)


def test_the_interval_of_a_mean_holds_at_all_times_when_looks_go_on() -> None:
    rng, missed = np.random.default_rng(22), 0
    sizes = 40.0 * np.arange(1, 200)
    for _ in range(RUNS):
        means = np.cumsum(rng.normal(0.07, 0.55 / math.sqrt(40), len(sizes))) / np.arange(1, 200)
        ends = [log_mean_interval((mean, 0.3025 / n), 0.05) for mean, n in zip(means, sizes, strict=True)]
        missed += any(not low <= 0.07 <= high for low, high in ends)
    assert missed <= TOO_MANY


@pytest.mark.parametrize(("slower", "errors"), [(1.0, 1.0), (1.5, 10.0)])
def test_what_is_told_holds_the_truth_when_a_rollout_goes_on(slower: float, errors: float) -> None:
    settings, missed = replace(JudgeSettings(), settling_looks=0), 0
    traffic = Traffic(share=0.25, requests=600, canary=HEALTHY.times(latency=slower, errors=errors))
    for seed in range(20):
        rng, state = np.random.default_rng(seed), begin(settings)
        for _ in range(8):
            state, _ = judge(state, traffic.look(rng), settings)
        told = compare(state, settings)
        ratios = {metric.name: metric.ratio for metric in told.metrics}
        held = ratios[Metric.LATENCY].low <= slower <= ratios[Metric.LATENCY].high
        held &= ratios[Metric.ERRORS].low <= errors <= ratios[Metric.ERRORS].high
        missed += not (held and all(each.ratio.low <= slower <= each.ratio.high for each in told.quantiles))
    assert missed <= 3


def test_nothing_is_told_but_alpha_when_nothing_was_seen() -> None:
    told = compare(begin(JudgeSettings()), JudgeSettings())
    assert told.quantiles == ()
    assert [metric.name for metric in told.metrics] == [*Metric]
    for metric in told.metrics:
        assert metric.e_value == 1
        assert metric.alpha == pytest.approx(0.025)
        assert math.isnan(metric.ratio.estimate)
        assert (metric.ratio.low, metric.ratio.high) == (0.0, math.inf)
