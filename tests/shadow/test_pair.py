"""Lines from strangers: the pair, or every fault with its place and remedy."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.shadow import Pair, PairFault, read_pair

ANSWER = {"status": 200, "headers": {}, "body": None, "ms": 1}


def line(**changed: Any) -> bytes:
    told = {"id": "r", "control": ANSWER, "candidate": ANSWER} | changed
    return json.dumps({name: value for name, value in told.items() if value is not ...}).encode()


def faults(text: bytes) -> tuple[PairFault, ...]:
    found = read_pair(text)
    assert isinstance(found, tuple), found
    assert all(fault.remedy for fault in found)
    return found


def sound(text: bytes) -> Pair:
    found = read_pair(text)
    assert not isinstance(found, tuple), found
    return found


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (line(id=...), "id", "is missing"),
        (line(id=""), "id", "wrong kind or length"),
        (line(id=1.5), "id", "wrong kind"),
        (line(control=...), "control", "is missing"),
        (line(candidate=None), "candidate", "valid dictionary"),
        (line(control_again=[]), "control_again", "valid dictionary"),
        (line(more=1), "more", "not known"),
        (line(control=ANSWER | {"status": "200"}), "control.status", "valid integer"),
        (line(control=ANSWER | {"status": 99}), "control.status", "greater than or equal"),
        (line(control=ANSWER | {"status": True}), "control.status", "valid integer"),
        (line(control=ANSWER | {"headers": {"a": 1}}), "control.headers.a", "wrong kind"),
        (line(control=ANSWER | {"ms": -1}), "control.ms", "greater than or equal"),
        (line(control=ANSWER | {"ms": float("nan")}), "control.ms", "finite"),
        (line(control=ANSWER | {"ms": "1"}), "control.ms", "valid number"),
        (line(control={"status": 200}), "control.body", "is missing"),
        (b"[]", "", "no object"),
        (b"1", "", "no object"),
        (b"{", "", "no JSON"),
        (b"\xff\xfe", "", "no JSON"),
        (b'{"a": "\xff\\u0041"}', "", "no JSON"),
        (b"[" * 100_000, "", "no JSON: nested too deep"),
        (b'["\\ud800", ' + b"[" * 100_000, "", "no JSON: nested deeper"),
        (b'["\\ud800", ' + b"[" * 300 + b"]" * 301, "", "no JSON: nested deeper"),
        (b"1" * 5000, "", "no JSON: number out of range"),
        (line()[:-20], "", "no JSON"),
    ],
)
def test_a_line_is_refused_with_place_and_remedy(text: bytes, place: str, problem: str) -> None:
    assert any(fault.place == place and problem in fault.problem for fault in faults(text)), faults(text)


def test_all_faults_of_a_line_are_told_together() -> None:
    text = line(id=None, control=ANSWER | {"status": 0, "ms": None}, candidate=..., extra=1)
    assert {fault.place for fault in faults(text)} == {"id", "control.status", "control.ms", "candidate", "extra"}


def test_no_fault_repeats_a_value() -> None:
    mark = "jo@example.org"
    texts = [
        line(**{mark: 1}),
        line(id=[mark]),
        line(control=mark),
        line(control=ANSWER | {"headers": {"a": [1, mark]}}),
    ]
    texts += [f'{{"id": "{mark}'.encode(), line(control=ANSWER | {"ms": mark, "status": mark})]
    for text in texts:
        assert mark not in repr(faults(text))


def test_long_decimals_are_read_exactly() -> None:
    text = line(control=ANSWER | {"ms": 1.5, "body": {"a": 0}}).replace(b'{"a": 0}', b'{"a": 12345678901234567.89}')
    found = sound(text)
    assert found["control"]["body"] == {"a": Decimal("12345678901234567.89")}
    assert found["control"]["ms"] == 1.5


def test_half_a_surrogate_pair_is_no_fault() -> None:
    assert sound(line(control=ANSWER | {"body": "\ud800"}))["control"]["body"] == "\ud800"


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_line_makes_it_crash(text: bytes) -> None:
    assert read_pair(text)
    assert read_pair(line().replace(b"null", text))
