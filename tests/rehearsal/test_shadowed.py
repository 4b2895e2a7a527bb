"""A whole rehearsal whose modern servers answer some reads wrongly, which is found before any user meets them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.model.events import AnswersCompared, PhaseEntered, RollbackDecided
from crossfade.model.terms import Phase
from tests.rehearsal.run import SMALL, Home, events_of, home_below
from tests.waiting import wait_for

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(1800)]

SHADOW = """
shadow: {enabled: true, sample_percent: 100, repeat_percent: 100, minimum_pairs: 400, max_in_flight: 10,
  mask_fields: [customer]}
"""
PERSONAL = (b"Customer ", b"US0000")
"""What names and account numbers of the ledger begin with; each answer holds some."""
_OF_THE_APPLICATION = ("postgres", "share")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        yield made


def file_in(folder: Path) -> Path:
    load = "requests_per_second: 200\n  write_fraction: 0.2\n"
    text = SMALL.read_text(encoding="utf-8").replace("requests_per_second: 100\n", load)
    place = folder / "shadowed.yaml"
    place.write_text(text + SHADOW, encoding="utf-8")
    return place


def with_personal_data(folder: Path) -> list[str]:
    """Files below `folder` in which something personal stands, but for what the application itself keeps."""
    places = [
        place
        for place in folder.rglob("*")
        if place.is_file() and not set(_OF_THE_APPLICATION) & set(place.relative_to(folder).parts)
    ]
    assert places
    return [str(place) for place in places if any(word in place.read_bytes() for word in PERSONAL)]


def test_one_wrong_answer_in_a_hundred_is_found_and_named_before_any_user_meets_it(home: Home, tmp_path: Path) -> None:
    file = file_in(tmp_path)
    words = ("--json", "--report", str(home.reports), "--fault", "wrong-answers=1%@shadow")
    process = home.begin("rehearse", str(file), *words)
    journal = home.folder / home.the_only_id() / "journal.sqlite"
    wait_for(lambda: looks(journal) or process.poll() is not None)
    assert with_personal_data(home.folder) == []
    ran = home.finish(process)
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "rolled_back", "source"), ran.said
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"]) == (0, 0)
    happened = events_of(Path(ran.result["journal"]))
    (decided,) = [event for event in happened if isinstance(event, RollbackDecided)]
    assert decided.cause == "shadow"
    assert decided.facts["field"] in {"body", "body.balance"}
    assert PhaseEntered(phase=Phase.CANARY) not in happened
    report = Path(ran.result["report"]).read_text(encoding="utf-8")
    assert "The answers differ" in report
    assert f"<code>{decided.facts['field']}</code>" in report
    assert with_personal_data(home.reports) == []
    assert not any(word.decode() in ran.said for word in PERSONAL)


def looks(journal: Path) -> bool:
    return any(isinstance(event, AnswersCompared) for event in events_of(journal))
