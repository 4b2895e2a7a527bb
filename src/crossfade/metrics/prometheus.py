"""What both arms' users experienced, from any server that speaks Prometheus's HTTP API v1.

Counters are read as they stand, never as rates: what happened between two readings is their difference, and no
evaluation interval smears it. All queries of a reading are for one instant, `settle` ago, so that a scrape that is
under way is in all of them or in none. `ArmReading.until` is the oldest sample that was used, by Prometheus's clock.

`boot` tells one life of the counters from the next: it changes when a process that counts begins anew, comes or goes,
when the bucket edges change, and on the hour. A look across such a change is left out, and the next one is judged.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from crossfade.metrics import promql
from crossfade.metrics.business import Business
from crossfade.metrics.errors import Unfit
from crossfade.metrics.prometheus_answer import Series, histogram, single
from crossfade.metrics.prometheus_api import QueryApi
from crossfade.metrics.promql import Selectors, of_arm
from crossfade.model.counts import ArmCounts, ArmReading, Counted
from crossfade.model.terms import NoData

Ask = Callable[[str], list[Series]]


class PrometheusMetrics:
    """Reads one server, by a connection for each reading; what was counted before stands in the journal.

    `now` is the clock that the engine decides by.
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
        self._api = QueryApi(url, token=token, timeout=timeout, now=now)
        self._selectors, self._settle, self._now = selectors, settle, now

    def arms(self) -> ArmReading | NoData:
        at = (self._now() - self._settle).replace(microsecond=0)
        try:
            with self._api.at(at) as ask:
                return _reading(ask, self._selectors, at)
        except Unfit as unfit:
            return NoData(reason=f"Prometheus at {self._api.host}: {unfit}")


def _reading(ask: Ask, selectors: Selectors, at: datetime) -> ArmReading:
    baseline, canary = (_arm(ask, selectors, arm) for arm in (selectors.baseline, selectors.canary))
    edges = [arm.latency.edges_ms for arm in (baseline, canary) if arm.latency is not None]
    if len(set(edges)) > 1:
        raise Unfit("the histograms of the two arms have different edges")
    counting, until = _lives(ask, selectors, at)
    told = json.dumps([promql.hour_of(at).isoformat(), counting, edges])
    boot = hashlib.sha256(told.encode()).hexdigest()[:16]
    return ArmReading(boot=boot, baseline=baseline, canary=canary, until=until)


def _arm(ask: Ask, selectors: Selectors, arm: str) -> ArmCounts:
    requests, errors = of_arm(selectors.requests, arm), of_arm(selectors.errors, arm)
    counted, failed = _count(ask, promql.total(requests)), _count(ask, promql.part(errors, requests))
    if failed > counted:
        raise Unfit(f"arm {arm} has {failed} errors of {counted} requests: the selectors do not belong together")
    latency = None
    if selectors.latency is not None:
        latency = histogram(ask(promql.buckets(of_arm(selectors.latency, arm))), selectors.le_in_ms)
    users = None
    if selectors.users_with_errors is not None:
        users = _count(ask, promql.total(of_arm(selectors.users_with_errors, arm)))
        if users > failed:
            raise Unfit(f"arm {arm} has {users} users with errors, but {failed} errors: they do not belong together")
    business = tuple(_business(ask, each, arm) for each in selectors.business)
    return ArmCounts(requests=counted, errors=failed, latency=latency, users_with_errors=users, counted=business)


def _business(ask: Ask, metric: Business, arm: str) -> Counted:
    good, total = of_arm(metric.good, arm), of_arm(metric.total, arm)
    went_well, all_of_them = _count(ask, promql.part(good, total)), _count(ask, promql.total(total))
    if went_well > all_of_them:
        raise Unfit(f"{metric.name} of arm {arm}: {went_well} good ones of {all_of_them}")
    return Counted(name=metric.name, good=went_well, total=all_of_them)


def _lives(ask: Ask, selectors: Selectors, at: datetime) -> tuple[list[object], datetime]:
    """Which processes count, with their restarts, and until when all of them have surely counted."""
    counters = [selectors.requests, *(each.total for each in selectors.business)]
    if selectors.users_with_errors is not None:
        counters.append(selectors.users_with_errors)
    told: list[object] = []
    oldest: list[float] = []
    for selector in (of_arm(each, arm) for arm in (selectors.baseline, selectors.canary) for each in counters):
        told.append(sorted([*sorted(one.metric.items()), one.count] for one in ask(promql.processes(selector, at))))
        oldest.append(single(ask(promql.oldest_sample(selector))).number)
    return told, datetime.fromtimestamp(min(oldest), UTC)


def _count(ask: Ask, query: str) -> int:
    return single(ask(query)).count
