"""Scores of readiness: each factor, and what is not known."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crossfade.model.file.planning import ReadinessFactor
from crossfade.planning.applications import find_applications
from crossfade.planning.inventory.records import Application, Database, Dependency, End, Files, Inventory, Server
from crossfade.planning.readiness import DEFAULT_WEIGHTS, Readiness, readiness_of
from crossfade.planning.readiness.records import Finding, Level

TODAY = date(2026, 11, 22)
F = ReadinessFactor


def shop(*servers: dict[str, Any], **records: Any) -> Inventory:
    made = tuple(Server(name=f"s{n}", applications=("Shop",), **values) for n, values in enumerate(servers))
    return Inventory(servers=made, **records)


def scored(inventory: Inventory, **how: Any) -> Readiness:
    found = readiness_of(inventory, find_applications(inventory), on=TODAY, **how)
    return next(each for each in found if each.application == "Shop")


def finding(inventory: Inventory, factor: ReadinessFactor, **how: Any) -> Finding:
    return next(each.finding for each in scored(inventory, **how).factors if each.factor is factor)


def asks(source: End, destination: End, port: int = 443) -> Dependency:
    return Dependency(source=source, destination=destination, port=port)


@pytest.mark.parametrize(
    ("system", "points"),
    [
        ("Ubuntu 24.04", 100),
        ("Microsoft Windows Server 2016", 60),  # ends within a year of that day
        ("CentOS 6", 20),
        ("IBM AIX 7.2", 0),
        ("Other Linux", None),
    ],
)
def test_a_system_counts_by_how_long_it_is_supported(system: str, points: float | None) -> None:
    found = finding(shop({"operating_system": system}), F.OPERATING_SYSTEM)
    assert (found.points, found.known) == (points, float(points is not None))


def test_support_is_asked_for_the_day_that_is_given() -> None:
    inventory = shop({"operating_system": "CentOS 7"})
    found = find_applications(inventory)
    (earlier,) = readiness_of(inventory, found, on=date(2020, 1, 1))
    assert earlier.factors[0].finding.points == 100
    assert "supported until 2024-06-30" in earlier.factors[0].finding.value
    assert "support ended 2024-06-30" in finding(inventory, F.OPERATING_SYSTEM).value


def test_what_is_known_of_some_servers_counts_for_those() -> None:
    found = finding(
        shop({"operating_system": "Ubuntu 24.04"}, {}, {}, {"operating_system": "CentOS 6"}), F.OPERATING_SYSTEM
    )
    assert (found.points, found.known) == (60.0, 0.5)
    assert "2 × not told: not known" in found.value
    assert found.remedy


@pytest.mark.parametrize(
    ("engine", "version", "points"),
    [("PostgreSQL", "16.2", (100, 100)), ("MongoDB", "4.4", (50, 20)), ("Ingres", "11", (None, None))],
)
def test_databases_count_by_engine_and_version(
    engine: str, version: str, points: tuple[float | None, float | None]
) -> None:
    inventory = shop({}, databases=(Database(name="orders", engine=engine, version=version, server="s0"),))
    found = finding(inventory, F.DATABASE_ENGINE).points, finding(inventory, F.DATABASE_VERSION).points
    assert found == points


def test_the_oldest_database_counts_and_one_of_another_application_does_not() -> None:
    inventory = shop(
        {},
        databases=(
            Database(name="new", engine="PostgreSQL", version="16", server="s0"),
            Database(name="old", engine="PostgreSQL", version="9.6", application="shop"),
            Database(name="theirs", engine="Ingres", server="s0", application="Other"),
        ),
    )
    assert finding(inventory, F.DATABASE_VERSION).points == 20
    assert finding(inventory, F.DATABASE_ENGINE).known == 1


def test_no_database_is_known_only_where_processes_are() -> None:
    assert finding(shop({}), F.DATABASE_ENGINE).points is None
    seen = finding(shop({"processes": ("nginx",)}, {}), F.DATABASE_ENGINE)
    assert (seen.points, seen.known) == (100.0, 0.5)


@pytest.mark.parametrize(("used_gib", "points"), [(100, 100), (101, 70), (1024, 70), (5 * 1024, 40), (6 * 1024, 15)])
def test_size_counts_in_steps(used_gib: int, points: float) -> None:
    assert finding(shop({"disk_used_mib": used_gib * 1024}), F.SIZE).points == points


def test_capacity_stands_for_used_space_and_is_said_and_files_elsewhere_are_added() -> None:
    inventory = shop(
        {"disk_mib": 50 * 1024},
        {"disk_mib": 900 * 1024, "disk_used_mib": 1024},
        files=(Files(name="share", application="Shop", size_mib=60 * 1024),),
    )
    found = finding(inventory, F.SIZE)
    assert found.value == "111 GiB, 1 of 2 servers by the capacity of their disks"
    assert found.points == 70


def test_churn_is_what_is_written_in_a_day() -> None:
    found = finding(shop({"disk_write_kib_s": 1024.0}, {}), F.CHURN)
    assert (found.value, found.points, found.known) == ("84.4 GiB a day", 70, 0.5)


def test_dependencies_on_what_stays_count_and_services_do_not() -> None:
    here, other = End(server="s0"), End(server="o0")
    told = [asks(here, other), asks(here, End(address="192.0.2.1"))]
    told += [asks(End(server=f"s{n}"), End(address="192.0.2.53"), 53) for n in range(4)]
    inventory = shop({}, {}, {}, {}, dependencies=tuple(told))
    mainframe = Server(name="o0", applications=("Mainframe",))
    inventory = replace(inventory, servers=(*inventory.servers, mainframe))
    readiness = {each.application: each for each in readiness_of(inventory, find_applications(inventory), on=TODAY)}
    open_end = next(each.finding for each in readiness["Shop"].factors if each.factor is F.OUTSIDE_DEPENDENCIES)
    assert (open_end.value, open_end.points, open_end.known) == ("1: 192.0.2.1", 70, 1.0)
    staying = readiness_of(inventory, find_applications(inventory), on=TODAY, out_of_scope=frozenset({"mainframe"}))
    assert [each.application for each in staying] == ["Shop"]
    both = next(each.finding for each in staying[0].factors if each.factor is F.OUTSIDE_DEPENDENCIES)
    assert both.value == "2: 192.0.2.1, Mainframe"


def test_without_dependencies_those_outside_are_not_known_rather_than_none() -> None:
    found = finding(shop({}), F.OUTSIDE_DEPENDENCIES)
    assert (found.value, found.points, found.known) == ("not known", None, 0.0)


def test_the_hardest_licence_counts() -> None:
    inventory = shop(
        {"operating_system": "Microsoft Windows Server 2019"},
        databases=(Database(name="d", engine="Oracle", server="s0"),),
    )
    found = finding(inventory, F.LICENCES)
    assert (found.value, found.points) == ("Microsoft, Oracle", 30)
    assert finding(shop({"operating_system": "Debian 12"}), F.LICENCES).points == 100
    assert finding(shop({}), F.LICENCES).points is None


@pytest.mark.parametrize(
    ("tags", "points"),
    [
        ((), None),
        (("fixed-address=yes",), 20),
        (("fixed-address=no",), 100),
        (("static-ip: no", "fixed-address=yes"), 20),
    ],
)
def test_fixed_addresses_are_known_by_tags_alone(tags: tuple[str, ...], points: float | None) -> None:
    assert finding(shop({"tags": tags, "addresses": ("10.0.0.1",)}), F.FIXED_ADDRESSES).points == points


def test_that_nobody_is_told_to_own_it_is_known() -> None:
    assert (finding(shop({}), F.OWNER).points, finding(shop({}), F.OWNER).known) == (0, 1)
    assert finding(shop({"owner": "Ann"}, {"owner": "Bob"}), F.OWNER).value == "several: Ann, Bob"
    inventory = shop({"owner": "Bob"}, applications=(Application(name="Shop", owner="Ann"),))
    assert (finding(inventory, F.OWNER).value, finding(inventory, F.OWNER).points) == ("Ann", 100)


def test_the_score_is_of_what_is_known_and_the_range_of_the_rest() -> None:
    weights = {F.SIZE: 3.0, F.CHURN: 1.0}
    found = scored(shop({"disk_used_mib": 200 * 1024}), weights=weights)  # 70 points; churn is not known
    assert (found.score, found.lowest, found.highest, found.known_percent) == (70.0, 52.5, 77.5, 75.0)
    assert found.level is Level.SOME_WORK


@pytest.mark.parametrize(
    ("used_gib", "churn_weight", "level"),
    [(10, 0.0, Level.READY), (6_000, 0.0, Level.MUCH_WORK), (10, 1.0, Level.UNKNOWN)],
)
def test_the_level_is_not_known_when_too_little_is(used_gib: int, churn_weight: float, level: Level) -> None:
    weights = {F.SIZE: 1.0, F.CHURN: churn_weight}
    assert scored(shop({"disk_used_mib": used_gib * 1024}), weights=weights).level is level


def test_an_application_without_servers_is_not_judged_by_their_absence() -> None:
    inventory = Inventory(applications=(Application(name="Shop", owner="Ann"),))
    found = scored(inventory)
    assert {each.factor for each in found.factors if each.finding.points is not None} == {F.OWNER}
    assert found.level is Level.UNKNOWN


def test_every_factor_has_a_weight() -> None:
    assert set(DEFAULT_WEIGHTS) == set(ReadinessFactor)
    assert sum(DEFAULT_WEIGHTS.values()) == 100
