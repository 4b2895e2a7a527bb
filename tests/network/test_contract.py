"""What every network between the sites must do, asked of each."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import pytest

from crossfade.model.seen import Link
from crossfade.model.terms import NoData
from crossfade.network.memory import InMemoryNetwork
from crossfade.network.port import LinksDown, Network, NoLinks
from crossfade.network.tcp import TcpNetwork, TcpPath
from crossfade.rehearsal.processes import free_ports


@dataclass
class Case:
    """Two paths, `vpn` and `direct connect`."""

    network: Network
    take_down: Callable[[str], None]
    without_paths: Network
    redundant: Network


@pytest.fixture(params=["memory", "tcp"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    names = ("vpn", "direct connect")
    if request.param == "memory":
        network, redundant = InMemoryNetwork(names), InMemoryNetwork(names, names)
        network.down = redundant.down
        yield Case(
            network=network,
            take_down=network.down.add,
            without_paths=InMemoryNetwork(()),
            redundant=redundant,
        )
        return
    with ExitStack() as stack:
        listeners = {
            name: stack.enter_context(closing(socket.create_server(("127.0.0.1", port))))
            for name, port in zip(names, free_ports(2), strict=True)
        }
        paths = [TcpPath(name=name, host="127.0.0.1", port=at.getsockname()[1]) for name, at in listeners.items()]
        yield Case(
            network=TcpNetwork(paths),
            take_down=lambda name: listeners[name].close(),
            without_paths=TcpNetwork(()),
            redundant=TcpNetwork([replace(path, redundant=True) for path in paths]),
        )


def _up(network: Network) -> dict[str, bool]:
    links = network.links()
    assert isinstance(links, tuple)
    assert all(isinstance(link, Link) for link in links)
    return {link.name: link.up for link in links}


def test_all_paths_are_up_when_both_ends_answer(case: Case) -> None:
    case.network.connect()
    assert _up(case.network) == {"vpn": True, "direct connect": True}


def test_path_is_named_when_it_is_down(case: Case) -> None:
    case.take_down("vpn")
    with pytest.raises(LinksDown) as caught:
        case.network.connect()
    assert caught.value.names == ("vpn",)
    assert caught.value.retryable
    assert "vpn (" in str(caught.value)
    assert _up(case.network) == {"vpn": False, "direct connect": True}


def test_all_are_named_when_several_are_down(case: Case) -> None:
    case.take_down("vpn")
    case.take_down("direct connect")
    with pytest.raises(LinksDown) as caught:
        case.network.connect()
    assert caught.value.names == ("vpn", "direct connect")


def test_nothing_is_connected_when_no_path_is_named(case: Case) -> None:
    assert isinstance(case.without_paths.links(), NoData)
    with pytest.raises(NoLinks):
        case.without_paths.connect()


def test_round_trip_is_known_only_when_the_path_is_up(case: Case) -> None:
    case.take_down("vpn")
    links = case.network.links()
    assert isinstance(links, tuple)
    assert [link.round_trip is not None for link in links] == [link.up for link in links]


def test_one_path_is_enough_when_paths_are_redundant(case: Case) -> None:
    case.take_down("vpn")
    case.redundant.connect()
    assert _up(case.redundant) == {"vpn": False, "direct connect": True}
    links = case.redundant.links()
    assert isinstance(links, tuple)
    assert all(link.redundant for link in links)


def test_nothing_is_connected_when_all_redundant_paths_are_down(case: Case) -> None:
    case.take_down("vpn")
    case.take_down("direct connect")
    with pytest.raises(LinksDown) as caught:
        case.redundant.connect()
    assert caught.value.names == ("vpn", "direct connect")
