"""Whole rehearsals in which the databases' faults strike: there and back, and what was promised is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.run import Home, Ran, home_below

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(1800)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        yield made


def rehearse(home: Home, *faults: str) -> Ran:
    ran = home.rehearse("--speed", "5", *(word for fault in faults for word in ("--fault", fault)))
    assert "not brought about" not in ran.said
    assert ran.result["acknowledged_writes"] > 0
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"]) == (0, 0), ran.said
    return ran


def test_it_fails_back_and_loses_nothing_when_struck_at_points_of_the_switch_there_and_back(home: Home) -> None:
    ran = rehearse(
        home,
        "long-transaction=3s@cutover:fencing",
        "source-db-kill@cutover:marked",
        "operator-pulls=rollback@bake",
        "target-db-kill@fail_back:fenced",
        "router-kill@fail_back:guarded",
    )
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "failed_back", "source"), ran.said
    assert ran.result["differing_rows"] == 0


def test_files_and_rows_come_home_when_it_is_turned_back_in_the_middle_of_the_cutover(home: Home) -> None:
    ran = rehearse(home, "operator-pulls=rollback@cutover:drained", "disk-full=1s@cutover:opened")
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "failed_back", "source"), ran.said
    assert ran.result["differing_rows"] == 0


def test_it_rolls_back_when_the_slot_is_gone(home: Home) -> None:
    ran = rehearse(home, "slot-dropped@canary:40")
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "rolled_back", "source"), ran.said
    assert "lost the replication slot" in ran.said
