"""`crossfade inventory`: exports of whatever tool, read as one model, with every row accounted for."""

import io
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.output import answer, people
from crossfade.cli.sources import code_of, read_sources, refuse_what_is_there, write_out
from crossfade.planning.inventory import Inventory
from crossfade.planning.inventory.as_json import as_json, unknown_ends
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.inventory.plain_csv import write_plain
from crossfade.planning.inventory.records import Conflict, Problem

_SHOWN = 50  # lines for people; --json has them all
_COLUMNS = ("source", "format", "rows", "accepted", "refused", "passed\nover", "blank")


def inventory(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE…", help="Exports: files, folders, ZIP archives.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Also write it all as our plain CSV; must not exist."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Read what other tools know of the data center as one inventory: servers, applications, databases, dependencies.

    RVTools, AWS Application Discovery Service, Cloud Migration Factory, Azure Migrate, Konveyor, lists of connections
    (ss, netstat, flow logs) and a plain CSV of our own are known by their content. Rows about one server are merged,
    contradictions are listed and not decided, and each row that is not understood is told with place and remedy.

    Exit code 0: every row was understood; 10: some were not, the rest was read; 2: a source could not be used at all.

    Example: crossfade inventory exports/ --out inventory.csv
    """
    if out is not None:
        refuse_what_is_there([out])
    found = read_sources(sources)
    _tell(found)
    if out is not None:
        _write(found, out)
    if json:
        answer(as_json(found))
    if code := code_of(found, sources):
        raise typer.Exit(code)


def _write(found: Inventory, path: Path) -> None:
    text = io.StringIO(newline="")
    rows = write_plain(found, text)
    write_out(path, text.getvalue().encode("utf-8-sig"))
    people.print(Text.assemble(("✓ ", "green"), f"{rows:,} rows in {path}"), soft_wrap=True)


def _tell(found: Inventory) -> None:
    if found.accounts:
        people.print(_accounts(found))
    for account in found.accounts:
        for note in account.notes:
            people.print(Text.assemble(("! ", "yellow"), f"{visible(account.source)} {note}"), soft_wrap=True)
    _some([_problem(problem) for problem in found.problems], "problems")
    _some([_conflict(conflict) for conflict in found.conflicts], "conflicts")
    counts = ", ".join(
        f"{len(records):,} {name}"
        for name, records in (
            ("servers", found.servers),
            ("hosts", found.hosts),
            ("applications", found.applications),
            ("databases", found.databases),
            ("files", found.files),
            ("dependencies", found.dependencies),
        )
    )
    mark = ("! ", "yellow") if found.problems or found.conflicts else ("✓ ", "green")
    people.print(Text.assemble(mark, counts), soft_wrap=True)
    people.print(
        f"  {found.accepted:,} rows understood: {sum(found.told.values()):,} records, {found.merged_rows:,} rows that"
        f" tell more of them; {len(found.merges):,} merged, conflicts: {len(found.conflicts):,}, problems:"
        f" {len(found.problems):,}, ends of dependencies that no source describes: {len(unknown_ends(found)):,}",
        soft_wrap=True,
    )


def _accounts(found: Inventory) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(_COLUMNS):
        table.add_column(heading, justify="right" if place > 1 else "left", overflow="fold")
    before = None
    for account in found.accounts:
        name = visible(Path(account.source).name)
        if account.sheet:
            if account.source != before:
                table.add_row(Text(name))
            name = f"  {visible(account.sheet)}"
        before = account.source
        numbers = (account.rows, account.accepted, account.refused, account.passed_over, account.blank)
        table.add_row(Text(name), Text(account.format or "not known"), *(Text(f"{number:,}") for number in numbers))
    return table


def _some(lines: list[Text], what: str) -> None:
    for line in lines[:_SHOWN]:
        people.print(line, soft_wrap=True)
    if len(lines) > _SHOWN:
        people.print(f"… and {len(lines) - _SHOWN:,} more {what}; --json lists them all")


def _problem(problem: Problem) -> Text:
    parts = (problem.source, problem.sheet, "" if problem.row is None else str(problem.row))
    place = ":".join(visible(part) for part in parts if part)
    column = f"  {visible(problem.column)}" if problem.column else ""
    return Text.assemble((place, "bold"), column, "  ", (visible(problem.problem), "red"), f" — {problem.remedy}")


def _conflict(conflict: Conflict) -> Text:
    told = "; ".join(f"{visible(value)} ({', '.join(map(str, at[:2]))})" for value, at in conflict.told.items())
    what = f"  {conflict.column}  "
    return Text.assemble((visible(conflict.name), "bold"), what, ("is contradictory", "yellow"), f": {told}")
