"""`crossfade risks`: what may go wrong, from what the migration file and the inventory really show."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.decide import day
from crossfade.cli.migration_file import complain_of, sound, text_of
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.durable import replace
from crossfade.model.errors import CrossfadeError
from crossfade.model.file import MigrationFile
from crossfade.model.file.tree import read_tree
from crossfade.planning.inventory import Inventory, read_inventory
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.risks.as_json import as_json
from crossfade.planning.risks.assembly import assemble
from crossfade.planning.risks.heatmap import MAPS, Cell, as_svg, cells, number_lines
from crossfade.planning.risks.knowledge import Seen
from crossfade.planning.risks.page import as_html, as_markdown
from crossfade.planning.risks.rating import IMPACTS, Level
from crossfade.planning.risks.register import Register
from crossfade.planning.risks.told import RegisterFile, read_register

_WRITERS = {".html": as_html, ".md": as_markdown, ".svg": as_svg}
_WIDTH = 20
_LOOKS = {
    Level.LOW: "black on green3",
    Level.MEDIUM: "black on gold1",
    Level.HIGH: "black on dark_orange",
    Level.CRITICAL: "white on red3",
}


class OutNotWritten(CrossfadeError):
    """--out names something that cannot be written."""

    remedy = "Name a file ending with .html, .md or .svg in a folder where you may write."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} {why}")


def risks(
    file: Annotated[Path, typer.Argument(metavar="MIGRATION", help="The migration file.")],
    inventory: Annotated[
        list[Path] | None, typer.Option("--inventory", metavar="SOURCE", help="An export of the data center.")
    ] = None,
    register: Annotated[
        Path | None,
        typer.Option("--register", metavar="FILE", help="What people add, close and override, as YAML."),
    ] = None,
    out: Annotated[
        list[Path] | None, typer.Option("--out", metavar="FILE", help="Also write it, as .html, .md or .svg.")
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

    Exit code 0: told, whatever the risks are; 2: a bad file, or a place where nothing can be written.

    Example: crossfade risks examples/ledger/migration.yaml --register examples/risks/register.yaml
    """
    for path in out or ():
        if path.suffix.lower() not in _WRITERS:
            complain(OutNotWritten(path, "has an ending that is not known"))
            raise typer.Exit(Exit.BAD_INPUT)
    migration = sound(file)
    said = _register(register, migration)
    tree = read_tree(file.read_text(encoding="utf-8"), file.name)
    seen = Seen(file=migration, inventory=_inventory(inventory), on=on or datetime.now(UTC).astimezone().date())
    found = assemble(seen, tree, file.name, said)
    _tell(found)
    for path in out or ():
        _write(found, path)
    if json:
        answer(as_json(found))


def _register(path: Path | None, migration: MigrationFile) -> RegisterFile:
    if path is None:
        return RegisterFile(version=1)
    text = text_of(path)
    found = text if isinstance(text, tuple) else read_register(text, path.name, migration)
    if isinstance(found, tuple):
        complain_of(found, path)
        raise typer.Exit(Exit.BAD_INPUT)
    return found


def _inventory(sources: list[Path] | None) -> Inventory | None:
    """What the sources tell. One of which nothing at all can be used ends the command with 2."""
    if not sources:
        return None
    found = read_inventory(sources)
    if not any(account.format for account in found.accounts):
        for problem in found.problems:
            line = Text.assemble((problem.source, "bold"), "  ", (problem.problem, "red"), f" — {problem.remedy}")
            people.print(line, soft_wrap=True)
        raise typer.Exit(Exit.BAD_INPUT)
    return found


def _write(found: Register, path: Path) -> None:
    try:
        replace(path, _WRITERS[path.suffix.lower()](found).encode())
    except OSError as refusal:
        complain(OutNotWritten(path, f"cannot be written: {refusal.strerror or refusal}"))
        raise typer.Exit(Exit.BAD_INPUT) from refusal
    people.print(Text.assemble(("✓ ", "green"), str(path)), soft_wrap=True)


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
