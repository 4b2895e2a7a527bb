"""Absolute limits beside the judge."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crossfade.judge import (
    BurnLimit,
    GuardKind,
    GuardLimits,
    GuardLimitsInvalid,
    GuardState,
    GuardWindow,
    Look,
    WindowCounts,
    check_guards,
    guard_window,
)
from crossfade.model.counts import ArmCounts, LatencyHistogram

WINDOW, SHORT = timedelta(seconds=30), timedelta(seconds=5)
EDGES_MS = (50.0, 100.0, 200.0, 400.0)


def counts(requests: int, errors: int = 0, latency: tuple[int, ...] | None = None) -> ArmCounts:
    histogram = LatencyHistogram(edges_ms=EDGES_MS, counts=latency) if latency else None
    return ArmCounts(requests=requests, errors=errors, latency=histogram)


def window(canary: ArmCounts, baseline: ArmCounts | None = None, *, lately: ArmCounts | None = None) -> GuardWindow:
    both = WindowCounts(canary=canary, baseline=baseline)
    return GuardWindow(counts={WINDOW: both, SHORT: WindowCounts(canary=lately or canary, baseline=baseline)})


ERRORS = GuardLimits(error_rate=0.05, window=WINDOW, burn=())
BURN = GuardLimits(error_rate=None, window=WINDOW, burn=(BurnLimit(rate=10, window=WINDOW, short_window=SHORT),))
P95 = GuardLimits(error_rate=None, p95_ms=150, window=WINDOW, burn=())


@pytest.mark.parametrize(
    ("limits", "canary", "state"),
    [
        (ERRORS, counts(1000, 60), GuardState.BREACHED),
        (ERRORS, counts(1000, 50), GuardState.CLEAR),
        (ERRORS, counts(100, 9), GuardState.CLEAR),
        (ERRORS, counts(99, 99), GuardState.NO_DATA),
        (BURN, counts(1000, 10), GuardState.BREACHED),
        (BURN, counts(1100, 10), GuardState.CLEAR),
        (BURN, counts(8, 1), GuardState.NO_DATA),
        (P95, counts(1000, 0, (500, 400, 100, 0, 0)), GuardState.CLEAR),
        (P95, counts(1000, 0, (500, 200, 300, 0, 0)), GuardState.BREACHED),
        (P95, counts(1000, 0, (5, 2, 30, 0, 0)), GuardState.NO_DATA),
        (P95, counts(1000), GuardState.NO_DATA),
    ],
)
def test_speaks_only_beyond_its_limit_and_minimum_counts_when_the_canary_is_alone(
    limits: GuardLimits, canary: ArmCounts, state: GuardState
) -> None:
    assert check_guards(window(canary), limits).state is state


@pytest.mark.parametrize(
    ("limits", "canary", "baseline"),
    [
        (ERRORS, counts(1000, 60), counts(9000, 500)),
        (BURN, counts(1000, 30), counts(9000, 200)),
        (P95, counts(1000, 0, (0, 500, 500, 0, 0)), counts(9000, 0, (0, 4500, 4500, 0, 0))),
    ],
)
def test_blames_nobody_when_the_baseline_breaks_the_same_limit(
    limits: GuardLimits, canary: ArmCounts, baseline: ArmCounts
) -> None:
    verdict = check_guards(window(canary, baseline), limits)
    assert verdict.state is GuardState.COMMON
    assert "common incident" in verdict.reason


def test_blames_the_canary_when_it_is_far_worse_than_a_baseline_in_trouble() -> None:
    verdict = check_guards(window(counts(1000, 400), counts(9000, 500)), ERRORS)
    assert (verdict.state, verdict.guard) == (GuardState.BREACHED, GuardKind.ERROR_RATE)
    assert "fails on 40 % of 1,000 requests, above the limit of 5 %" in verdict.reason


def test_blames_the_canary_when_the_baseline_had_too_few_requests_to_tell() -> None:
    assert check_guards(window(counts(1000, 60), counts(20, 2)), ERRORS).state is GuardState.BREACHED


def test_blames_nobody_when_the_errors_may_have_fallen_on_the_canary_by_chance() -> None:
    assert check_guards(window(counts(354, 17), counts(250, 4)), BURN).state is GuardState.COMMON
    assert check_guards(window(counts(180, 11), counts(65, 2)), BURN).state is GuardState.COMMON


def test_blames_the_canary_when_it_alone_fails_at_a_large_share() -> None:
    assert check_guards(window(counts(2700, 130), counts(300, 0)), BURN).state is GuardState.BREACHED


def test_waits_when_the_baseline_is_small_but_could_tell_soon() -> None:
    verdict = check_guards(window(counts(1350, 20), counts(150, 0)), BURN)
    assert verdict.state is GuardState.NO_DATA
    assert "the baseline's 150 requests are too few to tell" in verdict.reason


def test_blames_nobody_for_p95_when_the_slow_requests_may_have_fallen_on_the_canary_by_chance() -> None:
    assert check_guards(window(counts(150, 0, (0, 140, 0, 10, 0))), P95).state is GuardState.CLEAR
    slow, usual = counts(150, 0, (0, 120, 0, 30, 0)), counts(150, 0, (0, 136, 0, 14, 0))
    assert check_guards(window(slow, usual), P95).state is GuardState.COMMON


def test_blames_the_canary_for_p95_when_the_baseline_is_fast() -> None:
    slow, usual = counts(1000, 0, (0, 700, 0, 300, 0)), counts(1000, 0, (0, 980, 0, 20, 0))
    verdict = check_guards(window(slow, usual), P95)
    assert (verdict.state, verdict.guard) == (GuardState.BREACHED, GuardKind.P95)
    assert "above the limit of 150 ms, and 30 % take longer than that limit" in verdict.reason


def verdict_on(canary: list[ArmCounts], baseline: list[ArmCounts], *, share: float) -> GuardState:
    """What the guards of errors say of looks of a second."""
    arms = zip(baseline, canary, strict=True)
    looks = [
        Look(step=1, share=share, duration=timedelta(seconds=1), baseline=theirs, canary=ours) for theirs, ours in arms
    ]
    return check_guards(guard_window(looks, ERRORS), ERRORS).state


def test_blames_nobody_when_an_incident_reaches_the_canary_one_look_earlier() -> None:
    fine, failing = counts(10_000, 10), counts(10_000, 5_000)
    assert verdict_on([fine] * 4 + [failing], [fine] * 5, share=0.5) is not GuardState.BREACHED
    assert verdict_on([fine] * 4 + [failing] * 5, [fine] * 9, share=0.5) is GuardState.BREACHED


def test_counts_a_users_errors_once_when_both_arms_tell_users() -> None:
    fine = counts(100)
    burst = ArmCounts(requests=100, errors=30, users_with_errors=3)
    told = replace(fine, users_with_errors=0)
    assert verdict_on([burst] * 3, [told] * 3, share=0.5) is GuardState.CLEAR
    assert verdict_on([replace(burst, users_with_errors=30)] * 8, [told] * 8, share=0.5) is GuardState.BREACHED


def test_counts_errors_by_lumps_when_users_are_not_told() -> None:
    fine, burst, steady = counts(100), counts(100, 20), counts(100, 6)
    lumps = [fine, fine, burst, fine, fine, burst]
    assert verdict_on(lumps, [fine] * 6, share=0.5) is GuardState.CLEAR
    assert verdict_on([steady] * 20, [fine] * 20, share=0.5) is GuardState.BREACHED


def test_lets_go_when_the_burning_has_ended() -> None:
    assert check_guards(window(counts(1000, 30), lately=counts(150, 0)), BURN).state is GuardState.CLEAR


def test_holds_when_a_window_is_missing() -> None:
    both = WindowCounts(canary=counts(1000, 900))
    assert check_guards(GuardWindow(counts={WINDOW: both}), BURN).state is GuardState.NO_DATA
    assert check_guards(GuardWindow(counts={}), ERRORS).state is GuardState.NO_DATA


def test_is_clear_when_every_guard_is_switched_off() -> None:
    assert check_guards(GuardWindow(counts={}), GuardLimits(error_rate=None, burn=())).state is GuardState.CLEAR


def test_says_how_fast_the_budget_burns_when_it_does() -> None:
    verdict = check_guards(window(counts(1000, 20)), BURN)
    assert "burning the error budget of 0.1 % 20 times as fast as it may (limit 10)" in verdict.reason


def look_of(errors: int, *, share: float = 0.5) -> Look:
    histogram = (10, 10, 0, 0, 0)
    return Look(
        step=1,
        share=share,
        duration=timedelta(seconds=2),
        baseline=counts(100 if share < 1 else 0, 0, histogram),
        canary=counts(100, errors, histogram),
    )


def test_counts_the_latest_looks_that_fit_each_window() -> None:
    limits = GuardLimits(
        window=timedelta(seconds=6), burn=(BurnLimit(window=timedelta(seconds=60), short_window=SHORT),)
    )
    counted = guard_window([look_of(errors) for errors in (1, 2, 3, 4)], limits).counts
    assert counted[timedelta(seconds=6)].canary.errors == 2 + 3 + 4
    assert counted[SHORT].canary.errors == 3 + 4
    everything = counted[timedelta(seconds=60)]
    assert (everything.canary.errors, everything.canary.requests) == (10, 400)
    assert everything.canary.latency is not None
    assert everything.canary.latency.counts == (40, 40, 0, 0, 0)
    assert everything.baseline is not None
    assert everything.baseline.requests == 400


def test_counts_one_arm_when_all_traffic_goes_to_the_canary() -> None:
    counted = guard_window([look_of(1, share=1.0)] * 3, ERRORS).counts
    assert counted[WINDOW].baseline is None


def test_counts_nothing_when_there_was_no_look() -> None:
    assert check_guards(guard_window([], ERRORS), ERRORS).state is GuardState.NO_DATA


def test_tells_all_faults_together_when_limits_make_no_sense() -> None:
    with pytest.raises(GuardLimitsInvalid) as caught:
        GuardLimits(
            error_rate=2, p95_ms=0, availability=1, burn=(BurnLimit(rate=0, window=SHORT, short_window=WINDOW),)
        )
    assert len(caught.value.faults) == 5
