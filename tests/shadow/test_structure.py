"""Which places of two answers differ."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shadow.answers import answer, differing, differing_answers

DEEP: Any = 1
for _ in range(190):
    DEEP = [{"a": DEEP}]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": float("nan")}, {"a": float("nan")}),
        ({"a": 10**400}, {"a": 10**400}),
        (None, None),
        ([[], {}], [[], {}]),
        ('{"a": 1, "b": [1]}', ' {"b": [1.0], "a": 1}'),
        ('{"a": 1}', {"a": 1}),
        ("not json", "not json"),
        ("\ud800", "\ud800"),
        (DEEP, DEEP),
    ],
)
def test_nothing_differs_when_answers_say_the_same(left: Any, right: Any) -> None:
    assert differing(left, right) == set()


@pytest.mark.parametrize(
    ("left", "right", "paths"),
    [
        ({"a": 1}, {"a": 2}, {"body.a"}),
        ({"a": 1}, {"a": True}, {"body.a"}),
        ({"a": [0]}, {"a": [False]}, {"body.a.*"}),
        ({"a": 1}, {"a": "1"}, {"body.a"}),
        ({"a": None}, {}, {"body.a"}),
        ({"a": 0}, {"a": None}, {"body.a"}),
        ({"a": {"b": [{"c": 1, "d": 2}]}}, {"a": {"b": [{"c": 2, "d": 2}]}}, {"body.a.b.*.c"}),
        ({"a": {"b": 1}}, {"a": [1]}, {"body.a"}),
        ({"a": [1, 2]}, {"a": [2, 1]}, {"body.a.*"}),
        ({"a": [1, 2]}, {"a": [1]}, {"body.a"}),
        ({"a": 1, "b": 1}, {"b": 2, "c": 1}, {"body.a", "body.b", "body.c"}),
        ({"a": 10**400}, {"a": 10**400 + 1}, {"body.a"}),
        ({"a": float("inf")}, {"a": float("nan")}, {"body.a"}),
        ("one text", "another", {"body"}),
        ("{broken", "{broken ", {"body"}),
        ({"a": 1}, "a text", {"body"}),
        ('{"a": 1.00000000000000001}', '{"a": 1.00000000000000002}', {"body.a"}),
        ({"jo@example.org": 1}, {"jo@example.org": 2}, {"body.*"}),
    ],
)
def test_the_place_is_named_when_it_differs(left: Any, right: Any, paths: set[str]) -> None:
    assert differing(left, right) == paths


@pytest.mark.parametrize(
    ("told", "left", "right", "paths"),
    [
        ({"ignore_fields": ("a.b",)}, {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, {"body.a.c"}),
        ({"ignore_fields": ("a.b",)}, {"a": {"b": 1}}, {"a": {}}, set()),
        ({"ignore_fields": ("items.*.id",)}, {"items": [{"id": 1}]}, {"items": [{"id": 2}]}, set()),
        ({"ignore_fields": ("**.id",)}, {"id": 1, "a": [{"b": {"id": 1}}]}, {"id": 2, "a": [{"b": {"id": 2}}]}, set()),
        ({"ignore_fields": ("body.a",)}, {"a": 1}, {"a": 2}, set()),
        ({"numeric_tolerance": 0.01}, {"a": 100, "b": 100}, {"a": 101, "b": 102}, {"body.b"}),
        ({"tolerances": ({"path": "a", "absolute": 0.01},)}, {"a": 10.02}, {"a": 10.01}, set()),
        ({"tolerances": ({"path": "a", "absolute": 0.01},)}, {"a": 10.02}, {"a": 10.0}, {"body.a"}),
        (
            {"tolerances": ({"path": "**", "relative": 0.5}, {"path": "a"})},
            {"a": 10, "b": 10},
            {"a": 11, "b": 11},
            {"body.a"},
        ),
        ({"numeric_tolerance": 0.5}, {"a": True}, {"a": 1}, {"body.a"}),
        ({"numeric_tolerance": 0.5}, {"a": float("inf")}, {"a": 1}, {"body.a"}),
        ({"numeric_tolerance": 0.1}, {"a": 10**400}, {"a": 10**400 + 1}, set()),
        ({"unordered_lists": ("a",)}, {"a": [1, 2, 2]}, {"a": [2, 1, 2]}, set()),
        ({"unordered_lists": ("a",)}, {"a": [1, 2, 2]}, {"a": [2, 1, 1]}, {"body.a.*"}),
        ({"unordered_lists": ("a",)}, {"a": [1, 1]}, {"a": [1]}, {"body.a"}),
        ({"unordered_lists": ("a",)}, {"a": [1, True]}, {"a": [True, True]}, {"body.a.*"}),
        ({"unordered_lists": ("a",)}, {"a": [{"x": 1}, {"x": 2}]}, {"a": [{"x": 2}, {"x": 3}]}, {"body.a.*.x"}),
        ({"unordered_lists": ("a",)}, {"a": [1, 2, 3]}, {"a": [4, 5, 3]}, {"body.a"}),
        ({"unordered_lists": ("**",)}, {"a": [[1, 2], [3]]}, {"a": [[3], [2, 1]]}, set()),
        ({"unordered_lists": ("a",)}, {"a": [[1, 2], [3]]}, {"a": [[3], [2, 1]]}, {"body.a.*.*"}),
        # 1 fits 1.1 and 0.95, 1.1 fits 1 alone: who takes the first that fits leaves 1.1 alone
        ({"unordered_lists": ("a",), "numeric_tolerance": 0.1}, {"a": [1, 1.1]}, {"a": [1.01, 0.95]}, set()),
        ({"unordered_lists": ("a",), "ignore_fields": ("a.*.i",)}, {"a": [{"i": 1}, 2]}, {"a": [2, {"i": 3}]}, set()),
        ({"null_is_missing": True}, {"a": None, "b": 1}, {"b": 1}, set()),
        ({"null_is_missing": True}, {"a": 0}, {}, {"body.a"}),
        ({"maps": ("rates",)}, {"rates": {"EUR": 1, "USD": 2}}, {"rates": {"EUR": 3, "USD": 4}}, {"body.rates.*"}),
        (
            {"timestamps": ({"path": "at"},)},
            {"at": "2026-01-02T03:04:05Z"},
            {"at": "2026-01-02 04:04:05.000+01"},
            set(),
        ),
        ({"timestamps": ({"path": "at"},)}, {"at": "2026-01-02T03:04:05Z"}, {"at": 1767323045}, set()),
        ({"timestamps": ({"path": "at"},)}, {"at": 1767323045000}, {"at": "Fri, 02 Jan 2026 03:04:05 GMT"}, set()),
        (
            {"timestamps": ({"path": "at"},)},
            {"at": "2026-01-02T03:04:05Z"},
            {"at": "2026-01-02T03:04:06Z"},
            {"body.at"},
        ),
        (
            {"timestamps": ({"path": "at", "tolerance": "2s"},)},
            {"at": "2026-01-02T03:04:05Z"},
            {"at": "2026-01-02T03:04:06.9Z"},
            set(),
        ),
        ({"timestamps": ({"path": "at"},)}, {"at": "soon"}, {"at": "later"}, {"body.at"}),
        ({"timestamps": ({"path": "at"},)}, {"at": "9999-12-31T23:59:59-14:00"}, {"at": "0001-01-01"}, {"body.at"}),
        ({"mask_fields": ("a",), "numeric_tolerance": 0.5}, {"a": {"b": 10}}, {"a": {"b": 11}}, {"body.a.b"}),
    ],
)
def test_rules_are_kept_when_bodies_differ(told: dict[str, Any], left: Any, right: Any, paths: set[str]) -> None:
    assert differing(left, right, **told) == paths


def test_headers_are_compared_whatever_the_case_of_their_names() -> None:
    left = answer(None, headers={"Content-Type": "text/plain", "Vary": ["a", "b"], "Date": "x", "content-length": "1"})
    right = answer(None, headers={"content-type": "text/html", "vary": "a, b", "x-new": "1", "Connection": "close"})
    assert differing_answers(left, right) == {"headers.content-type", "headers.x-new"}
    assert differing_answers(left, right, ignore_headers=("X-New", "date")) == {"headers.content-type"}
    assert "headers.date" in differing_answers(left, right, ignore_headers=())


def test_status_is_compared() -> None:
    assert differing_answers(answer(None), answer(None, status=500)) == {"status"}


def test_a_body_is_compared_by_bytes_when_its_type_is_no_json() -> None:
    left, right = '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'
    plain: dict[str, str | list[str]] = {"content-type": "text/plain"}
    assert differing_answers(answer(left, headers=plain), answer(right, headers=plain)) == {"body"}
    assert differing_answers(answer(left, headers={}), answer(right, headers={})) == set()


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, "[" * 100_000, '{"a": 1' + "0" * 5000 + "}", "{\ud800", "NaN"])
def test_a_text_is_compared_by_bytes_when_it_cannot_be_read(text: str) -> None:
    assert differing(text, text) == set()
    assert differing(text, text + " x") == {"body"}


def test_the_last_value_counts_when_a_key_is_given_twice() -> None:
    assert differing('{"a": 1, "a": 2}', '{"a": 2}') == set()


def test_deep_lists_without_order_are_compared_without_a_crash() -> None:
    other = json.loads(json.dumps(DEEP).replace("1", "2"))
    assert differing(DEEP, other, unordered_lists=("**",)) != set()


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
TOLD = st.fixed_dictionaries(
    {
        "unordered_lists": st.sampled_from([(), ("**",)]),
        "numeric_tolerance": st.sampled_from([0.0, 0.1]),
        "null_is_missing": st.booleans(),
        "timestamps": st.sampled_from([(), ({"path": "**"},)]),
        "mask_fields": st.sampled_from([(), ("**.a",)]),
    }
)


@given(left=JSONS, right=JSONS, told=TOLD)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bodies_are_compared_and_each_equals_itself(left: Any, right: Any, told: dict[str, Any]) -> None:
    differing(left, right, **told)
    assert differing(left, left, **told) == set()
    assert differing(left, json.loads(json.dumps(left)), **told) == set()
