"""`crossfade verify`: do two PostgreSQL servers hold the same rows?"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from crossfade.cli.dsns import unreadable
from crossfade.cli.output import Exit, SystemRefused, answer, complain
from crossfade.cli.verify_rules import rules_of
from crossfade.cli.verify_telling import Told, private, tell, tell_structure, write_lines
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Verification
from crossfade.model.terms import Side
from crossfade.verify.errors import DsnUnreadable, RulesUnfit, TableMissing
from crossfade.verify.examination import Examination, How, examine
from crossfade.verify.load import LoadLimits
from crossfade.verify.manifest import Manifest, MemoryManifest
from crossfade.verify.repair import script
from crossfade.verify.session import Session
from crossfade.verify.settings import Values, VerifySettings
from crossfade.verify.shared_manifest import ManifestOfOther, SqliteManifest
from crossfade.verify.structure import StructureDifference, differences

Limit = Annotated[
    float | None, typer.Option("--max-statements", metavar="N", min=0.1, help="Statements a second on either server.")
]


def verify(  # noqa: PLR0913, PLR0917 - each is an option of the command
    source: Annotated[str, typer.Option(metavar="DSN", help="Connection string of the source.")],
    target: Annotated[str, typer.Option(metavar="DSN", help="Connection string of the target.")],
    table: Annotated[
        list[str] | None, typer.Option(metavar="T", help="Only this table, as schema.table or table; may be repeated.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="T", help="Not this table; may be repeated.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="One side takes writes and replicates them to the other.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Compare texts: 1.10 is not 1.1. Four times as slow.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Compare columns, indexes, triggers, grants and the like as well.")
    ] = False,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Other names on the target, columns to ignore, filters; YAML.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write each difference with its values, as JSON Lines.")
    ] = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Tell values as they are, instead of masks of them.")
    ] = False,
    repair: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write SQL that would repair the differences. Nothing runs it.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the work here: go on with it, or share it.")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Chunks compared at the same time.")] = 1,
    max_statements: Limit = None,
    max_replication_lag: Annotated[
        int | None, typer.Option(metavar="BYTES", min=0, help="Wait while a receiver of the source is further behind.")
    ] = None,
    slowdown: Annotated[
        float | None,
        typer.Option(metavar="X", min=1.1, help="Rest when the source takes X times as long as at its best."),
    ] = None,
    chunk_rows: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Rows compared at once; 50,000, or 5,000 with --live.")
    ] = None,
    reconnect: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Try a server again that was lost in the middle.")
    ] = 30.0,
    max_share: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0.1, max=100, help="Of the time, to have a statement running on a server."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Compare two PostgreSQL servers, 13 or newer, row by row, and list every key that differs.

    Only reads. Passwords are best left to PGPASSFILE. Values are told as masks unless asked for. Exit code 10: there
    are differences, or rows that could not be settled.

    Example: crossfade verify --source 'host=old dbname=ledger' --target 'host=new dbname=ledger' --table accounts
    """
    wrong = unreadable({Side.SOURCE: source, Side.TARGET: target})
    for fault in wrong:
        complain(fault)
    ruled = rules_of(rules) if rules else {}
    if wrong or ruled is None:
        raise typer.Exit(Exit.BAD_INPUT)
    try:
        settings = VerifySettings(
            source=source,
            target=target,
            tables=tuple(table or ()),
            exclude=tuple(exclude or ()),
            rules=ruled,
            strict=strict,
            workers=workers,
            reconnect_for=timedelta(seconds=reconnect),
            values=Values.SHOWN if show_values else Values.MASKED,
            limits=LoadLimits(
                statements_per_second=max_statements,
                replication_lag_bytes=max_replication_lag,
                slowdown=slowdown,
                share=max_share / 100 if max_share is not None else None,
            ),
        )
        if chunk_rows is not None:
            settings = replace(settings, rest_chunk_rows=chunk_rows, live_chunk_rows=chunk_rows)
        with ExitStack() as stack:
            examined = examine(settings, How(live=live, manifest=_opening(manifest, stack), progress=Told().show))
        structure = _structure(settings, examined) if schema else ()
        _write(settings, examined, out, repair)
    except (DsnUnreadable, TableMissing, RulesUnfit, ManifestOfOther) as failure:
        complain(failure)
        raise typer.Exit(Exit.BAD_INPUT) from None
    except CrossfadeError as failure:
        complain(failure)
        raise typer.Exit(Exit.FAILED) from None
    found = examined.verification
    tell(found, examined.findings)
    if schema:
        tell_structure(structure)
    if json:
        answer(_as_json(found) | ({"schema": [asdict(each) for each in structure]} if schema else {}))
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


def _write(settings: VerifySettings, examined: Examination, out: Path | None, repair: Path | None) -> None:
    try:
        if out:
            write_lines(out, examined.findings)
        if repair:
            with private(repair) as file:
                file.writelines(script(settings, examined))
    except OSError as refusal:
        raise SystemRefused(refusal) from refusal


def _as_json(found: Verification) -> dict[str, object]:
    return {
        "tables": found.tables,
        "rows": found.rows,
        "differences": [
            {"table": d.table, "key": d.key, "kind": d.kind, "columns": list(d.columns)} for d in found.differences
        ],
        "unresolved": list(found.unresolved),
        "seconds": round(found.duration.total_seconds(), 3),
    }
