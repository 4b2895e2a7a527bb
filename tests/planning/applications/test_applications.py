"""Which servers are one application, and what is said of it."""

import random
from dataclasses import replace

import pytest
from benchmarks.landscape import landscape

from crossfade.planning.applications import find_applications
from crossfade.planning.applications.names import shared_names
from crossfade.planning.applications.records import Basis, Certainty, NodeKind
from crossfade.planning.applications.tags import tagged
from crossfade.planning.inventory.records import Application, Database, Dependency, End, Inventory, Place
from tests.planning.applications.inventories import asks, found, homes, member, of, server


def test_a_column_that_names_the_application_counts_whatever_the_name_says() -> None:
    place = Place(source="a.csv", sheet="", row=2)
    told = found([server("crm-web-01", applications=("Shop",), places=(place,)), server("crm-web-02")])
    assert "Shop" in homes(told)
    first = member(told, "crm-web-01")
    assert (first.basis, first.certainty) == (Basis.TOLD, Certainty.TOLD)
    assert "a.csv:2" in first.reason


def test_a_record_of_an_application_and_one_of_its_database_place_servers() -> None:
    told = found(
        [server("alpha"), server("beta")],
        applications=(Application(name="Shop", servers=("alpha", "gone"), owner="Ann", environment="prod"),),
        databases=(Database(name="orders", server="beta", application="shop"),),
    )
    assert homes(told) == {"Shop": {"alpha", "beta"}}  # one application, however it is capitalised
    (shop,) = told.applications
    assert (shop.owner, shop.environments) == ("Ann", ("prod",))
    assert "database orders" in member(told, "beta").reason


def test_an_application_without_servers_stays_and_says_so() -> None:
    ends = End(told="web.corp", application="Web"), End(told="10.9.9.9", application="API")
    told = found([], [Dependency(source=ends[0], destination=ends[1], port=443)])
    assert [(each.name, each.members, each.ends) for each in told.applications] == [
        ("API", (), ("10.9.9.9",)),
        ("Web", (), ("web.corp",)),
    ]
    assert "no source says on which servers" in told.applications[0].reason
    assert [(flow.source.name, flow.destination.name) for flow in told.between_applications] == [("Web", "API")]


@pytest.mark.parametrize(
    ("tags", "application"),
    [
        (["Application=Shop"], "Shop"),
        (["team: a", "app: shop front"], "shop front"),
        (["aws/app-name=Shop"], "Shop"),
        (["system=x", "Application=Shop"], "Shop"),  # application before system
        (["Application=Shop", "Application=Crm"], None),  # contradictory: not guessed
        (["shop", "application", "=", "Application="], None),
    ],
)
def test_tags_name_the_application(tags: list[str], application: str | None) -> None:
    told = tagged(tags)
    assert (told and told[1]) == application


def test_a_tag_counts_less_than_a_record() -> None:
    told = found([server("a", applications=("Shop",), tags=("Application=Crm",)), server("b", tags=("app=Crm",))])
    assert homes(told) == {"Crm": {"b"}, "Shop": {"a"}}
    assert member(told, "b").basis is Basis.TAG


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["shop-prod-web-01", "shop-test-db2.corp.example", "crm1"], {"shop-prod-web-01": "shop"}),
        (["PRDSAPDB01", "TSTSAPAPP1"], {"PRDSAPDB01": "sap", "TSTSAPAPP1": "sap"}),
        (["BOWABJS01b", "BOWABJSTEST02"], {"BOWABJS01b": "bowabjs", "BOWABJSTEST02": "bowabjs"}),
        (["web-01", "web-02", "prod-db-1"], {}),  # tiers are no application
        (["10.0.0.1", "10.0.0.2", "fe80::1"], {}),
        (["a1", "a2"], {}),  # a single letter says nothing
        (["order-entry-web1", "order-history-web1"], {}),
    ],
)
def test_names_share_what_is_left_without_tiers_environments_and_numbers(
    names: list[str], stems: dict[str, str]
) -> None:
    assert shared_names(names).items() >= stems.items()
    assert bool(shared_names(names)) == bool(stems)


def test_the_companys_own_word_before_every_name_is_no_application() -> None:
    names = [f"acme-{name}-{n}" for name in ("shop", "crm", "erp", "hr") for n in range(3)]
    assert set(shared_names(names).values()) == {"shop", "crm", "erp", "hr"}


def test_names_that_traffic_agrees_with_are_likelier_than_names_alone() -> None:
    talking = of("shop-web1 shop-db1 crm-web1 crm-db1", [asks("shop-web1", "shop-db1"), asks("crm-web1", "shop-db1")])
    assert member(talking, "shop-web1").certainty is Certainty.LIKELY
    assert "100% of its traffic" in member(talking, "shop-web1").reason
    assert member(talking, "crm-web1").certainty is Certainty.POSSIBLE
    assert "0% of its traffic" in member(talking, "crm-web1").reason
    assert member(of("shop-web1 shop-db1"), "shop-db1").certainty is Certainty.POSSIBLE


def test_a_server_joins_the_told_application_whose_servers_have_its_name() -> None:
    told = found([server("shop-web1", applications=("Online Store",)), server("shop-db1")])
    assert homes(told) == {"Online Store": {"shop-web1", "shop-db1"}}
    assert member(told, "shop-db1").basis is Basis.NAME


def test_a_name_that_two_told_applications_have_decides_nothing() -> None:
    told = found([server("shop-1", applications=("A",)), server("shop-2", applications=("B",)), server("shop-3")])
    assert member(told, "shop-3").certainty is Certainty.UNKNOWN


def test_a_server_that_talks_mostly_with_one_application_joins_it() -> None:
    servers = [server("alpha", applications=("Shop",)), server("beta", applications=("Crm",)), server("gamma")]
    told = found(servers, [asks("gamma", "alpha", connections=10_000), asks("gamma", "beta", connections=1)])
    assert homes(told)["Shop"] == {"alpha", "gamma"}
    joined = member(told, "gamma")
    assert (joined.basis, joined.certainty) == (Basis.TRAFFIC, Certainty.POSSIBLE)
    assert "is with Shop" in joined.reason
    even = found(servers, [asks("gamma", "alpha"), asks("gamma", "beta")])
    assert member(even, "gamma").certainty is Certainty.UNKNOWN


def test_servers_that_talk_with_each_other_are_one_application_named_after_the_busiest() -> None:
    told = of("kilo lima mike quebec romeo", [asks("kilo", "lima"), asks("mike", "lima"), asks("quebec", "romeo")])
    assert homes(told) == {"around lima": {"kilo", "lima", "mike"}, "around quebec": {"quebec", "romeo"}}


def test_a_server_told_for_two_applications_ties_them_and_nothing_is_counted_twice() -> None:
    servers = [
        server("alpha", applications=("Shop",)),
        server("beta", applications=("Crm",)),
        server("omega", applications=("Shop", "Crm")),
    ]
    told = found(servers, [asks("alpha", "omega", volume_bytes=5), asks("beta", "omega", volume_bytes=7)])
    assert [(tie.server, tie.applications) for tie in told.ties] == [("omega", ("Crm", "Shop"))]
    assert {(flow.source.name, flow.volume_bytes) for flow in told.flows if flow.is_within} == {("Crm", 7), ("Shop", 5)}


def test_owner_and_wave_are_open_where_servers_contradict_each_other() -> None:
    servers = [
        server("a", applications=("Shop",), owner="Ann", wave="1"),
        server("b", applications=("Shop",), owner="Bob", wave="1"),
    ]
    (shop,) = found(servers).applications
    assert (shop.owner, shop.wave) == (None, "1")


def test_a_template_is_left_out_with_the_reason_and_nothing_vanishes() -> None:
    told = found([server("golden", is_template=True), server("alpha"), server("dns01")])
    assert [left.server for left in told.left_out] == ["golden"]
    assert "template" in told.left_out[0].reason
    assert [service.server for service in told.services] == ["dns01"]
    assert homes(told) == {"alpha": {"alpha"}}


def test_flows_sum_dependencies_and_keep_the_least_latency() -> None:
    servers = [server("a", applications=("A",)), server("b", applications=("B",)), server("b2", applications=("B",))]
    told = found(
        servers,
        [
            asks("a", "b", 443, connections=2, volume_bytes=10, latency_ms=20.0),
            asks("a", "b2", 5432, connections=3, latency_ms=5.0, direction_known=False),
        ],
    )
    (flow,) = told.between_applications
    assert (flow.dependencies, flow.connections, flow.volume_bytes, flow.latency_ms) == (2, 5, 10, 5.0)
    assert (flow.ports, flow.direction_known) == ((443, 5432), False)
    assert flow.servers == (("a", "b"), ("a", "b2"))


def test_unknown_ends_are_listed_with_who_talks_to_them() -> None:
    told = found([server("a", applications=("A",))], [asks("a", "192.0.2.7", 443), asks("198.51.100.3", "a", 8443)])
    assert [
        (end.name, [node.name for node in end.asked_by], [node.name for node in end.asks], end.ports)
        for end in told.unknown_ends
    ] == [
        ("192.0.2.7", ["A"], [], (443,)),
        ("198.51.100.3", [], ["A"], (8443,)),
    ]
    assert {node.kind for end in told.unknown_ends for node in end.asked_by} == {NodeKind.APPLICATION}


def test_missing_dependencies_are_said() -> None:
    assert "no source tells of dependencies" in of("alpha beta").notes[0]


def test_every_server_of_a_generated_data_center_is_somewhere_and_mostly_where_it_belongs() -> None:
    made = landscape(400, 2_000)
    told = find_applications(made.inventory)
    placed = {name: application.name for application in told.applications for name in application.servers}
    assert placed.keys() | {service.server for service in told.services} == {
        each.name for each in made.inventory.servers
    }
    assert {service.server for service in told.services} == made.services
    together = {(placed[name], made.truth[name]) for name in made.truth}
    assert len(together) == len(set(made.truth.values())) == len(set(placed.values()))


def test_the_order_of_records_changes_nothing() -> None:
    inventory = landscape(200, 1_000).inventory
    servers, dependencies = list(inventory.servers), list(inventory.dependencies)
    random.Random(3).shuffle(servers)
    random.Random(4).shuffle(dependencies)
    turned = replace(inventory, servers=tuple(servers), dependencies=tuple(dependencies))
    assert find_applications(turned) == find_applications(inventory)


def test_an_empty_inventory_has_nothing() -> None:
    told = find_applications(Inventory())
    assert (told.applications, told.flows, told.notes) == ((), (), ())
