"""Plans of small data centers, quickly: everything in one move group or none to weigh."""

from datetime import date
from typing import Any

from crossfade.model.file.tree import read_tree
from crossfade.planning.inventory.records import Application, Database, Dependency, End, Inventory, Server
from crossfade.planning.plan.assembly import Given, plan_of
from crossfade.planning.plan.placing import Former
from crossfade.planning.plan.records import MigrationPlan
from tests.model.file.files import sound, with_values

ON = date(2026, 11, 23)
GIB = 2**10  # MiB


def server(name: str, application: str, **told: Any) -> Server:
    return Server(name=name, applications=(application,), **({"disk_mib": 100 * GIB, "disk_used_mib": 50 * GIB} | told))


def data_center() -> Inventory:
    """Four applications: two that talk, one of test, one of which little is known."""
    return Inventory(
        servers=(
            server("crm-1", "crm", environment="production", owner="Sales", disk_write_kib_s=100.0),
            server("crm-2", "crm", environment="production", owner="Sales"),
            server("billing-1", "billing", environment="production", addresses=("192.168.7.1",)),
            server("tryout-1", "tryout", environment="test", owner="Sales"),
            server("old-1", "old", disk_mib=None, disk_used_mib=None),
        ),
        applications=(Application(name="paper"),),
        databases=(
            Database(name="crm", engine="PostgreSQL", version="15.2", server="crm-2", application="crm", size_mib=GIB),
            Database(name="billing", engine="Oracle", application="billing"),
        ),
        dependencies=(
            Dependency(source=End(server="crm-1"), destination=End(server="billing-1"), port=443, volume_bytes=10**10),
        ),
    )


def planned(
    inventory: Inventory | None = None, former: Former | None = None, on: date = ON, **changes: Any
) -> MigrationPlan:
    """With the minimal migration file, values set by path."""
    text = with_values(**changes)
    tree = read_tree(text, "m.yaml")
    given = Given(on=on, inventory=inventory, file=sound(text), tree=tree, file_name="m.yaml", former=former)
    return plan_of(given)


def planned_without_file(inventory: Inventory, former: Former | None = None, on: date = ON) -> MigrationPlan:
    return plan_of(Given(on=on, inventory=inventory, former=former))


def former_of(plan: MigrationPlan) -> Former:
    days = {each.item: each.day for each in plan.waves.placements}
    return Former(days=days, first_window=plan.first_window, start=plan.start)
