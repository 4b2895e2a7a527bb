import socket
from pathlib import Path

import pytest

from crossfade.model.file.rehearsal import Ports
from crossfade.rehearsal.layout import PortTaken, lay_out, read_layout
from crossfade.rehearsal.processes import NoPortsLeft, free_ports


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    return tmp_path


def test_ports_lie_in_the_range_and_where_the_file_says() -> None:
    router, first = free_ports(1)[0], 24_050
    wanted = Ports(first=first, last=first + 399, router=router)
    ports = lay_out("small-1", ("a", "b"), through_wan=False, speed=1.0, seed=1, wanted=wanted).ports
    assert ports.router == router
    assert all(first <= port <= first + 399 for port in ports.everyone() - {router})
    assert len(ports.everyone()) == 13 + 3 * 2
    assert read_layout("small-1").ports == ports


@pytest.mark.parametrize("key", ["router", "source_database", "target_database"])
def test_the_key_is_named_and_nothing_is_left_when_its_port_is_taken(key: str, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(PortTaken) as taken:
            lay_out("small-1", ("a",), through_wan=False, speed=1.0, seed=1, wanted=Ports(**{key: port}))
    assert str(port) in str(taken.value)
    assert f"rehearsal.ports.{key}" in taken.value.remedy
    assert list(home.iterdir()) == []


def test_the_range_is_named_when_it_is_too_small() -> None:
    with pytest.raises(NoPortsLeft, match="between 25010 and 25013"):
        free_ports(10, among=range(25_010, 25_014))
