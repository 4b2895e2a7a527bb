import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from crossfade.network.tcp import TcpNetwork, TcpPath
from crossfade.rehearsal import processes, wan
from crossfade.rehearsal.wan import WanControl, WanRefused, WanUnreachable
from crossfade.rehearsal.wan_line import Cut
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

ROUND_TRIP = timedelta(milliseconds=20)


@dataclass
class Echo:
    """Sends back what it gets, on a thread for each connection; `got_bytes` counts."""

    listener: socket.socket
    got_bytes: int = 0

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    self.got_bytes += len(data)
                    connection.sendall(data)
            except OSError:
                return


@dataclass
class Wan:
    echo: Echo
    port: int
    dead_end: int
    control: WanControl
    process: subprocess.Popen[bytes]
    network: TcpNetwork

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def refuses(self) -> bool:
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return True
        return False


@contextmanager
def _running(round_trip: timedelta, *more: str, paths: Sequence[str] = ()) -> Iterator[Wan]:
    listen, control, dead_listen, dead_target, target, *answering = processes.free_ports(5 + len(paths))
    at = dict(zip(paths, answering, strict=True))
    listener = socket.create_server(("127.0.0.1", target))
    echo = Echo(listener)
    thread = threading.Thread(target=echo.run)
    thread.start()
    with tempfile.TemporaryDirectory() as folder:
        launch = wan.launch(
            {listen: target, dead_listen: dead_target}, control, round_trip, Path(folder) / "log", paths=at
        )
        launch = processes.Launch(argv=[*launch.argv, *more], log=launch.log)
        process = processes.start(launch)
        running = Wan(
            echo=echo,
            port=listen,
            dead_end=dead_listen,
            control=WanControl(port=control, timeout=timedelta(seconds=60)),
            process=process,
            network=TcpNetwork(
                [
                    TcpPath(name=name, host="127.0.0.1", port=port, hello=b"?", redundant=True)
                    for name, port in at.items()
                ],
                timeout=timedelta(seconds=60),
            ),
        )
        try:
            wait_for(lambda: _is_up(running))
            yield running
        finally:
            processes.stop(process, timeout=60)
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()
            assert Path(launch.log).read_text() == "", "the proxy complained"
    assert process.returncode == 0


def _is_up(running: Wan) -> bool:
    assert running.process.poll() is None
    try:
        running.control.state()
    except WanUnreachable:
        return False
    return True


@pytest.fixture(scope="module")
def far_away() -> Iterator[Wan]:
    with _running(ROUND_TRIP) as running:
        yield running


@pytest.fixture
def far(far_away: Wan) -> Wan:
    far_away.control.heal()
    far_away.control.set_round_trip(ROUND_TRIP)
    wait_for(lambda: far_away.control.state().connections == 0)
    return far_away


def _milliseconds(connection: socket.socket) -> float:
    begin = time.monotonic()
    connection.sendall(b"ping")
    assert _receive(connection, 4) == b"ping"
    return (time.monotonic() - begin) * 1000


def _receive(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(1 << 16, size - len(parts)))
        assert part, f"closed after {len(parts)} bytes"
        parts += part
    return bytes(parts)


def test_round_trip_is_as_long_as_wanted_when_connected(far: Wan) -> None:
    with far.connect() as connection:
        _milliseconds(connection)  # the handshake's
        assert min(_milliseconds(connection) for _ in range(20)) >= 20
        wait_for(lambda: _milliseconds(connection) < 30)  # once nobody else has the processor


def test_new_connection_takes_a_round_trip_more_when_it_is_made(far: Wan) -> None:
    begin = time.monotonic()
    with far.connect() as connection:
        _milliseconds(connection)
    assert time.monotonic() - begin >= 0.040


def test_nothing_is_added_when_the_round_trip_is_zero(far: Wan) -> None:
    far.control.set_round_trip(timedelta(0))
    with far.connect() as connection:
        _milliseconds(connection)
        wait_for(lambda: _milliseconds(connection) < 5)  # once nobody else has the processor


def test_much_passes_unchanged_and_quickly_when_the_way_is_long(far: Wan) -> None:
    sent = os.urandom(1 << 20) * 48
    far.control.set_round_trip(timedelta(milliseconds=200))
    with far.connect() as connection:
        begin = time.monotonic()
        sender = threading.Thread(target=connection.sendall, args=(sent,))
        sender.start()
        received = _receive(connection, len(sent))
        taken = time.monotonic() - begin
        sender.join()
    assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest()
    assert taken < 75  # a delay for each 64 KiB chunk would take 150 s


def test_order_is_kept_when_the_round_trip_falls_meanwhile(far: Wan) -> None:
    with far.connect() as connection:
        _milliseconds(connection)
        far.control.set_round_trip(timedelta(milliseconds=300))
        connection.sendall(b"first,")
        wait_for(lambda: far.control.state().round_trip == timedelta(milliseconds=300))
        far.control.set_round_trip(timedelta(0))
        connection.sendall(b"second")
        assert _receive(connection, 12) == b"first,second"


def test_new_round_trip_holds_for_connections_that_stand_when_it_is_set(far: Wan) -> None:
    with far.connect() as connection:
        _milliseconds(connection)
        assert far.control.set_round_trip(timedelta(milliseconds=60)).round_trip == timedelta(milliseconds=60)
        assert _milliseconds(connection) >= 60


def test_rest_arrives_when_one_end_finished_sending(far: Wan) -> None:
    with far.connect() as connection:
        connection.sendall(b"x" * 100_000)
        connection.shutdown(socket.SHUT_WR)
        assert len(_receive(connection, 100_000)) == 100_000
        assert connection.recv(1) == b""


def test_connection_is_closed_when_the_far_end_is_dead(far: Wan) -> None:
    connection = socket.create_connection(("127.0.0.1", far.dead_end), timeout=60)
    with connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    wait_for(lambda: far.control.state().connections == 0)


def test_connections_are_forgotten_when_they_end(far: Wan) -> None:
    with far.connect() as connection:
        _milliseconds(connection)
        assert far.control.state().connections == 1
    wait_for(lambda: far.control.state().connections == 0)


def test_what_was_sent_arrives_after_healing_when_a_cut_stalls(far: Wan) -> None:
    with far.connect() as connection:
        _milliseconds(connection)
        assert far.control.cut(Cut.STALL).cut is Cut.STALL
        connection.sendall(b"during the cut")
        connection.settimeout(0.15)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(60)
        assert far.control.heal().cut is None
        assert _receive(connection, 14) == b"during the cut"


def test_connections_are_reset_when_a_cut_resets(far: Wan) -> None:
    with far.connect() as connection:
        _milliseconds(connection)
        far.control.cut(Cut.RESET)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    wait_for(lambda: far.control.state().connections == 0)


@pytest.mark.parametrize("how", list(Cut))
def test_new_connections_are_refused_until_healed_when_cut(far: Wan, how: Cut) -> None:
    far.control.cut(how)
    far.control.cut(how)
    assert far.refuses()
    far.control.heal()
    far.control.heal()
    with far.connect() as connection:
        assert _milliseconds(connection) >= 20


@contextmanager
def _two_paths() -> Iterator[tuple[Wan, TcpNetwork]]:
    with _running(ROUND_TRIP, paths=(wan.PRIMARY, wan.BACKUP)) as running:
        yield running, running.network


def _links(network: TcpNetwork) -> dict[str, bool]:
    links = network.links()
    assert isinstance(links, tuple)
    return {link.name: link.up for link in links}


def test_traffic_takes_the_backup_and_comes_back_when_the_primary_path_is_down_for_a_while() -> None:
    with _two_paths() as (running, network):
        assert running.control.state().carrying == "primary"
        for up, carrying in ((False, "backup"), (True, "primary")):
            with running.connect() as broken:
                _milliseconds(broken)
                assert running.control.set_path("primary", up=up).carrying == carrying
                with pytest.raises(ConnectionResetError):
                    broken.recv(4)
            with running.connect() as anew:
                assert _milliseconds(anew) >= 20
            assert _links(network) == {"primary": up, "backup": True}


def test_connections_stand_when_the_backup_is_lost() -> None:
    with _two_paths() as (running, network), running.connect() as connection:
        _milliseconds(connection)
        assert running.control.set_path("backup", up=False).carrying == "primary"
        _milliseconds(connection)
        assert _links(network) == {"primary": True, "backup": False}


def test_nothing_passes_when_both_paths_are_down_or_the_line_is_cut() -> None:
    with _two_paths() as (running, network):
        running.control.set_path("primary", up=False)
        assert running.control.set_path("backup", up=False).carrying is None
        assert running.refuses()
        running.control.set_path("backup", up=True)
        with running.connect() as connection:
            _milliseconds(connection)
        running.control.cut(Cut.STALL)
        assert _links(network) == {"primary": False, "backup": False}
        running.control.heal()
        assert _links(network) == {"primary": False, "backup": True}


def test_a_path_takes_a_round_trip_to_answer() -> None:
    with _two_paths() as (_, network):
        links = network.links()
        assert isinstance(links, tuple)
        assert all(link.round_trip is not None and link.round_trip >= ROUND_TRIP for link in links)


def test_bytes_take_as_long_as_the_bandwidth_says_when_it_is_limited() -> None:
    def took() -> float:
        begin = time.monotonic()
        connection.sendall(b"x" * 200_000)
        _receive(connection, 200_000)
        return time.monotonic() - begin

    with _running(timedelta(0), "--bandwidth", "8Mbps") as running, running.connect() as connection:
        assert took() >= 0.2
        wait_for(lambda: took() < 1)  # once nobody else has the processor


@pytest.mark.parametrize("command", ["", "cut", "cut gently", "round-trip", "round-trip -5ms", "round-trip 2h", "\xff"])
def test_command_is_refused_with_a_reason_when_it_is_none(far: Wan, command: str) -> None:
    with pytest.raises(WanRefused) as caught:
        far.control._say(command)
    assert caught.value.problem
    assert far.control.state().cut is None


def test_control_is_unreachable_when_no_proxy_runs() -> None:
    (port,) = processes.free_ports(1)
    with pytest.raises(WanUnreachable) as caught:
        WanControl(port=port).state()
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--map", "1:2:3"], "no port"),
        (["--map", "20001"], "no port"),
        (["--map", "20001:70000"], "no port"),
        (["--map", "20001:20002", "--round-trip", "soon"], "no round trip"),
        (["--map", "20001:20002", "--bandwidth", "0Mbps"], "no bandwidth"),
        ([], "--map"),
    ],
)
def test_bad_words_are_named_when_started(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        wan.main(["--control", "20003", *words])
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


def test_start_fails_with_a_remedy_when_a_port_is_busy() -> None:
    busy, control = processes.free_ports(2)
    with closing(socket.create_server(("127.0.0.1", busy))):
        argv = [
            sys.executable,
            "-m",
            "crossfade.rehearsal.wan",
            "--map",
            f"{busy}:{control}",
            "--control",
            str(control),
        ]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=180)
    assert ended.returncode == 1
    assert "End the program" in ended.stderr
    assert "Traceback" not in ended.stderr
