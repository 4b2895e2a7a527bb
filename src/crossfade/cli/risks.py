"""`crossfade risks`: what may go wrong, from what the migration file and the inventory really show."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.decide import day
from crossfade.cli.migration_file import sound
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.register_file import told_register
from crossfade.cli.sources import OutNotWritten, code_of, read_or_stop, refuse_what_is_there, write_out
from crossfade.model.file.tree import read_tree
from crossfade.planning.applications import find_applications
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.risks.as_json import as_json
from crossfade.planning.risks.assembly import assemble
from crossfade.planning.risks.heatmap import MAPS, Cell, as_svg, cells, number_lines
from crossfade.planning.risks.knowledge import Seen
from crossfade.planning.risks.page import as_html, as_markdown
from crossfade.planning.risks.rating import IMPACTS, Level
from crossfade.planning.risks.register import Register
from crossfade.planning.risks.told import RegisterFile

_WRITERS = {".html": as_html, ".md": as_markdown, ".svg": as_svg}
_WIDTH = 20
_LOOKS = {
    Level.LOW: "black on green3",
    Level.MEDIUM: "black on gold1",
    Level.HIGH: "black on dark_orange",
    Level.CRITICAL: "white on red3",
}


def risks(
    file: Annotated[Path, typer.Argument(metavar="MIGRATION", help="The migration file.")],
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", metavar="SOURCE", help="An export of the data center; may be repeated."),
    ] = None,
    register: Annotated[
        Path | None,
        typer.Option("--register", metavar="FILE", help="What people add, close and override, as YAML."),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", metavar="FILE", help="Also write it: .html, .md or .svg; may be repeated; must not exist."
        ),
    ] = None,
    on: Annotated[
        date | None, typer.Option("--on", parser=day, metavar="DATE", help="Day of the register; today by default.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Tell what may go wrong: what the migration file and inventories show, with the place, and what is common.

    Each risk has impact times probability, an owner, mitigations, contingencies, triggers that are limits of the
    migration file, and what is left of it with the mitigations that the file contains. People add, close and override
    risks in a file of theirs, which is read and never written.

    Exit code 0: told, whatever the risks are; 10: some rows of an inventory were not understood, which is a risk of the
    register; 2: a bad file, or a source that could not be used at all.

    Example: crossfade risks examples/ledger/migration.yaml --register examples/risks/register.yaml
    """
    wanted, sources = out or [], inventory or []
    _refuse_other_endings(wanted)
    refuse_what_is_there(wanted)
    migration = sound(file)
    said = told_register(register, migration) if register else RegisterFile(version=1)
    tree = read_tree(file.read_text(encoding="utf-8"), file.name)
    known = read_or_stop(sources)
    seen = Seen(
        file=migration,
        inventory=known,
        applications=find_applications(known) if known else None,
        on=on or datetime.now(UTC).astimezone().date(),
    )
    found = assemble(seen, tree, file.name, said)
    _tell(found)
    code = code_of(known, sources) if known else None
    if code:
        people.print(Text.assemble(("! ", "yellow"), "not all was understood; `crossfade inventory` tells what"))
    for path in wanted:
        write_out(path, _WRITERS[path.suffix.lower()](found).encode())
        people.print(Text.assemble(("✓ ", "green"), str(path)), soft_wrap=True)
    if json:
        answer(as_json(found))
    if code:
        raise typer.Exit(code)


def _refuse_other_endings(paths: list[Path]) -> None:
    wrong = [path for path in paths if path.suffix.lower() not in _WRITERS]
    for path in wrong:
        complain(OutNotWritten(path, "has no ending that is known", f"Name a file that ends in {', '.join(_WRITERS)}."))
    if wrong:
        raise typer.Exit(Exit.BAD_INPUT)


def _tell(found: Register) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    for heading in ("risk", "score", "as planned", "owner", "from"):
        table.add_column(heading, overflow="fold")
    for number, risk in enumerate(found.open, start=1):
        shown = Text.assemble((risk.id, "bold"), f"\n{visible(risk.title)}")
        scores = (Text(f"{one.score:g} {one.level}") for one in (risk.rating, risk.residual))
        table.add_row(str(number), shown, *scores, Text(visible(risk.owner)), Text(risk.origin))
    people.print(table)
    for title, of in MAPS:
        people.print(Text(title, style="bold"))
        people.print(_map(cells(found, of)))
    total = found.overall()
    people.print(
        f"{total.count} open risks, score {total.score:g}; {total.residual:g} are left with the mitigations in the plan"
    )
    for risk in found.closed:
        people.print(Text(f"  closed: {risk.id}"), soft_wrap=True)
    for one in found.no_longer_found:
        people.print(Text.assemble(("! ", "yellow"), f"{one.id}: {one.what}, and no longer found"), soft_wrap=True)
    for note in found.notes:
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)


def _map(rows: tuple[tuple[Cell, ...], ...]) -> Table:
    """Each cell names its level, for those who see no colours, and the numbers of its risks."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", justify="right")
    for impact, name in IMPACTS.items():
        table.add_column(f"{impact} {name}", width=_WIDTH)
    for row in rows:
        drawn = []
        for cell in row:
            lines = (f"{cell.rating.score:g} {cell.level}", *number_lines(cell.numbers)) if cell.numbers else ("",)
            drawn.append(Text("\n".join(f" {line}".ljust(_WIDTH) for line in lines), style=_LOOKS[cell.level]))
        table.add_row(f"{row[0].rating.probability.value_as_float:g}", *drawn)
    return table
