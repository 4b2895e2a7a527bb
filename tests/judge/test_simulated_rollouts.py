"""Seeded simulations: how often the judge cries wolf, and how soon it finds what is wrong."""

import statistics

import pytest

from crossfade.judge import Decision, Metric
from tests.judge.traffic import HEALTHY, Arm, Traffic, until_decided

NO_ERRORS = Arm(error_rate=0.0)


def median_requests(traffic: Traffic, wanted: Decision, *, runs: int = 41, at_most: int = 40_000) -> float:
    found = (until_decided(traffic, seed, wanted=wanted, at_most=at_most)[0] for seed in range(runs))
    return statistics.median(float("inf") if requests is None else requests for requests in found)


@pytest.mark.parametrize(
    ("canary", "baseline", "limit"),
    [
        (HEALTHY.times(latency=1.2), HEALTHY, 6_000),
        (HEALTHY.times(latency=1.5), HEALTHY, 1_700),
        (HEALTHY.times(errors=10), HEALTHY, 7_500),
        (Arm(error_rate=0.01), NO_ERRORS, 7_500),
    ],
    ids=["20 % slower", "50 % slower", "ten times the errors", "1 % errors against none"],
)
@pytest.mark.parametrize("requests", [150, 830])
def test_is_found_soon_at_the_five_percent_step_when_the_canary_is_worse(
    canary: Arm, baseline: Arm, limit: int, requests: int
) -> None:
    traffic = Traffic(requests=requests, canary=canary, baseline=baseline)
    assert median_requests(traffic, Decision.ABORT, runs=101) <= limit


@pytest.mark.parametrize("arm", [HEALTHY, NO_ERRORS], ids=["0.1 % errors", "no errors"])
def test_is_promoted_soon_at_the_five_percent_step_when_the_canary_is_healthy(arm: Arm) -> None:
    traffic = Traffic(canary=arm, baseline=arm)
    assert median_requests(traffic, Decision.PROMOTE) <= 3_000


def test_names_latency_when_the_canary_is_slower() -> None:
    _, verdict = until_decided(
        Traffic(share=0.5, canary=HEALTHY.times(latency=1.5)), 1, wanted=Decision.ABORT, at_most=10_000
    )
    assert verdict.metric is Metric.LATENCY
    assert "slower than the baseline by more than 5 %" in verdict.reason
    assert "times as long (geometric mean, 95 % interval 1." in verdict.reason
