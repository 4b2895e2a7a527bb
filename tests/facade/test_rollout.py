import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.facade import Mode, Rollout, RolloutInvalid, rollout_from_flag


@given(st.sampled_from(Mode), st.floats(0, 100) | st.integers(0, 100))
def test_rollout_is_what_the_flag_says_when_it_is_sound(mode: Mode, percent: float) -> None:
    assert rollout_from_flag({"mode": mode.value, "percent": percent}) == Rollout(mode=mode, percent=percent)


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({}, 2),
        (None, 1),
        ("modern", 1),
        (True, 1),
        ([("mode", "modern"), ("percent", 5)], 1),
        ({"mode": "modern"}, 1),
        ({"percent": 5}, 1),
        ({"mode": "moderne", "percent": 5}, 1),
        ({"mode": ["modern"], "percent": 5}, 1),
        ({"mode": "modern", "percent": "5"}, 1),
        ({"mode": "modern", "percent": True}, 1),
        ({"mode": "modern", "percent": -0.1}, 1),
        ({"mode": "modern", "percent": 100.1}, 1),
        ({"mode": "modern", "percent": float("nan")}, 1),
        ({"mode": "modern", "percent": float("inf")}, 1),
        ({"mode": "modern", "percent": 10**400}, 1),
        ({"mode": "modern", "percent": 5, "region": "us"}, 1),
        ({"mode": "MODERN", "percent": -1, "region": "us"}, 3),
    ],
)
def test_every_fault_is_told_when_a_flag_is_no_rollout(value: object, faults: int) -> None:
    with pytest.raises(RolloutInvalid) as refused:
        rollout_from_flag(value)
    assert len(refused.value.faults) == faults
    assert refused.value.remedy


def test_the_value_itself_is_not_told_when_a_flag_is_no_rollout() -> None:
    with pytest.raises(RolloutInvalid) as refused:
        rollout_from_flag({"mode": "jane@example.com", "jane@example.com": 1})
    assert "jane" not in str(refused.value)


@pytest.mark.parametrize("percent", [-1, 101, float("nan")])
def test_percentage_is_refused_when_it_is_none(percent: float) -> None:
    with pytest.raises(RolloutInvalid):
        Rollout(mode=Mode.MODERN, percent=percent)
