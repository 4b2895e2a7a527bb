"""What `crossfade plan` writes beside the plan: the executive report, of prices of AWS and records of decisions as
well; a record to decide on where there is none; playbooks.
"""

from pathlib import Path

import typer
from rich.text import Text

from crossfade.cli.migration_file import complain_of, text_of
from crossfade.cli.output import Exit, people
from crossfade.cli.playbooks import files_of, written_from
from crossfade.model.file import Fault, MigrationFile
from crossfade.model.file.tree import Tree
from crossfade.planning.decisions.approaches import matrix_of
from crossfade.planning.decisions.drafting import Circumstances, draft
from crossfade.planning.decisions.folder import read_records
from crossfade.planning.decisions.record import Record, written
from crossfade.planning.executive import Given, as_html, as_markdown, assemble
from crossfade.planning.executive.prices import PriceList, read_prices
from crossfade.planning.plan import MigrationPlan


def beside(costs: Path | None, migration: MigrationFile | None, file: Path | None, tree: Tree | None) -> Given:
    """All of it, or the end of the command with 2 for a price list that is not one; its faults are told."""
    return Given(tree=tree, records=_records(migration, file), prices=_prices(costs) if costs else None)


def report_files(plan: MigrationPlan, given: Given) -> dict[str, bytes]:
    """By path in the plan's folder."""
    brief = assemble(plan, given)
    return {"report.html": as_html(brief).encode(), "report.md": as_markdown(brief).encode()}


def decision_files(plan: MigrationPlan, given: Given) -> dict[str, bytes]:
    """A proposed record of how the system moves, where no record lies beside the migration file yet."""
    matrix = matrix_of(plan.file.planning.decision)
    if given.records or isinstance(matrix, tuple):  # what cannot be weighed, the report says
        return {}
    around = Circumstances(
        context=plan.file.migration.description, success_criteria=plan.file.planning.success_criteria
    )
    record = draft(matrix, 1, plan.on, around)
    return {f"decisions/{record.file_name}": written(record).encode()}


def playbook_files(plan: MigrationPlan) -> dict[str, bytes]:
    """How to go back, for the migration that a file describes; one that is assumed describes none."""
    if plan.file_assumed:
        return {}
    return {name: text.encode() for name, text in files_of(written_from(plan.file)).items()}


def _prices(path: Path) -> PriceList:
    text = text_of(path, "make it by `crossfade costs FILE --json`")
    found = text if isinstance(text, tuple) else read_prices(text, path.name)
    if isinstance(found, PriceList):
        return found
    faults = (
        one
        if isinstance(one, Fault)
        else Fault(line=1, column=1, path=one.place, problem=one.problem, remedy=one.remedy)
        for one in found
    )
    complain_of(tuple(faults), path)
    raise typer.Exit(Exit.BAD_INPUT)


def _records(migration: MigrationFile | None, file: Path | None) -> tuple[Record, ...]:
    """Those in the folder that the migration file names, which lies beside it; faulty ones are told and left out."""
    if migration is None or file is None:
        return ()
    folder = file.parent / migration.planning.decision.records
    if not folder.is_dir():
        return ()
    found = read_records(folder)
    for fault in found.faults:
        says = f"{folder / fault.file}: {fault.problem}; the report is without what cannot be read"
        people.print(Text.assemble(("! ", "yellow"), says), soft_wrap=True)
    return tuple(sorted(found.records.values(), key=lambda record: record.number))
