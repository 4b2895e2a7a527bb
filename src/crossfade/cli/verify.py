"""`crossfade verify`: do two PostgreSQL servers hold the same rows?"""

from typing import Annotated

import typer
from rich.markup import escape

from crossfade.cli.output import Exit, answer, complain, people
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Verification
from crossfade.verify.errors import DsnUnreadable, TableMissing
from crossfade.verify.postgres import VerifySettings, verify_at_rest, verify_live

_SHOWN = 50  # lines for people; --json has them all


def verify(
    source: Annotated[str, typer.Option(metavar="DSN", help="Connection string of the source.")],
    target: Annotated[str, typer.Option(metavar="DSN", help="Connection string of the target.")],
    table: Annotated[
        list[str] | None, typer.Option(metavar="T", help="Only this table, as schema.table or table; may be repeated.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="One side takes writes and replicates them to the other.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Compare two PostgreSQL servers, 13 or newer, row by row, and list every key that differs.

    Only reads. Passwords are best left to PGPASSFILE. Exit code 10: there are differences, or rows that could not be
    settled.

    Example: crossfade verify --source 'host=old dbname=ledger' --target 'host=new dbname=ledger' --table accounts
    """
    settings = VerifySettings(source=source, target=target, tables=tuple(table or ()))
    try:
        found = verify_live(settings) if live else verify_at_rest(settings)
    except (DsnUnreadable, TableMissing) as failure:
        complain(failure)
        raise typer.Exit(Exit.BAD_INPUT) from None
    except CrossfadeError as failure:
        complain(failure)
        raise typer.Exit(Exit.FAILED) from None
    _tell(found)
    if json:
        answer(_as_json(found))
    if found.differences or found.unresolved:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _tell(found: Verification) -> None:
    for difference in found.differences[:_SHOWN]:
        columns = f" ({', '.join(difference.columns)})" if difference.columns else ""
        people.print(f"{difference.kind:8} {escape(f'{difference.table} {difference.key}{columns}')}")
    if len(found.differences) > _SHOWN:
        people.print(f"… and {len(found.differences) - _SHOWN} more; --json lists them all")
    for text in found.unresolved[:_SHOWN]:
        people.print(f"[yellow]unresolved[/] {escape(text)}")
    if len(found.unresolved) > _SHOWN:
        people.print(f"… and {len(found.unresolved) - _SHOWN} more unresolved")
    mark = "[red]✗[/]" if found.differences else "[yellow]?[/]" if found.unresolved else "[green]✓[/]"
    people.print(
        f"{mark} {found.rows} rows in {found.tables} tables compared in {found.duration.total_seconds():.1f} s: "
        f"{len(found.differences)} differences, {len(found.unresolved)} unresolved"
    )


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
