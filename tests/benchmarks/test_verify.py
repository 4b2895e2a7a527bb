"""The benchmark of a verification: what it sums up and holds its results against."""

import json
from typing import Any

from benchmarks.verify import LIMITS, RESULTS, ROWS, Cost, in_words, summed_up, verdicts

from tests.docs.documents import ROOT


def results(ours: float, reladiff: float | None, found: int = 3) -> dict[str, Any]:
    def told(found: int) -> dict[str, Any]:
        measured: dict[str, Any] = {"ours_to_scan": ours, "ours_found": found}
        return measured | ({} if reladiff is None else {"reladiff_to_scan": reladiff})

    return {"same": told(0), "differences": told(found), "client_mb": 40.0}


def test_a_cost_is_told_as_a_ratio_of_times_and_of_processor_seconds() -> None:
    assert Cost(3.0, 1.0).to(Cost(2.0, 4.0)) == (1.5, 0.25)


def test_rounds_are_summed_up_by_their_median() -> None:
    rounds = [{"ours_to_scan": ratio} for ratio in (9.0, 1.0, 2.0)]
    assert summed_up(rounds) == {"ours_to_scan": 2.0, "rounds": rounds}


def test_every_limit_is_kept_only_where_it_is() -> None:
    assert set(verdicts(results(1.2, 5.0))) == {*LIMITS, "found"}
    assert all(verdicts(results(1.2, 5.0)).values())
    slow = verdicts(results(1.5, 4.4))
    assert (slow["same"], slow["differences"], slow["times_faster_than_reladiff"]) == (False, True, False)
    assert not verdicts(results(1.2, 5.0, found=2))["found"]
    assert "times_faster_than_reladiff" not in verdicts(results(1.2, None))


def test_the_document_shows_what_was_stored_and_that_keeps_every_limit() -> None:
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert stored["rows"] == ROWS
    assert set(verdicts(stored)) == {*LIMITS, "found"}
    assert all(verdicts(stored).values())
    assert in_words(stored) in (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
