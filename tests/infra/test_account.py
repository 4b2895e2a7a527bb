"""What AWS, or a network without it, answers instead of an answer; over the wire, as it comes."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from crossfade.infra.deployment import errors
from crossfade.infra.deployment.boto import BotoAccount
from crossfade.infra.deployment.connection import connect
from crossfade.infra.errors import ExtraMissing
from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.processes import free_ports

REFUSAL = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{}</Code>'
    "<Message>it says why</Message></Error><RequestId>1</RequestId></ErrorResponse>"
)


@contextmanager
def endpoint(code: str) -> Iterator[str]:
    """An endpoint that refuses everything with one code."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = REFUSAL.format(code).encode()
            self.send_response(403)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials from anywhere."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def somebody(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-indeed")


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ExpiredToken", errors.CredentialsExpired),
        ("InvalidClientTokenId", errors.CredentialsRefused),
        ("SignatureDoesNotMatch", errors.CredentialsRefused),
        ("AccessDenied", errors.NotAllowed),
        ("SomethingElse", errors.AccountRefused),
    ],
)
def test_a_refusal_is_told_in_our_words(
    code: str, expected: type[CrossfadeError], monkeypatch: pytest.MonkeyPatch
) -> None:
    with endpoint(code) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(expected) as raised:
            BotoAccount("eu-south-1").identity()
    assert raised.value.remedy
    assert "secret-indeed" not in str(raised.value)


@pytest.mark.usefixtures("nobody")
def test_credentials_that_nobody_gave_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.CredentialsMissing):
        BotoAccount("us-east-1").identity()
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    with pytest.raises(errors.CredentialsMissing, match="nobody-has-this"):
        BotoAccount("us-east-1").identity()


@pytest.mark.usefixtures("somebody")
def test_an_endpoint_that_nobody_serves_is_silent_and_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(errors.AccountSilent, match=str(port)) as raised:
        BotoAccount("us-east-1").identity()
    assert raised.value.retryable


def test_it_says_what_to_install_when_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "crossfade.infra.deployment.boto")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ExtraMissing, match="boto3") as raised:
        connect("us-east-1")
    assert "crossfade[aws]" in raised.value.remedy
