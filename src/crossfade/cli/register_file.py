"""What people say about risks, from the disk: every command that takes --register begins here."""

from pathlib import Path

import typer

from crossfade.cli.migration_file import complain_of, text_of
from crossfade.cli.output import Exit
from crossfade.model.file import MigrationFile
from crossfade.planning.risks.told import RegisterFile, read_register


def told_register(path: Path, migration: MigrationFile) -> RegisterFile:
    """What people say about risks in the file at `path`; with faults, they are told and the command ends with 2."""
    text = text_of(path)
    found = text if isinstance(text, tuple) else read_register(text, path.name, migration)
    if isinstance(found, tuple):
        complain_of(found, path)
        raise typer.Exit(Exit.BAD_INPUT)
    return found
