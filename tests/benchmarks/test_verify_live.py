"""The benchmarks of live verification: what they hold their results against, and how sure a ratio is."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.under_writes import Write, reached
from benchmarks.verify_limits import SETTLE_S, WINDOW_S, WITHOUT, Measured, compared, told
from benchmarks.verify_live import MOST_TIMES_REST, judged, kept

from crossfade.model.seen import Difference, Verification


def verification(*keys: int) -> Verification:
    differences = tuple(Difference(table="t", key=f'{{"id": {key}}}', kind="changed", columns=()) for key in keys)
    return Verification(tables=1, rows=9, differences=differences, unresolved=(), duration=timedelta(0))


def case(*found: int, **changes: Any) -> dict[str, Any]:
    """Two runs, the second of which found that."""
    good, seen = (judged(verification(*keys), {'{"id": 1}', '{"id": 3}'}) for keys in ((1, 3), found))
    runs = [good | {"times_rest": 2.0}, seen | {"times_rest": 2.0} | changes]
    return {"planted_ones_stand": True, "runs": runs}


def test_a_case_is_kept_only_when_exactly_the_planted_ones_were_found_in_time() -> None:
    assert kept(case(1, 3))
    assert not kept(case(1))
    assert not kept(case(1, 3, 5))
    assert not kept(case(1, 3, times_rest=MOST_TIMES_REST + 0.1))
    assert not kept(case(1, 3) | {"planted_ones_stand": False})
    assert not kept({"planted_ones_stand": True, "runs": [judged("the target server cannot be reached", set())]})


def test_writes_are_counted_between_two_moments() -> None:
    writes = [Write(at=tenth / 10, milliseconds=1.0) for tenth in range(100)]
    assert reached(writes, 2.0, 4.0) == pytest.approx(10, abs=1)


def test_a_ratio_of_percentiles_is_told_with_where_it_lies() -> None:
    random = np.random.default_rng(1)
    quiet = [random.exponential(1.0, 2_000) for _ in range(8)]
    slower = [random.exponential(1.5, 2_000) for _ in range(8)]
    figures = compared(quiet, slower)
    assert figures["from_to"][0] < 1.5 < figures["from_to"][1]
    assert figures["from_to"][0] <= figures["p99_to_without"] <= figures["from_to"][1]
    assert figures["from_to"][0] > 1.1


def test_only_writes_within_a_kinds_windows_count_for_it() -> None:
    writes = [Write(at=at / 10, milliseconds=9.0 if 10 <= at < 20 else 1.0) for at in range(30)]
    windows = {WITHOUT: [(0.0, 0.95), (2.0, 2.95)], "no limit": [(1.0, 1.95), (1.0, 1.95)]}
    figures = told(Measured(windows=windows, rows={"no limit": [400, 800]}, writes=writes))
    assert (figures[WITHOUT]["p99_ms"], figures["no limit"]["p99_ms"]) == (1.0, 9.0)
    assert figures["no limit"]["p99_to_without"] == pytest.approx(9.0)
    assert figures["no limit"]["rows_per_second"] == 600 / (WINDOW_S + SETTLE_S)
