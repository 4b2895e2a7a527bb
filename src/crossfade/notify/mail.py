"""Notices by e-mail over SMTP."""

import hashlib
import logging
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from crossfade.notify.errors import ChannelUnfit, NotTaken
from crossfade.notify.port import Notice
from crossfade.notify.rendering import body, key, subject
from crossfade.notify.secret import is_loopback, read_secret

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in. With a `user`, `password_variable` names the environment variable of the password.

    `certificates` replaces the system's certificate authorities, for a server with a certificate of the company's own.
    """

    host: str
    port: int = 587
    starttls: bool = True
    user: str | None = None
    password_variable: str | None = None
    timeout: timedelta = timedelta(seconds=10)
    certificates: str | None = None


class MailChannel:
    """One message to all recipients. Every attempt has the same Message-ID, so that repetitions can be recognised."""

    def __init__(self, name: str, server: MailServer, *, sender: str, recipients: Sequence[str]) -> None:
        """Raises `ChannelUnfit`: no recipient, a password missing, or one that would travel unencrypted."""
        self.name = name
        self._server = server
        self._sender = sender
        self._recipients = tuple(recipients)
        if not self._recipients:
            raise ChannelUnfit(channel=name, problem="it has no recipient")
        if any(not address.isprintable() for address in (sender, *self._recipients)):
            raise ChannelUnfit(channel=name, problem="an address holds a control character")
        if (server.user is None) != (server.password_variable is None):
            raise ChannelUnfit(channel=name, problem="user and password variable go together")
        if not server.starttls and not is_loopback(server.host):
            raise ChannelUnfit(channel=name, problem=f"mail to {server.host} is not encrypted: use starttls")
        self._password = None if server.password_variable is None else read_secret(name, server.password_variable)

    def deliver(self, notice: Notice) -> None:
        """Taken when the server takes it for at least one recipient: the rest would not be helped by a repetition.

        Raises `NotTaken`.
        """
        try:
            refused = self._send(self._message(notice))
        except smtplib.SMTPResponseException as failed:
            raise self._not_taken(f"{type(failed).__name__} {failed.smtp_code}") from None  # its text names people
        except (OSError, smtplib.SMTPException, ValueError) as failed:
            raise self._not_taken(type(failed).__name__) from None
        if refused:
            _LOG.warning("%s: %d of %d recipients were refused", self.name, refused, len(self._recipients))

    def _send(self, message: EmailMessage) -> int:
        server = self._server
        with smtplib.SMTP(server.host, server.port, timeout=server.timeout.total_seconds()) as connection:
            if server.starttls:
                connection.starttls(context=ssl.create_default_context(cafile=server.certificates))
            if server.user is not None and self._password is not None:
                connection.login(server.user, self._password)
            return len(connection.send_message(message, self._sender, self._recipients))

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = subject(notice)
        message["From"] = self._sender
        message["To"] = ", ".join(self._recipients)
        message["Date"] = format_datetime(notice.at)
        message["Message-ID"] = f"<{hashlib.sha256(key(notice).encode()).hexdigest()[:32]}@crossfade.invalid>"
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday notice answers
        message.set_content(body(notice))
        return message

    def _not_taken(self, reason: str) -> NotTaken:
        return NotTaken(channel=self.name, reason=f"{reason} at {self._server.host}:{self._server.port}")
