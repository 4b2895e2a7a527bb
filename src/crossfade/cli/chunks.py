"""`crossfade chunks`: one verification by many computers, which share nothing but lines of JSON."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import typer
from rich.markup import escape

from crossfade.cli import verify_options as options
from crossfade.cli.output import Exit, SystemRefused, answer, people
from crossfade.cli.verify_options import readable_or_stop, told
from crossfade.cli.verify_telling import Told, as_answer, private, tell, write_found
from crossfade.verify.distributed import CutManifest, GatheredManifest, PartManifest
from crossfade.verify.examination import How, examine
from crossfade.verify.lines import ChunkLine, ResultLine, read_lines
from crossfade.verify.settings import Values, VerifySettings

chunks = typer.Typer(help="Verify with many computers: cut tables, compare chunks, gather.", no_args_is_help=True)
L = TypeVar("L", ChunkLine, ResultLine)
STANDARD = Path("-")

Chunks = Annotated[Path, typer.Argument(metavar="CHUNKS", help="What `cut` wrote; - is standard input.")]


@chunks.command()
def cut(  # noqa: PLR0913, PLR0917 - each is an option of the command
    source: options.Source,
    target: options.Target,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Write the chunks here, one a line; - is standard output.")],
    table: options.Tables = None,
    exclude: options.Exclude = None,
    live: options.Live = False,
    strict: options.Strict = False,
    rules: options.Rules = None,
    chunk_rows: options.ChunkRows = None,
    json: options.Json = False,
) -> None:
    """Cut all tables into chunks, from their statistics: hardly a row is read.

    Each line stands for itself: give them to workers in whatever parts, such as the items of a Distributed Map of Step
    Functions. Exit code 10: some tables cannot be compared; they are told, and again when all is gathered.

    Example: crossfade chunks cut --source 'host=old' --target 'host=new' --out chunks.jsonl
    """
    settings = _settings(source, target, table, exclude, rules, strict=strict)
    if chunk_rows is not None:
        settings = replace(settings, rest_chunk_rows=chunk_rows, live_chunk_rows=chunk_rows)
    cutting = CutManifest()
    with told():
        examined = examine(settings, How(live=live, manifest=cutting.of))
        lines = tuple(cutting.lines())
        _write(out, (line.text() for line in lines))
    unresolved = examined.verification.unresolved
    for text in unresolved:
        people.print(f"[yellow]unresolved[/] {escape(text)}", soft_wrap=True)
    rows = sum(line.chunk.rows for line in lines)
    people.print(f"{len(lines)} chunks of {examined.verification.tables} tables, about {rows} rows", highlight=False)
    if json:
        answer({"chunks": len(lines), "rows": rows, "unresolved": list(unresolved)})
    if unresolved:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


@chunks.command()
def compare(  # noqa: PLR0913, PLR0917 - each is an option of the command
    chunks: Chunks,
    source: options.Source,
    target: options.Target,
    results: Annotated[
        Path, typer.Option(metavar="FILE", help="Add what was found here, a line for each chunk; - is standard output.")
    ],
    table: options.Tables = None,
    exclude: options.Exclude = None,
    live: options.Live = False,
    strict: options.Strict = False,
    rules: options.Rules = None,
    show_values: options.ShowValues = False,
    workers: options.Workers = 1,
    max_statements: options.MaxStatements = None,
    max_replication_lag: options.MaxReplicationLag = None,
    slowdown: options.Slowdown = None,
    reconnect: options.Reconnect = 30.0,
    max_share: options.MaxShare = None,
    json: options.Json = False,
) -> None:
    """Compare some of the chunks, whichever: a whole file of `cut`, some of its lines, or a batch of a Distributed Map.

    Servers and options must be those of `cut`. Run again with the same file of results, only what is not in it is
    compared. Exit code 0: each chunk has a result, whatever it says; differences are told when all is gathered.

    Example: crossfade chunks compare chunks.jsonl --source 'host=old' --target 'host=new' --results found.jsonl
    """
    settings = _settings(
        source,
        target,
        table,
        exclude,
        rules,
        strict=strict,
        workers=workers,
        values=Values.SHOWN if show_values else Values.MASKED,
        reconnect_for=timedelta(seconds=reconnect),
        limits=options.limits(max_statements, max_replication_lag, slowdown, max_share),
    )
    with told(), _growing(results) as (before, file):
        done = {(line.of, line.number) for line in before}
        wanted = _read(chunks, ChunkLine)
        left = [line for line in wanted if (line.of, line.number) not in done]

        def note(found: ResultLine) -> None:
            file.write(found.text().encode())
            file.flush()

        if left:
            examine(settings, How(live=live, manifest=lambda of: PartManifest(of, left, note), progress=Told().show))
    people.print(f"{len(left)} of {len(wanted)} chunks compared; the others were before", highlight=False)
    if json:
        answer({"chunks": len(wanted), "compared": len(left)})


@chunks.command()
def gather(  # noqa: PLR0913, PLR0917 - each is an option of the command
    chunks: Chunks,
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS…", help="What workers wrote, in any order.")],
    source: options.Source,
    target: options.Target,
    table: options.Tables = None,
    exclude: options.Exclude = None,
    live: options.Live = False,
    strict: options.Strict = False,
    rules: options.Rules = None,
    out: options.Out = None,
    repair: options.Repair = None,
    json: options.Json = False,
) -> None:
    """Tell what all workers found together, as `crossfade verify` does. A chunk without a result is unresolved.

    A result that came twice counts once. Sequences are compared now. Exit code 10: there are differences, or something
    could not be settled or was not compared.

    Example: crossfade chunks gather chunks.jsonl found.jsonl --source 'host=old' --target 'host=new'
    """
    settings = _settings(source, target, table, exclude, rules, strict=strict)
    with told():
        lines = _read(chunks, ChunkLine)
        found = [line for path in results for line in _read(path, ResultLine)]
        examined = examine(settings, How(live=live, manifest=lambda of: GatheredManifest(of, lines, found)))
        write_found(settings, examined, out=out, repair=repair)
    tell(examined.verification, examined.findings)
    if json:
        answer(as_answer(examined.verification))
    if examined.verification.differences or examined.verification.unresolved:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _settings(
    source: str, target: str, table: list[str] | None, exclude: list[str] | None, rules: Path | None, **how: Any
) -> VerifySettings:
    return VerifySettings(
        source=source,
        target=target,
        tables=tuple(table or ()),
        exclude=tuple(exclude or ()),
        rules=readable_or_stop(source, target, rules),
        **how,
    )


def _read(path: Path, kind: type[L]) -> tuple[L, ...]:
    """Raises LinesUnreadable and SystemRefused."""
    try:
        if path == STANDARD:
            return read_lines(sys.stdin.buffer, kind, "standard input")
        with path.open("rb") as file:
            return read_lines(file, kind, str(path))
    except OSError as refusal:
        raise SystemRefused(refusal) from refusal


def _write(path: Path, lines: Iterable[str]) -> None:
    """Chunks hold keys: only their owner may read them. Raises SystemRefused."""
    try:
        with private(Path("/dev/stdout") if path == STANDARD else path) as file:
            file.writelines(lines)
    except OSError as refusal:
        raise SystemRefused(refusal) from refusal


@contextmanager
def _growing(path: Path) -> Iterator[tuple[tuple[ResultLine, ...], BinaryIO]]:
    """What stands in the file, and the file to add to. A last line that was cut off by a kill is taken away.

    Raises LinesUnreadable, SystemRefused.
    """
    if path == STANDARD:
        yield (), sys.stdout.buffer
        return
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
            whole, _, torn = file.read().rpartition(b"\n")
            before = read_lines(whole.splitlines(), ResultLine, str(path))
            if torn:
                file.truncate(len(whole) + 1 if whole else 0)
            yield before, file
    except OSError as refusal:
        raise SystemRefused(refusal) from refusal
