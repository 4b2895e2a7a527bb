"""What each arm's users experienced, from Envoy's own access log kept as histograms.

Each request is counted once, in the histogram of its arm and of how it ended, so requests, errors and latencies come
from the same numbers and cannot disagree. Failed requests are among the latencies: those that never reached a server
too, which Envoy's own upstream timings leave out.

Envoy gathers the histograms of its threads together, every `stats_flush_interval` (0.2 s in the rehearsal): a reading
is that old at most, and of one instant.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from crossfade.metrics.latency import EDGES_MS, envoy_bounds
from crossfade.model.counts import ArmCounts, ArmReading, Counted, LatencyHistogram
from crossfade.model.terms import NoData

SCOPE = "arms"
HISTOGRAM = "latency"
ARM_TAG = "arm"
ANSWERED = "answered"
"""Status 100 to 499, in microseconds."""
FAILED = "failed"
"""Status 500 and above, Envoy's own 502, 503 and 504 among them, in microseconds."""
UNANSWERED = "unanswered"
"""The user gave up before there was an answer, in whole milliseconds (Envoy has no finer time of the giving up)."""
UNITS_PER_MS = {ANSWERED: 1000, FAILED: 1000, UNANSWERED: 1}

WENT_WELL, WENT_BADLY = "good", "bad"
"""A request of a business metric: answered with 200 to 299, or in any other way and not at all."""
OUTCOMES = "outcomes"

_STATS = f"/stats?format=json&type=Histograms&histogram_buckets=disjoint&filter=%5E{SCOPE}%5C."
_STARTED = "/config_dump?resource=static_listeners&mask=last_updated"


class EnvoyMetrics:
    """Reads one Envoy. Each reading takes a connection of its own, which no restart survives: the counters and the
    boot they belong to are of one process. A reading takes about a millisecond.
    """

    def __init__(
        self,
        admin_url: str,
        *,
        baseline: str = "legacy",
        canary: str = "modern",
        business: Sequence[str] = (),
        timeout: timedelta = timedelta(seconds=1),
    ) -> None:
        """`business` are metrics that the router counts by `business_scope`; it must be configured to."""
        self._admin_url, self._baseline, self._canary = admin_url, baseline, canary
        self._business = tuple(business)
        self._timeout_s = timeout.total_seconds()

    def arms(self) -> ArmReading | NoData:
        address = urlsplit(self._admin_url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=self._timeout_s)
        try:
            boot = str(_get(connection, _STARTED)["configs"][0]["last_updated"])
            histograms = _histograms(_get(connection, _STATS)["stats"])
            baseline, canary = (_arm(histograms, arm, self._business) for arm in (self._baseline, self._canary))
            return ArmReading(boot=boot, baseline=baseline, canary=canary)
        except (OSError, HTTPException) as failure:
            reason = str(failure) or type(failure).__name__
            return NoData(reason=f"the router at {self._admin_url} does not answer: {reason}")
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as wrong:
            return NoData(reason=f"the router at {self._admin_url} does not count as expected: {wrong!r}")
        finally:
            connection.close()


def _get(connection: HTTPConnection, path: str) -> Any:
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise ValueError(f"status {response.status}")
    return json.loads(body)


def _histograms(stats: list[Any]) -> dict[str, list[dict[str, float]]]:
    """Buckets by name; none of a name that nothing was counted under yet."""
    listed = (histogram for stat in stats for histogram in stat.get("histograms", ()))
    return {histogram["name"]: histogram["buckets"] for histogram in listed}


def business_scope(metric: str, went: str) -> str:
    """The scope under which the router counts a request of that metric, in a histogram OUTCOMES by arm."""
    return f"{SCOPE}.{metric}.{went}"


def _counted(histograms: dict[str, list[dict[str, float]]], metric: str, arm: str) -> Counted:
    good, bad = (
        histograms.get(f"{business_scope(metric, went)}.{OUTCOMES}.{ARM_TAG}.{arm}", [])
        for went in (WENT_WELL, WENT_BADLY)
    )
    return Counted(name=metric, good=_all_of(good), total=_all_of(good) + _all_of(bad))


def _all_of(buckets: list[dict[str, float]]) -> int:
    return sum(int(bucket["cumulative"]) for bucket in buckets)


def _arm(histograms: dict[str, list[dict[str, float]]], arm: str, business: Sequence[str]) -> ArmCounts:
    answered, failed, unanswered = (
        _counts(histograms.get(f"{SCOPE}.{ended}.{HISTOGRAM}.{ARM_TAG}.{arm}", []), UNITS_PER_MS[ended])
        for ended in (ANSWERED, FAILED, UNANSWERED)
    )
    together = tuple(map(sum, zip(answered, failed, unanswered, strict=True)))
    return ArmCounts(
        requests=sum(together),
        errors=sum(failed) + sum(unanswered),
        latency=LatencyHistogram(edges_ms=EDGES_MS, counts=together),
        counted=tuple(_counted(histograms, metric, arm) for metric in business),
    )


def _counts(buckets: list[dict[str, float]], units_per_ms: int) -> tuple[int, ...]:
    """Raises ValueError for other edges than ours: their counts would be put into the wrong bins."""
    if not buckets:
        return (0,) * (len(EDGES_MS) + 1)
    if [bucket["upper_bound"] for bucket in buckets] != envoy_bounds(units_per_ms):
        raise ValueError("histograms of other edges")
    return tuple(int(bucket["cumulative"]) for bucket in buckets)
