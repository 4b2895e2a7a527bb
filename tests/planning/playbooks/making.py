"""Playbooks to look at, of files with values set by path."""

from functools import cache
from pathlib import Path
from typing import Any

from crossfade.cli.playbooks import written_from
from crossfade.model.file import MigrationFile, load
from crossfade.planning.playbooks.records import Playbooks
from tests.docs.documents import ROOT
from tests.model.file.files import sound, with_values

LEDGER = ROOT / "examples" / "ledger" / "migration.yaml"
KUBERNETES = ROOT / "examples" / "kubernetes" / "migration.yaml"
BLUE_GREEN = ROOT / "examples" / "blue-green" / "migration.yaml"


def example(path: Path) -> MigrationFile:
    found = load(path.read_text(encoding="utf-8"), path.name)
    assert isinstance(found, MigrationFile)
    return found


def playbooks_of(**changes: Any) -> Playbooks:
    """Those of the minimal file with values set by path."""
    return _written(with_values(**changes))


@cache
def playbooks_in(path: Path) -> Playbooks:
    """Those of an example."""
    return written_from(example(path))


@cache
def _written(text: str) -> Playbooks:
    return written_from(sound(text))
