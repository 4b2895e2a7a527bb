from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from crossfade.model.file.quantities import (
    bandwidth_text,
    duration_text,
    parse_bandwidth,
    parse_duration,
    parse_percent,
    parse_size,
    parse_time_of_day,
    size_text,
)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("1h30m", timedelta(minutes=90)),
        ("0.5s", timedelta(milliseconds=500)),
        ("0ms", timedelta(0)),
    ],
)
def test_duration_is_read_when_it_has_units(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "value", [15, 15.0, "15", "15 minutes", "-5m", "m", "", "5m ", "1e3s", True, None, ["5m"], "٣m"]
)
def test_duration_is_refused_when_it_has_no_unit(value: Any) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        parse_duration(value)
    assert "15m" in str((refusal.value.context or {})["remedy"])


def test_duration_is_refused_when_longer_than_ten_years() -> None:
    with pytest.raises(PydanticCustomError, match="ten years"):
        parse_duration("99999d")


@pytest.mark.parametrize(
    ("text", "size"),
    [("500GB", 500 * 10**9), ("2 TB", 2 * 10**12), ("64MiB", 64 * 2**20), ("1.5KB", 1500), ("0B", 0)],
)
def test_size_is_read_when_it_has_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("value", [500, "500", "500gb", "500 Gb", "GB", "-1GB", None, True])
def test_size_is_refused_when_it_has_no_unit(value: Any) -> None:
    with pytest.raises(PydanticCustomError):
        parse_size(value)


@pytest.mark.parametrize(("value", "percent"), [(5, 5.0), ("5%", 5.0), ("0.1 %", 0.1), (0, 0.0), (100, 100.0)])
def test_percent_is_read_when_number_or_text(value: Any, percent: float) -> None:
    assert parse_percent(value) == percent


@pytest.mark.parametrize("value", [-1, 101, "101%", "5", "5 percent", True, None, float("nan"), float("inf")])
def test_percent_is_refused_when_out_of_range(value: Any) -> None:
    with pytest.raises(PydanticCustomError):
        parse_percent(value)


@pytest.mark.parametrize("value", [1320, "24:00", "7:00", "22:60", None])
def test_time_of_day_is_refused_when_malformed(value: Any) -> None:
    with pytest.raises(PydanticCustomError, match="time of day"):
        parse_time_of_day(value)


@settings(deadline=None)
@given(st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda value: value - value % timedelta(milliseconds=1)))
def test_duration_returns_when_written_and_read(duration: timedelta) -> None:
    assert parse_duration(duration_text(duration)) == duration


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_size_returns_when_written_and_read(size: int) -> None:
    assert parse_size(size_text(size)) == size


@settings(deadline=None)
@given(st.integers(1, 10**12))
def test_bandwidth_returns_when_written_and_read(bits: int) -> None:
    assert parse_bandwidth(bandwidth_text(bits)) == bits
