"""`crossfade plan`: from an inventory and a migration file to waves, a schedule, risks and files that people keep."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.decide import day
from crossfade.cli.migration_file import complain_of, place_of, sound
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.plan_folder import FolderNotAPlan, Outcome, read_folder, write_folder
from crossfade.cli.plan_records import decided, decision_files, tell_decided
from crossfade.cli.plan_report import playbook_files, prices_of, report_files
from crossfade.cli.register_file import told_register
from crossfade.cli.sources import code_of, read_or_stop
from crossfade.cli.waves import tell_contradiction
from crossfade.model.errors import CrossfadeError
from crossfade.model.file import MigrationFile
from crossfade.model.file.tree import read_tree
from crossfade.planning.executive import Given as Report
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.plan.assembly import Given, NothingMoves, plan_of
from crossfade.planning.plan.files import files_of, index_of
from crossfade.planning.plan.former import FormerPlanUnusable, Written
from crossfade.planning.plan.records import MigrationPlan
from crossfade.planning.plan.told_waves import REMEDY
from crossfade.planning.plan.wishes import NamesUnknown
from crossfade.planning.schedule.openings import TimeZoneUnknown
from crossfade.planning.schedule.saying import in_words
from crossfade.planning.waves import Contradictory
from crossfade.report.units import say_bytes

_SHOWN, _ITEMS = 50, 6


class NothingToPlan(CrossfadeError):
    """Neither a migration file nor an inventory was named."""

    remedy = "Name a migration file, or an export with --inventory, or both."

    def __init__(self) -> None:
        super().__init__("there is nothing to plan from")


class RegisterWithoutFile(CrossfadeError):
    """What people say about risks names limits of a migration file, and none was given."""

    remedy = "Name the migration file that it belongs to, or leave --register out."

    def __init__(self) -> None:
        super().__init__("--register needs a migration file")


def plan(  # noqa: PLR0913, PLR0917 - each is an option of the command
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The plan's folder: a new one, or a former plan's.")
    ],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A migration file; without one, its defaults count.")
    ] = None,
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", metavar="SOURCE", help="An export of the data center; may be repeated."),
    ] = None,
    register: Annotated[
        Path | None, typer.Option("--register", metavar="FILE", help="What people say about risks, as YAML.")
    ] = None,
    costs: Annotated[
        Path | None,
        typer.Option("--costs", metavar="FILE", help="What `crossfade costs --json` told, for the report's budget."),
    ] = None,
    on: Annotated[
        date | None, typer.Option("--on", parser=day, metavar="DATE", help="Day of the plan; today by default.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Plan who moves when and why, how long each phase takes and what may go wrong; write it all into a folder.

    Applications, readiness, waves, schedule with change windows, risks, dependency map, calendar, an executive report
    with the budget, a proposed record of the decision, playbooks for going back, and a migration file for each
    application whose database is known. What is assumed and what is not
    known is said. Over a former plan's folder, as little as possible moves, what moved is told, and files that people
    edited are left alone.

    Exit code 0: planned; 10: planned, and some rows of the sources were not understood, or nothing was planned because
    wishes contradict each other; 1: neither a plan nor a contradiction was found; 2: a bad file, source or folder.

    Example: crossfade plan examples/plan/migration.yaml --inventory examples/plan/inventory.csv --out plan
    """
    migration = sound(file) if file else None
    sources = inventory or _named(migration, file)
    if migration is None and not sources:
        _stop(NothingToPlan())
    if migration is None and register is not None:
        _stop(RegisterWithoutFile())
    said = told_register(register, migration) if register and migration else None
    before = _before(out)
    tree = read_tree(file.read_text(encoding="utf-8"), file.name) if file else None
    prices, known_decisions = prices_of(costs), decided(migration, file, out, before)
    known = read_or_stop(sources)
    given = Given(
        on=on or datetime.now(UTC).astimezone().date(),
        inventory=known,
        file=migration,
        tree=tree,
        file_name=file.name if file else "",
        sources=tuple(source.name for source in sources),
        register=said,
        former=before.former if before else None,
    )
    found = _planned(given, file, json=json)
    report = report_files(found, Report(tree=tree, records=known_decisions.records, prices=prices))
    proposed = decision_files(found, known_decisions)
    files = files_of(found, report | proposed | playbook_files(found))
    outcome = write_folder(out, files, before)
    _tell(found)
    tell_decided(known_decisions, proposed)
    _tell_files(out, outcome)
    code = code_of(known, sources) if known else None
    if code:
        people.print(Text.assemble(("! ", "yellow"), "not all was understood; `crossfade inventory` tells what"))
    if json:
        folder = {"out": str(out), "written": outcome.written, "kept": outcome.kept, "removed": outcome.removed}
        answer(index_of(found, files) | {"folder": folder})
    if code:
        raise typer.Exit(code)


def _named(migration: MigrationFile | None, file: Path | None) -> list[Path]:
    """The inventory that the migration file names, which lies beside it."""
    if migration is None or file is None or migration.source.inventory is None:
        return []
    return [file.parent / migration.source.inventory]


def _before(out: Path) -> Written | None:
    try:
        return read_folder(out)
    except (FolderNotAPlan, FormerPlanUnusable) as refusal:
        _stop(refusal)


def _planned(given: Given, file: Path | None, *, json: bool) -> MigrationPlan:
    try:
        return plan_of(given)
    except NamesUnknown as fault:
        assert file is not None  # an assumed file names nobody
        complain_of(tuple(place_of(file, one.places[0], one.problem, one.remedy) for one in fault.findings), file)
        raise typer.Exit(Exit.BAD_INPUT) from fault
    except (NothingMoves, TimeZoneUnknown) as fault:
        _stop(fault)
    except Contradictory as found:
        tell_contradiction(found)
        if json:
            wishes = [{"wish": wish.says, "place": wish.place} for wish in found.wishes]
            answer({"contradiction": wishes, "minimal": found.minimal})
        raise typer.Exit(Exit.ENDED_OTHERWISE) from None


def _stop(fault: CrossfadeError) -> NoReturn:
    complain(fault)
    raise typer.Exit(Exit.BAD_INPUT) from fault


def _tell(found: MigrationPlan) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("wave", "date", "servers", "copied", "copying takes", "applications"):
        is_number = heading in {"wave", "servers", "copied"}
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for wave in found.schedule.waves[:_SHOWN]:
        names = [visible(name) for name in wave.applications[:_ITEMS]]
        more = [f"and {len(wave.applications) - _ITEMS:,} more"] if len(wave.applications) > _ITEMS else []
        shown = Text(", ".join([*names, *more]))
        size, takes = say_bytes(wave.size_bytes), Text(in_words(wave.copying))
        table.add_row(str(wave.wave), str(wave.day), f"{wave.servers:,}", size, takes, shown)
    people.print(table)
    _warn(
        f"{f'wave {one.wave}: ' if one.wave is not None else ''}{visible(one.says)} → {one.remedy}"
        for one in found.schedule.remarks
    )
    _warn(f"not known: {one.about}, of {one.count:,} of {one.of:,} → {one.remedy}" for one in found.unknowns)
    _warn(f"assumed: {one.about}: {visible(one.value)} ({one.reason})" for one in found.assumptions)
    _warn(
        f"moved: {visible(one.item)}  {one.before or 'nowhere'} → {one.after or 'nowhere'}: {visible(one.reason)}"
        for one in found.waves.moved
    )
    _warn(
        f"told wave {visible(one.name)}: {visible(difference)} → {REMEDY}"
        for one in found.told_waves
        for difference in one.differs
    )
    total = found.risks.overall()
    says = f"applications: {len(found.applications):,}, waves: {len(found.waves.waves):,}, open risks: {total.count}"
    apart = f", in no wave: {len(found.not_planned):,}, each with the reason" if found.not_planned else ""
    people.print(Text.assemble(("✓ ", "green"), f"{says}{apart}"), soft_wrap=True)


def _warn(lines: Iterable[str]) -> None:
    every = list(lines)
    for line in every[:_SHOWN]:
        people.print(Text.assemble(("! ", "yellow"), line), soft_wrap=True)
    if len(every) > _SHOWN:
        people.print(f"… and {len(every) - _SHOWN:,} more; plan.json has them all")


def _tell_files(out: Path, outcome: Outcome) -> None:
    counts = f"files written: {len(outcome.written):,}, as they were: {len(outcome.unchanged):,}"
    people.print(Text.assemble(("✓ ", "green"), f"{out}: {counts}"), soft_wrap=True)
    _warn(f"{name} was edited and is left as it is" for name in outcome.kept)
    for name in outcome.removed:
        people.print(Text(f"  removed: {name}"), soft_wrap=True)
