"""`crossfade map`: which servers are one application, what they share, who needs whom; as text and drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.sources import OutNotWritten, code_of, read_sources, refuse_what_is_there, write_out
from crossfade.planning.applications import ApplicationMap, find_applications
from crossfade.planning.applications.as_json import as_json
from crossfade.planning.dependency_map import Picture, as_mermaid, as_page, as_svg, picture_of
from crossfade.planning.inventory import Inventory
from crossfade.planning.inventory.cells import text as visible

_SHOWN = 40  # rows for people; --json and the page have them all
_ENDINGS = (".html", ".svg", ".mmd")


def map_(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE…", help="Exports: files, folders, ZIP archives.")],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", metavar="FILE", help="Draw it: .html, .svg or .mmd (Mermaid); may be repeated; must not exist."
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What stands above the page.")] = "Dependency map",
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Find applications in an inventory, shared services, and ends that no source describes; draw who needs whom.

    Each server has its application with the reason and how sure it is: told by a record or a tag, likely or possible
    by name and traffic, or unknown. The page stands for itself, with search and filters; SVG and Mermaid show the
    largest applications and the heaviest flows, and tell what they leave out.

    Exit code 0: every row of the sources was understood; 10: some were not, the map is of the rest; 2: a source could
    not be used at all.

    Example: crossfade map exports/ --out map.html --out map.svg
    """
    wanted = out or []
    _refuse_other_endings(wanted)
    refuse_what_is_there(wanted)
    inventory = read_sources(sources)
    found = find_applications(inventory)
    _tell(found)
    if wanted:
        _draw(wanted, found, inventory, title)
    code = code_of(inventory, sources)
    if inventory.problems:
        said = f"{len(inventory.problems):,} rows or columns were not understood; `crossfade inventory` tells them"
        people.print(Text.assemble(("! ", "yellow"), said), soft_wrap=True)
    if json:
        answer(as_json(found) | {"problems": len(inventory.problems), "drawn": [str(path) for path in wanted]})
    if code:
        raise typer.Exit(code)


def _refuse_other_endings(paths: list[Path]) -> None:
    wrong = [path for path in paths if path.suffix not in _ENDINGS]
    for path in wrong:
        complain(OutNotWritten(path, "has no ending that is known", f"Name a file that ends in {', '.join(_ENDINGS)}."))
    if wrong:
        raise typer.Exit(Exit.BAD_INPUT)


def _draw(paths: list[Path], found: ApplicationMap, inventory: Inventory, title: str) -> None:
    drawn: dict[str, Callable[[Picture], str]] = {
        ".html": lambda picture: as_page(picture, found, title=title),
        ".svg": as_svg,
        ".mmd": as_mermaid,
    }
    picture = picture_of(found, inventory)
    for path in paths:
        write_out(path, drawn[path.suffix](picture).encode())
        people.print(Text.assemble(("✓ ", "green"), f"drawn in {path}"), soft_wrap=True)


def _tell(found: ApplicationMap) -> None:
    if found.applications:
        people.print(_applications(found))
        left = len(found.applications) - _SHOWN
        if left > 0:
            people.print(f"… and {left:,} more applications; --json and --out have them all")
    for service in found.services[:_SHOWN]:
        roles = "; ".join(f"{role.role} ({role.certainty}): {role.reason}" for role in service.roles)
        people.print(Text.assemble((visible(service.server), "bold"), " is shared, ", visible(roles)), soft_wrap=True)
    for note in found.notes:
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)
    people.print(
        f"{len(found.applications):,} applications, shared servers: {len(found.services):,}, flows between "
        f"applications: {len(found.between_applications):,}, ends outside: {len(found.unknown_ends):,}",
        soft_wrap=True,
    )


def _applications(found: ApplicationMap) -> Table:
    """The largest first: those are what people look for."""
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("application", "left"), ("servers", "right"), ("sure", "left"), ("known", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left", overflow="fold")
    by_size = sorted(found.applications, key=lambda application: (-len(application.members), application.name))
    for application in by_size[:_SHOWN]:
        count = f"{len(application.members):,}"
        table.add_row(Text(visible(application.name)), count, str(application.certainty), Text(application.reason))
    return table
