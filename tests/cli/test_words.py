from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import Approved, Event, MigrationPlanned, PhaseEntered
from crossfade.model.plan import LadderStep, NeededApproval, Plan
from crossfade.model.terms import Phase
from crossfade.rehearsal.layout import Layout, lay_out

PLAN = Plan(
    migration="small-1",
    ladder=(LadderStep(percent=100.0, bake=timedelta(seconds=1)),),
    warm_up=timedelta(0),
    bake=timedelta(seconds=1),
    approvals=(NeededApproval(phase=Phase.CUTOVER, by=("ann", "bob"), count=2),),
)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A rehearsal `small-1` that waits for approval of its cutover."""
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    made = lay_out("small-1", ("a",), through_wan=False, speed=1.0, seed=1)
    journal = SqliteJournal(made.journal)
    said: list[Event] = [MigrationPlanned(plan=PLAN), PhaseEntered(phase=Phase.CUTOVER)]
    journal.append(said, expected=0, at=datetime.now(UTC), by="test")
    journal.close()
    return made


def approve(*words: str) -> Result:
    return CliRunner().invoke(app, ["approve", "small-1", "--reason", "change 1", *words])


def test_an_approval_is_taken_from_each_of_those_who_may_give_it_when_given_once(layout: Layout) -> None:
    assert (approve("--by", "ann").exit_code, approve("--by", "bob").exit_code) == (0, 0)
    given = [entry.by for entry in SqliteJournal(layout.journal).read() if isinstance(entry.event, Approved)]
    assert given == ["ann", "bob"]


def test_an_approval_is_refused_and_it_is_told_who_may_when_somebody_else_gives_it(layout: Layout) -> None:
    failure = approve("--by", "eve").exception
    assert "eve may not approve cutover" in str(failure)
    assert "ann, bob" in getattr(failure, "remedy", "")


def test_an_approval_is_refused_and_it_is_told_who_is_missing_when_given_twice(layout: Layout) -> None:
    approve("--by", "ann")
    failure = approve("--by", "ann").exception
    assert "ann has approved cutover already" in str(failure)
    assert getattr(failure, "remedy", "") == "cutover still needs 1 more approval, of bob."


def test_an_approval_is_refused_when_the_phase_needs_none(layout: Layout) -> None:
    assert "finalize needs no approval" in str(approve("--by", "ann", "--phase", "finalize").exception)
