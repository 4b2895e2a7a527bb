"""One query at one instant, asked of a server that nobody trusts: its time, its size and its words are bounded."""

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from crossfade.metrics.errors import Unfit
from crossfade.metrics.prometheus_answer import Series, refusal, vector

_MOST_BYTES = 4_000_000
_MOST_SKEW = timedelta(seconds=10)
_AGAIN = {502, 503, 504}  # what stands before Prometheus, or it itself while it starts; a second attempt may do


class QueryApi:
    """Prometheus's `/api/v1/query`. `token` goes along as a bearer token, and to no other address."""

    def __init__(self, url: str, *, token: str | None, timeout: timedelta, now: Callable[[], datetime]) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it writes every address in full
        self._url, self.host = f"{url.rstrip('/')}/api/v1/query", httpx.URL(url).host
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._timeout, self._now = timeout, now
        self._trusted = ssl.create_default_context()  # the system's authorities, or those of SSL_CERT_FILE

    @contextmanager
    def at(self, instant: datetime) -> Iterator[Callable[[str], list[Series]]]:
        """What a query gives at that instant, at least one series. It raises Unfit, with the query in its text."""
        with httpx.Client(
            timeout=self._timeout.total_seconds(),
            follow_redirects=False,
            headers=self._headers,
            trust_env=False,  # a proxy or a .netrc of the environment is not what the file says
            verify=self._trusted,
        ) as client:

            def ask(query: str) -> list[Series]:
                try:
                    return self._ask(client, query, instant)
                except Unfit as unfit:
                    raise Unfit(f"{unfit} (asked for {query})") from None

            yield ask

    def _ask(self, client: httpx.Client, query: str, instant: datetime) -> list[Series]:
        try:
            status, body = self._get(client, query, instant)
            if status in _AGAIN:
                status, body = self._get(client, query, instant)
        except httpx.HTTPError as failure:
            # From None: the library's message may hold the address, and a traceback would show it.
            raise Unfit(f"it does not answer: {type(failure).__name__}") from None
        if status in range(300, 400):
            raise Unfit("it redirects to elsewhere, and a token must not go there: name the address itself")
        if status in {401, 403}:
            raise Unfit(f"it refuses us with status {status}: see `metrics.credentials`")
        if status != 200:
            raise Unfit(refusal(body) or f"it answered with status {status}")
        return vector(body)

    def _get(self, client: httpx.Client, query: str, instant: datetime) -> tuple[int, bytes]:
        """Status and body. An answer that drips or swells is given up: both bounds hold for the whole of it."""
        seconds = self._timeout.total_seconds()
        deadline = time.monotonic() + seconds
        parameters = {"query": query, "time": str(int(instant.timestamp())), "timeout": f"{seconds:g}s"}
        with client.stream("GET", self._url, params=parameters) as answer:
            self._compare_clocks(answer.headers.get("date"))
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise Unfit(f"the answer is larger than {_MOST_BYTES // 1_000_000} MB: select fewer series")
                if time.monotonic() > deadline:
                    raise Unfit(f"the answer takes longer than {seconds:g} s")
            return answer.status_code, bytes(body)

    def _compare_clocks(self, theirs: str | None) -> None:
        """By clocks that differ, requests from before a change of the share would be counted after it."""
        try:
            said = parsedate_to_datetime(theirs) if theirs else None
        except ValueError:
            return
        if said is None or said.tzinfo is None:
            return
        skew = abs(self._now() - said)
        if skew > _MOST_SKEW:
            raise Unfit(f"its clock is {skew.total_seconds():.0f} s away from ours: set both by NTP")
