"""`crossfade schema`: a schema change in steps, while old and new application versions work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from psycopg import sql
from rich.text import Text

from crossfade.cli.migration_file import complain_of, text_of
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.expand.backfill import Progress
from crossfade.expand.change import ChangeFile, read_change
from crossfade.expand.errors import (
    ChangeDiffers,
    ChangeImpossible,
    DsnUnreadable,
    OutOfOrder,
    StillDiverging,
    StillUsed,
)
from crossfade.expand.locks import LockTimes
from crossfade.expand.shape import Work
from crossfade.expand.steps import SchemaChange, Settings
from crossfade.expand.usage import Confirmed
from crossfade.model.errors import CrossfadeError
from crossfade.model.file.quantities import Duration, parse_duration

_BETWEEN_LINES_S = 1.0

schema = typer.Typer(
    help="Change the shape of a live database: expand, backfill, check, contract.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The change; YAML.")]
Dsn = Annotated[str, typer.Option(metavar="DSN", help="Connection string of the database, as the table's owner.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]
Quiet = Annotated[
    str, typer.Option(metavar="DURATION", help="How long to look for users of what would be taken away, such as 5m.")
]
ReadersGone = Annotated[
    bool, typer.Option("--readers-gone", help="You know that nobody reads what would be taken away.")
]
ReplicationChecked = Annotated[
    bool, typer.Option("--replication-checked", help="You know that what replicates the table can bear this step.")
]


@schema.command()
def plan(file: File, dsn: Dsn, json: Json = False) -> None:
    """Show the statements of every step, after asking the server whether the change fits; nothing is changed.

    Exit code 0: it fits; 10: it does not; 2: a faulty file.

    Example: crossfade schema plan examples/expand/rename.yaml --dsn 'host=db dbname=shop user=owner'
    """
    change = _read(file)
    with _told(), SchemaChange(change, Settings(dsn=dsn)) as open_change:
        stands, steps = open_change.stands, open_change.plan()
    for step, works in steps:
        people.print(Text(step, style="bold"))
        for line in _lines(works):
            people.print(line, soft_wrap=True)
    if json:
        told = {
            step: [{"what": w.name, "statements": [s.as_string() for s in w.statements]} for w in works]
            for step, works in steps
        }
        answer({"change": change.name, "stands": stands.value, "steps": told})


@schema.command()
def expand(file: File, dsn: Dsn, replication_checked: ReplicationChecked = False, json: Json = False) -> None:
    """Add the new shape beside the old one; from here on, each follows what is written to the other.

    Exit code 0: both versions can work; 10: the change does not fit, or the table is replicated; 2: a faulty file.

    Example: crossfade schema expand examples/expand/rename.yaml --dsn 'host=db dbname=shop user=owner'
    """
    change = _read(file)
    with _told(), SchemaChange(change, Settings(dsn=dsn)) as open_change:
        times = open_change.expand(Confirmed(replication_checked=replication_checked))
        _end(change, open_change, json, **_locks(times))


@schema.command()
def backfill(file: File, dsn: Dsn, json: Json = False) -> None:
    """Bring rows from before the change in step: in short batches, yielding to load, going on where it stopped.

    Exit code 0: every row was brought in step; 10: expand comes first; 2: a faulty file.

    Example: crossfade schema backfill examples/expand/rename.yaml --dsn 'host=db dbname=shop user=owner'
    """
    change = _read(file)
    with _told(), SchemaChange(change, Settings(dsn=dsn)) as open_change:
        rows = open_change.backfill(_Progress())
        _end(change, open_change, json, rows=rows)


@schema.command()
def check(file: File, dsn: Dsn, json: Json = False) -> None:
    """Look for rows whose old and new shape differ, and for orphans; then prove constraints beside the writers.

    Exit code 0: none, and contract may come; 10: some, and their keys are told; 2: a faulty file.

    Example: crossfade schema check examples/expand/rename.yaml --dsn 'host=db dbname=shop user=owner'
    """
    change = _read(file)
    with _told(), SchemaChange(change, Settings(dsn=dsn)) as open_change:
        found, times = open_change.check()
        for key in found.keys:
            people.print(f"not in step: {', '.join(f'{name} {value}' for name, value in key.items())}", markup=False)
        _end(change, open_change, json, **asdict(found), **_locks(times))
    if found.diverging:
        complain(StillDiverging(change.name, found.diverging))
        raise typer.Exit(Exit.ENDED_OTHERWISE)


@schema.command()
def contract(
    file: File,
    dsn: Dsn,
    quiet: Quiet = "1m",
    readers_gone: ReadersGone = False,
    replication_checked: ReplicationChecked = False,
    json: Json = False,
) -> None:
    """Take the old shape away, once nobody uses it. Afterwards there is no way back.

    Exit code 0: the old shape is gone; 10: it is still used, or rows differ, and nothing was changed; 2: a faulty file.

    Example: crossfade schema contract examples/expand/rename.yaml --dsn 'host=db dbname=shop user=owner' --quiet 5m
    """
    change = _read(file)
    confirmed = Confirmed(readers_gone=readers_gone, replication_checked=replication_checked)
    with _told(), SchemaChange(change, Settings(dsn=dsn, quiet=_duration(quiet))) as open_change:
        times = open_change.contract(confirmed)
        _end(change, open_change, json, **_locks(times))


@schema.command()
def back(
    file: File,
    dsn: Dsn,
    quiet: Quiet = "1m",
    readers_gone: ReadersGone = False,
    replication_checked: ReplicationChecked = False,
    json: Json = False,
) -> None:
    """Take the new shape away again, at any step before contract; what it was given stands in the old shape.

    Exit code 0: everything is as before; 10: the new shape is still used, or contract has begun; 2: a faulty file.

    Example: crossfade schema back examples/expand/rename.yaml --dsn 'host=db dbname=shop user=owner' --quiet 5m
    """
    change = _read(file)
    confirmed = Confirmed(readers_gone=readers_gone, replication_checked=replication_checked)
    with _told(), SchemaChange(change, Settings(dsn=dsn, quiet=_duration(quiet))) as open_change:
        times = open_change.back(confirmed)
        _end(change, open_change, json, **_locks(times))


def _read(path: Path) -> ChangeFile:
    text = text_of(path, "check the path; docs/expand-contract.md shows such a file")
    found = text if isinstance(text, tuple) else read_change(text, path.name)
    if isinstance(found, ChangeFile):
        return found
    complain_of(found, path)
    raise typer.Exit(Exit.BAD_INPUT)


def _duration(text: str) -> Duration:
    try:
        return parse_duration(text)
    except ValueError as refusal:
        remedy = "write a number with ms, s, m or h, such as 5m"
        raise typer.BadParameter(f"--quiet: {refusal}; {remedy}") from None


@contextmanager
def _told() -> Iterator[None]:
    """Failures become words and exit codes."""
    try:
        yield
    except DsnUnreadable as failure:
        complain(failure)
        raise typer.Exit(Exit.BAD_INPUT) from None
    except (ChangeImpossible, ChangeDiffers, OutOfOrder, StillUsed, StillDiverging) as failure:
        complain(failure)
        raise typer.Exit(Exit.ENDED_OTHERWISE) from None
    except CrossfadeError as failure:
        complain(failure)
        raise typer.Exit(Exit.FAILED) from None


def _end(change: ChangeFile, open_change: SchemaChange, json: bool, **told: object) -> None:
    stands = open_change.stands
    people.print(f"✓ {change.name} stands at {stands.value}", markup=False)
    if json:
        answer({"change": change.name, "stands": stands.value} | told)


def _locks(times: LockTimes) -> dict[str, object]:
    return {"lock_waited_ms": round(times.waited_ms, 1), "lock_held_ms": round(times.held_ms, 1)}


def _lines(works: tuple[Work, ...]) -> Iterator[Text]:
    for work in works:
        yield Text(f"  -- {work.name}", style="dim")
        for table in work.locks:
            yield Text(f"  {sql.SQL('LOCK TABLE {} IN {} MODE').format(table, sql.SQL(work.mode.value)).as_string()};")
        for statement in work.statements:
            yield Text(f"  {statement.as_string().strip()};")


class _Progress:
    """A line about once a second."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._last < _BETWEEN_LINES_S:
            return
        self._last = time.monotonic()
        left = f", about {progress.left.total_seconds():.0f} s left" if progress.left is not None else ""
        paused = f"; paused: {progress.paused_by}" if progress.paused_by else ""
        people.print(
            f"{progress.rows} of about {progress.of} rows, {progress.brought_in_step} brought in step{left}{paused}",
            markup=False,
        )
