"""`crossfade verify`: do two PostgreSQL servers hold the same rows?"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from crossfade.cli import verify_options as options
from crossfade.cli.output import Exit, answer
from crossfade.cli.verify_options import readable_or_stop, told
from crossfade.cli.verify_telling import Told, as_answer, tell, tell_structure, write_found
from crossfade.model.terms import Side
from crossfade.verify.examination import Examination, How, examine
from crossfade.verify.manifest import Manifest, MemoryManifest
from crossfade.verify.session import Session
from crossfade.verify.settings import Values, VerifySettings
from crossfade.verify.shared_manifest import SqliteManifest
from crossfade.verify.structure import StructureDifference, differences


def verify(  # noqa: PLR0913, PLR0917 - each is an option of the command
    source: options.Source,
    target: options.Target,
    table: options.Tables = None,
    exclude: options.Exclude = None,
    live: options.Live = False,
    strict: options.Strict = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Compare columns, indexes, triggers, grants and the like as well.")
    ] = False,
    rules: options.Rules = None,
    out: options.Out = None,
    show_values: options.ShowValues = False,
    repair: options.Repair = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the work here: go on with it, or share it.")
    ] = None,
    workers: options.Workers = 1,
    max_statements: options.MaxStatements = None,
    max_replication_lag: options.MaxReplicationLag = None,
    slowdown: options.Slowdown = None,
    chunk_rows: options.ChunkRows = None,
    reconnect: options.Reconnect = 30.0,
    max_share: options.MaxShare = None,
    json: options.Json = False,
) -> None:
    """Compare two PostgreSQL servers, 13 or newer, row by row, and list every key that differs.

    Only reads. Passwords are best left to PGPASSFILE. Values are told as masks unless asked for. Exit code 10: there
    are differences, or rows that could not be settled.

    Example: crossfade verify --source 'host=old dbname=ledger' --target 'host=new dbname=ledger' --table accounts
    """
    settings = VerifySettings(
        source=source,
        target=target,
        tables=tuple(table or ()),
        exclude=tuple(exclude or ()),
        rules=readable_or_stop(source, target, rules),
        strict=strict,
        workers=workers,
        reconnect_for=timedelta(seconds=reconnect),
        values=Values.SHOWN if show_values else Values.MASKED,
        limits=options.limits(max_statements, max_replication_lag, slowdown, max_share),
    )
    if chunk_rows is not None:
        settings = replace(settings, rest_chunk_rows=chunk_rows, live_chunk_rows=chunk_rows)
    with told(), ExitStack() as stack:
        examined = examine(settings, How(live=live, manifest=_opening(manifest, stack), progress=Told().show))
        structure = _structure(settings, examined) if schema else ()
        write_found(settings, examined, out=out, repair=repair)
    found = examined.verification
    tell(found, examined.findings)
    if schema:
        tell_structure(structure)
    if json:
        answer(as_answer(found) | ({"schema": [asdict(each) for each in structure]} if schema else {}))
    if found.differences or found.unresolved or structure:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _opening(path: Path | None, stack: ExitStack) -> Callable[[str], Manifest]:
    if path is None:
        return lambda _: MemoryManifest()

    def in_file(fingerprint: str) -> Manifest:
        manifest = SqliteManifest(path, fingerprint)
        stack.callback(manifest.close)
        return manifest

    return in_file


def _structure(settings: VerifySettings, examined: Examination) -> tuple[StructureDifference, ...]:
    timeout = settings.statement_timeout
    with (
        Session(Side.SOURCE, settings.source, statement_timeout=timeout) as source,
        Session(Side.TARGET, settings.target, statement_timeout=timeout) as target,
    ):
        return differences(source, target, examined.tables)
