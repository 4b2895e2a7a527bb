"""Notices to a program or a chat, as JSON over HTTP."""

import hashlib
import hmac
import json
import logging
from datetime import timedelta
from types import TracebackType
from typing import Self

import httpx

from crossfade.notify.errors import ChannelUnfit, NotTaken
from crossfade.notify.port import Notice
from crossfade.notify.rendering import key, payload
from crossfade.notify.secret import is_loopback, read_secret

SIGNATURE = "X-Crossfade-Signature"
IDEMPOTENCY_KEY = "Idempotency-Key"


class WebhookChannel:
    """POSTs each notice; any 2xx takes it. Chat services put their secret into the address: it is never shown.

    With `secret_variable`, the body is signed: `X-Crossfade-Signature: sha256=<hex of HMAC-SHA256>`. Redirects are not
    followed, because they would carry notices where nobody decided to send them.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        timeout: timedelta = timedelta(seconds=5),
        secret_variable: str | None = None,
    ) -> None:
        """Raises `ChannelUnfit`: an address that is none or unencrypted to another computer, or a missing secret."""
        self.name = name
        self._url = _address(name, url)
        self._secret = None if secret_variable is None else read_secret(name, secret_variable).encode()
        logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it writes every address in full
        self._client = httpx.Client(timeout=timeout.total_seconds(), follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def deliver(self, notice: Notice) -> None:
        """Raises `NotTaken` for any answer but 2xx, and for none within the timeout."""
        content = json.dumps(payload(notice), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", IDEMPOTENCY_KEY: key(notice)}
        if self._secret is not None:
            headers[SIGNATURE] = f"sha256={hmac.new(self._secret, content, hashlib.sha256).hexdigest()}"
        try:
            answer = self._client.post(self._url, content=content, headers=headers)
        except httpx.HTTPError as failed:
            # From None: the library's message may hold the address, and a traceback would show it.
            raise NotTaken(channel=self.name, reason=f"{type(failed).__name__} at {self._url.host}") from None
        if not answer.is_success:
            raise NotTaken(channel=self.name, reason=f"{self._url.host} answered {answer.status_code}")


def _address(channel: str, url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ChannelUnfit(channel=channel, problem="its address is not a URL") from None
    if address.scheme not in {"http", "https"} or not address.host:
        raise ChannelUnfit(channel=channel, problem="its address does not begin with https://")
    if address.scheme == "http" and not is_loopback(address.host):
        raise ChannelUnfit(channel=channel, problem=f"http:// to {address.host} is not encrypted: use https://")
    return address
