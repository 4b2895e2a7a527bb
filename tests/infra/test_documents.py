"""What docs/deploy.md says of the reference case is so."""

import json
import re

from crossfade.infra.estimate.costs import LEFT_OUT
from crossfade.infra.routing import announcements
from tests.docs.documents import ROOT
from tests.infra.published import cost_table, firewall_table, month, quota_table, shown
from tests.infra.templates import Templates, reference

REGENERATE = "run: python -m tests.infra.published"
TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_port_of_the_data_center_is_listed() -> None:
    assert shown("firewall") == firewall_table(), REGENERATE


def test_the_announcements_are_those_of_the_reference_case() -> None:
    for announcement in announcements(reference()):
        row = " and ".join(map(str, announcement.prefixes))
        assert f"| {row} | {announcement.local_preference} |" in TEXT


def test_costs_are_those_of_the_reference_case(built: Templates) -> None:
    assert shown("costs") == cost_table(built.folder), REGENERATE
    assert month(built.folder) in TEXT, REGENERATE
    assert [note for note in LEFT_OUT if note not in TEXT.replace("\n", " ")] == []


def test_quotas_are_those_of_the_reference_case(built: Templates) -> None:
    assert shown("quotas") == quota_table(built.folder), REGENERATE


def test_synthesis_was_measured_within_its_limit() -> None:
    found = json.loads((ROOT / "benchmarks" / "results" / "synthesis.json").read_text(encoding="utf-8"))
    limit = float(re.search(r"the limit is ([\d.]+) times", TEXT)[1])  # type: ignore[index]  # fails if it is not said
    assert found["pairs"] >= 5
    assert found["processor_seconds_ratio"] <= limit
    assert found["seconds_ratio"] <= limit
