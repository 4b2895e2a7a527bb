"""Real receivers on this computer: a webhook that fails when told to, and a mail server."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from crossfade.notify.port import Notice, Topic
from crossfade.rehearsal.processes import free_ports

CERTIFICATE = Path(__file__).parent / "loopback.pem"


def notice(position: int = 1, *, title: str = "canary at 25 %", text: str = "Both arms are healthy.") -> Notice:
    return Notice(
        migration="ledger-3f2a",
        position=position,
        at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC) + timedelta(seconds=position),
        topic=Topic.PHASE,
        title=title,
        text=text,
    )


def eventually(condition: Callable[[], object], *, within_seconds: float = 180) -> None:
    until = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < until, "did not come about in time"
        Event().wait(0.005)


@dataclass
class Webhook:
    """`answers` are given in turn, then 200 for ever; `hang` holds an answer back until it is set."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    attempts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    hang: Event | None = None


@contextmanager
def webhook() -> Iterator[Webhook]:
    received = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            received.attempts.append(({name.lower(): value for name, value in self.headers.items()}, content))
            if received.hang is not None:
                received.hang.wait(180)
            status = received.answers.pop(0) if received.answers else 200
            if status == 200:
                received.taken.append(json.loads(content))
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # a client that no longer waits
                return

    server = ThreadingHTTPServer(("127.0.0.1", free_ports(1)[0]), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/hooks/T0KEN-in-the-path"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield received
    finally:
        if received.hang is not None:
            received.hang.set()
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    port: int
    refuse: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


class _Handler:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(  # noqa: N802 - the name is the library's
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self._mailbox.refuse:
            return f"550 {address} is unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the name is the library's
        if self._mailbox.answers:
            return self._mailbox.answers.pop(0)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self._mailbox.messages.append(message)
        self._mailbox.recipients.append(list(envelope.rcpt_tos))
        self._mailbox.encrypted.append(session.ssl is not None)
        return "250 OK"


@contextmanager
def mailbox(*, tls: bool = False) -> Iterator[Mailbox]:
    received = Mailbox(port=free_ports(1)[0])

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        received.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"s3cret-of-mail", handled=False)

    settings: dict[str, Any] = {}
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        settings = {"tls_context": context, "require_starttls": True, "authenticator": authenticate}
    controller = Controller(_Handler(received), hostname="127.0.0.1", port=received.port, ready_timeout=120, **settings)
    controller.start()
    try:
        yield received
    finally:
        controller.stop()
