import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossfade.cli.application import app
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import Event, MigrationEnded, MigrationPlanned, PhaseEntered
from crossfade.model.plan import LadderStep, Plan
from crossfade.model.terms import Outcome, Phase
from crossfade.rehearsal.layout import lay_out

PLAN = Plan(
    migration="small-1",
    ladder=(LadderStep(percent=100.0, bake=timedelta(seconds=1)),),
    warm_up=timedelta(0),
    bake=timedelta(seconds=1),
)


def begun(home: Path, monkeypatch: pytest.MonkeyPatch, events: Sequence[Event]) -> None:
    """A rehearsal `small-1` in `home`, as far as its journal goes."""
    monkeypatch.setenv("CROSSFADE_HOME", str(home))
    layout = lay_out("small-1", ("a",), through_wan=False, speed=1.0, seed=1)
    journal = SqliteJournal(layout.journal)
    journal.append([MigrationPlanned(plan=PLAN), *events], expected=0, at=datetime.now(UTC), by="test")
    journal.close()


def test_watch_prints_the_outcome_as_json_when_the_migration_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = MigrationEnded(outcome=Outcome.ROLLED_BACK, reason="enough")
    begun(tmp_path, monkeypatch, [PhaseEntered(phase=Phase.PREPARE), ended])
    ran = CliRunner().invoke(app, ["watch", "small-1", "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (told["migration"], told["outcome"], told["phase"]) == ("small-1", "rolled_back", "prepare")
