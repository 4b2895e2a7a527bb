"""What makes the evidence of counted metrics evidence: expectations, computed exactly, and simulated coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom, nchypergeom_fisher

from crossfade.judge.capital import UNSHOWN, Floats
from crossfade.judge.counted_labels import CountedLabels, DealtLabels, likeliest_odds, odds_interval
from crossfade.judge.lumps import ArmScatters
from crossfade.model.counts import Counted

Arms = tuple[int, int, int]
"""Events of canary and baseline, and how many of all are bad."""
arms = st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(1, 119)).filter(
    lambda drawn: drawn[2] < drawn[0] + drawn[1]
)
pasts = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)), max_size=4)


def counted(good: int, bad: int) -> Counted:
    return Counted(name="orders", good=good, total=good + bad)


def folded(*looks: tuple[int, int, int, int], margin: float = 0.0) -> CountedLabels:
    """After looks of good and bad events, the canary's first."""
    labels = CountedLabels()
    for good, bad, baseline_good, baseline_bad in looks:
        labels = labels.after(counted(good, bad), counted(baseline_good, baseline_bad), margin)
    return labels


def dealt(drawn: Arms, odds: float = 1.0) -> tuple[Floats, Floats]:
    """The numbers of the canary's bad events, and the chance of each, at these odds against the baseline's."""
    canary, baseline, bad = drawn
    numbers = np.arange(max(0, bad - baseline), min(canary, bad) + 1.0)
    if odds == 1:
        return numbers, np.asarray(hypergeom.pmf(numbers, canary + baseline, bad, canary))
    return numbers, np.asarray(nchypergeom_fisher.pmf(numbers, canary + baseline, bad, canary, odds))


@given(drawn=arms, log_odds=st.floats(-4.2, 4.2))
def test_the_growth_of_dealt_labels_lies_between_its_bounds(drawn: Arms, log_odds: float) -> None:
    numbers, chances = dealt(drawn)
    exact = math.log(float(chances @ np.exp(numbers * log_odds)))
    below, above = DealtLabels.among(*drawn).log_growth(np.array([log_odds]))
    assert below[0] <= exact + 1e-8
    assert exact <= above[0] + 1e-8


@pytest.mark.parametrize("rate", [0.01, 0.5, 0.97])
def test_the_bounds_meet_when_arms_are_large_and_the_odds_near_to_even(rate: float) -> None:
    below, above = DealtLabels.among(1_000, 19_000, int(20_000 * rate)).log_growth(np.log([0.9, 1.1]))
    variance = 950 * rate * (1 - rate)
    assert (above - below < 0.1 * variance * math.log(1.1) ** 2 / 2).all()


@given(past=pasts, drawn=arms, milder=st.floats(0.05, 1), margin=st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=50)
def test_the_capital_is_not_expected_to_grow_when_the_odds_are_within_the_margin(
    past: list[tuple[int, int, int, int]], drawn: Arms, milder: float, margin: float
) -> None:
    canary, baseline, bad = drawn
    before = folded(*past, margin=margin)
    numbers, chances = dealt(drawn, milder * (1 + margin))
    expected = math.fsum(
        chance * math.exp(before.after(counted(canary - x, x), counted(baseline - bad + x, bad - x), margin).log_e)
        for x, chance in zip(map(int, numbers), chances.tolist(), strict=True)
    )
    assert expected <= math.exp(before.log_e) * (1 + 1e-7)


@given(past=pasts, drawn=arms, odds=st.floats(0.05, 20))
@settings(max_examples=40)
def test_a_mixture_is_not_expected_to_gain_on_the_true_odds(
    past: list[tuple[int, int, int, int]], drawn: Arms, odds: float
) -> None:
    # What the interval stands on: claimed likelihoods of any odds against the true ones' own.
    before = folded(*past)
    numbers, chances = dealt(drawn, odds)
    below, above = DealtLabels.among(*drawn).log_growth(np.log([0.1, 0.8, 1.5, 9.0, odds]))
    other = np.array([0.1, 0.8, 1.5, 9.0])
    gained = numbers[:, None] * (np.log(other) - math.log(odds)) - above[:-1] + below[-1]
    assert (chances @ np.exp(gained / before.scatters.size) <= 1 + 1e-7).all()


@pytest.mark.parametrize("events", [(0, 0, 5, 2), (3, 1, 0, 0), (4, 0, 9, 0), (0, 4, 0, 9)])
def test_events_of_one_arm_or_of_one_kind_prove_nothing(events: tuple[int, int, int, int]) -> None:
    labels = folded((5, 4, 40, 9))
    after = labels.after(counted(*events[:2]), counted(*events[2:]), 0.0)
    assert after.log_e == labels.log_e
    assert (after.rollout == labels.rollout).all()
    assert after.step_counts == (counted(5 + events[0], 4 + events[1]), counted(40 + events[2], 9 + events[3]))


@given(pasts)
@settings(max_examples=50)
def test_no_look_lets_the_capital_grow_beyond_what_the_look_before_bears_out(
    looks: list[tuple[int, int, int, int]],
) -> None:
    labels = CountedLabels()
    for good, bad, baseline_good, baseline_bad in looks:
        before, labels = labels, labels.after(counted(good, bad), counted(baseline_good, baseline_bad), 0.0)
        assert labels.log_e - before.log_e <= UNSHOWN + before.shown + 1e-9


def drawn_look(rng: np.random.Generator, rate: float, odds: float) -> tuple[Counted, Counted]:
    worse = odds * rate / (1 - rate + odds * rate)
    canary = int(rng.binomial(800, 0.25))
    bad, baseline_bad = int(rng.binomial(canary, worse)), int(rng.binomial(800 - canary, rate))
    return counted(canary - bad, bad), counted(800 - canary - baseline_bad, baseline_bad)


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("odds", [0.5, 1.0, 1.5])
def test_the_interval_of_the_odds_holds_at_all_times_when_looks_go_on(rate: float, odds: float) -> None:
    rng, wrong = np.random.default_rng(17), 0
    for _ in range(60):
        labels, missed = CountedLabels(), False
        for _ in range(15):
            labels = labels.after(*drawn_look(rng, rate, odds), 0.0)
            low, high = odds_interval(labels.rollout, 0.05)
            missed = missed or not low <= odds <= high
        wrong += missed
    assert wrong <= 7  # at 5 %, 8 or more of 60 would be seen in one of 120 test runs


def test_the_likeliest_odds_are_those_of_the_counts() -> None:
    assert likeliest_odds(folded((9_400, 600, 98_000, 2_000)).rollout) == pytest.approx(3.13, rel=0.08)


@pytest.mark.parametrize(("rate", "looks"), [(0.03, 20), (0.97, 20), (0.5, 5)])
def test_worse_odds_are_found_as_soon_when_few_go_well_as_when_few_go_badly(rate: float, looks: int) -> None:
    # Betting on the labels of bad events alone would need 32 times as long where 97 % go badly.
    found = []
    for seed in range(15):
        rng, labels, n = np.random.default_rng(seed), CountedLabels(), 0
        while labels.log_e < math.log(40) and n < 200:
            labels, n = labels.after(*drawn_look(rng, rate, 2.0 if rate < 0.9 else 1.8), 0.0), n + 1
        found.append(n)
    assert np.median(found) <= looks


def test_lumps_take_their_root_only_once_earlier_looks_have_shown_them() -> None:
    calm, burst = (60, 1, 600, 10), (60, 1, 490, 120)
    labels = folded(*[calm] * 3)
    assert labels.scatters.size == 1
    assert labels.after(counted(40, 20), counted(600, 10), 0.0).log_e > 2
    scattered = folded(*[calm, burst] * 3)
    assert scattered.scatters.size > 10
    gained = scattered.after(counted(40, 20), counted(600, 10), 0.0).log_e - scattered.log_e
    assert gained < 2
    assert scattered.scatters != ArmScatters()
