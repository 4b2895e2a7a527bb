"""Notices of a whole rehearsal, at real receivers on this computer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller

from crossfade.rehearsal.processes import free_ports
from tests.rehearsal.run import SMALL, Home

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(900)]


class _Mailbox:
    def __init__(self) -> None:
        self.messages: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it
        self.messages.append(envelope.content.decode())
        return "250 taken"


@contextmanager
def webhook() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    taken: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_people_are_told_of_phases_errors_and_the_end_when_a_rehearsal_rolls_back(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    mailbox, smtp_port = _Mailbox(), free_ports(1)[0]
    mail = Controller(mailbox, hostname="127.0.0.1", port=smtp_port, ready_timeout=120)
    mail.start()
    try:
        with webhook() as (port, taken):
            described = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
            address = {"host": "127.0.0.1", "port": smtp_port, "starttls": False, "sender": "a@b.example"}
            described["notifications"] = {
                "webhooks": [{"name": "chat", "url": f"http://127.0.0.1:{port}/notices"}],
                "email": [{**address, "to": ["team@b.example"], "topics": ["error", "completion"]}],
            }
            file = tmp_path / "migration.yaml"
            file.write_text(yaml.safe_dump(described), encoding="utf-8")
            home = Home(tmp_path / "home", tmp_path / "reports")
            ran = home.rehearse("--fault", "canary-errors=20%@canary:20", file=file)
    finally:
        mail.stop()
    assert ran.result["outcome"] == "rolled_back", ran.said
    topics = [notice["topic"] for notice in taken]
    assert topics.count("phase") >= 5
    assert "error" in topics
    assert topics[-1] == "completion"
    assert [notice["position"] for notice in taken] == sorted(notice["position"] for notice in taken)
    assert mailbox.messages
    assert all("phase canary" not in message for message in mailbox.messages)
