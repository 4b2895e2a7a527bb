"""What makes the evidence evidence: expectations, computed exactly, that must not rise under the null hypothesis."""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from crossfade.judge import JudgeSettings, Look
from crossfade.judge.bets import AGAINST, Bets, fitted_bets
from crossfade.judge.capital import UNSHOWN, Floats, log_prior, log_total, shared_anew
from crossfade.judge.error_labels import ErrorLabels, likeliest_ratio, log_e_rate_below, ratio_interval
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.model.counts import ArmCounts, LatencyHistogram
from tests.judge.traffic import EDGES_MS, Traffic

MARGIN = 0.05
EXACT_EDGES = tuple(10 * (1 + MARGIN) ** i for i in range(12))  # here division by the margin is a whole bin
SETTINGS = JudgeSettings(latency_margin=MARGIN)
EVEN_EDGES = tuple(10.0 * i for i in range(1, 13))  # and here the allowance
ALLOWING = JudgeSettings(latency_margin=0, latency_allowance_ms=10.0)

Counts = tuple[int, int, int, int]
arms = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 6), st.integers(0, 6)).map(
    lambda drawn: (max(drawn[0], drawn[2]), max(drawn[1], drawn[3]), drawn[2], drawn[3])
)


def error_look(counts: Counts) -> Look:
    baseline, canary, baseline_errors, canary_errors = counts
    return Look(
        step=1,
        share=canary / (baseline + canary),
        duration=timedelta(seconds=1),
        baseline=ArmCounts(requests=baseline, errors=baseline_errors),
        canary=ArmCounts(requests=canary, errors=canary_errors),
    )


def folded(*looks: Counts) -> ErrorLabels:
    labels = ErrorLabels()
    for counts in looks:
        labels = labels.after(error_look(counts))
    return labels


def binomial(successes: int, of: int, chance: float) -> float:
    """Exactly; scipy's overflows at chances that are nearly nothing."""
    return math.comb(of, successes) * chance**successes * (1 - chance) ** (of - successes)


@given(
    past=st.lists(arms, max_size=4),
    requests=st.tuples(st.integers(8, 40), st.integers(8, 40)),
    errors=st.integers(0, 8),
    milder=st.floats(0, 1),
)
@example(past=[], requests=(8, 9), errors=1, milder=1.2e-308)
def test_the_capital_on_errors_is_not_expected_to_grow_when_the_canary_is_not_worse(
    past: list[Counts], requests: tuple[int, int], errors: int, milder: float
) -> None:
    before = folded(*past)
    share = requests[1] / sum(requests)
    expected = math.fsum(
        binomial(x, errors, share * milder) * math.exp(before.after(error_look((*requests, errors - x, x))).log_e)
        for x in range(errors + 1)
    )
    assert expected <= math.exp(before.log_e) * (1 + 1e-9)


@given(
    past=st.lists(arms, max_size=3), requests=st.integers(2, 30), canary=st.integers(1, 29), errors=st.integers(0, 8)
)
def test_the_capital_on_errors_is_not_expected_to_grow_when_labels_are_dealt_to_a_given_number_of_requests(
    past: list[Counts], requests: int, canary: int, errors: int
) -> None:
    canary, errors = min(canary, requests - 1), min(errors, requests)
    before = folded(*past)
    expected = 0.0
    for x in range(max(0, errors - (requests - canary)), min(errors, canary) + 1):
        look = error_look((requests - canary, canary, errors - x, x))
        expected += float(hypergeom.pmf(x, requests, errors, canary)) * math.exp(before.after(look).log_e)
    assert expected <= math.exp(before.log_e) * (1 + 1e-9)


@given(looks=st.lists(arms, min_size=1, max_size=5), data=st.data())
def test_the_ratio_does_not_depend_on_the_order_of_looks_when_errors_come_one_by_one(
    looks: list[Counts], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(looks))
    for order in (looks, shuffled):
        assume(all(folded(*order[:seen]).scatters.size == 1 for seen in range(len(order))))
    assert np.allclose(folded(*looks).rollout, folded(*shuffled).rollout, atol=1e-9)


@given(look=arms, parts=st.integers(2, 5))
def test_the_evidence_on_errors_is_that_of_one_merged_look_when_the_share_is_the_same(look: Counts, parts: int) -> None:
    baseline, canary, baseline_errors, canary_errors = look
    merged = (parts * baseline, parts * canary, parts * baseline_errors, parts * canary_errors)
    one, many = folded(merged), folded(*[look] * parts)
    assert np.allclose(one.rollout, many.rollout, atol=1e-9)
    assume(one.shown <= UNSHOWN)  # beyond, one look alone is not believed
    # Capital is spread anew after each look, a little for each error: that much they may differ.
    assert one.log_e == pytest.approx(many.log_e, abs=0.02 * (1 + sum(merged[2:])))


def test_a_look_without_errors_is_no_evidence() -> None:
    labels = folded((30, 10, 2, 1))
    after = labels.after(error_look((500, 500, 0, 0)))
    assert after.log_e == labels.log_e
    assert (after.log_capital, after.rollout, after.step) == (labels.log_capital, labels.rollout, labels.step)


@given(looks=st.lists(arms, min_size=1, max_size=6))
def test_no_look_lets_the_capital_grow_beyond_what_the_looks_before_it_bear_out(looks: list[Counts]) -> None:
    labels = ErrorLabels()
    for counts in looks:
        before, labels = labels, labels.after(error_look(counts))
        assert labels.log_e - before.log_e <= UNSHOWN + before.shown + 1e-9


@given(
    log_capital=st.lists(st.floats(-300, 50), min_size=3, max_size=3).map(np.array),
    part=st.floats(0, 0.99),
)
def test_spreading_capital_anew_leaves_its_sum(log_capital: Floats, part: float) -> None:
    prior = log_prior((1.0, 3.0), cash=0.2)
    total = log_total(log_capital)
    assert log_total(shared_anew(log_capital, prior, part, total)) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0, 10.0])
def test_the_interval_of_the_ratio_holds_at_all_times_when_looks_go_on(ratio: float) -> None:
    rng, wrong = np.random.default_rng(11), 0
    for _ in range(200):
        labels, missed = ErrorLabels(), False
        for _ in range(15):
            canary = int(rng.binomial(800, 0.25))
            errors = int(rng.binomial(800 - canary, 0.005)), int(rng.binomial(canary, 0.005 * ratio))
            labels = labels.after(error_look((800 - canary, canary, *errors)))
            low, high = ratio_interval(labels.rollout, 0.05)
            missed = missed or not low <= ratio <= high
        wrong += missed
    assert wrong <= 10


def test_the_likeliest_ratio_is_the_ratio_of_the_rates() -> None:
    assert likeliest_ratio(folded((10_000, 1_000, 100, 30)).rollout) == pytest.approx(3, rel=0.1)


def test_a_rate_is_seldom_shown_to_be_low_when_it_is_at_the_limit() -> None:
    rng, shown = np.random.default_rng(12), 0
    for _ in range(400):
        errors = np.cumsum(rng.random(1500) < 0.03)
        shown += any(log_e_rate_below(0.03, n, int(errors[n - 1])) >= math.log(20) for n in range(50, 1500, 10))
    assert shown <= 20


@pytest.mark.parametrize(
    ("requests", "errors", "low"), [(90, 0, False), (115, 0, True), (150, 1, False), (230, 1, True)]
)
def test_a_rate_is_shown_to_be_low_when_there_are_requests_enough_for_its_errors(
    requests: int, errors: int, low: bool
) -> None:
    assert (log_e_rate_below(0.03, requests, errors) >= math.log(20)) is low


bins = len(EXACT_EDGES) + 1
weights = st.lists(st.integers(0, 30), min_size=bins, max_size=bins).map(lambda drawn: np.array(drawn, dtype=float))


def payoff_of_one(bets: Bets, share: float) -> tuple[Floats, Floats]:
    """What one request of the baseline and of the canary pays, by bet and bin."""
    nobody, each = np.zeros(bins), np.eye(bins)
    baseline = np.stack([np.exp(bets.log_payoffs(one, nobody, share)) for one in each], axis=1)
    canary = np.stack([np.exp(bets.log_payoffs(nobody, one, share)) for one in each], axis=1)
    return baseline, canary


@pytest.mark.parametrize(("edges", "judging"), [(EXACT_EDGES, SETTINGS), (EVEN_EDGES, ALLOWING)])
@given(
    learnt=weights,
    learnt_canary=weights,
    chances=weights,
    faster=st.lists(st.floats(0, 1), min_size=bins, max_size=bins),
    counts=st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
@settings(max_examples=60)
def test_no_bet_on_latency_is_expected_to_win_when_the_canary_is_within_the_margin_or_the_allowance(
    edges: tuple[float, ...],
    judging: JudgeSettings,
    learnt: Floats,
    learnt_canary: Floats,
    chances: Floats,
    faster: list[float],
    counts: tuple[int, int],
) -> None:
    bets = fitted_bets(edges, learnt + 3, learnt_canary, judging, 0.0)
    assert bets is not None
    baseline = (chances + 0.01) / (chances + 0.01).sum()
    canary = baseline.copy()
    for i, part in enumerate(faster[:-1]):  # part of each bin's requests falls into the next faster one
        canary[i] += part * canary[i + 1]
        canary[i + 1] *= 1 - part
    # Margin or allowance make each of the canary's requests a whole bin slower, at most; the last bin is open.
    slower = np.concatenate(([0.0], canary[:-2], [canary[-2] + canary[-1]]))
    n_baseline, n_canary = counts
    of_baseline, of_canary = payoff_of_one(bets, n_canary / (n_canary + n_baseline))
    growth = n_baseline * np.log(of_baseline @ baseline) + n_canary * np.log(of_canary @ slower)
    assert (growth[:AGAINST] <= 1e-9).all()


@given(learnt=weights, chances=weights, counts=st.tuples(st.integers(1, 30), st.integers(1, 30)))
@settings(max_examples=40)
def test_no_bet_on_health_is_expected_to_win_when_the_canary_is_slower_than_the_tolerance(
    learnt: Floats, chances: Floats, counts: tuple[int, int]
) -> None:
    tolerant = JudgeSettings(latency_margin=0.01, latency_tolerance=MARGIN)
    bets = fitted_bets(EXACT_EDGES, learnt + 3, np.zeros(bins), tolerant, 0.0)
    assert bets is not None
    baseline = (chances + 0.01) / (chances + 0.01).sum()
    slower = np.concatenate(([0.0], baseline[:-2], [baseline[-2] + baseline[-1]]))
    n_baseline, n_canary = counts
    of_baseline, of_canary = payoff_of_one(bets, n_canary / (n_canary + n_baseline))
    growth = n_baseline * np.log(of_baseline @ baseline) + n_canary * np.log(of_canary @ slower)
    assert (growth[AGAINST:] <= 1e-9).all()


def test_bets_do_not_look_at_the_look_that_they_are_bet_on() -> None:
    rng = np.random.default_rng(13)
    first, second = Traffic(requests=600).look(rng), Traffic(requests=600).look(rng)
    labels = LatencyLabels.unlearnt(EDGES_MS)
    for look in (first, second):
        assert look.baseline.latency is not None
        assert look.canary.latency is not None
        before = labels
        labels = labels.after(look.baseline.latency, look.canary.latency, JudgeSettings())
    assert before.bets is not None
    assert before.log_e == 0  # nothing was known when the first look came
    assert second.baseline.latency is not None
    assert second.canary.latency is not None
    counts = np.array(second.baseline.latency.counts, float), np.array(second.canary.latency.counts, float)
    share = counts[1].sum() / (counts[0].sum() + counts[1].sum())
    gained = before.bets.log_payoffs(*counts, share)[:AGAINST]
    assert labels.log_e == pytest.approx(log_total(before.log_capital + np.concatenate(([0.0], gained))))


def test_empty_histograms_change_nothing() -> None:
    labels = LatencyLabels.unlearnt(EDGES_MS)
    empty = LatencyHistogram(edges_ms=EDGES_MS, counts=(0,) * (len(EDGES_MS) + 1))
    assert labels.after(empty, empty, JudgeSettings()) is labels
