"""`crossfade readiness`: how ready each application is to be moved, by stated factors."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.migration_file import sound
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.sources import code_of, read_sources
from crossfade.model.errors import CrossfadeError
from crossfade.model.file.planning import ReadinessFactor
from crossfade.planning.applications import find_applications
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.readiness import DEFAULT_WEIGHTS, Readiness, readiness_of
from crossfade.planning.readiness.as_json import as_json
from crossfade.planning.readiness.records import Level
from crossfade.planning.readiness.support import support_table

_SHOWN = 60  # rows for people; --json has them all
_COLOURS = {Level.READY: "green", Level.SOME_WORK: "yellow", Level.MUCH_WORK: "red", Level.UNKNOWN: "dim"}


class ApplicationNotFound(CrossfadeError):
    """--application names what the inventory does not have."""

    remedy = "Name an application as `crossfade map` shows it."

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no application {visible(name)}")


def readiness(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE…", help="Exports: files, folders, ZIP archives.")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="FILE", help="A migration file: its planning.readiness_weights and planning.out_of_scope."
        ),
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="The day for which support is asked; today by itself."),
    ] = None,
    application: Annotated[
        list[str] | None,
        typer.Option("--application", metavar="NAME", help="Show each factor of it; may be repeated."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Score how ready each application is to be moved, from 0 to 100, with each factor's value, points and reason.

    Support of operating systems and databases, engine, size, churn, dependencies on what stays, licences, fixed
    addresses, owner. What no source tells counts neither for nor against: the score is of what is known, how much
    that is stands beside it, and so does the range that the rest leaves open.

    Exit code 0: every row of the sources was understood; 10: some were not; 2: a source or the file could not be used.

    Example: crossfade readiness exports/ --application Shop
    """
    planning = sound(file).planning if file is not None else None
    weights = dict(DEFAULT_WEIGHTS)
    if planning is not None:
        weights |= {ReadinessFactor(name): weight for name, weight in planning.readiness_weights.items()}
    day = (on or datetime.now(UTC)).date()
    inventory = read_sources(sources)
    scope = frozenset(planning.out_of_scope) if planning is not None else frozenset[str]()
    found = readiness_of(inventory, find_applications(inventory), on=day, weights=weights, out_of_scope=scope)
    wanted = {name.casefold(): name for name in application or []}
    missing = wanted.keys() - {each.application.casefold() for each in found}
    for name in sorted(missing):
        complain(ApplicationNotFound(wanted[name]))
    chosen = [each for each in found if not wanted or each.application.casefold() in wanted]
    _tell(chosen, day)
    if wanted:
        for each in chosen:
            people.print(_factors(each))
    if json:
        shown = {str(factor): weight for factor, weight in weights.items()}
        answer({"on": str(day), "weights": shown, "applications": as_json(chosen), "problems": len(inventory.problems)})
    if code := Exit.BAD_INPUT if missing else code_of(inventory, sources):
        raise typer.Exit(code)


def _tell(found: Sequence[Readiness], day: date) -> None:
    """The hardest first, what is not known last."""
    order = [Level.MUCH_WORK, Level.SOME_WORK, Level.READY, Level.UNKNOWN]
    ranked = sorted(found, key=lambda each: (order.index(each.level), each.score or 0.0, each.application))
    if ranked:
        people.print(_table(ranked[:_SHOWN]))
    if len(ranked) > _SHOWN:
        people.print(f"… and {len(ranked) - _SHOWN:,} more; --json has them all")
    counts = [f"{sum(each.level is level for each in found):,} {level}" for level in order]
    as_of = support_table().as_of
    people.print(f"{len(found):,} applications: {', '.join(counts)}", soft_wrap=True)
    people.print(
        f"support as of {day}, by a table of {as_of}; look at the vendors' pages in it before you rely on a date",
        soft_wrap=True,
    )


def _table(ranked: Sequence[Readiness]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("application", overflow="fold")
    for heading in ("score", "range", "known"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("most in the way", overflow="fold")
    for each in ranked:
        score = "–" if each.score is None else f"{each.score:.0f}"
        between, known = f"{each.lowest:.0f}–{each.highest:.0f}", f"{each.known_percent:.0f} %"
        level = Text(str(each.level), style=_COLOURS[each.level])
        table.add_row(Text(visible(each.application)), score, between, known, level, Text(_worst(each)))
    return table


def _worst(found: Readiness) -> str:
    """The factor that costs most of what is known."""
    costs = [
        (each.weight * each.finding.known * (100 - each.finding.points), each)
        for each in found.factors
        if each.finding.points is not None
    ]
    cost, worst = max(costs, key=lambda item: item[0], default=(0.0, None))
    return f"{worst.factor}: {visible(worst.finding.value)}" if worst is not None and cost else ""


def _factors(found: Readiness) -> Table:
    table = Table(box=None, pad_edge=False, title=visible(found.application), title_justify="left")
    table.add_column("factor", no_wrap=True)
    for heading in ("weight", "points", "known"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("value", "to do"):
        table.add_column(heading, overflow="fold")
    for each in found.factors:
        finding = each.finding
        points = "–" if finding.points is None else f"{finding.points:.0f}"
        known = f"{100 * finding.known:.0f} %"
        value = Text(visible(finding.value))
        table.add_row(str(each.factor), f"{each.weight:g}", points, known, value, Text(finding.remedy))
    return table
