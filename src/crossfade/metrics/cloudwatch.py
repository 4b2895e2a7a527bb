"""What both arms' users experienced, from CloudWatch: target groups of Application Load Balancers, a minute at a time.

CloudWatch tells sums of periods and no counters. So every reading asks again for all whole minutes of the hour: a
minute that was told late is in the next reading, nothing has to be remembered between two readings, and the difference
of two readings is what came in between. `boot` is that hour: one look an hour is left out.

A minute counts when both target groups have told their healthy hosts for it, which they do whether or not requests
came: what is missing beside that was not there, and what is missing without it is not known. `until` is the end of the
last such minute.

There is no histogram of response times. The rank of an edge (`PR(:0.25)`: how many percent took up to 0.25 s) times the
number of samples is the count up to that edge, as exact as CloudWatch's own distribution.

Source: CloudWatch API reference, GetMetricData; Elastic Load Balancing, CloudWatch metrics for Application Load
Balancers; CloudWatch user guide, statistics definitions (a rank's upper bound is included).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from crossfade.metrics.business import Business
from crossfade.metrics.cloudwatch_queries import EDGES_MS, Arm, Query, of_arm
from crossfade.metrics.errors import Unfit
from crossfade.model.counts import ArmCounts, ArmReading, Counted, LatencyHistogram
from crossfade.model.terms import NoData

_MINUTE = timedelta(minutes=1)
_MOST_QUERIES = 500  # in one call. Source: CloudWatch API reference, GetMetricData
_MOST_PAGES = 20
_BRIEF = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})

Minutes = dict[datetime, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    start: datetime
    end: datetime

    def minutes(self) -> Iterator[datetime]:
        at = self.start
        while at < self.end:
            yield at
            at += _MINUTE


class CloudWatchMetrics:
    """Reads by `client`, a boto3 client of CloudWatch. Minutes count `settle` after their end, for they are told late.

    `now` is the clock that the engine decides by.
    """

    def __init__(
        self,
        client: Any,
        arms: tuple[Arm, Arm],
        *,
        business: Sequence[Business] = (),
        users_with_errors: str | None = None,
        settle: timedelta = timedelta(seconds=60),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`arms` are baseline and canary."""
        self._client, self._arms, self._business = client, arms, tuple(business)
        self._users, self._settle, self._now = users_with_errors, settle, now

    def arms(self) -> ArmReading | NoData:
        end = (self._now().astimezone(UTC) - self._settle).replace(second=0, microsecond=0)
        window = _Window(start=(end - _MINUTE).replace(minute=0), end=end)
        try:
            return self._reading(window)
        except Unfit as unfit:
            return NoData(reason=f"CloudWatch: {unfit}")

    def _reading(self, window: _Window) -> ArmReading:
        queries = [of_arm(arm, self._business, self._users) for arm in self._arms]
        told = self._told([query for asked in queries for query in asked.values()], window)
        found = [{key: told[query] for key, query in asked.items()} for asked in queries]
        until = next((minute for minute in window.minutes() if _unknown(minute, found)), window.end)
        if until == window.start:
            raise Unfit(f"it has told nothing for {window.start:%H:%M} UTC of {self._silent(window.start, found)} yet")
        counted = _Window(start=window.start, end=until)
        baseline, canary = (_counts(minutes, counted, self._business) for minutes in found)
        return ArmReading(boot=window.start.isoformat(), baseline=baseline, canary=canary, until=until)

    def _silent(self, minute: datetime, found: Sequence[dict[str, Minutes]]) -> str:
        return " and ".join(
            arm.target_group for arm, minutes in zip(self._arms, found, strict=True) if minute not in minutes["beat"]
        )

    def _told(self, queries: Sequence[Query], window: _Window) -> dict[Query, Minutes]:
        """Values by minute. Raises Unfit unless every query was answered whole."""
        told: dict[Query, Minutes] = {query: {} for query in queries}
        distinct = list(told)
        for first in range(0, len(distinct), _MOST_QUERIES):
            batch = {f"q{number}": query for number, query in enumerate(distinct[first : first + _MOST_QUERIES])}
            ends: dict[str, str] = {}
            for result in self._results(batch, window):
                ends[result["Id"]] = result.get("StatusCode", "Complete")
                values = zip(result["Timestamps"], result["Values"], strict=True)
                told[batch[result["Id"]]].update({at.astimezone(UTC): float(value) for at, value in values})
            partial = [name for name in batch if ends.get(name) != "Complete"]
            if partial:
                query = batch[partial[0]]
                raise Unfit(f"{query.metric} ({query.statistic}) came as {ends.get(partial[0], 'nothing')}")
        return told

    def _results(self, batch: dict[str, Query], window: _Window) -> Iterator[Any]:
        asked = {
            "MetricDataQueries": [query.as_query(name) for name, query in batch.items()],
            "StartTime": window.start,
            "EndTime": window.end,
            "ScanBy": "TimestampAscending",
        }
        for _ in range(_MOST_PAGES):
            page = self._page(asked)
            if page.get("Messages"):
                raise Unfit(f"the answer may be partial: {page['Messages'][0].get('Value', 'it says no more')}")
            yield from page["MetricDataResults"]
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]
        raise Unfit(f"the answer has more than {_MOST_PAGES} pages")

    def _page(self, asked: dict[str, Any]) -> Any:
        try:
            return self._client.get_metric_data(**asked)
        except exceptions.ClientError as refused:
            code = refused.response.get("Error", {}).get("Code", "")
            raise Unfit(f"it refuses cloudwatch:GetMetricData: {code or 'it says no more'}") from refused
        except exceptions.BotoCoreError as failed:
            raise Unfit(f"it does not answer: {type(failed).__name__}") from failed


def connect(region: str) -> Any:
    """A client with the environment's credentials, or for whatever AWS_ENDPOINT_URL and its kin name."""
    return boto3.client("cloudwatch", region_name=region, config=_BRIEF)


def _unknown(minute: datetime, found: Sequence[dict[str, Minutes]]) -> bool:
    return any(minute not in minutes["beat"] for minutes in found)


def _counts(minutes: dict[str, Minutes], window: _Window, business: Sequence[Business]) -> ArmCounts:
    requests = _sum(minutes["requests"], window)
    failed = _sum(minutes["errors"], window) + _sum(minutes["unreached"], window)
    counted = tuple(
        Counted(
            name=metric.name,
            good=_sum(minutes[f"good {metric.name}"], window),
            total=_sum(minutes[f"total {metric.name}"], window),
        )
        for metric in business
    )
    errors = min(failed, requests)  # a retry to another target counts a connection, but no request
    return ArmCounts(
        requests=requests,
        errors=errors,
        latency=_histogram(minutes, window),
        users_with_errors=min(_sum(minutes["users"], window), errors) if "users" in minutes else None,
        counted=counted,
    )


def _sum(values: Minutes, window: _Window) -> int:
    total = sum(values.get(minute, 0.0) for minute in window.minutes())
    if total < 0 or abs(total - round(total)) > 1e-6:
        raise Unfit(f"a sum is {total:g}, which is no count")
    return round(total)


def _histogram(minutes: dict[str, Minutes], window: _Window) -> LatencyHistogram:
    counts = [0] * (len(EDGES_MS) + 1)
    for minute in window.minutes():
        samples = round(minutes["samples"].get(minute, 0.0))
        if samples:
            for place, count in enumerate(_bins(minutes, minute, samples)):
                counts[place] += count
    return LatencyHistogram(edges_ms=EDGES_MS, counts=tuple(counts))


def _bins(minutes: dict[str, Minutes], minute: datetime, samples: int) -> Iterator[int]:
    """Of one minute. Ranks are rounded by CloudWatch: what falls by that is held, so that no bin is below 0."""
    up_to = [0]
    for edge in EDGES_MS:
        rank = minutes[f"up to {edge:g}"].get(minute)
        if rank is None or not 0 <= rank <= 100:
            raise Unfit(f"{samples} response times at {minute:%H:%M} UTC came without their rank of {edge:g} ms")
        up_to.append(max(up_to[-1], min(samples, round(samples * rank / 100))))
    yield from (wider - narrower for narrower, wider in pairwise([*up_to, samples]))
