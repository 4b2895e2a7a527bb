"""`crossfade decide`: options weighed by factors, and what would turn the result."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.migration_file import complain_of, text_of
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.records import complain_of_records, listed
from crossfade.model.errors import CrossfadeError
from crossfade.model.file import Fault, load
from crossfade.model.file.fault import dotted
from crossfade.model.file.tree import read_tree
from crossfade.planning.decisions.approaches import matrix_of
from crossfade.planning.decisions.drafting import Circumstances, draft, said, turned
from crossfade.planning.decisions.keeping import keep
from crossfade.planning.decisions.matrix import Matrix, dominated, leaders, ranking
from crossfade.planning.decisions.matrix_file import read_decision
from crossfade.planning.decisions.sensitivity import shift_turns, tie_breakers, weight_turns


def day(text: str) -> date:
    """An option's value as a date. Raises `typer.BadParameter`."""
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise typer.BadParameter("write year, month and day, such as 2027-01-11") from exc


def decide(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A decision file, or a migration file.")],
    record: Annotated[bool, typer.Option("--record", help="Also write a proposed record of it.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where records lie; by default decisions, beside FILE."),
    ] = None,
    supersedes: Annotated[
        list[int] | None, typer.Option("--supersedes", metavar="NUMBER", help="A record that the new one replaces.")
    ] = None,
    on: Annotated[
        date | None, typer.Option("--on", parser=day, metavar="DATE", help="Date of the record; today by default.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Weigh options by factors, rank them, and tell which change of a weight would turn the result.

    A decision file has factors with weights, and options with a score and a reason for each factor. Of a migration
    file, `planning.decision` is taken; without options there, incremental, rewrite and lift and shift are weighed.
    What would turn the result is found by algebra, to the exact weight. A record is plain Markdown, to be edited.

    Exit code 0: one option leads; 10: a tie; 2: a bad file, or faulty records.

    Example: crossfade decide examples/decision/approach.yaml
    """
    matrix, around, place = _read(file)
    _tell(matrix)
    written: Path | None = None
    if record:
        around = _superseding(around, tuple(supersedes or ()))
        written = _recorded(matrix, around, folder or place, on or datetime.now(UTC).astimezone().date())
        people.print(Text.assemble(("✓ ", "green"), f"proposed: {written}"), soft_wrap=True)
    elif supersedes:
        _stop("--supersedes needs --record", "Add --record, so that there is a record that supersedes it.")
    if json:
        answer(as_json(matrix) | {"record": str(written) if written else None})
    if len(leaders(matrix)) > 1:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def as_json(matrix: Matrix) -> dict[str, object]:
    """The ranking and what would turn it. Numbers are rounded to doubles; `exact` holds them as fractions."""
    return {
        "title": matrix.title,
        "options": [
            {"name": one.option, "place": one.place, "score": float(one.score), "exact": str(one.score)}
            for one in ranking(matrix)
        ],
        "leaders": leaders(matrix),
        "turns": [
            {**_numbers(asdict(turn)), "exact": str(turn.at), "beyond": turn.beyond} for turn in weight_turns(matrix)
        ],
        "shifts": [{**_numbers(asdict(turn)), "exact": str(turn.amount)} for turn in shift_turns(matrix)],
        "tie_breakers": tie_breakers(matrix),
        "dominated": [{"option": option, "by": better} for option, better in dominated(matrix)],
    }


def _numbers(told: dict[str, object]) -> dict[str, object]:
    return {name: float(value) if isinstance(value, Fraction) else value for name, value in told.items()}


def _read(path: Path) -> tuple[Matrix, Circumstances, Path]:
    """Matrix, what a record says beside, and where records lie; faults are told and end the command with 2."""
    text = text_of(path)
    if isinstance(text, tuple):
        _refuse(text, path)
    data = read_tree(text, path.name).data
    if isinstance(data, dict) and "migration" in data:
        return _of_migration(text, path)
    found = read_decision(text, path.name)
    if isinstance(found, tuple):
        _refuse(found, path)
    around = Circumstances(
        context=found.context,
        deciders=found.deciders,
        success_criteria=found.success_criteria,
        review=found.review,
    )
    return found.matrix(), around, path.parent / "decisions"


def _of_migration(text: str, path: Path) -> tuple[Matrix, Circumstances, Path]:
    found = load(text, path.name)
    if isinstance(found, tuple):
        _refuse(found, path)
    matrix = matrix_of(found.planning.decision)
    if isinstance(matrix, tuple):
        tree = read_tree(text, path.name)
        places = [(finding, finding.places[0], tree.place(finding.places[0])) for finding in matrix]
        _refuse(
            tuple(
                Fault(line=at.line, column=at.column, path=dotted(way), problem=one.problem, remedy=one.remedy)
                for one, way, at in places
            ),
            path,
        )
    around = Circumstances(context=found.migration.description, success_criteria=found.planning.success_criteria)
    return matrix, around, path.parent / found.planning.decision.records


def _superseding(around: Circumstances, numbers: tuple[int, ...]) -> Circumstances:
    return Circumstances(
        context=around.context,
        deciders=around.deciders,
        success_criteria=around.success_criteria,
        review=around.review,
        supersedes=tuple(dict.fromkeys(numbers)),
    )


def _recorded(matrix: Matrix, around: Circumstances, folder: Path, on: date) -> Path:
    found = listed(folder, may_be_missing=True)
    if found.faults:
        complain_of_records(found, folder)
        _stop("no record was written beside faulty ones", "Correct what is named above, then do the same again.")
    try:
        return keep(folder, found, draft(matrix, found.next_number, on, around))
    except CrossfadeError as fault:
        complain(fault)
        raise typer.Exit(Exit.BAD_INPUT) from fault


def _tell(matrix: Matrix) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("factor", overflow="fold")
    table.add_column("weight", justify="right")
    for option in matrix.options:
        table.add_column(Text(option.name), justify="right", overflow="fold")
    for factor in matrix.factors:
        scores = (said(option.scores[factor.name].value) for option in matrix.options)
        table.add_row(Text(factor.name), said(factor.weight), *scores)
    standings = {one.option: one for one in ranking(matrix)}
    first = leaders(matrix)
    bold: Callable[[str], str] = lambda name: "bold green" if name in first else "bold"  # noqa: E731  # read once
    totals = [Text(said(standings[o.name].score), style=bold(o.name)) for o in matrix.options]
    table.add_row(Text("score", style="bold"), said(matrix.total_weight), *totals)
    people.print(table)
    if len(first) > 1:
        people.print(Text.assemble(("! ", "yellow"), f"a tie between {', '.join(first)}"), soft_wrap=True)
    else:
        people.print(Text.assemble(("✓ ", "green"), f"{first[0]} leads"), soft_wrap=True)
    for line in turned(matrix):
        people.print(Text(f"  {line.removeprefix('- ')}"), soft_wrap=True)
    for worse, better in dominated(matrix):
        people.print(
            Text(f"  {worse} is never the best: {better} is at least as good by every factor."), soft_wrap=True
        )


def _refuse(faults: tuple[Fault, ...], path: Path) -> NoReturn:
    complain_of(faults, path)
    raise typer.Exit(Exit.BAD_INPUT)


def _stop(problem: str, remedy: str) -> NoReturn:
    people.print(Text.assemble(("✗ ", "bold red"), problem), soft_wrap=True)
    people.print(Text.assemble(("  → ", "dim"), remedy), soft_wrap=True)
    raise typer.Exit(Exit.BAD_INPUT)
