"""Seeded simulations: how often the judge cries wolf, and how soon it finds what is wrong."""

import statistics
from dataclasses import replace

import numpy as np
import pytest

from crossfade.judge import Decision, JudgeSettings, Look, Metric, begin, judge
from crossfade.metrics.latency import EDGES_MS as ROUTER_EDGES_MS
from tests.judge.scenarios import LOOKS, NOT_WORSE, REQUESTS, Scenario, is_aborted
from tests.judge.traffic import HEALTHY, Arm, Traffic, until_decided

NO_ERRORS = Arm(error_rate=0.0)


def median_requests(
    traffic: Traffic,
    wanted: Decision,
    *,
    runs: int = 41,
    at_most: int = 40_000,
    settings: JudgeSettings | None = None,
) -> float:
    found = (until_decided(traffic, seed, wanted=wanted, at_most=at_most, settings=settings)[0] for seed in range(runs))
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


@pytest.mark.parametrize("scenario", NOT_WORSE, ids=lambda scenario: scenario.__name__)
def test_seldom_aborts_a_whole_rollout_when_the_canary_is_not_worse(scenario: Scenario) -> None:
    # The promise is 5 % of rollouts at most; 7 or more of 60 would be seen in one of 30 test runs at 5 %.
    assert sum(is_aborted(scenario, seed) for seed in range(60)) <= 6


LINK_MS = 20.0
ALLOWED = JudgeSettings(latency_allowance_ms=LINK_MS)
NEAR = Arm(error_rate=0.0, median_ms=14.0, edges_ms=ROUTER_EDGES_MS)
FAR = replace(NEAR, link_ms=LINK_MS)


@pytest.mark.parametrize("canary", [FAR, FAR.times(latency=1.05), replace(FAR, link_ms=12.0)])
def test_seldom_aborts_a_whole_rollout_when_the_canary_is_slower_by_the_link_that_is_allowed(canary: Arm) -> None:
    def far(rng: np.random.Generator, look: int, share: float) -> Look:
        return Traffic(share=share, requests=REQUESTS, baseline=NEAR, canary=canary).look(rng, look // LOOKS)

    assert sum(is_aborted(far, seed, ALLOWED) for seed in range(40)) <= 4


@pytest.mark.parametrize(("slower", "limit"), [(1.2, 6_000), (1.5, 1_700)])
def test_is_found_soon_when_the_canary_is_slower_beyond_the_link_that_is_allowed(slower: float, limit: int) -> None:
    traffic = Traffic(baseline=NEAR, canary=FAR.times(latency=slower))
    assert median_requests(traffic, Decision.ABORT, settings=ALLOWED) <= limit


def test_is_promoted_soon_when_the_canary_is_slower_by_the_link_that_is_allowed() -> None:
    assert median_requests(Traffic(baseline=NEAR, canary=FAR), Decision.PROMOTE, settings=ALLOWED) <= 3_500


def test_is_aborted_at_once_when_no_link_is_allowed_for() -> None:
    traffic = Traffic(baseline=NEAR, canary=FAR)
    assert median_requests(traffic, Decision.ABORT) <= 1_000
    _, verdict = until_decided(
        replace(traffic, canary=replace(FAR, link_ms=3 * LINK_MS)),
        1,
        wanted=Decision.ABORT,
        at_most=9_000,
        settings=ALLOWED,
    )
    assert "by more than 5 % and the 20 ms that are the link's" in verdict.reason


# What a router with bins of about 10 % sees of servers that take 12 ms, give or take.
ROUTER = Arm(error_rate=0.0, median_ms=12.0, sigma=0.2, edges_ms=tuple(round(2 * 1.1**i, 1) for i in range(60)))


def shares_at_the_end(canary: Arm, runs: int) -> list[float]:
    """Where rollouts end whose steps last 3,000 requests and rise when the judge promotes; above 1 is completed."""
    return [ended_share(ROUTER, canary, seed) for seed in range(runs)]


def ended_share(baseline: Arm, canary: Arm, seed: int) -> float:
    settings = JudgeSettings()
    rng, state = np.random.default_rng(seed), begin(settings)
    for step, share in enumerate((0.05, 0.15, 0.25, 0.35, 0.45, 0.55)):
        traffic, requests = Traffic(share=share, baseline=baseline, canary=canary), 0
        decision = Decision.HOLD
        while decision is not Decision.PROMOTE or requests < 3_000:
            state, verdict = judge(state, traffic.look(rng, step), settings)
            requests, decision = requests + traffic.requests, verdict.decision
            if decision is Decision.ABORT or requests > 30_000:
                return share if decision is Decision.ABORT else 0.0
    return 1.0


def test_aborts_before_half_of_the_traffic_moved_when_a_slowdown_arrives_as_fourteen_percent() -> None:
    assert all(0 < share < 0.5 for share in shares_at_the_end(ROUTER.times(latency=1.14), 20))


def test_goes_through_the_ladder_when_the_canary_is_as_fast() -> None:
    assert shares_at_the_end(ROUTER, 20).count(1.0) >= 19


def test_still_finds_a_regression_when_it_begins_after_a_long_common_incident() -> None:
    settings = JudgeSettings()
    rng, state = np.random.default_rng(1), begin(settings)
    incident = HEALTHY.times(latency=3, errors=50)
    for _ in range(20):
        state, verdict = judge(state, Traffic(requests=830, baseline=incident, canary=incident).look(rng), settings)
        assert verdict.decision is not Decision.ABORT
    slow = Traffic(requests=830, canary=HEALTHY.times(latency=1.5))
    requests, _ = until_decided(slow, 2, wanted=Decision.ABORT, at_most=20_000, state=state)
    assert requests is not None
