"""Shared services told apart from applications."""

import pytest

from crossfade.planning.applications.records import ApplicationMap, Certainty
from crossfade.planning.applications.services import HUB
from tests.planning.applications.inventories import asks, found, homes, of, server

CLIENTS = "alpha bravo charlie delta"


def roles(told: ApplicationMap, name: str) -> dict[str, Certainty]:
    return {role.role: role.certainty for service in told.services if service.server == name for role in service.roles}


@pytest.mark.parametrize(
    ("port", "role"),
    [(53, "DNS"), (389, "directory"), (123, "time"), (13724, "backup"), (10051, "monitoring"), (514, "logs")],
)
def test_a_service_is_known_by_its_port_when_several_ask_it(port: int, role: str) -> None:
    told = of(f"{CLIENTS} kappa", [asks(name, "kappa", port) for name in CLIENTS.split()])
    assert roles(told, "kappa") == {role: Certainty.POSSIBLE}
    assert "kappa" not in set().union(*homes(told).values())
    (service,) = told.services
    assert service.roles[0].reason == f"4 ends ask it on port {port}"


def test_the_port_alone_is_not_enough_when_only_one_asks() -> None:
    told = of("alpha kappa", [asks("alpha", "kappa", 53)])
    assert told.services == ()


def test_a_process_that_agrees_with_port_and_fan_in_makes_it_likely() -> None:
    process = "C:\\Windows\\System32\\lsass.exe"
    told = of(f"{CLIENTS} kappa", [asks(name, "kappa", 389, destination_process=process) for name in CLIENTS.split()])
    assert roles(told, "kappa") == {"directory": Certainty.LIKELY}
    assert "the process lsass does it" in told.services[0].roles[0].reason


def test_what_asks_agents_on_many_servers_is_monitoring_or_backup() -> None:
    told = of(f"{CLIENTS} kappa", [asks("kappa", name, 10050) for name in CLIENTS.split()])
    assert roles(told, "kappa") == {"monitoring": Certainty.POSSIBLE}
    assert "it asks 4 ends on port 10050" in told.services[0].roles[0].reason


def test_clients_of_a_service_are_not_one_application_for_it() -> None:
    told = of(f"{CLIENTS} kappa", [asks(name, "kappa", 53) for name in CLIENTS.split()])
    assert homes(told) == {name: {name} for name in CLIENTS.split()}


def test_a_telling_name_counts_only_alone_and_only_where_no_connection_is_known() -> None:
    assert roles(of("dns01"), "dns01") == {"DNS": Certainty.POSSIBLE}
    assert of("shop-proxy").services == ()  # the proxy of an application
    assert of("dns01 alpha", [asks("alpha", "dns01", 8080)]).services == ()


def test_a_domain_controller_has_every_role_that_it_shows() -> None:
    told = of(f"{CLIENTS} dc01", [asks(name, "dc01", port) for name in CLIENTS.split() for port in (53, 88, 389)])
    assert roles(told, "dc01").keys() == {"directory", "DNS"}


def test_a_server_that_a_good_part_of_all_ask_is_told_apart_whatever_its_port() -> None:
    names = [f"s{letter}{other}x" for letter in "abcd" for other in "klm"]
    told = of(" ".join([*names, "kappa"]), [asks(name, "kappa", 9999) for name in names])
    assert roles(told, "kappa") == {HUB: Certainty.POSSIBLE}
    few = of(" ".join([*names[:9], "kappa"]), [asks(name, "kappa", 9999) for name in names[:9]])
    assert few.services == ()


def test_a_service_that_is_told_to_be_of_an_application_stays_in_it() -> None:
    servers = [server(name) for name in CLIENTS.split()] + [server("kappa", applications=("Names",))]
    told = found(servers, [asks(name, "kappa", 53) for name in CLIENTS.split()])
    assert homes(told)["Names"] == {"kappa"}
    assert told.services[0].applications == ("Names",)


def test_an_unknown_end_has_the_role_that_it_shows() -> None:
    told = of(CLIENTS, [asks(name, "192.0.2.53", 53) for name in CLIENTS.split()])
    (end,) = told.unknown_ends
    assert [role.role for role in end.roles] == ["DNS"]
    assert len(end.asked_by) == 4
