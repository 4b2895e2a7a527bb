"""Shadow requests at a server of the ledger: read by a role that may not write, and refused where they would."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from crossfade.rehearsal import wan
from crossfade.rehearsal.ledger.installation import RELEASE, install
from crossfade.rehearsal.ledger.release.settings import Arm, Side
from crossfade.rehearsal.processes import free_ports, start, stop
from tests.rehearsal.ledger.conftest import Answered, Center, ask, fence, open_writes, ready
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

TRANSFER = {"from": 2, "to": 3, "amount": "12.34"}
STATEMENT = {"account": 2}


def shadow(port: int, method: str, path: str, body: object = None, *, seconds: float = 120) -> Answered:
    headers = {"x-crossfade-shadow": "1", "idempotency-key": str(uuid4())}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@contextmanager
def far_from_the_source(center: Center, round_trip: timedelta) -> Iterator[int]:
    """A server that reaches its source over a long way, and its target over none; yields its port."""
    port, listen, control = free_ports(3)
    way = wan.launch({listen: center.clusters[Side.SOURCE].port}, control, round_trip, center.folder / "wan.log")
    process = start(way)
    try:
        wait_for(lambda: port_answers(listen))
        directory = center.folder / "servers" / "far"
        dsn = center.dsn(Side.SOURCE, "ledger_app") + f" port={listen}"
        install(directory, center.settings("far", Arm.LEGACY, port).model_copy(update={"source_dsn": dsn}))
        center.launcher.start("far", kind="test", directory=directory, port=port)
        wait_for(lambda: ready(port))
        yield port
    finally:
        center.launcher.stop("far")
        stop(process, timeout=60)


def port_answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except OSError:
        return False
    return True


def written(center: Center) -> tuple[int, int]:
    return (
        center.value("SELECT count(*) FROM ledger.transfers"),
        center.value("SELECT count(*) FROM ledger.statements"),
    )


def without_its_guard(center: Center) -> int:
    """A server of a release that has lost its guard; returns its port."""
    [port] = free_ports(1)
    directory = center.folder / "servers" / "unguarded"
    install(directory, center.settings("unguarded", Arm.MODERN, port))
    place = directory / RELEASE / "application.py"
    guarded = place.read_text(encoding="utf-8")
    assert guarded.count('raise ShadowWrite("guard")') == 1
    place.write_text(guarded.replace('raise ShadowWrite("guard")', "pass"), encoding="utf-8")
    center.launcher.start("unguarded", kind="test", directory=directory, port=port)
    wait_for(lambda: ready(port))
    return port


def test_a_shadow_read_is_answered_as_a_users_and_says_where_it_was_read(center: Center) -> None:
    port = center.start("modern-01", Arm.MODERN, "test")
    for path in ("/api/accounts/2", "/accounts/2", "/api/accounts"):
        users, copy = ask(port, "GET", path), shadow(port, "GET", path)
        assert (copy.status, copy.body) == (users.status, users.body)
        assert copy.headers["x-read-from"] == "source"
        assert "x-read-from" not in users.headers


def test_a_shadow_read_uses_the_role_that_may_not_write(center: Center) -> None:
    port = center.start("modern-01", Arm.MODERN, "test")
    sessions = (
        f"SELECT count(*) FROM pg_stat_activity WHERE usename = 'ledger_shadow' AND datname = '{center.database}'"
    )
    ask(port, "GET", "/api/accounts/2")
    assert center.value(sessions) == 0
    shadow(port, "GET", "/api/accounts/2")
    assert center.value(sessions) == 1
    granted = (
        "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'ledger_shadow' AND {} 'SELECT'"
    )
    assert center.value(granted.format("privilege_type <>")) == 0
    assert center.value(granted.format("privilege_type =")) > 0


@pytest.mark.parametrize(("path", "body"), [("/api/transfers", TRANSFER), ("/api/statements", STATEMENT)])
def test_a_shadow_write_is_refused_by_the_guard_on_either_side(center: Center, path: str, body: object) -> None:
    before = written(center)
    for port in (center.start("a"), center.start("b", Arm.MODERN, "test")):
        answer = shadow(port, "POST", path, body)
        assert (answer.status, answer.headers["x-refused-by"]) == (403, "guard")
        assert answer.json == {"problem": "a shadow request writes nothing"}
    assert written(center) == before


@pytest.mark.parametrize(("path", "body"), [("/api/transfers", TRANSFER), ("/api/statements", STATEMENT)])
def test_a_shadow_write_is_refused_by_the_database_when_the_guard_is_gone(
    center: Center, path: str, body: object
) -> None:
    port, before = without_its_guard(center), written(center)
    answer = shadow(port, "POST", path, body)
    assert (answer.status, answer.headers["x-refused-by"]) == (403, "database")
    assert written(center) == before


def test_users_go_on_writing_when_a_shadow_was_refused_by_the_database(center: Center) -> None:
    port = center.start("a")
    assert shadow(port, "POST", "/api/transfers", TRANSFER).status == 403
    assert ask(port, "POST", "/api/transfers", TRANSFER).status == 201


def test_the_first_shadow_read_waits_for_the_side_that_takes_writes_when_the_other_is_nearer(center: Center) -> None:
    with far_from_the_source(center, timedelta(milliseconds=100)) as port:
        assert shadow(port, "GET", "/api/accounts/2").headers["x-read-from"] == "source"


def test_the_first_shadow_read_is_answered_when_the_side_that_takes_writes_is_down(center: Center) -> None:
    port = center.start("a")
    center.clusters[Side.SOURCE].stop()
    assert shadow(port, "GET", "/api/accounts/2").headers["x-read-from"] == "target"


def test_shadow_reads_follow_the_side_that_takes_writes(center: Center) -> None:
    port = center.start("a")
    assert shadow(port, "GET", "/api/accounts/2").headers["x-read-from"] == "source"
    fence(center.dsn(Side.SOURCE))
    open_writes(center.dsn(Side.TARGET), Side.TARGET, 1)
    wait_for(lambda: shadow(port, "GET", "/api/accounts/2").headers["x-read-from"] == "target")


def test_only_shadow_requests_hang_while_the_fault_lasts(center: Center) -> None:
    port = center.start("modern-01", Arm.MODERN)
    center.launcher.set_faults(hang_percent=100)
    came: list[Answered] = []
    waiting = threading.Thread(target=lambda: came.append(shadow(port, "GET", "/api/accounts/2")))
    waiting.start()
    with pytest.raises(TimeoutError):
        shadow(port, "GET", "/api/accounts/2", seconds=0.3)
    assert ask(port, "GET", "/api/accounts/2").status == 200
    assert came == []
    center.launcher.set_faults()
    waiting.join()
    assert [answer.status for answer in came] == [200]


def test_so_many_answers_are_wrong_as_the_fault_says_in_one_digit(center: Center) -> None:
    port = center.start("modern-01", Arm.MODERN)
    right = shadow(port, "GET", "/api/accounts/2").json
    center.launcher.set_faults(wrong_percent=100)
    wrong = shadow(port, "GET", "/api/accounts/2").json
    assert {name for name in right if right[name] != wrong[name]} == {"balance"}
