"""The oracle, carried out: it keeps Wald's bound, and the judge stays within half as much again of it."""

import statistics

import pytest
from benchmarks.oracle import SETTINGS, carried_out, information, requests_needed

from crossfade.judge import Decision
from tests.judge.traffic import HEALTHY, Arm, Traffic, until_decided

PART = 1 / SETTINGS.threshold
AT_MOST = 300_000


def mean_by_oracle(traffic: Traffic, seeds: range) -> float:
    found = [carried_out(traffic, seed, alpha=PART, at_most=AT_MOST) for seed in seeds]
    return statistics.fmean(n for n in found if n is not None)


@pytest.mark.parametrize("canary", [HEALTHY.times(latency=1.5), HEALTHY.times(errors=20)])
def test_the_oracle_takes_as_long_as_its_bound_and_an_end_more(canary: Arm) -> None:
    traffic, seeds = Traffic(canary=canary, requests=20), range(300)
    bound = requests_needed(information(canary, HEALTHY, traffic.share), PART)
    assert bound < mean_by_oracle(traffic, seeds) < 1.6 * bound


def test_the_oracle_finds_nothing_when_the_canary_is_as_the_baseline() -> None:
    assert carried_out(Traffic(), 1, alpha=PART, at_most=15_000) is None


@pytest.mark.parametrize("requests", [150, 830])
@pytest.mark.parametrize("canary", [HEALTHY.times(latency=1.2), HEALTHY.times(latency=1.5), HEALTHY.times(errors=20)])
def test_the_judge_needs_at_most_half_as_much_again_as_the_oracle(canary: Arm, requests: int) -> None:
    traffic, seeds = Traffic(canary=canary, requests=requests), range(60)
    found = [until_decided(traffic, seed, wanted=Decision.ABORT, at_most=AT_MOST)[0] for seed in seeds]
    assert None not in found
    assert statistics.fmean(n for n in found if n is not None) < 1.5 * mean_by_oracle(traffic, seeds)
