"""`crossfade rehearse` and `crossfade resume`: a whole migration on this computer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from crossfade.cli.migration_file import sound
from crossfade.cli.output import Exit, answer, people
from crossfade.cli.summary import summarize
from crossfade.cli.views import view
from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.file import MigrationFile
from crossfade.model.file.built import not_built
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Outcome
from crossfade.rehearsal.conductor import Conductor, Watcher
from crossfade.rehearsal.faults.grammar import Fault, FaultsInvalid, parse_faults
from crossfade.rehearsal.faults.injector import needs_wan
from crossfade.rehearsal.interruption import Interrupted, interrupted_once
from crossfade.rehearsal.layout import Layout, home, lay_out, new_id, read_layout, rehearsed_servers, take_along
from crossfade.rehearsal.lock import one_at_a_time
from crossfade.rehearsal.prerequisites import require, require_ports
from crossfade.rehearsal.result import Result, bring_home
from crossfade.rehearsal.room import LEAST_LEFT, needed_bytes, used_bytes

Reports = Annotated[Path, typer.Option("--report", metavar="DIR", help="Where report and journal are put at the end.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]


def rehearse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    speed: Annotated[float, typer.Option(min=0.1, max=100.0, help="Waits are divided by this.")] = 1.0,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND[=AMOUNT]@WHERE", help="See `crossfade faults`.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For the users' choices; default: the file's.")] = None,
    report: Reports = Path("reports"),
    json: AsJson = False,
) -> None:
    """Move the application of FILE to its twin on this computer, with real parts, and prove that nothing was lost.

    Exit code 0: completed; 10: ended safely but not as asked (rolled back, failed back, halted).

    Example: crossfade rehearse examples/ledger/migration.yaml --fault canary-latency=20%@canary:5
    """
    described = sound(file)
    try:
        faults = parse_faults(fault or [], [step.percent for step in described.traffic.steps()])
    except FaultsInvalid as invalid:
        raise typer.BadParameter(f"{invalid}. {invalid.remedy}", param_hint="--fault") from invalid
    require(report, home(), needed_bytes(described.rehearsal.rows))
    layout = lay_out(
        new_id(described.migration.name),
        rehearsed_servers(described),
        through_wan=described.rehearsal.wan_round_trip.total_seconds() > 0 or needs_wan(faults),
        speed=speed,
        seed=described.rehearsal.seed if seed is None else seed,
        wanted=described.rehearsal.ports,
    )
    take_along(layout, file)
    _conduct(layout, described, faults, report, json=json)


def resume(
    migration: Annotated[str, typer.Argument(metavar="ID", help="The migration's id; `crossfade status` lists them.")],
    report: Reports = Path("reports"),
    json: AsJson = False,
) -> None:
    """Go on with a rehearsal that was interrupted, where its journal and its databases say it stopped.

    Example: crossfade resume ledger-3f2a
    """
    layout = read_layout(migration)
    file = sound(layout.file)
    SqliteJournal(layout.journal, must_exist=True, read_only=True).read()  # one that does not hold is found before all
    room = max(needed_bytes(file.rehearsal.rows) - used_bytes(layout.root), 2 * LEAST_LEFT)
    require(report, layout.root, room)
    _conduct(layout, file, (), report, json=json)


def _conduct(layout: Layout, file: MigrationFile, faults: Sequence[Fault], reports: Path, *, json: bool) -> None:
    """Run it to its end, whatever that is; leave nothing running."""
    people.print(
        f"[bold]{layout.migration}[/]  from {file.source.name} to {file.environment.region}, all on this computer"
    )
    unused = len(not_built(file))
    if unused:
        people.print(f"[dim]not used by a rehearsal: {unused} of the file's keys; `crossfade check` lists them[/]")
    plan = plan_for_rehearsal(file, layout.migration, layout.speed, through_wan=layout.through_wan)
    with interrupted_once() as begin_to_end, one_at_a_time(layout):
        require_ports(layout)
        conductor = Conductor(layout, file, plan, faults)
        try:
            try:
                result = _carry_out(conductor, reports)
            finally:
                begin_to_end()
        except BaseException as why:
            begin_to_end()  # a signal may have come just before the first of the two took effect
            if isinstance(why, Interrupted | KeyboardInterrupt):
                people.print("\n  ending what was started …")
            conductor.close()
            _say_how_to_go_on(layout, why)
            raise
        conductor.close()
        conductor.discard()
        summarize(result)
        if json:
            answer(result.as_json())
    if result.violations:
        raise typer.Exit(Exit.FAILED)
    if result.outcome is not Outcome.COMPLETED:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _carry_out(conductor: Conductor, reports: Path) -> Result:
    conductor.start(lambda words: people.print(f"  starting {words} …"))
    seen = view()
    try:
        conducted = conductor.run(Watcher(tell=seen.tell, show=seen.show))
    finally:
        seen.close()
    for words in conducted.not_struck:
        people.print(f"  [yellow]not brought about[/] {escape(words)}")
    people.print("  counting what the users were promised …")
    return bring_home(conductor, conducted, reports)


def _say_how_to_go_on(layout: Layout, why: BaseException) -> None:
    if isinstance(why, JournalDamaged):  # nobody may go on with it
        people.print(f"\nEverything that was started has ended; {layout.root} is as it was, for you to look into.")
        return
    people.print(
        f"\nEverything that was started has ended; nothing is lost. Go on:  crossfade resume {layout.migration}"
    )
    people.print(f"[dim]or forget it:  rm -r {layout.root}[/]", soft_wrap=True)
