from datetime import timedelta

import pytest

from crossfade.report.units import (
    Scalar,
    say_bytes,
    say_clock,
    say_count,
    say_duration,
    say_fact,
    say_milliseconds,
    say_percent,
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.0034, "3.4 ms"),
        (0.34, "340 ms"),
        (0.9999, "1 s"),
        (4.25, "4.2 s"),
        (59.99, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (-5, "-5 s"),
    ],
)
def test_duration_has_at_most_two_units_when_said(seconds: float, said: str) -> None:
    assert say_duration(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (say_bytes(512), "512 B"),
        (say_bytes(16 * 2**20), "16 MiB"),
        (say_bytes(3.25 * 2**30), "3.2 GiB"),
        (say_percent(25), "25 %"),
        (say_percent(0.1234), "0.12 %"),
        (say_percent(0), "0 %"),
        (say_count(12345), "12,345"),
        (say_count(2.5), "2.5"),
        (say_milliseconds(12.04), "12.0 ms"),
        (say_milliseconds(1500), "1.5 s"),
        (say_clock(timedelta(seconds=7)), "0:07"),
        (say_clock(timedelta(seconds=3900)), "1:05:00"),
    ],
)
def test_number_carries_its_unit_when_said(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("write_window_ms", 41.3, ("write window", "41.3 ms")),
        ("lag_seconds", 0.31, ("lag", "310 ms")),
        ("lag_seconds", None, ("lag seconds", "unknown")),
        ("retained_wal_bytes", 2048, ("retained wal", "2 KiB")),
        ("canary_percent", 15.0, ("canary", "15 %")),
        ("error_rate", 0.002, ("error", "0.2 %")),
        ("share", 0.15, ("share", "15 %")),
        ("e_value", 1.25, ("e-value", "1.25")),
        ("resumed", False, ("resumed", "no")),
        ("rows", 181204, ("rows", "181,204")),
        ("end", "writer_is", ("end", "writer_is")),
    ],
)
def test_fact_takes_its_unit_from_its_name_when_said(name: str, value: Scalar, expected: tuple[str, str]) -> None:
    assert say_fact(name, value) == expected
