"""`crossfade waves`: who moves when, under wishes that all hold, with a reason for each."""

import json as json_text
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.migration_file import complain_of
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.model.errors import CrossfadeError
from crossfade.model.file.tree import MAX_BYTES
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.waves import Contradictory, Plan, Problem, plan_waves
from crossfade.planning.waves.as_json import as_json
from crossfade.planning.waves.reading import read_problem

_SHOWN = 50  # lines for people; --json has them all
_ITEMS = 6


class FileUnusable(CrossfadeError):
    """A file that cannot be read, or is not what it should be."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.path, self.problem, self.remedy = path, problem, remedy
        super().__init__(f"{path} {problem}")


def waves(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What moves, what talks and what is wished; YAML.")],
    previous: Annotated[
        Path | None,
        typer.Option("--previous", metavar="FILE", help="A former answer of --json: as little as possible moves."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Plan waves: what moves together, when, and why, so that least traffic crosses the link between two waves.

    Every wish of the file holds: limits of waves and teams, change windows, dates, order, a pilot, what moves together
    or apart. Then least traffic is cut, waves are few, and least risk comes early. Beside what the plan cuts stands
    what no plan can cut less than. The same file gives the same plan.

    Exit code 0: planned; 10: the wishes contradict each other, and the fewest that do are named; 1: neither a plan nor
    a contradiction was found; 2: a faulty file.

    Example: crossfade waves examples/waves/waves.yaml
    """
    problem = _read(file)
    before = _previous(previous) if previous else None
    try:
        plan = plan_waves(problem, before)
    except Contradictory as found:
        tell_contradiction(found)
        if json:
            wishes = [{"wish": wish.says, "place": wish.place} for wish in found.wishes]
            answer({"contradiction": wishes, "minimal": found.minimal})
        raise typer.Exit(Exit.ENDED_OTHERWISE) from None
    _tell(plan)
    if json:
        answer(as_json(plan))


def _read(path: Path) -> Problem:
    found = read_problem(_text(path), path.name)
    if isinstance(found, Problem):
        return found
    complain_of(found, path)
    raise typer.Exit(Exit.BAD_INPUT)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            _stop(path, "is larger than 1 MB", "Plan in parts that do not talk, or by crossfade.planning.waves.")
        return content.decode()
    except UnicodeDecodeError:
        _stop(path, "is not UTF-8 text", "Save it as UTF-8.")
    except (OSError, ValueError) as refusal:  # ValueError: a null character in the path
        why = getattr(refusal, "strerror", None) or str(refusal)
        _stop(path, f"cannot be read: {why}", "Check the path and its permissions.")


def _previous(path: Path) -> dict[str, date]:
    """The day of each item in a former answer of --json; only its last line counts, as it stands in a log."""
    lines = _text(path).strip().splitlines()
    try:
        told: Any = json_text.loads(lines[-1] if lines else "")
        return {str(each["item"]): date.fromisoformat(each["date"]) for each in told["placements"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        _stop(path, "is no plan", "Name a file with what `crossfade waves --json` answered.")


def _stop(path: Path, problem: str, remedy: str) -> NoReturn:
    complain(FileUnusable(path, problem, remedy))
    raise typer.Exit(Exit.BAD_INPUT)


def tell_contradiction(found: Contradictory) -> None:
    """The fewest wishes that contradict each other, each with its place."""
    people.print(Text.assemble(("✗ ", "bold red"), "no plan can hold all of this:"), soft_wrap=True)
    for wish in found.wishes:
        place = f"{visible(wish.place)}  " if wish.place else ""
        people.print(Text.assemble("  ", (place, "bold"), visible(wish.says)), soft_wrap=True)
    people.print(Text.assemble(("  → ", "dim"), found.remedy), soft_wrap=True)


def _tell(plan: Plan) -> None:
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(("wave", "date", "servers", "GB", "risk", "items")):
        table.add_column(heading, justify="right" if place in {0, 2, 3, 4} else "left", overflow="fold")
    for wave in plan.waves:
        names = [visible(name) for name in wave.items[:_ITEMS]]
        more = [f"and {len(wave.items) - _ITEMS:,} more"] if len(wave.items) > _ITEMS else []
        numbers = (f"{wave.servers:,}", f"{wave.size_bytes / 10**9:,.0f}", f"{wave.risk:.2f}")
        table.add_row(str(wave.number), str(wave.day), *numbers, Text(", ".join([*names, *more])))
    people.print(table)
    _some(
        [Text.assemble((visible(p.item), "bold"), f"  wave {p.wave}: {visible(p.reason)}") for p in plan.placements],
        "reasons",
    )
    _some(
        [
            Text.assemble(
                (visible(each.item), "bold"),
                f"  {each.before or 'nowhere'} → {each.after or 'nowhere'}: {visible(each.reason)}",
            )
            for each in plan.moved
        ],
        "that moved",
    )
    least = f"no plan cuts less than {plan.least_cut:,}"
    people.print(
        f"✓ {len(plan.waves):,} waves; between them traffic of {plan.cut:,} of {plan.traffic:,}; {least}, so at most"
        f" {plan.gap_percent:.0f} % of it could be spared",
        soft_wrap=True,
    )


def _some(lines: list[Text], what: str) -> None:
    for line in lines[:_SHOWN]:
        people.print(line, soft_wrap=True)
    if len(lines) > _SHOWN:
        people.print(f"… and {len(lines) - _SHOWN:,} more {what}; --json lists them all")
