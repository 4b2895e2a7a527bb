"""The users as a program, against a small ledger of this test's own."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crossfade.rehearsal.processes import Launch, free_ports, start, stop
from crossfade.rehearsal.users.record import Record, read_acknowledged, read_record
from tests.waiting import wait_for


class Desk(ThreadingHTTPServer):
    """Answers like the ledger. `fail_first`: so many attempts of each key fail. `slow`: seconds for each answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.fail_first, self.slow, self.user_header = 0, 0.0, "x-user"
        self.keys: Counter[str] = Counter()
        self.people: set[str] = set()
        self.entries: list[dict[str, Any]] = []


class _Clerk(BaseHTTPRequestHandler):
    server: Desk
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(self.server.slow)
        self.server.people.add(self.headers[self.server.user_header])
        if self.path == "/api/accounts":
            self._say(200, {"first": 2, "last": 30})
        else:
            self._say(200, {"entries": self.server.entries})

    def do_POST(self) -> None:
        time.sleep(self.server.slow)
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["idempotency-key"]
        self.server.keys[key] += 1
        if self.server.keys[key] <= self.server.fail_first:
            self._say(503, {"problem": "not now"})
        else:
            self._say(201, {"id": 1, "document": "2026/01/1.txt", "checksum": "00"})

    def _say(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("x-arm", "legacy")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def desk() -> Iterator[Desk]:
    server = Desk()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def begin(desk: Desk, out: Path, *more: str) -> subprocess.Popen[bytes]:
    url = f"http://127.0.0.1:{desk.server_port}"
    argv = [
        sys.executable,
        "-m",
        "crossfade.rehearsal.users",
        "--router",
        url,
        "--out",
        str(out),
        "--users",
        "20",
        *more,
    ]
    return start(Launch(argv=argv, log=out.with_suffix(".log")))


def run(desk: Desk, out: Path, wanted: int, *more: str) -> tuple[Record, dict[str, int]]:
    process = begin(desk, out, "--rate", "100", *more)

    def served() -> bool:
        assert process.poll() is None, out.with_suffix(".log").read_text()
        return (out / "requests.csv").exists() and read_record(out).requests >= wanted

    wait_for(served)
    stop(process, timeout=120)
    assert process.returncode == 0
    return read_record(out), json.loads((out / "summary.json").read_text())


def test_everybody_gives_a_name_in_the_header_that_is_asked_for(desk: Desk, tmp_path: Path) -> None:
    desk.user_header = "x-customer"
    run(desk, tmp_path / "users", 30, "--user-header", "x-customer", "--writes", "0")
    assert len(desk.people) > 5
    assert all(name.startswith("user-") for name in desk.people)


def test_tries_again_under_the_same_key_when_a_write_fails(desk: Desk, tmp_path: Path) -> None:
    desk.fail_first = 2
    record, summary = run(desk, tmp_path / "users", 150)
    promised = read_acknowledged(tmp_path / "users")
    assert summary["acknowledged"] == len(promised) == len(desk.keys)
    assert set(desk.keys.values()) == {3}
    assert summary["failed"] == record.failed_requests == 2 * len(promised)
    assert summary["requests"] == record.requests


def test_serves_those_who_are_there_when_it_is_asked_to_end(desk: Desk, tmp_path: Path) -> None:
    desk.slow = 0.5
    record, summary = run(desk, tmp_path / "users", 30)
    assert summary["requests"] == record.requests
    assert record.failed_requests == 0
    assert set(desk.keys.values()) == {1}
    assert len(read_acknowledged(tmp_path / "users")) == len(desk.keys)


def test_counts_latency_from_when_it_was_due_when_answers_are_slow(desk: Desk, tmp_path: Path) -> None:
    desk.slow = 0.3
    record, _ = run(desk, tmp_path / "users", 30)
    assert all(attempt.done - attempt.due >= 0.3 for attempt in record.attempts)
    at_once = [
        sum(other.started <= attempt.started < other.done for other in record.attempts) for attempt in record.attempts
    ]
    assert max(at_once) > 10, "nobody waits for another's answer"


def test_comes_as_the_same_people_when_they_come_again(desk: Desk, tmp_path: Path) -> None:
    run(desk, tmp_path / "users", 100, "--writes", "0")
    assert desk.people <= {f"user-{number:05}" for number in range(20)}
    assert len(desk.people) > 10


def test_notices_when_an_account_lacks_an_acknowledged_transfer(desk: Desk, tmp_path: Path) -> None:
    _, summary = run(desk, tmp_path / "users", 200)
    assert summary["stale_reads"] > 0  # this desk shows accounts without entries
    desk.entries = [{"transfer": 10}]
    _, summary = run(desk, tmp_path / "others", 200)
    assert summary["stale_reads"] == 0


def test_ends_when_nobody_answers_from_the_start(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "crossfade.rehearsal.users", "--out", str(tmp_path / "users")]
    process = start(Launch(argv=[*argv, "--router", f"http://127.0.0.1:{free_ports(1)[0]}"], log=tmp_path / "log"))
    wait_for((tmp_path / "users" / "requests.csv").exists)
    stop(process, timeout=120)
    assert process.returncode == 0
    assert json.loads((tmp_path / "users" / "summary.json").read_text())["requests"] == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [("--router", "nowhere"), ("--router", "http://x:y"), ("--rate", "0"), ("--writes", "2"), ("--users", "0")],
)
def test_names_the_option_when_it_is_wrong(tmp_path: Path, option: str, value: str) -> None:
    argv = [sys.executable, "-m", "crossfade.rehearsal.users", "--router", "http://127.0.0.1:1", "--out", str(tmp_path)]
    told = subprocess.run([*argv, option, value], capture_output=True, text=True, check=False, timeout=180)
    assert told.returncode == 2
    assert option in told.stderr
    assert "Traceback" not in told.stderr
