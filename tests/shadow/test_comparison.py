"""Pairs folded into a result: examples, latencies, samples, bounds."""

import tracemalloc
from decimal import Decimal

import pytest

from crossfade.shadow import Comparer, Pair
from crossfade.shadow import fields as met
from crossfade.shadow.latency import LatencyPairs
from tests.shadow.answers import MASKER, answer, compared, pair, settings


def test_examples_show_nothing_but_masks_when_nothing_is_allowed() -> None:
    (field,) = compared([pair({"note": "Jo Doe"}, {"note": "Jo Roe"})]).fields
    (example,) = field.examples
    assert example.line == 1
    assert example.control.startswith("text masked:")
    assert example.control != example.candidate
    assert "Jo" not in repr(field)


def test_examples_show_values_when_settings_allow_and_names_do_not_forbid() -> None:
    result = compared([pair({"a": {"note": "x", "pin": "1234"}}, {"a": {"note": "y", "pin": "9"}})], show_fields=("a",))
    shown = {field.path: (field.examples[0].control, field.examples[0].candidate) for field in result.fields}
    assert shown["body.a.note"] == ('"x"', '"y"')
    assert "1234" not in shown["body.a.pin"][0]


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ({"a": 100}, {"a": 101}, "(0.99 % apart)"),
        ({"a": [1]}, {"a": [1, 2]}, "list of 2"),
        ({"a": 1}, {"a": {"b": 1}}, "object of 1"),
        ({"a": 1}, {}, "missing"),
        ({"a": 1}, {"a": None}, "null"),
        ({"a": 1}, {"a": True}, "true or false"),
        ({"a": 10**400}, {"a": 1}, "number masked:"),
        ({"a": float("nan")}, {"a": 0}, "number masked:"),
    ],
)
def test_examples_say_what_kind_of_difference_it_is(left: object, right: object, said: str) -> None:
    (field,) = compared([pair(left, right)]).fields
    assert said in field.examples[0].candidate


def test_no_more_examples_are_kept_than_wanted() -> None:
    (field,) = compared([pair({"a": 1}, {"a": 2})] * 5, examples=2).fields
    assert [example.line for example in field.examples] == [1, 2]


def test_only_the_sample_is_compared() -> None:
    result = compared([pair(1, 2, name=f"r{number}") for number in range(400)], sample_percent=25)
    assert result.pairs + result.left_out == 400
    assert 60 < result.pairs < 140


def test_what_is_kept_does_not_grow_with_the_pairs() -> None:
    comparer = Comparer(settings(), MASKER)

    def add(first: int, last: int) -> int:
        for number in range(first, last):
            comparer.add(pair({f"k{number:09}": 1, "x": {"a": str(number)}}, {"x": {"a": "b"}}), number)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        kept = add(0, 1200)  # caches are full then
        assert add(1200, 2400) - kept < 100_000  # a field each would take five times that
    finally:
        tracemalloc.stop()


def test_fields_are_merged_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(met, "MAX_FIELDS", 5)
    names = ("a", "b", "c", "d", "e", "f", "g")
    result = compared([pair({name: 1}, {name: 2}) for name in names])
    assert result.fields_merged
    assert len(result.fields) == 5
    assert sum(field.counts.differ for field in result.fields) == len(names)


def test_the_latency_ratio_is_that_of_each_pair() -> None:
    result = compared(
        [timed(load, load * factor) for load, factor in ((1.0, 2.0), (100.0, 2.1), (10.0, 1.9), (0.0, 1.0))]
    )
    assert result.latency is not None
    assert result.latency.low < 2 < result.latency.high
    assert result.latency.ratio == pytest.approx((2.0 * 2.1 * 1.9) ** (1 / 3))
    # Student's quantile for two degrees of freedom is 4.303; the standard deviation of the logarithms 0.0501
    assert result.latency.high / result.latency.ratio == pytest.approx(1.1325, abs=0.0005)


def test_no_latency_ratio_is_told_when_one_pair_has_it() -> None:
    latencies = LatencyPairs()
    latencies.add(1.0, 2.0)
    assert latencies.ratio(0.05) is None


def test_long_decimals_match_doubles_of_the_same_value() -> None:
    assert compared([pair({"a": Decimal("0.1")}, {"a": 0.1})]).matched == 1


def timed(control_ms: float, candidate_ms: float) -> Pair:
    return Pair(id=1, control=answer(None, ms=control_ms), candidate=answer(None, ms=candidate_ms))
