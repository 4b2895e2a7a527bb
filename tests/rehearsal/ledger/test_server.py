"""One server, asked over HTTP, with real databases behind it."""

import hashlib
import http.client
import shutil
import signal
import socket
import threading
import time
from contextlib import suppress
from decimal import Decimal
from uuid import uuid4

import psutil
import psycopg
import pytest

from crossfade.rehearsal.ledger.release.settings import Arm, Side
from tests.rehearsal.ledger.conftest import Answered, Center, ask, copy_rows, fence, open_writes, ready
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

TRANSFER = {"from": 2, "to": 3, "amount": "12.34"}


def transfer(port: int, key: str | None = "new") -> Answered:
    return ask(port, "POST", "/api/transfers", TRANSFER, key=key)


def test_says_who_it_is_when_it_answers(center: Center) -> None:
    port = center.start("modern-07", Arm.MODERN)
    for path in ("/healthz", "/readyz", "/accounts/2", "/nowhere"):
        answer = ask(port, "GET", path)
        assert (answer.headers["x-arm"], answer.headers["x-server"]) == ("modern", "modern-07")


def test_books_a_transfer_and_shows_it_when_asked(center: Center) -> None:
    port = center.start("a")
    before = Decimal(ask(port, "GET", "/api/accounts/2").json["balance"])
    booked = transfer(port)
    assert booked.status == 201
    shown = ask(port, "GET", "/api/accounts/2").json
    assert Decimal(shown["balance"]) == before - Decimal("12.34") == Decimal(booked.json["balance"])
    assert shown["entries"][0]["transfer"] == booked.json["id"]
    assert b"-12.34" in ask(port, "GET", "/accounts/2").body


def test_gives_the_same_answer_when_the_same_key_comes_again(center: Center) -> None:
    port, key = center.start("a"), str(uuid4())
    first = transfer(port, key)
    transfer(port)
    again = transfer(port, key)
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["x-replayed"] == "1"
    assert center.value(f"SELECT count(*) FROM ledger.transfers WHERE idempotency_key = '{key}'") == 1


def test_books_nothing_when_a_transfer_is_declined(center: Center) -> None:
    port, key = center.start("a"), str(uuid4())
    center.launcher.set_faults(declined_percent=100.0)
    assert transfer(port, key).status == 409
    assert center.value(f"SELECT count(*) FROM ledger.transfers WHERE idempotency_key = '{key}'") == 0
    assert ask(port, "GET", "/api/accounts/2").status == 200
    center.launcher.set_faults()
    assert transfer(port, key).status == 201


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"from": 2, "to": 3, "amount": "1.234", "extra": 1}, 400, ["amount", "extra"]),
        ({"from": "2", "amount": "-1"}, 400, ["from", "to", "amount"]),
        ({"from": 2, "to": 2, "amount": "1"}, 422, ["the same account"]),
        ({"from": 2, "to": 99_999_999, "amount": "1"}, 404, ["no such account"]),
        ({"from": 2, "to": 3, "amount": "999999999"}, 422, ["does not cover"]),
        (["not", "an", "object"], 400, ["object"]),
    ],
)
def test_tells_every_fault_when_a_transfer_cannot_be(
    center: Center, body: object, status: int, told: list[str]
) -> None:
    answer = ask(center.start("a"), "POST", "/api/transfers", body)
    assert answer.status == status
    assert all(word in answer.body.decode() for word in told)


@pytest.mark.parametrize("key", [None, "not-a-uuid"])
def test_refuses_a_write_when_it_has_no_key(center: Center, key: str | None) -> None:
    assert transfer(center.start("a"), key).status == 400


def test_keeps_the_document_on_the_primarys_share_when_a_statement_is_issued(center: Center) -> None:
    port = center.start("a")
    issued = ask(port, "POST", "/api/statements", {"account": 2}).json
    file = center.share(Side.SOURCE) / "statements" / issued["document"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == issued["checksum"]
    read = ask(port, "GET", f"/api/statements/{issued['id']}")
    assert read.body == file.read_bytes()
    assert b"Closing balance" in ask(port, "GET", f"/statements/{issued['id']}").body
    assert [entry.name for entry in file.parent.iterdir()] == [file.name], "a draft was left"


@pytest.mark.parametrize("damage", ["missing", "half"])
def test_reads_the_other_share_when_the_first_lacks_the_document(center: Center, damage: str) -> None:
    port = center.start("a")
    issued = ask(port, "POST", "/api/statements", {"account": 2}).json
    file = center.share(Side.SOURCE) / "statements" / issued["document"]
    whole = file.read_bytes()
    shutil.copytree(center.share(Side.SOURCE), center.share(Side.TARGET), dirs_exist_ok=True)
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(whole[: len(whole) // 2])
    assert ask(port, "GET", f"/api/statements/{issued['id']}").body == whole


def test_writes_the_document_again_when_it_was_lost_before_the_answer(center: Center) -> None:
    port, key = center.start("a"), str(uuid4())
    issued = ask(port, "POST", "/api/statements", {"account": 2}, key=key).json
    file = center.share(Side.SOURCE) / "statements" / issued["document"]
    file.unlink()  # as if the server had died between its commit and the file
    assert ask(port, "POST", "/api/statements", {"account": 2}, key=key).json == issued
    assert hashlib.sha256(file.read_bytes()).hexdigest() == issued["checksum"]


def test_writes_nothing_when_it_is_a_test_instance(center: Center) -> None:
    port = center.start("t", Arm.MODERN, "test")
    assert transfer(port).status == 403
    assert ask(port, "GET", "/api/accounts/2").status == 200


@pytest.mark.parametrize("announce", [True, False])
def test_follows_the_writer_without_a_failed_request_when_it_moves_and_returns(center: Center, announce: bool) -> None:
    port = center.start("a", Arm.MODERN)
    assert transfer(port).status == 201
    waiting: list[Answered] = []
    for epoch, (old, new) in enumerate(((Side.SOURCE, Side.TARGET), (Side.TARGET, Side.SOURCE)), 1):
        fence(center.dsn(old))
        user = threading.Thread(target=lambda: waiting.append(transfer(port)))
        user.start()
        copy_rows(center.dsn(old), center.dsn(new))
        open_writes(center.dsn(new), new, epoch, announce=announce)
        user.join()
        assert waiting[-1].status == 201
        assert center.value(f"SELECT count(*) FROM ledger.transfers WHERE id = {waiting[-1].json['id']}", new) == 1


def test_reads_follow_when_writes_move_and_nothing_was_written_here_since(center: Center) -> None:
    port = center.start("a")
    fence(center.dsn(Side.SOURCE))
    with psycopg.connect(center.dsn(Side.TARGET)) as target:
        target.execute("UPDATE ledger.accounts SET balance = balance + 1 WHERE id = 2")
    moved = str(round(center.value("SELECT balance FROM ledger.accounts WHERE id = 2", Side.TARGET), 2))
    open_writes(center.dsn(Side.TARGET), Side.TARGET, 1)
    wait_for(lambda: ask(port, "GET", "/api/accounts/2").json["balance"] == moved)


def test_hears_of_the_new_primary_when_its_connections_were_broken_before(center: Center) -> None:
    port = center.start("a")
    with psycopg.connect(center.dsn(Side.TARGET), autocommit=True) as target:
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'ledger_app'"
        assert target.execute(ended).fetchone() != (0,)
        listening = "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN crossfade_writer' AND datname = %s"
        wait_for(lambda: target.execute(listening, (center.database,)).fetchone() == (1,))
        target.execute("UPDATE ledger.accounts SET balance = balance + 1 WHERE id = 2")
    moved = str(round(center.value("SELECT balance FROM ledger.accounts WHERE id = 2", Side.TARGET), 2))
    fence(center.dsn(Side.SOURCE))
    open_writes(center.dsn(Side.TARGET), Side.TARGET, 1)
    wait_for(lambda: ask(port, "GET", "/api/accounts/2").json["balance"] == moved)


def test_issues_the_statement_on_the_new_primarys_share_when_writes_have_moved(center: Center) -> None:
    port = center.start("a")
    fence(center.dsn(Side.SOURCE))
    open_writes(center.dsn(Side.TARGET), Side.TARGET, 1)
    issued = ask(port, "POST", "/api/statements", {"account": 2}).json
    assert (center.share(Side.TARGET) / "statements" / issued["document"]).exists()


def test_answers_503_within_its_deadline_when_no_side_takes_writes(center: Center) -> None:
    port = center.start("a", deadline_seconds=2.0)
    fence(center.dsn(Side.SOURCE))
    began = time.monotonic()
    assert transfer(port).status == 503
    assert 1 < time.monotonic() - began < 30  # of two seconds; a user waits for two minutes
    assert ask(port, "GET", "/api/accounts/2").status == 200


def test_waits_and_books_once_when_the_database_is_killed_and_comes_back(center: Center) -> None:
    port = center.start("a")
    cluster = center.clusters[Side.SOURCE]
    cluster.kill()
    answers: list[Answered] = []
    users = [threading.Thread(target=lambda: answers.append(transfer(port))) for _ in range(4)]
    for user in users:
        user.start()
    cluster.start()
    for user in users:
        user.join()
    assert [answer.status for answer in answers] == [201] * 4
    assert center.value("SELECT count(*) FROM ledger.transfers WHERE memo IS NULL") == 4


def test_reads_the_other_side_when_the_primary_is_away(center: Center) -> None:
    port = center.start("a")
    center.clusters[Side.SOURCE].kill()
    assert ask(port, "GET", "/api/accounts/2").status == 200
    center.clusters[Side.SOURCE].start()


def test_answers_in_time_when_the_primary_is_frozen_and_goes_on_when_it_thaws(center: Center) -> None:
    port = center.start("a", deadline_seconds=5.0)
    server = psutil.Process(center.clusters[Side.SOURCE].pid)
    everyone = [server, *server.children(recursive=True)]
    for process in everyone:
        process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        read = ask(port, "GET", "/api/accounts/2")
        assert read.status == 200, "the other side could have told"
        assert transfer(port).status == 503
        assert time.monotonic() - began < 60  # of five seconds each; a user waits for two minutes
    finally:
        for process in everyone:
            process.send_signal(signal.SIGCONT)
    wait_for(lambda: transfer(port).status == 201)


def test_is_ready_when_the_target_is_not_there_yet(center: Center) -> None:
    with psycopg.connect(center.dsn(Side.TARGET)) as connection:
        connection.execute("DROP SCHEMA ledger CASCADE")
    port = center.start("m", Arm.MODERN)
    assert transfer(port).status == 201


def test_is_not_ready_when_its_share_is_gone(center: Center) -> None:
    port = center.start("a")
    shutil.rmtree(center.share(Side.SOURCE))
    assert not ready(port)
    assert ask(port, "GET", "/healthz").status == 200
    assert ask(port, "POST", "/api/statements", {"account": 2}).status == 503
    center.share(Side.SOURCE).mkdir()


def test_finishes_what_is_under_way_when_it_is_stopped(center: Center) -> None:
    port = center.start("a")
    answers: list[Answered] = []
    user = threading.Thread(target=lambda: answers.append(transfer(port)))
    stopping = threading.Thread(target=center.launcher.stop, args=("a",))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'ledger_app'"
    with psycopg.connect(center.dsn(Side.SOURCE)) as holding:
        holding.execute("SELECT FROM ledger.accounts WHERE id = 2 FOR UPDATE")
        user.start()
        wait_for(lambda: center.value(waiting) == 1)
        stopping.start()
        wait_for(lambda: not listens(port))
        assert answers == []
        holding.rollback()
    user.join()
    stopping.join()
    assert answers[0].status == 201


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=120).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/transfers HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n",
    ],
)
def test_serves_others_when_a_client_talks_nonsense(center: Center, nonsense: bytes) -> None:
    port = center.start("a")
    with socket.create_connection(("127.0.0.1", port), timeout=120) as client, suppress(ConnectionError):
        client.sendall(nonsense + b"x" * 100_000)  # it may hang up before it has read all of it
        client.shutdown(socket.SHUT_WR)
        assert b" 2" not in client.recv(100)[:12]
    assert ready(port)


def test_answers_in_order_when_requests_are_sent_ahead(center: Center) -> None:
    port = center.start("a")
    with socket.create_connection(("127.0.0.1", port), timeout=120) as client:
        client.sendall(b"GET /api/accounts/2 HTTP/1.1\r\n\r\nGET /api/accounts/3 HTTP/1.1\r\nconnection: close\r\n\r\n")
        got = b""
        while chunk := client.recv(65536):
            got += chunk
    assert got.index(b'"id": 2') < got.index(b'"id": 3')


def test_keeps_the_connection_when_it_has_answered(center: Center) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", center.start("a"), timeout=120)
    for _ in range(3):
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        assert connection.sock is not None
    connection.close()
