"""What Prometheus's answers become; the double parses each query by the real grammar."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crossfade.metrics.business import Business
from crossfade.metrics.prometheus import PrometheusMetrics
from crossfade.metrics.promql import ENVOY, ISTIO, Selectors
from crossfade.model.counts import ArmReading
from crossfade.model.terms import NoData, Side
from crossfade.rehearsal.processes import free_ports
from tests.metrics.exporters import EDGES_MS, Exporter, labels
from tests.metrics.prometheus_double import Double, prometheus, success

TRANSFERS = Business(name="transfers", good='accepted_total{arm="{arm}"}', total='tried_total{arm="{arm}"}')


@pytest.fixture
def double() -> Iterator[Double]:
    """One router that has served 100 of the baseline, 4 of them failed, and 10 of the canary."""
    with prometheus() as running:
        (router,) = running.targets.values()
        router.serve(Side.SOURCE, 96, failed=False)
        router.serve(Side.SOURCE, 4, failed=True, milliseconds=400)
        router.serve(Side.TARGET, 10, failed=False)
        running.scrape()
        running.pass_time()
        yield running


def seen(double: Double, selectors: Selectors = ENVOY, token: str | None = None) -> ArmReading | NoData:
    return PrometheusMetrics(double.url, selectors, token=token, now=lambda: double.now).arms()


def reading(double: Double, selectors: Selectors = ENVOY) -> ArmReading:
    found = seen(double, selectors)
    assert isinstance(found, ArmReading), found
    return found


def reason(double: Double, selectors: Selectors = ENVOY) -> str:
    found = seen(double, selectors)
    assert isinstance(found, NoData), found
    return found.reason


def router(double: Double) -> Exporter:
    return next(iter(double.targets.values()))


def test_counts_are_those_of_all_routers_together_when_there_are_several(double: Double) -> None:
    second = double.targets["router-2:9901"] = Exporter()
    second.serve(Side.TARGET, 7, failed=True)
    double.scrape()
    double.pass_time()
    found = reading(double)
    assert (found.baseline.requests, found.baseline.errors) == (100, 4)
    assert (found.canary.requests, found.canary.errors) == (17, 7)
    assert found.baseline.latency is not None
    assert found.baseline.latency.edges_ms == EDGES_MS
    assert found.baseline.latency.counts == (0, 0, 0, 96, 0, 0, 4)


def test_seconds_become_milliseconds_when_the_histogram_is_in_seconds(double: Double) -> None:
    found = reading(double, replace(ENVOY, le_in_ms=1000))
    assert found.baseline.latency is not None
    assert found.baseline.latency.edges_ms == tuple(1000 * edge for edge in EDGES_MS)


def test_everything_is_asked_for_one_instant_when_a_scrape_comes_between(double: Double) -> None:
    """The scrape's samples are younger than the instant: no count of the reading has them."""
    calm = reading(double)
    router(double).serve(Side.SOURCE, 1000, failed=True)
    asked = 0

    def in_between(query: str) -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            double.scrape()

    double.answer = in_between  # type: ignore[assignment]  # None: it answers as it would
    assert reading(double) == calm
    assert asked > 3


def test_until_is_the_oldest_sample_when_routers_are_scraped_at_different_times(double: Double) -> None:
    scraped = double.now - timedelta(seconds=10)
    assert reading(double).until == scraped
    late = double.targets.pop("router-1:9901")
    double.targets["router-2:9901"] = Exporter()
    for series in late.counters:  # router 1 is not scraped this time, and its samples are not stale yet
        double.targets["router-2:9901"].counters[series] += 0
    fresh = {name: list(samples) for name, samples in double.samples.items()}
    double.scrape()
    double.samples |= fresh
    double.pass_time()
    assert reading(double).until == scraped


@pytest.mark.parametrize("what", ["restarts", "restarts and counts more", "goes", "comes"])
def test_boot_changes_when_a_router(double: Double, what: str) -> None:
    double.targets["router-2:9901"] = Exporter()
    double.targets["router-2:9901"].serve(Side.SOURCE, 5, failed=False)
    double.scrape()
    double.pass_time()
    before = reading(double)
    if what == "goes":
        del double.targets["router-2:9901"]
    elif what == "comes":
        double.targets["router-3:9901"] = Exporter()
    else:
        double.targets["router-2:9901"].restart()
        double.scrape()
        double.pass_time()
        router(double).serve(Side.SOURCE, 1000, failed=False)
        if what == "restarts and counts more":
            double.targets["router-2:9901"].serve(Side.SOURCE, 5000, failed=False)
    double.scrape()
    double.pass_time()
    assert reading(double).boot != before.boot


def test_boot_changes_each_time_when_a_router_restarts_again_and_again(double: Double) -> None:
    boots = []
    for _ in range(5):
        router(double).serve(Side.SOURCE, 50, failed=False)
        double.scrape()
        router(double).restart()
        double.pass_time()
        double.scrape()
        double.pass_time()
        boots.append(reading(double).boot)
    assert len(set(boots)) == len(boots)


def test_boot_stays_for_the_hour_when_nothing_but_time_passes(double: Double) -> None:
    router(double).restart()  # a restart that the window must not forget before the hour is over
    double.scrape()
    double.pass_time()
    boots = []
    while double.now.hour == 12:
        router(double).serve(Side.SOURCE, 5, failed=False)
        double.scrape()
        double.pass_time()
        boots.append(reading(double).boot)
        double.pass_time(230)
    assert len(boots) > 8
    assert len(set(boots)) == 1
    double.scrape()
    double.pass_time()
    assert reading(double).boot != boots[0]


def test_a_new_status_leaves_the_boot_when_the_process_is_the_same(double: Double) -> None:
    before = reading(double)
    router(double).count("envoy_cluster_upstream_rq_xx", 3, envoy_cluster_name="legacy", envoy_response_code_class="4")
    double.scrape()
    double.pass_time()
    assert reading(double).boot == before.boot


def test_no_error_is_zero_errors_only_while_requests_are_there(double: Double) -> None:
    workload = {"reporter": "source", "response_code": "200"}
    selectors = replace(ISTIO, latency=None)
    assert "no such series" in reason(double, selectors)
    for arm in ("legacy", "modern"):
        router(double).count("istio_requests_total", 30, destination_workload=arm, **workload)
    double.scrape()
    double.pass_time()
    assert (reading(double, selectors).canary.requests, reading(double, selectors).canary.errors) == (30, 0)


def test_reading_is_no_data_when_one_arm_is_missing(double: Double) -> None:
    found = reason(double, replace(ENVOY, canary="moderm"))
    assert "no such series" in found
    assert "moderm" in found


def test_business_metrics_are_counted_by_arm_when_selected(double: Double) -> None:
    for arm, tried, accepted in (("legacy", 50, 49), ("modern", 20, 0)):
        router(double).count("tried_total", tried, arm=arm)
        if accepted:
            router(double).count("accepted_total", accepted, arm=arm)
    double.scrape()
    double.pass_time()
    found = reading(double, replace(ENVOY, business=(TRANSFERS,)))
    (baseline,), (canary,) = found.baseline.counted, found.canary.counted
    assert (baseline.name, baseline.good, baseline.total) == ("transfers", 49, 50)
    assert (canary.good, canary.total) == (0, 20)


def test_boot_changes_when_the_process_that_counts_business_restarts(double: Double) -> None:
    shop = double.targets["shop:80"] = Exporter()
    for arm in ("legacy", "modern"):
        shop.count("tried_total", 50, arm=arm)
    double.scrape()
    double.pass_time()
    selectors = replace(ENVOY, business=(TRANSFERS,))
    before = reading(double, selectors)
    for arm in ("legacy", "modern"):
        shop.counters[labels("tried_total", arm=arm)] = 1
    double.scrape()
    double.pass_time()
    assert reading(double, selectors).boot != before.boot


def with_users(double: Double, baseline: int, canary: int) -> Selectors:
    """Users with errors are counted by a process of its own."""
    shop = double.targets["shop:80"] = Exporter()
    for arm, users in (("legacy", baseline), ("modern", canary)):
        shop.count("users_with_errors_total", users, arm=arm)
    double.scrape()
    double.pass_time()
    return replace(ENVOY, users_with_errors='users_with_errors_total{arm="{arm}"}')


def test_users_with_errors_are_told_by_arm_when_somebody_counts_them(double: Double) -> None:
    found = reading(double, with_users(double, baseline=3, canary=0))
    assert (found.baseline.users_with_errors, found.canary.users_with_errors) == (3, 0)
    assert reading(double).baseline.users_with_errors is None


def test_reading_is_no_data_when_there_are_more_users_with_errors_than_errors(double: Double) -> None:
    assert "5 users with errors, but 4 errors" in reason(double, with_users(double, baseline=5, canary=0))


def test_boot_changes_when_the_process_that_counts_users_restarts(double: Double) -> None:
    before = reading(double, with_users(double, baseline=3, canary=0))
    assert reading(double, with_users(double, baseline=1, canary=0)).boot != before.boot


def test_name_of_an_arm_is_a_value_and_no_query_when_it_holds_quotes(double: Double) -> None:
    assert "no such series" in reason(double, replace(ENVOY, canary='x"} or vector(1) or y{z="'))


def test_token_goes_along_and_is_never_told_when_it_is_refused(double: Double) -> None:
    double.answer = lambda _: (401, {}, b"no")
    found = seen(double, token="hunter2")
    assert isinstance(found, NoData)
    assert "metrics.credentials" in found.reason
    assert "hunter2" not in found.reason
    assert {sent["Authorization"] for sent in double.headers} == {"Bearer hunter2"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_refused_and_not_followed(double: Double, status: int) -> None:
    with prometheus() as elsewhere:
        double.answer = lambda _: (status, {"location": f"{elsewhere.url}/api/v1/query"}, b"")
        found = seen(double, token="hunter2")
        assert isinstance(found, NoData)
        assert "redirects" in found.reason
        assert elsewhere.asked == []


def test_second_attempt_is_made_when_a_proxy_fails_once(double: Double) -> None:
    answers: Iterator[tuple[int, dict[str, str], bytes]] = iter([(503, {}, b"")])
    double.answer = lambda _: next(answers, None)  # type: ignore[assignment, return-value]
    assert reading(double).baseline.requests == 100
    double.answer = lambda _: (503, {}, b"")
    assert "status 503" in reason(double)


def test_prometheus_says_itself_what_is_wrong_when_a_selector_cannot_be_parsed(double: Double) -> None:
    assert "bad_data" in reason(double, replace(ENVOY, requests='a{b="{arm}"'))


def _vector(*values: Any, **more: object) -> bytes:
    result = [{"metric": {}, "value": [1, value]} for value in values]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more}).encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not one of Prometheus"),
        (b"<html>", "not one of Prometheus"),
        (b"[]", "not one of Prometheus"),
        (b'{"status":"success"}', "not one of Prometheus"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}', "not one of Prometheus"),
        (b'{"status":"error","errorType":"timeout","error":"query timed out"}', "timeout: query timed out"),
        (_vector(5), "not one of Prometheus"),
        (_vector("5", "6"), "2 series"),
        (_vector("NaN"), "NaN"),
        (_vector("+Inf"), "+Inf"),
        (_vector("x"), "no number"),
        (_vector("3.7"), "without rate()"),
        (_vector("-1"), "no count"),
        (_vector("1e300"), "no count"),
        (_vector(), "no such series"),
        (_vector("5", warnings=["store 2 did not answer"]), "partial: store 2 did not answer"),
        (
            b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"3"}]}]}}',
            "native histogram",
        ),
        (b" " * 5_000_000, "larger than 4 MB"),
    ],
)
def test_reading_is_no_data_when_the_answer_is_unfit(double: Double, body: bytes, words: str) -> None:
    double.answer = lambda _: (200, {}, body)
    assert words in reason(double)


@pytest.mark.parametrize(
    ("bins", "words"),
    [
        ({"10": 5}, "edges above 0, and +Inf"),
        ({"+Inf": 5}, "edges above 0, and +Inf"),
        ({"-1": 0, "+Inf": 5}, "edges above 0, and +Inf"),
        ({"10": 6, "+Inf": 5}, "more than a wider one"),
        ({"10": 1, "10.0": 1, "+Inf": 5}, "came twice"),
        ({"ten": 1, "+Inf": 5}, "label `le`"),
    ],
)
def test_reading_is_no_data_when_buckets_are_unfit(double: Double, bins: dict[str, float], words: str) -> None:
    body = success({labels("x", le=edge): count for edge, count in bins.items()})
    double.answer = lambda query: (200, {}, body) if "by (le)" in query else None  # type: ignore[assignment, return-value]
    assert words in reason(double)


def test_reading_is_no_data_when_the_arms_have_different_edges(double: Double) -> None:
    router(double).count("envoy_cluster_upstream_rq_time_bucket", 0, le="7", envoy_cluster_name="modern")
    double.scrape()
    double.pass_time()
    router(double).count("envoy_cluster_upstream_rq_time_bucket", 0, le="7", envoy_cluster_name="modern")
    assert "different edges" in reason(double)


def test_reading_is_no_data_when_there_are_more_errors_than_requests(double: Double) -> None:
    swapped = replace(ENVOY, requests=ENVOY.errors, errors=ENVOY.requests)
    assert "do not belong together" in reason(double, swapped)


def test_reading_is_no_data_when_the_clocks_differ(double: Double) -> None:
    double.answer = lambda _: (200, {"Date": "Mon, 02 Nov 2026 12:00:00 GMT"}, _vector("5"))
    assert "NTP" in reason(double)


def test_reading_takes_no_longer_than_the_timeout_when_nobody_answers() -> None:
    (port,) = free_ports(1)
    metrics = PrometheusMetrics(f"http://127.0.0.1:{port}", ENVOY, timeout=timedelta(milliseconds=100))
    with socket.create_server(("127.0.0.1", port)):
        found = metrics.arms()  # without a limit it would wait for ever
    assert isinstance(found, NoData)
    assert "does not answer" in found.reason
