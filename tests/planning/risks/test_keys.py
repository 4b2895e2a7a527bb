"""Limits that triggers and mitigations name: each exists, and is told as the file would write it."""

import pytest

from crossfade.planning.risks.keys import NoSuchKey, value_at
from crossfade.planning.risks.rules import ALL
from tests.model.file.files import sound, with_values
from tests.model.file.published import EXAMPLE

MINIMAL = sound(with_values())
LEDGER = sound(EXAMPLE.read_text(encoding="utf-8"))
PATHS = sorted({path for rule in ALL for path in (*(p for _, p in rule.limits), *(c.path for c in rule.countered))})


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_to_a_value_in_every_file(path: str) -> None:
    assert value_at(MINIMAL, path)
    assert value_at(LEDGER, path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("limits.max_p95", "500ms"),
        ("limits.max_error_rate_percent", "3"),
        ("database.size", "500GB"),
        ("approvals[1].phase", "finalize"),
        ("shadow.enabled", "false"),
        ("planning.deadline", "none"),
        ("shadow.methods", "2 entries"),
    ],
)
def test_a_value_is_told_as_the_file_writes_it(path: str, value: str) -> None:
    assert value_at(MINIMAL, path) == value


@pytest.mark.parametrize(
    "path",
    ["", "limits", "limits.max_p99", "limits..max_p95", "limits.max_p95.x", "approvals[2].count", "limits[0]", "a b"],
)
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(NoSuchKey) as refused:
        value_at(MINIMAL, path)
    assert refused.value.remedy
