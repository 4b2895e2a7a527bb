"""Each channel against a real receiver on this computer."""

import hashlib
import hmac
import io
import logging
import traceback
from datetime import timedelta
from threading import Event

import pytest

from crossfade.notify.errors import ChannelUnfit, NotTaken
from crossfade.notify.mail import MailChannel, MailServer
from crossfade.notify.port import Channel
from crossfade.notify.rendering import body, subject
from crossfade.notify.terminal import TerminalChannel
from crossfade.notify.webhook import WebhookChannel
from crossfade.rehearsal.processes import free_ports
from tests.notify.receivers import CERTIFICATE, mailbox, notice, webhook

SECRET = "s3cret-of-mail"


def refusal(channel: Channel) -> str:
    """All that anybody could see of a failed delivery: the error, its causes, its traceback."""
    with pytest.raises(NotTaken) as failed:
        channel.deliver(notice())
    assert failed.value.retryable
    return "".join(traceback.format_exception(failed.value)) + repr(vars(failed.value))


def test_the_notice_is_posted_with_a_key_of_its_own_when_delivered_twice() -> None:
    with webhook() as received, WebhookChannel("ops", received.url) as channel:
        channel.deliver(notice(7))
        channel.deliver(notice(7))
        channel.deliver(notice(8))
    keys = [headers["idempotency-key"] for headers, _ in received.attempts]
    assert keys == ["ledger-3f2a:7", "ledger-3f2a:7", "ledger-3f2a:8"]
    assert received.taken[0] == {
        "version": 1,
        "key": "ledger-3f2a:7",
        "migration": "ledger-3f2a",
        "position": 7,
        "at": "2026-05-04T09:30:07+00:00",
        "topic": "phase",
        "title": "canary at 25 %",
        "text": "[ledger-3f2a] phase: canary at 25 %\nBoth arms are healthy.",
    }
    assert "x-crossfade-signature" not in received.attempts[0][0]


def test_the_receiver_can_prove_the_sender_when_a_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with webhook() as received, WebhookChannel("ops", received.url, secret_variable="HOOK_SECRET") as channel:
        channel.deliver(notice())
    headers, content = received.attempts[0]
    expected = hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
    assert headers["x-crossfade-signature"] == f"sha256={expected}"


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
def test_the_notice_is_not_taken_when_the_webhook_answers_anything_but_success(status: int) -> None:
    with webhook() as received, WebhookChannel("ops", received.url) as channel:
        received.answers = [status]
        assert f"answered {status}" in refusal(channel)
        assert len(received.attempts) == 1


def test_the_notice_is_not_taken_when_the_webhook_is_too_slow_or_away() -> None:
    with webhook() as received, WebhookChannel("ops", received.url, timeout=timedelta(seconds=0.1)) as channel:
        received.hang = Event()
        assert "ReadTimeout" in refusal(channel)
    with WebhookChannel("ops", f"http://127.0.0.1:{free_ports(1)[0]}/T0KEN") as channel:
        assert "ConnectError" in refusal(channel)


def test_no_secret_is_seen_when_a_webhook_delivers_or_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with webhook() as received, caplog.at_level(logging.INFO):
        with WebhookChannel("ops", received.url, secret_variable="HOOK_SECRET") as channel:
            channel.deliver(notice())
            received.answers = [500]
            seen = refusal(channel) + repr(channel)
        away = f"http://127.0.0.1:{free_ports(1)[0]}/T0KEN"
        with WebhookChannel("ops", away, secret_variable="HOOK_SECRET") as channel:
            seen += refusal(channel)
    assert "T0KEN" not in seen + caplog.text
    assert SECRET not in seen + caplog.text


@pytest.mark.parametrize("url", ["", "ftp://example.org/x", "no address", "http://example.org/T0KEN", "https://"])
def test_a_webhook_is_refused_when_its_address_is_none_or_unencrypted(url: str) -> None:
    with pytest.raises(ChannelUnfit) as refused:
        WebhookChannel("ops", url)
    assert "T0KEN" not in str(refused.value)


def test_a_channel_is_refused_when_its_secret_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    with pytest.raises(ChannelUnfit, match="HOOK_SECRET"):
        WebhookChannel("ops", "https://example.org", secret_variable="HOOK_SECRET")
    server = MailServer(host="127.0.0.1", user="crossfade", password_variable="HOOK_SECRET")
    with pytest.raises(ChannelUnfit, match="HOOK_SECRET"):
        MailChannel("mail", server, sender="crossfade@example.org", recipients=["ops@example.org"])


def mail(port: int, *recipients: str) -> MailChannel:
    server = MailServer(host="127.0.0.1", port=port, starttls=False, timeout=timedelta(seconds=60))
    return MailChannel("mail", server, sender="crossfade@example.org", recipients=recipients or ["ops@example.org"])


def test_the_mail_says_what_happened_and_can_be_recognised_when_sent_twice() -> None:
    with mailbox() as received:
        for _ in range(2):
            mail(received.port, "ops@example.org", "boss@example.org").deliver(notice(7))
        mail(received.port).deliver(notice(8))
    first, again, other = received.messages
    assert received.recipients[0] == ["ops@example.org", "boss@example.org"]
    assert first["Subject"] == subject(notice(7)) == "[ledger-3f2a] phase: canary at 25 %"
    assert first.get_content().replace("\r\n", "\n") == body(notice(7))
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert "example.org" not in first["Message-ID"]


def test_the_mail_is_encrypted_and_authenticated_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    with mailbox(tls=True) as received:
        server = MailServer(
            host="127.0.0.1",
            port=received.port,
            user="crossfade",
            password_variable="MAIL_PASSWORD",
            certificates=str(CERTIFICATE),
        )
        MailChannel("mail", server, sender="a@example.org", recipients=["b@example.org"]).deliver(notice())
    assert received.encrypted == [True]
    assert received.logins == [(b"crossfade", SECRET.encode())]


def test_no_mail_and_no_password_is_sent_when_the_certificate_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    with mailbox(tls=True) as received:
        server = MailServer(host="127.0.0.1", port=received.port, user="u", password_variable="MAIL_PASSWORD")
        channel = MailChannel("mail", server, sender="a@example.org", recipients=["b@example.org"])
        assert "SSLCertVerificationError" in refusal(channel)
    assert received.logins == []


def test_no_secret_and_no_person_is_seen_when_mail_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong-s3cret")
    with mailbox(tls=True) as received:
        server = MailServer(
            host="127.0.0.1",
            port=received.port,
            user="jane.doe",
            password_variable="MAIL_PASSWORD",
            certificates=str(CERTIFICATE),
        )
        channel = MailChannel("mail", server, sender="a@example.org", recipients=["b@example.org"])
        seen = refusal(channel)
    with mailbox() as received:
        received.refuse = {"john.roe@example.org"}
        seen += refusal(mail(received.port, "john.roe@example.org"))
        received.answers = ["451 mailbox of john.roe@example.org is full"]
        seen += refusal(mail(received.port))
    seen += refusal(mail(free_ports(1)[0]))
    for hidden in ("s3cret", "jane.doe", "john.roe"):
        assert hidden not in seen


def test_the_mail_is_taken_when_at_least_one_recipient_is_known(caplog: pytest.LogCaptureFixture) -> None:
    with mailbox() as received:
        received.refuse = {"gone@example.org"}
        mail(received.port, "gone@example.org", "ops@example.org").deliver(notice())
    assert received.recipients == [["ops@example.org"]]
    assert "1 of 2 recipients" in caplog.text
    assert "gone@" not in caplog.text


@pytest.mark.parametrize(
    ("server", "recipients"),
    [
        (MailServer(host="mail.example.org", starttls=False), ["ops@example.org"]),
        (MailServer(host="127.0.0.1"), []),
        (MailServer(host="127.0.0.1"), ["ops@example.org\nBcc: all@example.org"]),
        (MailServer(host="127.0.0.1", user="crossfade"), ["ops@example.org"]),
    ],
)
def test_a_mail_channel_is_refused_when_it_could_not_work_safely(server: MailServer, recipients: list[str]) -> None:
    with pytest.raises(ChannelUnfit):
        MailChannel("mail", server, sender="crossfade@example.org", recipients=recipients)


def test_the_terminal_shows_text_and_obeys_none_of_it_when_it_holds_control_characters() -> None:
    stream = io.StringIO()
    TerminalChannel(stream).deliver(notice(title="wiped\x1b[2J\r\nSubject: x", text="first\x07\nsecond"))
    assert stream.getvalue() == (
        "09:30:01 [ledger-3f2a] phase: wiped [2J  Subject: x\n         first\n         second\n"
    )
    stream.close()
    with pytest.raises(NotTaken):
        TerminalChannel(stream).deliver(notice())


def test_the_subject_is_one_short_line_when_the_title_is_neither() -> None:
    line = subject(notice(title="x\r\nBcc: all@example.org " + "y" * 500))
    assert len(line) == 150
    assert line.isprintable()
