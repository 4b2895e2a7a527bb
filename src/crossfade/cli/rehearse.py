"""`crossfade rehearse`, `crossfade resume` and `crossfade again`: a whole migration on this computer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from crossfade.bootstrap import rehearsal_as_left
from crossfade.cli.migration_file import sound
from crossfade.cli.output import Exit, answer, people
from crossfade.cli.summary import summarize
from crossfade.cli.views import view
from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.file import MigrationFile
from crossfade.model.file.built import not_built
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Outcome, Phase
from crossfade.rehearsal.conductor import Conductor, Watcher, read_all
from crossfade.rehearsal.faults.grammar import Fault, FaultsInvalid, parse_faults
from crossfade.rehearsal.faults.injector import needs_wan
from crossfade.rehearsal.interruption import Interrupted, interrupted_once
from crossfade.rehearsal.layout import Layout, home, lay_out, new_id, read_layout, rehearsed_servers, take_along
from crossfade.rehearsal.lock import one_at_a_time
from crossfade.rehearsal.prerequisites import require, require_ports
from crossfade.rehearsal.result import Result, bring_home
from crossfade.rehearsal.room import LEAST_LEFT, needed_bytes, used_bytes
from crossfade.runbook.again import NotAsLeft, earlier

Reports = Annotated[Path, typer.Option("--report", metavar="DIR", help="Where report and journal are put at the end.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]


def rehearse(  # noqa: PLR0913, PLR0917 - each is an option of the command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    speed: Annotated[float, typer.Option(min=0.1, max=100.0, help="Waits are divided by this.")] = 1.0,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND[=AMOUNT]@WHERE", help="See `crossfade faults`.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For the users' choices; default: the file's.")] = None,
    cut_over_again: Annotated[
        bool,
        typer.Option("--again", help="If it fails back, go on with a later cutover, without the faults."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="If it fails back, keep it for `crossfade again`.")] = False,
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
    if not described.shadow.enabled and (named := [one.text for one in faults if one.kind.phases == (Phase.SHADOW,)]):
        told = f"{', '.join(named)}: nothing is mirrored. Set shadow.enabled: true in {file}"
        raise typer.BadParameter(told, param_hint="--fault")
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
    if keep or cut_over_again:
        layout.keep()
    course = Course(faults=tuple(faults), again=cut_over_again)
    _conduct(layout, described, course, report, json=json)


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
    _require_room(layout, file, report)
    _conduct(layout, file, Course(), report, json=json)


def again(
    migration: Annotated[
        str, typer.Argument(metavar="ID", help="The id of a rehearsal that failed back and was kept.")
    ],
    report: Reports = Path("reports"),
    json: AsJson = False,
) -> None:
    """Begin a later cutover on the databases of a rehearsal that failed back, without a new full load.

    Refused when it did not end failed back, when its journal does not hold, when one has begun already, and when the
    databases are not as the fail back left them. The file is the one that lies in the rehearsal's folder.

    Example: crossfade again ledger-3f2a
    """
    layout = read_layout(migration)
    file = sound(layout.file)
    SqliteJournal(layout.journal, must_exist=True, read_only=True)
    earlier(read_all(layout.journals))
    _require_room(layout, file, report)
    _conduct(layout, file, Course(at_once=True), report, json=json)


def _require_room(layout: Layout, file: MigrationFile, reports: Path) -> None:
    room = max(needed_bytes(file.rehearsal.rows) - used_bytes(layout.root), 2 * LEAST_LEFT)
    require(reports, layout.root, room)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a rehearsal shall go. `again`: over a fail back to a later cutover; `at_once`: to begin with that."""

    faults: tuple[Fault, ...] = ()
    again: bool = False
    at_once: bool = False


def _conduct(layout: Layout, file: MigrationFile, course: Course, reports: Path, *, json: bool) -> None:
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
        conductor = Conductor(layout, file, plan, course.faults)
        try:
            try:
                result = _carry_out(conductor, file, course, reports)
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
        kept = layout.is_kept and result.outcome is Outcome.FAILED_BACK
        if not kept:
            conductor.discard()
        summarize(result)
        if kept:
            people.print(f"\nA later cutover, without a new full load:  crossfade again {layout.migration}")
            people.print(f"[dim]or forget it:  rm -r {layout.root}[/]", soft_wrap=True)
        if json:
            answer(result.as_json())
    if result.violations:
        raise typer.Exit(Exit.FAILED)
    if result.outcome is not Outcome.COMPLETED:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _carry_out(conductor: Conductor, file: MigrationFile, course: Course, reports: Path) -> Result:
    conductor.start(lambda words: people.print(f"  starting {words} …"))
    as_left = rehearsal_as_left(conductor.layout, file)
    if course.at_once:
        conductor.begin_again(as_left)
    seen = view()
    try:
        watcher = Watcher(tell=seen.tell, show=seen.show)
        conducted = conductor.run(watcher)
        if course.again and conducted.outcome is Outcome.FAILED_BACK:
            conductor.begin_again(as_left)
            conducted = conductor.run(watcher)
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
    if isinstance(why, NotAsLeft):
        people.print(f"\nEverything that was started has ended, and no later cutover was begun: {layout.root} stays.")
        return
    people.print(
        f"\nEverything that was started has ended; nothing is lost. Go on:  crossfade resume {layout.migration}"
    )
    people.print(f"[dim]or forget it:  rm -r {layout.root}[/]", soft_wrap=True)
