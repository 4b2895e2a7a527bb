import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from crossfade.checks.http import HttpChecks, Probe
from crossfade.model.seen import CheckResult
from crossfade.model.terms import Suite
from crossfade.rehearsal.processes import free_ports

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nbalance"


@contextmanager
def _saying(*parts: bytes, between_s: float = 0, said: list[bytes] | None = None) -> Iterator[str]:
    """A server that sends these parts to everybody, and notes what it has `said`; yields its address."""
    (port,) = free_ports(1)
    listener = socket.create_server(("127.0.0.1", port))
    ended = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(1000)
                    for part in parts:
                        connection.sendall(part)
                        if said is not None:
                            said.append(part)
                        ended.wait(between_s)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _check(url: str, *, timeout_s: float = 60, status: int = 200, contains: str = "") -> CheckResult:
    probe = Probe(name="page", subject="web-1", url=url, status=status, contains=contains)
    (result,) = HttpChecks({Suite.TARGET: [probe]}, timeout=timedelta(seconds=timeout_s)).run(Suite.TARGET)
    assert (result.name, result.subject) == ("page", "web-1")
    assert result.passed == (not result.detail)
    return result


def test_check_passes_when_status_and_text_are_as_expected() -> None:
    with _saying(OK) as url:
        assert _check(url, contains="balance").passed


def test_check_fails_when_the_status_is_another() -> None:
    with _saying(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n") as url:
        assert _check(url).detail == "status 503 instead of 200"


def test_check_fails_without_telling_the_text_when_the_answer_is_another() -> None:
    with _saying(OK) as url:
        result = _check(url, contains="total")
    assert not result.passed
    assert "balance" not in result.detail


def test_redirect_is_an_answer_when_one_comes() -> None:
    with _saying(b"HTTP/1.1 302 Elsewhere\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n") as url:
        assert not _check(url).passed
        assert _check(url, status=302).passed


def test_check_fails_when_nobody_listens() -> None:
    (port,) = free_ports(1)
    assert "ConnectionRefusedError" in _check(f"http://127.0.0.1:{port}/").detail


def test_check_fails_when_the_answer_is_nonsense() -> None:
    with _saying(b"HELO\r\n\r\n") as url:
        assert not _check(url).passed


def test_check_fails_when_the_answer_breaks_off() -> None:
    with _saying(OK[:-3]) as url:
        assert not _check(url).passed


def test_check_fails_when_the_address_is_none() -> None:
    assert not _check("nonsense").passed


def test_check_fails_within_its_timeout_when_the_answer_drips() -> None:
    drops = [b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", *([b"x"] * 999)]
    said: list[bytes] = []
    with _saying(*drops, between_s=0.02, said=said) as url:
        assert "no answer within" in _check(url, timeout_s=0.2).detail
        assert len(said) < len(drops)  # each of them comes in less time than that


def test_check_fails_when_the_answer_is_endless() -> None:
    with _saying(b"HTTP/1.1 200 OK\r\n\r\n", *([b"x" * (1 << 16)] * 20)) as url:
        assert "more than" in _check(url).detail


def test_nothing_passed_when_a_suite_has_no_checks() -> None:
    (result,) = HttpChecks({Suite.TARGET: []}).run(Suite.TARGET)
    assert not result.passed
    (result,) = HttpChecks({}).run(Suite.SOURCE)
    assert not result.passed


def test_all_checks_take_as_long_as_one_when_servers_are_slow() -> None:
    (port,) = free_ports(1)
    probes = [Probe(name="page", subject=str(n), url=f"http://127.0.0.1:{port}/") for n in range(20)]
    with socket.create_server(("127.0.0.1", port)) as listener, ExitStack() as asking:

        def answer_once_all_are_there() -> None:
            connections = [asking.enter_context(listener.accept()[0]) for _ in probes]
            for connection in connections:
                connection.sendall(OK)

        server = threading.Thread(target=answer_once_all_are_there)
        server.start()
        results = HttpChecks({Suite.TARGET: probes}, timeout=timedelta(seconds=60)).run(Suite.TARGET)
        server.join()
    assert [result.subject for result in results] == [str(n) for n in range(20)]
    assert all(result.passed for result in results)
