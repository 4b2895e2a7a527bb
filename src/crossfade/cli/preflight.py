"""`crossfade preflight`: what would make the move of a database fail later?"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from crossfade.cli.dsns import unreadable
from crossfade.cli.migration_file import sound
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.sources import refuse_what_is_there, write_out
from crossfade.database.preflight import Found, Options, inspect, script_of
from crossfade.database.session import PostgresSession, Session
from crossfade.database.settings import NativeSettings, Reach
from crossfade.model.errors import CrossfadeError
from crossfade.model.file import MigrationFile
from crossfade.model.file.database import ReplicationEngine
from crossfade.model.seen import Severity
from crossfade.model.terms import Side
from crossfade.planning.inventory.cells import text as visible

_PATIENCE = timedelta(minutes=2)
_TITLES = {
    Severity.BLOCKER: ("red", "Blocks the move"),
    Severity.WARNING: ("yellow", "Deserves attention"),
}


class NothingNamed(CrossfadeError):
    """Neither a file nor --schema says what is to move."""

    remedy = "Name the schemas with --schema, or give the migration file with --file."

    def __init__(self) -> None:
        super().__init__("which schemas are to move is not said")


def preflight(  # noqa: PLR0913, PLR0917 - each is an option of the command
    source: Annotated[str, typer.Option(metavar="DSN", help="Connection string of the source.")],
    target: Annotated[
        str | None, typer.Option(metavar="DSN", help="Connection string of the target; without it, the source alone.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="FILE", help="A migration file: its schemas, roles, engine and accepted warnings."
        ),
    ] = None,
    schema: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this schema; may be repeated.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A role of the application; may be repeated.")
    ] = None,
    dms: Annotated[bool, typer.Option("--dms", help="DMS moves the rows: its limits count too.")] = False,
    remedies: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all remedies that are SQL as a script for psql.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Find everything that would make the move of a database fail later, each with its reason and its remedy.

    PostgreSQL 13 or newer. Changes nothing: the fence is tried in a transaction that is rolled back. Passwords are best
    left to PGPASSFILE. Exit code 10: something blocks the move.

    Example: crossfade preflight --source 'host=old dbname=ledger' --target 'host=new dbname=ledger' --schema ledger
    """
    described = sound(file) if file is not None else None
    schemas = tuple(schema or ()) or (described.database.schemas if described else ())
    dsns = {Side.SOURCE: source} | ({Side.TARGET: target} if target is not None else {})
    wrong = unreadable(dsns)
    if not schemas:
        wrong.append(NothingNamed())
    for fault in wrong:
        complain(fault)
    if wrong:
        raise typer.Exit(Exit.BAD_INPUT)
    if remedies is not None:
        refuse_what_is_there([remedies])
    roles = tuple(role or ()) or (described.database.application_roles if described else ())
    found = _found(dsns, schemas, roles, _options(described, dms=dms))
    _tell(found)
    if remedies is not None:
        write_out(remedies, script_of(found).encode())
        people.print(f"the remedies stand in {escape(str(remedies))}: read it before you run it", soft_wrap=True)
    blockers = sum(one.check.severity is Severity.BLOCKER for one in found)
    if json:
        answer({"ready": not blockers, "blockers": blockers, "findings": [_as_json(one) for one in found]})
    if blockers:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _options(described: MigrationFile | None, *, dms: bool) -> Options:
    if described is None:
        return Options(dms=dms)
    replication = described.database.replication
    return Options(
        dms=dms or replication.engine is ReplicationEngine.DMS,
        numeric_scale_given=replication.dms.numeric_scale is not None,
        accepted=dict(described.database.preflight_accept),
    )


def _found(
    dsns: dict[Side, str], schemas: tuple[str, ...], roles: tuple[str, ...], options: Options
) -> Sequence[Found]:
    reaches = {side: Reach(dsn=dsns.get(side, ""), subscriber_dsn="") for side in Side}
    settings = NativeSettings(
        source=reaches[Side.SOURCE],
        target=reaches[Side.TARGET],
        programs=Path(),
        schemas=schemas,
        application_roles=roles,
    )

    def connect(side: Side) -> Session:
        return PostgresSession(side, dsns[side], application_name="crossfade preflight", patience=_PATIENCE)

    return inspect(settings, connect, options, tuple(dsns))


def _tell(found: Sequence[Found]) -> None:
    """Blockers first, then warnings; what was accepted last, in a line each."""
    for severity, (colour, title) in _TITLES.items():
        these = [one for one in found if one.check.severity is severity and not one.accepted]
        if these:
            people.print(f"[bold {colour}]{title}: {len(these)}[/]")
        for one in these:
            people.print(f"  [{colour}]✗[/] [bold]{_shown(one.subject)}[/]  {_shown(one.problem)}", soft_wrap=True)
            people.print(f"    {_shown(one.check.why)} [dim]({one.check.name})[/]", soft_wrap=True)
            for remedy in filter(None, (one.sql and f"on the {one.side}: {one.sql}", one.advice)):
                people.print(f"    [dim]→[/] {_shown(remedy)}", soft_wrap=True)
    accepted = [one for one in found if one.accepted]
    for one in accepted:
        people.print(f"  [dim]accepted: {_shown(one.subject)}: {_shown(one.accepted)}[/]", soft_wrap=True)
    blockers = sum(one.check.severity is Severity.BLOCKER for one in found)
    mark = "[red]✗[/]" if blockers else "[green]✓[/]"
    warnings = len(found) - blockers - len(accepted)
    people.print(f"{mark} {blockers} block the move, {warnings} deserve attention, {len(accepted)} are accepted")


def _shown(text: str) -> str:
    return escape(visible(text))


def _as_json(one: Found) -> dict[str, object]:
    return {
        "check": one.check.name,
        "severity": str(one.check.severity),
        "side": str(one.side),
        "subject": one.subject,
        "problem": one.problem,
        "why": one.check.why,
        "sql": one.sql,
        "advice": one.advice,
        "decide": one.check.care,
        "restart": one.check.restart,
        "accepted": one.accepted,
    }
