"""The changes of shape that a migration file names: are they sound, and do they belong to what is moved?"""

from collections.abc import Iterator
from pathlib import Path

from crossfade.cli.migration_file import place_of, text_of
from crossfade.expand.change import ChangeFile, read_change
from crossfade.model.file import Fault, MigrationFile

_SECTION = ("database", "schema_changes")


def faults_of_changes(migration: MigrationFile, path: Path) -> tuple[Fault, ...]:
    """All faults of the files named in `database.schema_changes`, which lie relative to the migration file at `path`.

    Each stands at its name in the migration file, and tells its place in its own.
    """
    return tuple(
        place_of(path, (*_SECTION, number), problem, remedy) for number, problem, remedy in _found(migration, path)
    )


def _found(migration: MigrationFile, path: Path) -> Iterator[tuple[int, str, str]]:
    first: dict[str, int] = {}
    for number, name in enumerate(migration.database.schema_changes):
        text = text_of(path.parent / name, "check the path, which is taken from the migration file's folder")
        read = text if isinstance(text, tuple) else read_change(text, Path(name).name)
        if not isinstance(read, ChangeFile):
            for fault in read:
                at = f"{fault.line}:{fault.column}{f' {fault.path}' if fault.path else ''}"
                yield number, f"at {at}: {fault.problem}", fault.remedy
            continue
        if (other := first.setdefault(read.name, number)) != number:
            problem = f"is a change named {read.name}, as {_SECTION[1]}[{other}] is"
            yield number, problem, "give it another name: a database remembers changes by it"
        if read.schema_name not in migration.database.schemas:
            problem = f"changes {read.table}, whose schema is not moved"
            yield number, problem, "name the schema in database.schemas, or leave the change out here"
