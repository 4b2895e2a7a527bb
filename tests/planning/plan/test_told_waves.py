"""Waves that exports tell of: what of them the plan has otherwise is told, and the map filters by those planned."""

import re
from dataclasses import replace

import pytest

from crossfade.planning.dependency_map.page import by_number
from crossfade.planning.inventory.records import Inventory
from crossfade.planning.plan.files import files_of
from crossfade.planning.plan.records import MigrationPlan
from tests.planning.plan.plans import data_center, planned, planned_without_file

LATE, EARLY = "Wave 10", "Wave 2"


@pytest.fixture(scope="module")
def plan() -> MigrationPlan:
    """The pilot is told for the last wave, what talks for two, and of the others nothing."""
    told = {"tryout-1": LATE, "crm-1": EARLY, "billing-1": EARLY, "old-1": LATE}
    servers = tuple(replace(server, wave=told.get(server.name)) for server in data_center().servers)
    return planned_without_file(replace(data_center(), servers=servers))


def test_every_told_wave_is_there_with_the_planned_waves_of_its_applications(plan: MigrationPlan) -> None:
    waves = {each.name: each.wave for each in plan.applications}
    assert [(each.name, dict(each.planned)) for each in plan.told_waves] == [
        (EARLY, {"billing": waves["billing"], "crm": waves["crm"]}),
        (LATE, {"old": waves["old"], "tryout": waves["tryout"]}),
    ]


def test_what_is_divided_shared_or_turned_round_is_told_and_what_is_as_told_is_not(plan: MigrationPlan) -> None:
    waves = {each.name: each.wave for each in plan.applications}
    assert (waves["tryout"], waves["crm"], waves["old"]) == (1, 2, 2)  # what the rest stands on
    first, last = plan.told_waves
    assert first.differs == ()
    assert last.differs == (
        "divided: tryout in wave 1; old in wave 2",
        f"together with {EARLY} in wave 2",
        f"begins before {EARLY}",
    )


def test_what_stays_is_told_as_in_no_wave() -> None:
    servers = tuple(replace(server, wave="A") for server in data_center().servers)
    stays = ["billing", "crm", "old", "tryout"]
    inventory = Inventory(servers=servers)
    told = planned(inventory, planning__out_of_scope=stays[:3]).told_waves
    assert told[0].differs == ("in no wave of the plan: billing, crm, old",)


def test_nothing_is_said_of_waves_when_no_source_tells_any() -> None:
    plan = planned_without_file(data_center())
    assert plan.told_waves == ()
    assert b"Waves that the sources tell of" not in files_of(plan)["plan.md"]


def test_the_map_of_a_plan_filters_by_planned_waves_and_still_tells_the_others(plan: MigrationPlan) -> None:
    page = files_of(plan)["map.html"].decode()
    choices = re.search(r'<select id="wave">(.*?)</select>', page, re.DOTALL)
    assert choices is not None
    assert re.findall(r"<option>(.*?)</option>", choices[1]) == [
        f"{wave.number} ({wave.day})" for wave in plan.waves.waves
    ]
    assert f"Wave: 1 ({plan.waves.waves[0].day}); told by sources: {LATE}" in page


def test_what_is_in_no_wave_of_the_plan_can_be_filtered_as_that() -> None:
    page = files_of(planned(data_center(), planning__out_of_scope=["old"]))["map.html"].decode()
    assert "<option>none</option>" in page


def test_numbers_in_names_sort_as_numbers_however_long() -> None:
    names = ["Wave 10", "Wave 2", "", "pilot", "Wave", "2", "9" * 5000]
    assert sorted(names, key=by_number) == ["", "2", "9" * 5000, "Wave", "Wave 2", "Wave 10", "pilot"]
