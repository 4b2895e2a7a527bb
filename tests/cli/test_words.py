import getpass
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from crossfade.cli.main import run
from crossfade.cli.output import Exit
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.ends import WayBackEnded
from crossfade.model.events import (
    Approved,
    EndReached,
    EndWanted,
    Event,
    MigrationEnded,
    MigrationPlanned,
    PhaseEntered,
    RollbackRequested,
)
from crossfade.model.plan import LadderStep, NeededApproval, Plan
from crossfade.model.terms import Outcome, Phase
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


ENDED = MigrationEnded(outcome=Outcome.HALTED, reason="the way back is lost for good: the slot is gone")


def say(layout: Layout, *said: Event) -> None:
    journal = SqliteJournal(layout.journal)
    journal.append(said, expected=len(journal.read()), at=datetime.now(UTC), by="engine")
    journal.close()


def through_the_door(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What people read on standard error of the program itself, which must have failed with 1."""
    monkeypatch.setattr(sys, "argv", ["crossfade", *words])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == Exit.FAILED
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "ended", [(), (EndReached(end=WayBackEnded()), MigrationEnded(outcome=Outcome.COMPLETED, reason="finalized"))]
)
def test_rollback_says_so_and_refuses_when_the_point_of_no_return_is_passed(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ended: tuple[Event, ...]
) -> None:
    say(layout, EndWanted(end=WayBackEnded()), *ended)
    told = through_the_door(monkeypatch, capsys, "rollback", "small-1", "--reason", "enough", "--by", "ann")
    assert "the point of no return has been passed" in told
    assert "move back with a migration of its own" in told
    assert not [entry for entry in SqliteJournal(layout.journal).read() if isinstance(entry.event, RollbackRequested)]


def test_rollback_says_why_when_the_way_back_was_lost(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(layout, ENDED)
    told = through_the_door(monkeypatch, capsys, "rollback", "small-1", "--reason", "enough", "--by", "ann")
    assert ENDED.reason in told
    assert "A person must look" in told


@pytest.mark.parametrize("name", ["engine", "rehearsal", " Engine "])
def test_a_word_is_refused_when_it_is_given_in_the_programs_own_name(layout: Layout, name: str) -> None:
    refused = approve("--by", name)
    assert refused.exit_code == Exit.BAD_INPUT
    assert "give the name of a person with --by" in " ".join(refused.stderr.replace("│", " ").split())
    assert len(SqliteJournal(layout.journal).read()) == 2


def test_a_word_is_refused_when_the_account_has_the_programs_own_name(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "engine")
    assert approve().exit_code == Exit.BAD_INPUT
    assert len(SqliteJournal(layout.journal).read()) == 2
