"""`crossfade faults`: what a rehearsal can be given."""

from typing import Annotated

import typer
from rich.table import Table

from crossfade.cli.output import answer, people
from crossfade.database.port import SWITCH_POINTS
from crossfade.model.terms import Phase
from crossfade.rehearsal.faults.catalogue import CATALOGUE
from crossfade.rehearsal.faults.places import Turn


def faults(
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """List the faults that `crossfade rehearse --fault KIND[=AMOUNT]@WHERE` can inject.

    Example: crossfade rehearse examples/ledger/migration.yaml --fault canary-latency=20%@canary:5
    """
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "amount", "what happens", "lasts"):
        table.add_column(heading, overflow="fold")
    for kind in CATALOGUE.values():
        table.add_row(kind.name, kind.example, kind.does, kind.lasts)
    people.print(table)
    people.print(f"\nWHERE is a phase ({', '.join(Phase)}), a share of the ladder (canary:25),")
    people.print(f"a decision to go back ({', '.join(Turn)}), or a point of a switch,")
    people.print(f"cutover:POINT or fail_back:POINT ({', '.join(SWITCH_POINTS)}).")
    if json:
        kinds = [
            {"kind": k.name, "amount": k.example or None, "does": k.does, "lasts": k.lasts} for k in CATALOGUE.values()
        ]
        answer({"faults": kinds, "phases": list(Phase), "turns": list(Turn), "points": list(SWITCH_POINTS)})
