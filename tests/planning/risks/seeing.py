"""What rules look at, made from values."""

from datetime import date
from typing import Any

from crossfade.model.file.tree import read_tree
from crossfade.planning.applications import find_applications
from crossfade.planning.inventory.records import Inventory
from crossfade.planning.risks.assembly import assemble
from crossfade.planning.risks.knowledge import Seen
from crossfade.planning.risks.register import Register, Risk
from crossfade.planning.risks.told import RegisterFile
from tests.model.file.files import sound, with_values

ON = date(2026, 11, 23)


def register_of(
    inventory: Inventory | None = None, said: RegisterFile | None = None, on: date = ON, **changes: Any
) -> Register:
    """The register of the minimal file with values set by path."""
    text = with_values(**changes)
    found = find_applications(inventory) if inventory else None
    seen = Seen(file=sound(text), inventory=inventory, applications=found, on=on)
    return assemble(seen, read_tree(text, "m.yaml"), "m.yaml", said or RegisterFile(version=1))


def risks(inventory: Inventory | None = None, on: date = ON, **changes: Any) -> dict[str, Risk]:
    return {risk.id: risk for risk in register_of(inventory, on=on, **changes).risks}
