import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from crossfade.model.seen import Link
from crossfade.network.tcp import HTTP_HELLO, POSTGRES_HELLO, TcpNetwork, TcpPath
from crossfade.rehearsal import processes, wan
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.parts import target_postgres
from crossfade.rehearsal.wan import WanControl, WanUnreachable
from crossfade.rehearsal.wan_line import Cut
from tests.traffic.servers import serving
from tests.waiting import wait_for


@contextmanager
def _answering(answer: bytes, port: int, got: list[bytes]) -> Iterator[None]:
    """A far end that sends `answer` to each who said something; empty: closes instead."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                got.append(connection.recv(1000))
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _link(port: int, hello: bytes, *, timeout_s: float = 60) -> Link:
    path = TcpPath(name="path", host="127.0.0.1", port=port, hello=hello)
    links = TcpNetwork([path], timeout=timedelta(seconds=timeout_s)).links()
    assert isinstance(links, tuple)
    return links[0]


def test_hello_is_postgres_own_when_a_database_is_asked() -> None:
    (port,) = processes.free_ports(1)
    got: list[bytes] = []
    with _answering(b"N", port, got):
        assert _link(port, POSTGRES_HELLO).up
    assert got == [bytes.fromhex("0000000804d2162f")]


def test_path_is_down_when_the_far_end_closes_without_an_answer() -> None:
    (port,) = processes.free_ports(1)
    with _answering(b"", port, []):
        assert not _link(port, b"hello").up


def test_path_is_down_within_the_timeout_when_nobody_answers() -> None:
    (port,) = processes.free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert not _link(port, b"hello", timeout_s=0.1).up  # without a limit it would wait for ever


def test_all_paths_take_as_long_as_one_when_they_are_looked_at() -> None:
    (port,) = processes.free_ports(1)
    paths = [TcpPath(name=str(n), host="127.0.0.1", port=port, hello=b"hello") for n in range(10)]
    with socket.create_server(("127.0.0.1", port)) as listener, ExitStack() as looking:

        def answer_once_all_are_there() -> None:
            connections = [looking.enter_context(listener.accept()[0]) for _ in paths]
            for connection in connections:
                connection.sendall(b"N")

        far_end = threading.Thread(target=answer_once_all_are_there)
        far_end.start()
        links = TcpNetwork(paths, timeout=timedelta(seconds=60)).links()
        far_end.join()
    assert isinstance(links, tuple)
    assert all(link.up for link in links)


def test_path_is_up_when_a_web_server_answers() -> None:
    legacy, modern = processes.free_ports(2)
    with serving([legacy], [modern]):
        assert _link(modern, HTTP_HELLO).up


@pytest.mark.parts
def test_path_is_up_and_nothing_is_logged_when_a_real_database_is_asked(tmp_path: Path) -> None:
    (port,) = processes.free_ports(1)
    cluster = Cluster(programs=target_postgres(), directory=tmp_path / "postgres", port=port)
    cluster.create()
    cluster.start()
    try:
        said = cluster.log.read_text()
        assert all(_link(port, POSTGRES_HELLO).up for _ in range(5))
        with psycopg.connect(cluster.dsn()):  # the postmaster has seen those who asked before
            assert cluster.log.read_text() == said
    finally:
        cluster.stop()


@pytest.mark.parts
def test_round_trip_and_cuts_are_seen_when_the_path_leads_through_the_wan(tmp_path: Path) -> None:
    listen, target, dead_listen, dead_target, control_port = processes.free_ports(5)
    maps = {listen: target, dead_listen: dead_target}
    launch = wan.launch(maps, control_port, timedelta(milliseconds=20), tmp_path / "log")
    process = processes.start(launch)
    control = WanControl(port=control_port)
    try:
        with _answering(b"N", target, []):
            wait_for(lambda: _answers(control))
            link = _link(listen, POSTGRES_HELLO)
            assert link.round_trip is not None
            assert link.round_trip >= timedelta(milliseconds=20)
            assert not _link(dead_listen, POSTGRES_HELLO).up  # the proxy takes the connection, nobody is behind it
            control.cut(Cut.STALL)
            assert not _link(listen, POSTGRES_HELLO).up
            control.heal()
            assert _link(listen, POSTGRES_HELLO).up
    finally:
        processes.stop(process, timeout=60)


def _answers(control: WanControl) -> bool:
    try:
        control.state()
    except WanUnreachable:
        return False
    return True


def test_links_are_not_looked_at_more_often_than_asked_for() -> None:
    (port,) = processes.free_ports(1)
    network = TcpNetwork([TcpPath(name="path", host="127.0.0.1", port=port)], every=timedelta(hours=1))
    seldom = network.links()
    with _answering(b"", port, []):
        assert network.links() == seldom == (Link(name="path", up=False),)
        network.connect()  # whoever is about to act looks anew
