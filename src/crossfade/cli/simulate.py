"""`crossfade simulate`: thousands of migrations in virtual time, each with faults of its own."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crossfade.cli.output import Exit, answer, people
from crossfade.model.errors import CrossfadeError

if TYPE_CHECKING:
    from crossfade.simulation.many import Tally
    from crossfade.simulation.shrink import Shown


class ExtraMissing(CrossfadeError):
    """A command was called whose packages are not installed."""

    def __init__(self, extra: str) -> None:
        self.extra = extra
        self.remedy = f"Install them: pip install 'crossfade[{extra}]', or `make setup` in a checkout."
        super().__init__(f"the packages of the extra `{extra}` are not installed")


def simulate(
    runs: Annotated[int, typer.Option(min=1, help="How many migrations.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="What all of them are drawn from.")] = 1,
    replay: Annotated[int | None, typer.Option(metavar="SEED", help="Show what happens in one run instead.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Carry out migrations in virtual time with faults at drawn places, and check every rule after every event.

    Exit code 0: no rule was broken; 10: one was. Each violation names its own seed, which --replay shows.

    Example: crossfade simulate --runs 1000 --seed 1
    """
    if find_spec("greenlet") is None:
        raise ExtraMissing("simulation")
    if replay is not None:
        _replay(replay, json=json)
        return
    tally = _all(seed, runs)
    _tell(tally)
    if json:
        answer(tally.as_json())
    if tally.violated:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _all(seed: int, runs: int) -> "Tally":
    from crossfade.simulation.many import simulate as carry_out  # noqa: PLC0415 - needs the extra

    columns = (TextColumn("  simulated"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=people, transient=True, disable=not people.is_terminal) as bar:
        task = bar.add_task("runs", total=runs)
        return carry_out(seed, runs, progress=lambda done: bar.update(task, completed=done))


def _tell(tally: "Tally") -> None:
    mark = "[bold red]✗[/]" if tally.violated else "[green]✓[/]"
    people.print(
        f"{mark} {tally.runs:,} migrations, {tally.events:,} events, {sum(tally.faults.values()):,} faults,"
        f" {tally.crashes:,} crashes, {tally.writes:,} acknowledged writes:"
        f" {tally.violated or 'no'} violation{'' if tally.violated == 1 else 's'}"
        f"  [dim]({tally.runs / max(tally.seconds, 1e-9) * 60:,.0f} runs a minute)[/]"
    )
    ends = ", ".join(f"{number:,} {outcome.replace('_', ' ')}" for outcome, number in sorted(tally.outcomes.items()))
    people.print(f"  ended: {ends}")
    for shown in tally.violations:
        _show(shown)


def _show(shown: "Shown") -> None:
    people.print(f"\n[bold red]seed {shown.seed}[/]: {shown.violation.rule}", soft_wrap=True)
    people.print(f"  {shown.violation.what}", soft_wrap=True, markup=False)
    for fault in shown.faults:
        people.print(f"  fault: {fault}", soft_wrap=True, markup=False)
    for happening in shown.happenings:
        people.print(f"  {happening}", soft_wrap=True, markup=False)


def _replay(seed: int, *, json: bool) -> None:
    from crossfade.simulation.run import run  # noqa: PLC0415 - needs the extra

    result = run(seed, keep=True)
    for happening in result.happenings:
        people.print(str(happening), soft_wrap=True, markup=False)
    outcome = result.outcome.value if result.outcome else "none"
    people.print(f"\n{outcome.replace('_', ' ')} after {result.seconds:.1f} s, {result.writes} acknowledged writes")
    if json:
        violations = [{"rule": v.rule, "what": v.what, "at_seconds": round(v.at, 3)} for v in result.violations]
        answer({"seed": seed, "outcome": outcome, "digest": result.digest, "violations": violations})
    if result.violations:
        raise typer.Exit(Exit.ENDED_OTHERWISE)
