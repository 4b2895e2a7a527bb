"""What `crossfade plan` writes beside the plan: the executive report, of prices of AWS and records of decisions as
well; playbooks.
"""

from pathlib import Path

import typer

from crossfade.cli.migration_file import complain_of, text_of
from crossfade.cli.output import Exit
from crossfade.cli.playbooks import files_of, written_from
from crossfade.model.file import Fault
from crossfade.planning.executive import Given, as_html, as_markdown, assemble
from crossfade.planning.executive.prices import PriceList, read_prices
from crossfade.planning.plan import MigrationPlan


def report_files(plan: MigrationPlan, given: Given) -> dict[str, bytes]:
    """By path in the plan's folder."""
    brief = assemble(plan, given)
    return {"report.html": as_html(brief).encode(), "report.md": as_markdown(brief).encode()}


def playbook_files(plan: MigrationPlan) -> dict[str, bytes]:
    """How to go back, for the migration that a file describes; one that is assumed describes none."""
    if plan.file_assumed:
        return {}
    return {name: text.encode() for name, text in files_of(written_from(plan.file)).items()}


def prices_of(path: Path | None) -> PriceList | None:
    """None without a path; the end of the command with 2 for a price list that is not one; its faults are told."""
    if path is None:
        return None
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
