"""What both arms' users experienced, from any server that speaks Prometheus's HTTP API v1.

Counters are read as they stand, never as rates: what happened between two readings is their difference, and no
evaluation interval smears it. All queries of a reading are for one instant, `settle` ago, so that a scrape that is
under way is in all of them or in none. `ArmReading.until` is the oldest sample that was used, by Prometheus's clock.

`boot` tells one life of the counters from the next: it changes when a process that counts begins anew, comes or goes,
when the bucket edges change, and on the hour. A look across such a change is left out, and the next one is judged.
"""

import hashlib
import json
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from crossfade.metrics import promql
from crossfade.metrics.prometheus_answer import Series, Unfit, histogram, refusal, single, vector
from crossfade.metrics.promql import Business, Selectors
from crossfade.model.counts import ArmCounts, ArmReading, Counted
from crossfade.model.terms import NoData

_MOST_BYTES = 4_000_000
_MOST_SKEW = timedelta(seconds=10)
_AGAIN = {502, 503, 504}  # what stands before Prometheus, or it itself while it starts; a second attempt may do


class PrometheusMetrics:
    """Reads one server. It holds no state: what was counted before stands in the journal.

    `token` goes along as a bearer token. `now` is the clock that the engine decides by.
    """

    def __init__(
        self,
        url: str,
        selectors: Selectors,
        *,
        token: str | None = None,
        timeout: timedelta = timedelta(seconds=5),
        settle: timedelta = timedelta(seconds=5),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it writes every address in full
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._client = httpx.Client(
            timeout=timeout.total_seconds(),
            follow_redirects=False,
            headers=headers,
            trust_env=False,
            verify=ssl.create_default_context(),  # the system's authorities, or those of SSL_CERT_FILE
        )
        self._url, self._name = f"{url.rstrip('/')}/api/v1/query", httpx.URL(url).host
        self._selectors, self._timeout, self._settle, self._now = selectors, timeout, settle, now

    def close(self) -> None:
        self._client.close()

    def arms(self) -> ArmReading | NoData:
        try:
            return self._reading(_Asked(self, (self._now() - self._settle).replace(microsecond=0)))
        except Unfit as unfit:
            return NoData(reason=f"Prometheus at {self._name}: {unfit}")

    def _reading(self, asked: "_Asked") -> ArmReading:
        selectors = self._selectors
        baseline, canary = (asked.arm(selectors, arm) for arm in (selectors.baseline, selectors.canary))
        edges = [arm.latency.edges_ms for arm in (baseline, canary) if arm.latency is not None]
        if len(set(edges)) > 1:
            raise Unfit("the histograms of the two arms have different edges")
        counting, until = asked.lives(selectors)
        told = json.dumps([promql.hour_of(asked.at).isoformat(), counting, edges])
        boot = hashlib.sha256(told.encode()).hexdigest()[:16]
        return ArmReading(boot=boot, baseline=baseline, canary=canary, until=until)

    def ask(self, query: str, at: datetime) -> list[Series]:
        """What `query` gives at that instant, at least one series. Raises Unfit, with the query in its text."""
        try:
            status, body = self._get(query, at)
            if status in _AGAIN:
                status, body = self._get(query, at)
            if status in range(300, 400):
                raise Unfit("it redirects to elsewhere, and a token must not go there: name the address itself")  # noqa: TRY301 - one place gives all of them the query
            if status in {401, 403}:
                raise Unfit(f"it refuses us with status {status}: see `metrics.credentials`")  # noqa: TRY301
            if status != 200:
                raise Unfit(refusal(body) or f"it answered with status {status}")  # noqa: TRY301
            return vector(body)
        except httpx.HTTPError as failure:
            # From None: the library's message may hold the address, and a traceback would show it.
            raise Unfit(f"it does not answer: {type(failure).__name__}") from None
        except Unfit as unfit:
            raise Unfit(f"{unfit} (asked for {query})") from None

    def _get(self, query: str, at: datetime) -> tuple[int, bytes]:
        """Status and body. An answer that drips or swells is given up: both bounds hold for the whole of it."""
        deadline = time.monotonic() + self._timeout.total_seconds()
        parameters = {
            "query": query,
            "time": str(int(at.timestamp())),
            "timeout": f"{self._timeout.total_seconds():g}s",
        }
        with self._client.stream("GET", self._url, params=parameters) as answer:
            self._compare_clocks(answer.headers.get("date"))
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise Unfit(f"the answer is larger than {_MOST_BYTES // 1_000_000} MB: select fewer series")
                if time.monotonic() > deadline:
                    raise Unfit(f"the answer takes longer than {self._timeout.total_seconds():g} s")
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


class _Asked:
    """One instant's questions."""

    def __init__(self, server: PrometheusMetrics, at: datetime) -> None:
        self._server, self.at = server, at

    def arm(self, selectors: Selectors, arm: str) -> ArmCounts:
        requests, errors = (promql.of_arm(selector, arm) for selector in (selectors.requests, selectors.errors))
        counted, failed = self._count(promql.total(requests)), self._count(promql.part(errors, requests))
        if failed > counted:
            raise Unfit(f"arm {arm} has {failed} errors of {counted} requests: the selectors do not belong together")
        latency = None
        if selectors.latency is not None:
            bins = self._vector(promql.buckets(promql.of_arm(selectors.latency, arm)))
            latency = histogram(bins, selectors.le_in_ms)
        business = tuple(self._business(each, arm) for each in selectors.business)
        return ArmCounts(requests=counted, errors=failed, latency=latency, counted=business)

    def lives(self, selectors: Selectors) -> tuple[list[object], datetime]:
        """Which processes count, with their restarts, and until when all of them have surely counted."""
        counters = (selectors.requests, *(each.total for each in selectors.business))
        told: list[object] = []
        oldest: list[float] = []
        for selector in (promql.of_arm(each, arm) for arm in _arms(selectors) for each in counters):
            found = self._vector(promql.processes(selector, self.at))
            told.append(sorted([*sorted(one.metric.items()), one.count] for one in found))
            oldest.append(single(self._vector(promql.oldest_sample(selector))).number)
        return told, datetime.fromtimestamp(min(oldest), UTC)

    def _business(self, metric: Business, arm: str) -> Counted:
        good, total = (promql.of_arm(selector, arm) for selector in (metric.good, metric.total))
        went_well, all_of_them = self._count(promql.part(good, total)), self._count(promql.total(total))
        if went_well > all_of_them:
            raise Unfit(f"{metric.name} of arm {arm}: {went_well} good ones of {all_of_them}")
        return Counted(name=metric.name, good=went_well, total=all_of_them)

    def _count(self, query: str) -> int:
        return single(self._vector(query)).count

    def _vector(self, query: str) -> list[Series]:
        return self._server.ask(query, self.at)


def _arms(selectors: Selectors) -> Sequence[str]:
    return (selectors.baseline, selectors.canary)
