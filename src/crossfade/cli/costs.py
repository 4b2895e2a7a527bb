"""`crossfade costs`: what the AWS side costs by component, and the quotas that it needs."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from crossfade.cli.migration_file import sound
from crossfade.cli.output import answer, people
from crossfade.cli.synth import attachments, demand
from crossfade.infra.estimate import costs as estimate
from crossfade.infra.estimate.costs import Cost
from crossfade.infra.estimate.quotas import NeededQuota, quotas
from crossfade.infra.estimate.resources import Resources, read_resources
from crossfade.infra.estimate.tables import COST_HEADINGS, QUOTA_HEADINGS, Rows, cost_rows, quota_rows
from crossfade.infra.synthesis import load_libraries, synthesise
from crossfade.model.file import MigrationFile


def costs(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Estimate what the migration costs on AWS each month, by component, and which quotas it needs.

    Counts are those of the templates that `crossfade synth` writes, and of the servers that the file describes; prices
    are list prices of us-east-1, pinned with their month. What is charged by use is left out, and said. Asks nobody,
    and needs the optional extra `aws` and Node. Exit code 2: the file is faulty.

    Example: crossfade costs examples/ledger/migration.yaml
    """
    migration = sound(file)
    demand(migration, file)
    resources = _resources(migration, file)
    found, needed, notes = estimate.costs(migration, resources), quotas(migration, resources), estimate.notes(migration)
    _tell(found, needed, notes)
    if json:
        answer(_as_json(found, needed, notes))


def _resources(migration: MigrationFile, path: Path) -> Resources:
    attached = attachments(migration, path)
    with people.status("loading the CDK libraries …"):
        load_libraries()
    with people.status("counting …"), tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
        return read_resources(synthesise(migration, Path(folder) / "cdk.out", attached=attached).folder)


def _tell(found: tuple[Cost, ...], needed: tuple[NeededQuota, ...], notes: tuple[str, ...]) -> None:
    _table(COST_HEADINGS, cost_rows(found), numbers=(1, 3))
    people.print(Text.assemble(("✓ ", "green"), f"{estimate.monthly(found):,.0f} USD a month, estimated"))
    for note in notes:
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)
    people.print()
    _table(QUOTA_HEADINGS, quota_rows(needed), numbers=(2, 3), names=(0,))
    for quota in needed:
        if quota.to_raise:
            line = f"raise before the first deployment: {quota.name} ({quota.service}) to {quota.needed} at least"
            people.print(Text.assemble(("! ", "yellow"), line), soft_wrap=True)


def _table(headings: tuple[str, ...], rows: Rows, *, numbers: tuple[int, ...], names: tuple[int, ...] = ()) -> None:
    """Columns of `numbers` stand to the right, those of `names` are never broken."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        justify: Literal["right", "left"] = "right" if place in numbers else "left"
        table.add_column(heading, overflow="fold", justify=justify, no_wrap=place in names)
    for row in rows:
        table.add_row(*map(Text, row))
    people.print(table)


def _as_json(found: tuple[Cost, ...], needed: tuple[NeededQuota, ...], notes: tuple[str, ...]) -> dict[str, object]:
    return {
        "currency": "USD",
        "monthly": round(estimate.monthly(found), 2),
        "components": [asdict(cost) | {"amount": _cents(cost.amount)} for cost in found],
        "quotas": [asdict(quota) | {"raise": quota.to_raise} for quota in needed],
        "notes": list(notes),
    }


def _cents(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 2)
