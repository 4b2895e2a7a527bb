"""What the conductor says in the journal, and when it says nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import Event, GateWaits, Held, MigrationEnded, MigrationPlanned, PhaseEntered
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Outcome, Phase
from crossfade.rehearsal.conductor import Conductor, Watcher
from crossfade.rehearsal.layout import lay_out
from tests.model.file.files import sound, with_values

WAITS = GateWaits(gate="approved", cause="approval", reason="cutover needs approval")
END = MigrationEnded(outcome=Outcome.ROLLED_BACK, reason="everything that was built is undone")


@pytest.mark.parametrize("ended_meanwhile", [False, True])
def test_nothing_is_said_when_the_migration_has_ended_since_it_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ended_meanwhile: bool
) -> None:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    file = sound(with_values())
    plan = plan_for_rehearsal(file, "small-1", 1.0)
    layout = lay_out("small-1", ("a",), through_wan=False, speed=1.0, seed=1)
    journal = SqliteJournal(layout.journal)

    def append(*said: Event) -> None:
        journal.append(said, expected=len(journal.read()), at=datetime.now(UTC), by="engine")

    append(MigrationPlanned(plan=plan), PhaseEntered(phase=Phase.CUTOVER), WAITS)
    conductor = Conductor(layout, file, plan, ())

    def tell(entry: object) -> None:
        """The engine ends the migration just after the conductor has read that an approval is needed."""
        if ended_meanwhile and entry == journal.read()[2]:
            append(END)

    try:
        conductor._listen(Watcher(tell=tell, show=lambda _: None))
        conductor._say(Held(reason="wait"), "a second person")
    finally:
        conductor.close()
    kinds = [entry.event.kind for entry in journal.read()]
    assert kinds[3:] == (["migration_ended"] if ended_meanwhile else ["approved", "held"])
    journal.close()
