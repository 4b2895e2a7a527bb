from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import EngineStarted, Event, MigrationPlanned, PhaseEntered
from crossfade.model.file import MigrationFile, load
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Phase
from tests.docs.documents import ROOT, Block, Document, documents
from tests.model.file.files import minimal

BLOCKS = [(document, block) for document in documents() for block in document.blocks]


def of(*languages: str) -> list[object]:
    return [
        pytest.param(document, block, id=f"{document}:{number}")
        for number, (document, block) in enumerate(BLOCKS)
        if block.language in languages
    ]


@pytest.fixture
def work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the migration ledger-3f2a, which documents speak of, has left its journal."""
    example = load((ROOT / "examples" / "ledger" / "migration.yaml").read_text(encoding="utf-8"), "migration.yaml")
    assert isinstance(example, MigrationFile)
    place = tmp_path / "reports" / "ledger-3f2a" / "journal.sqlite"
    place.parent.mkdir(parents=True)
    journal = SqliteJournal(place)
    planned = MigrationPlanned(plan=plan_for_rehearsal(example, "ledger-3f2a", 1.0))
    events: list[Event] = [planned, EngineStarted(), PhaseEntered(phase=Phase.PREPARE)]
    journal.append(events, expected=0, at=datetime(2026, 1, 1, tzinfo=UTC), by="engine")
    journal.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("work_folder")
@pytest.mark.parametrize(("document", "block"), of("python", "py"))
def test_python_runs_when_shown(document: Document, block: Block) -> None:
    exec(compile(block.text, str(document), "exec"), {})


@pytest.mark.parametrize(("document", "block"), of("yaml"))
def test_yaml_is_sound_in_a_migration_file_when_shown(document: Document, block: Block) -> None:
    """A whole file, or sections that could be put into one."""
    text = yaml.safe_dump(minimal() | yaml.safe_load(block.text))
    assert isinstance(load(text, str(document)), MigrationFile)
