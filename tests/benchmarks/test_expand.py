"""What docs/expand-contract.md says of changes at size is what was measured, and keeps what the project promises."""

import json

from benchmarks.expand import RESULTS, table

from tests.docs.documents import ROOT
from tests.expand.kinds import CASES

HELD_MS = 200  # docs/expand-contract.md


def test_every_kind_was_measured_at_size_and_nothing_failed_or_was_lost() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert {case.name for case in CASES} <= set(results["PostgreSQL 18"])
    for kinds in results.values():
        for kind, found in kinds.items():
            assert (found["rows"], found["writes_per_second"]) == (1_000_000, 300), kind
            assert (found["failed_statements"], found["rows_diverging"], found["rows_lost"]) == (0, 0, 0), kind
            assert found["lock_held_ms"] < HELD_MS, kind


def test_the_document_shows_what_was_stored() -> None:
    document = (ROOT / "docs" / "expand-contract.md").read_text(encoding="utf-8")
    assert table(json.loads(RESULTS.read_text(encoding="utf-8"))) in document
