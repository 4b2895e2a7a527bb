"""`crossfade check`: is the migration file sound, and is what it describes built?"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.migration_file import complain_of, read
from crossfade.cli.output import Exit, answer, people
from crossfade.cli.schema_changes import faults_of_changes
from crossfade.model.file import MigrationFile
from crossfade.model.file.built import NotBuilt, not_built


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Tell every fault of a migration file at once, each with its place and remedy.

    It reads the schema changes that the file names too, and tells which described sections are not built yet. Exit
    code 0: sound; 2: faults.

    Example: crossfade check examples/ledger/migration.yaml
    """
    result = read(file)
    if isinstance(result, MigrationFile):
        result = faults_of_changes(result, file) or result
    sound = isinstance(result, MigrationFile)
    faults = () if isinstance(result, MigrationFile) else result
    waiting = not_built(result) if isinstance(result, MigrationFile) else ()
    if isinstance(result, MigrationFile):
        _say_sound(result, file)
        _say_not_built(waiting)
    else:
        complain_of(faults, file)
    if json:
        answer(
            {
                "file": str(file),
                "valid": sound,
                "faults": [asdict(fault) for fault in faults],
                "not_built": [asdict(section) for section in waiting],
            }
        )
    if not sound:
        raise typer.Exit(Exit.BAD_INPUT)


def _say_not_built(waiting: tuple[NotBuilt, ...]) -> None:
    if not waiting:
        return
    people.print(Text("  described, but not built yet:"))
    width = max(len(section.section) for section in waiting)
    for section in waiting:
        people.print(Text.assemble("    ", (section.section.ljust(width), "bold"), f"  {section.says}"), soft_wrap=True)


def _say_sound(file: MigrationFile, path: Path) -> None:
    shares = ", ".join(f"{step.percent:g}" for step in file.traffic.steps())
    people.print(Text.assemble(("✓ ", "green"), f"{path}: no fault"), soft_wrap=True)
    people.print(
        Text(f"  {file.migration.name} of {file.migration.owner}: {file.servers.count} servers, traffic at {shares} %"),
        soft_wrap=True,
    )
