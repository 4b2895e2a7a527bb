"""The joined plan: everything has its place, what is not known is said, and what is planned can be carried out."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from crossfade.model.file import MigrationFile, load
from crossfade.planning.inventory.records import Inventory, Power, Server
from crossfade.planning.plan.as_json import as_json
from crossfade.planning.plan.assembly import NothingMoves
from crossfade.planning.plan.files import INDEX, files_of
from crossfade.planning.plan.former import FormerPlanUnusable, read_former
from crossfade.planning.plan.records import MigrationPlan
from crossfade.planning.plan.wishes import NamesUnknown
from crossfade.planning.waves import Contradictory
from tests.planning.plan.plans import ON, data_center, former_of, planned, planned_without_file, server


@pytest.fixture(scope="module")
def plan() -> MigrationPlan:
    return planned_without_file(data_center())


def test_every_server_is_in_one_wave_or_told_why_not(plan: MigrationPlan) -> None:
    placed = [name for each in plan.applications for name in each.servers]
    apart = {each.name for each in plan.not_planned}
    assert sorted([*placed, *apart]) == sorted(each.name for each in plan.inventory.servers)
    assert all(each.reason for each in plan.applications)
    assert all(each.reason for each in plan.not_planned)
    assert {each.name for each in plan.applications} == {"crm", "billing", "tryout", "old", "paper"}
    by_wave = {wave.wave: wave.applications for wave in plan.schedule.waves}
    assert {each.name for each in plan.applications} == {name for names in by_wave.values() for name in names}


def test_the_pilot_is_not_production_when_something_else_may_be(plan: MigrationPlan) -> None:
    first = [each for each in plan.applications if each.wave == plan.waves.waves[0].number]
    assert [each.name for each in first] == ["tryout"]


def test_what_is_not_known_is_counted_with_a_way_to_know_it(plan: MigrationPlan) -> None:
    told = {each.about: (each.count, each.of, each.names) for each in plan.unknowns}
    assert told["how much a server holds"] == (1, 5, ("old-1",))
    assert told["how fast a server's data changes"][:2] == (4, 5)
    assert told["who owns an application"] == (3, 5, ("billing", "old", "paper"))
    assert told["where an application runs"] == (1, 5, ("paper",))
    assert told["with whom an application talks"][2] == ("old", "paper", "tryout")
    assert all(each.remedy for each in plan.unknowns)


def test_a_server_that_is_switched_off_is_asked_about() -> None:
    inventory = Inventory(servers=(server("a-1", "a", power=Power.OFF),))
    assert "whether a server that is switched off moves" in {u.about for u in planned_without_file(inventory).unknowns}


def test_what_is_assumed_is_said_and_what_the_file_says_is_not_assumed(plan: MigrationPlan) -> None:
    told = {each.path for each in plan.assumptions}
    keys = {"planning.start", "planning.windows", "connectivity.vpn.bandwidth", "planning.servers_per_wave"}
    assert keys <= told
    window = {"days": ["saturday"], "start": "01:00", "duration": "8h"}
    said = planned(
        planning__start="2027-01-09",
        planning__windows=[window],
        connectivity__vpn={"bandwidth": "2Gbps"},
        planning__servers_per_wave=20,
    )
    assert keys.isdisjoint(each.path for each in said.assumptions)
    assert said.start == date(2027, 1, 9)


def test_risks_of_a_migration_file_are_not_told_when_there_is_none(plan: MigrationPlan) -> None:
    found = {evidence.place for risk in plan.risks.risks for evidence in risk.evidence}
    assert not [place for place in found if "assumed" in place]
    assert {risk.owner for risk in plan.risks.risks} == {"nobody is named yet"}
    assert "No migration file was given" in plan.risks.notes[0]


def test_a_draft_lacks_exactly_what_check_names_and_is_accepted_when_that_is_added() -> None:
    plan = planned(data_center(), environment__suffix="prod")
    (drafted,) = plan.drafts
    crm = next(each for each in plan.applications if each.name == "crm")
    assert crm.migration is not None
    assert (crm.migration.path, crm.migration.given) == ("migrations/crm.yaml", False)
    assert set(crm.migration.missing) == {"database.application_roles"}
    completed = drafted.text.replace("  name: crm\n  size", "  name: crm\n  application_roles: [crm_app]\n  size")
    file = load(completed, "crm.yaml")
    assert isinstance(file, MigrationFile)
    assert file.planning.start == crm.day
    assert (file.database.size, file.database.source.version) == (2**30, 15)
    assert file.server_names() == ("crm-1", "crm-2")
    assert {each.name: each.migration for each in plan.applications}["billing"] is None


def test_the_given_file_carries_out_the_application_that_it_describes() -> None:
    plan = planned(data_center(), migration__name="crm")
    crm = next(each for each in plan.applications if each.name == "crm")
    assert crm.migration is not None
    assert (crm.migration.path, crm.migration.given, dict(crm.migration.missing)) == ("m.yaml", True, {})
    assert plan.drafts == ()


def test_names_of_the_file_are_found_by_server_and_application_and_unknown_ones_told_together() -> None:
    together = planned(data_center(), planning__together=[["crm-1", "OLD"]])
    groups = {each.name: each.group for each in together.applications}
    assert groups["crm"] == groups["old"]
    with pytest.raises(NamesUnknown) as caught:
        planned(data_center(), planning__together=[["crm", "x"], ["y", "old"]], planning__out_of_scope=["tryout"])
    assert [fault.places[0] for fault in caught.value.findings] == [
        ("planning", "together", 0, 1),
        ("planning", "together", 1, 0),
    ]


def test_what_stays_is_in_no_wave_and_says_so() -> None:
    plan = planned(data_center(), planning__out_of_scope=["billing", "crm-2"])
    assert {each.name for each in plan.not_planned} == {"billing", "crm-2"}
    assert "billing" not in {each.name for each in plan.applications}
    crm = next(each for each in plan.applications if each.name == "crm")
    assert crm.servers == ("crm-1",)


def test_limits_left_to_the_default_give_way_and_those_of_the_file_do_not() -> None:
    large = Inventory(servers=tuple(server(f"big-{n:02}", "big") for n in range(60)))
    plan = planned_without_file(large)
    told = {each.about: each for each in plan.assumptions}
    assert told["largest wave"].value == "60 servers"
    assert told["pilot wave"].value == "none"
    with pytest.raises(Contradictory, match="at most 50 servers"):
        planned(large, planning__servers_per_wave=50)


def test_nothing_begins_before_the_start_where_the_calendar_allows_it() -> None:
    window = {"days": ["saturday"], "start": "01:00", "duration": "12h"}
    last = []
    for rate in ("1Gbps", "5Mbps"):
        link = {"bandwidth": rate}
        plan = planned(
            Inventory(servers=(server("a-1", "a", disk_write_kib_s=0.0),)),
            planning__start="2027-01-11",
            planning__windows=[window],
            connectivity__vpn=link,
            database__size="100GB",
        )
        assert plan.schedule.begins is not None
        assert plan.schedule.begins.date() >= date(2027, 1, 11)
        last.append(plan.waves.waves[-1].day)
    assert last[1] > last[0]  # 100 GB over so narrow a link take longer than until the first window


def test_nothing_to_move_is_told() -> None:
    with pytest.raises(NothingMoves):
        planned_without_file(Inventory())


def test_a_former_plan_is_kept_when_nothing_changed_and_moves_little_when_something_did(plan: MigrationPlan) -> None:
    former = former_of(plan)
    later = ON + timedelta(days=3)
    again = planned_without_file(data_center(), former, later)
    assert again.waves == plan.waves
    assert again.schedule == plan.schedule
    more = replace(data_center(), servers=(*data_center().servers, server("new-1", "new", environment="production")))
    moved = planned_without_file(more, former, later).waves.moved
    assert [each.item for each in moved] == ["new"]


def test_the_same_plan_gives_the_same_files_and_its_index_reads_back(plan: MigrationPlan) -> None:
    files = files_of(plan)
    assert files == files_of(planned_without_file(data_center()))
    read = read_former(files[INDEX].decode())
    assert read.former == former_of(plan)
    assert set(read.digests) == set(files) - {INDEX}
    told = json.loads(files[INDEX])
    assert {key: told[key] for key in as_json(plan)} == json.loads(json.dumps(as_json(plan)))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 2}', "[" * 10_000])
def test_an_index_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FormerPlanUnusable):
        read_former(text)


def test_hostile_names_stay_text_in_every_file() -> None:
    name = '<img src=x onerror=alert(1)>|`"\x1b[31m'
    inventory = Inventory(servers=(Server(name=name, applications=(name,), owner=name, disk_used_mib=1024),))
    files = files_of(planned_without_file(inventory))
    for path in ("plan.html", "plan.md", "schedule.svg", "schedule.ics", "map.html", "risks.html"):
        assert b"<img" not in files[path] or path == "schedule.ics", path
    for path in ("plan.html", "plan.md", "schedule.svg", "schedule.ics"):
        assert b"\x1b" not in files[path], path
    assert b"<script" not in files["plan.html"]
    assert b"default-src 'none'" in files["plan.html"]
