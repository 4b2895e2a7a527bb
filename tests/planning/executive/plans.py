"""A small plan, made from values: two applications in two waves, with everything that the report tells."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crossfade.model.file.tree import read_tree
from crossfade.model.terms import Phase
from crossfade.planning.applications import find_applications
from crossfade.planning.executive import Brief, Given, assemble
from crossfade.planning.executive.prices import PriceList, read_prices
from crossfade.planning.inventory.records import Inventory, Place
from crossfade.planning.plan import Assumption, MigrationPlan, PlannedApplication, Unknown
from crossfade.planning.schedule import Estimate, Schedule, Stage, WaveSchedule
from crossfade.planning.waves import Method, Placement, Plan, Wave
from tests.model.file.files import sound, with_values
from tests.planning.applications.inventories import server
from tests.planning.risks.seeing import ON, register_of

DAYS = (date(2027, 1, 9), date(2027, 1, 16))
TEAM = {"name": "platform", "servers_per_wave": 6, "people": 4, "daily_rate": 900}
COSTS = {"currency": "USD", "current_monthly": 42000, "contingency_percent": 15}
PRICES = """counting
{"currency": "USD", "components": [
{"component": "load balancer", "quantity": 1, "price": {"amount": 0.0225, "unit": "hour", "source": "https://a.example",
"as_of": "2026-06"}, "once": false, "note": "", "amount": 16.43},
{"component": "DataSync", "quantity": 2000, "price": {"amount": 0.0125, "unit": "GB", "source": "https://b.example",
"as_of": "2025-01"}, "once": true, "note": "then what changes", "amount": 25.0}], "notes": ["not in it: taxes"]}"""


def prices() -> PriceList:
    text = PRICES.partition("\n")[2].replace("\n", " ")
    found = read_prices(f"counting\n{text}\n", "costs.json")
    assert isinstance(found, PriceList)
    return found


def _wave(number: int, day: date, name: str) -> WaveSchedule:
    """Copied for five days before its day, baked for two after it."""
    noon = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
    took = Estimate(p50=timedelta(hours=1), p90=timedelta(hours=2))
    days = {Phase.REPLICATE: (-5, 0), Phase.CUTOVER: (0, 0), Phase.BAKE: (0, 2)}
    stages = tuple(
        Stage(
            phase=phase, begins=noon + timedelta(a), ends=noon + timedelta(b), estimate=took, says=f"{phase} of {name}"
        )
        for phase, (a, b) in days.items()
    )
    return WaveSchedule(
        wave=number,
        day=day,
        applications=(name,),
        servers=1,
        size_bytes=10**9,
        changes_bytes_s=0.0,
        window=None,
        copying=took,
        in_window=took,
        stages=stages,
    )


def _waves(names: tuple[str, ...]) -> Plan:
    """One application a wave, as they are named."""
    placed = [
        Placement(item=name, group=n, wave=n, day=day, reason=f"{name} talks to nobody")
        for n, (name, day) in enumerate(zip(names, DAYS, strict=True), start=1)
    ]
    waves = [
        Wave(number=p.wave, day=p.day, items=(p.item,), servers=1, size_bytes=0, teams={"platform": 1}, risk=0.5)
        for p in placed
    ]
    method = Method.SEARCH
    return Plan(waves=tuple(waves), placements=tuple(placed), traffic=8, cut=4, least_cut=3, method=method)


def _planned(waves: Plan) -> tuple[PlannedApplication, ...]:
    return tuple(
        PlannedApplication(
            name=placed.item,
            servers=(f"{placed.item}-1",),
            size_bytes=None,
            size_known_percent=0.0,
            changes_bytes_s=None,
            owner=None,
            team="platform",
            environments=(),
            risk=0.5,
            wave=placed.wave,
            day=placed.day,
            group=placed.group,
            reason=placed.reason,
            migration=None,
        )
        for placed in waves.placements
    )


def plan_of(*names: str, **changes: Any) -> MigrationPlan:
    """A plan of these applications, a wave each. `changes` are values of the migration file by path."""
    names = names or ("shop", "ledger")
    text = with_values(**changes)
    waves = _waves(names)
    inventory = Inventory(
        servers=tuple(
            replace(
                server(f"{name}-1", applications=(name,)), places=(Place(source="servers.csv", sheet="", row=n + 2),)
            )
            for n, name in enumerate(names)
        )
    )
    return MigrationPlan(
        name="ledger",
        on=ON,
        start=DAYS[0],
        first_window=DAYS[0],
        deadline=date(2027, 6, 30),
        sources=("servers.csv",),
        file=sound(text),
        file_name="m.yaml",
        file_assumed=False,
        inventory=inventory,
        found=find_applications(inventory),
        readiness=(),
        applications=_planned(waves),
        not_planned=(),
        told_waves=(),
        drafts=(),
        waves=waves,
        schedule=Schedule(
            waves=tuple(_wave(each.number, each.day, each.items[0]) for each in waves.waves),
            remarks=(),
            assumed=(),
            time_zone="UTC",
            link_name="VPN",
            link_bits_s=10**9,
            seed=1,
            trials=1,
        ),
        risks=register_of(**changes),
        assumptions=(Assumption(about="the link", value="1 Gbit/s", reason="nothing tells it"),),
        unknowns=(Unknown(about="sizes", count=2, of=2, names=names, remedy="give an export with disks"),),
    )


def brief_of(*names: str, given: Given | None = None, **changes: Any) -> Brief:
    tree = read_tree(with_values(**changes), "m.yaml")
    return assemble(plan_of(*names, **changes), given or Given(tree=tree, prices=prices()))


def told_costs(**changes: Any) -> dict[str, Any]:
    """Values of a file with a team and costs."""
    return {"planning__teams": [TEAM], "planning__costs": COSTS, **changes}
