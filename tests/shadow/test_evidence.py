"""The e-values keep their promise, computed exactly and simulated, and find what is to be found."""

import math
from itertools import product

import numpy as np
import pytest

from crossfade.model.comparing import FieldCounts
from crossfade.shadow.evidence import FieldVerdict, log_e_noise, log_e_regression, verdict
from tests.shadow.answers import compared, pair

ALPHA = 0.05


def judged(counts: FieldCounts, repeated: int, single: int = 0, fields: int = 1) -> FieldVerdict:
    log_e = log_e_regression(counts, repeated, single)
    return verdict(counts, log_e, fields / ALPHA, ALPHA, 2.0)


def drawn(rng: np.random.Generator, differ: float, noise: float, repeated: int, single: int) -> FieldCounts:
    """Counts of a field whose candidate and second answer differ by chance, each by itself."""
    candidate, again = rng.random(repeated) < differ, rng.random(repeated) < noise
    return FieldCounts(
        both=int((candidate & again).sum()),
        candidate_only=int((candidate & ~again).sum()),
        noise_only=int((again & ~candidate).sum()),
        single=int(rng.binomial(single, differ)),
    )


def chances(pairs: int, *rates: float) -> list[tuple[tuple[int, ...], float]]:
    """Every way in which so many pairs can fall into kinds with these rates, and its chance."""
    ways = []
    for counts in product(range(pairs + 1), repeat=len(rates)):
        rest = pairs - sum(counts)
        if rest >= 0:
            orders = math.factorial(pairs) / math.prod(map(math.factorial, (*counts, rest)))
            kept = 1 - sum(rates)
            ways.append((counts, orders * math.prod(r**c for r, c in zip(rates, counts, strict=True)) * kept**rest))
    return ways


@pytest.mark.parametrize(("both", "only"), [(0.0, 0.5), (0.1, 0.3), (0.4, 0.05)])
def test_no_bet_on_a_regression_is_favourable_when_candidate_and_control_may_be_exchanged(
    both: float, only: float
) -> None:
    expected = sum(
        chance * math.exp(log_e_regression(FieldCounts(both=b, candidate_only=c, noise_only=n), 12, 0))
        for (b, c, n), chance in chances(12, both, only, only)
    )
    assert expected == pytest.approx(1)


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
def test_no_bet_across_pairs_is_favourable_when_both_differ_equally_often(rate: float) -> None:
    expected = sum(
        of_single * of_noise * math.exp(log_e_regression(FieldCounts(single=s, noise_only=n), 8, 24))
        for (s,), of_single in chances(24, rate)
        for (n,), of_noise in chances(8, rate)
    )
    assert expected <= 1 + 1e-9


@pytest.mark.parametrize(("candidate_only", "both", "noise_only"), [(0.4, 0.4, 0.0), (0.6, 0.2, 0.2), (0.9, 0.0, 0.1)])
def test_no_bet_on_noise_is_favourable_when_the_candidate_differs_twice_as_often(
    candidate_only: float, both: float, noise_only: float
) -> None:
    expected = sum(
        chance * math.exp(log_e_noise(FieldCounts(both=b, candidate_only=c, noise_only=n), 2.0))
        for (c, b, n), chance in chances(10, candidate_only, both, noise_only)
    )
    assert expected <= 1 + 1e-9


@pytest.mark.parametrize("noise", [0.001, 0.05, 0.5])
@pytest.mark.parametrize("repeated", [2000, 200])
def test_clean_fields_are_seldom_called_regressions(noise: float, repeated: int) -> None:
    rng = np.random.default_rng(7)
    runs = [drawn(rng, noise, noise, repeated, 2000 - repeated) for _ in range(400)]
    false = sum(judged(counts, repeated, 2000 - repeated) is FieldVerdict.REGRESSION for counts in runs)
    assert false <= 400 * ALPHA


def test_a_regression_of_ten_points_is_found_in_a_field_with_half_noise() -> None:
    rng = np.random.default_rng(8)
    found = sum(judged(drawn(rng, 0.6, 0.5, 2000, 0), 2000) is FieldVerdict.REGRESSION for _ in range(200))
    assert found >= 0.95 * 200


def test_a_field_that_the_candidate_always_breaks_is_found_in_ten_pairs() -> None:
    assert judged(FieldCounts(candidate_only=10), 10, fields=10) is FieldVerdict.REGRESSION


def test_a_break_is_found_when_one_control_in_ten_is_asked_twice() -> None:
    assert judged(FieldCounts(candidate_only=10, single=90), 10, 90, fields=10) is FieldVerdict.REGRESSION
    assert judged(FieldCounts(single=90), 10, 90, fields=10) is FieldVerdict.REGRESSION


def test_a_field_that_differs_each_time_in_the_control_too_is_noise() -> None:
    assert judged(FieldCounts(both=12), 12) is FieldVerdict.NOISE


def test_rare_noise_is_told_when_there_is_enough_of_it() -> None:
    assert judged(FieldCounts(candidate_only=5, noise_only=5), 5000) is FieldVerdict.UNCLEAR
    assert judged(FieldCounts(candidate_only=40, noise_only=40), 40_000) is FieldVerdict.NOISE


def test_nothing_is_clear_when_the_control_was_never_asked_twice() -> None:
    assert judged(FieldCounts(single=1000), 0, 1000) is FieldVerdict.UNCLEAR


def test_counts_by_field_come_from_what_differs() -> None:
    pairs = [
        pair({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 1}, {"a": 3, "b": 1, "c": 1}),
        pair({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 1, "c": 2}),
        pair({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 1, "c": 2}),
        pair({"a": 1}, {"a": 1}),
    ]
    result = compared(pairs)
    assert (result.pairs, result.matched, result.repeated) == (4, 2, 2)
    assert {field.path: (field.counts.differ, field.counts.noise) for field in result.fields} == {
        "body.a": (1, 1),
        "body.b": (1, 0),
        "body.c": (1, 1),
    }
    assert result.threshold == pytest.approx(3 / ALPHA)  # alpha is split over the fields that differed
