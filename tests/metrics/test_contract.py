"""What every source of counts must do, asked of each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from crossfade.metrics.cloudwatch import CloudWatchMetrics
from crossfade.metrics.cloudwatch_queries import Arm
from crossfade.metrics.envoy import EnvoyMetrics
from crossfade.metrics.memory import InMemoryMetrics
from crossfade.metrics.port import Metrics
from crossfade.metrics.prometheus import PrometheusMetrics
from crossfade.metrics.promql import ENVOY
from crossfade.model.counts import ArmCounts, ArmReading
from crossfade.model.terms import NoData, Side
from tests.metrics.cloudwatch_double import CloudWatchDouble
from tests.metrics.exporters import Exporter
from tests.metrics.prometheus_double import prometheus
from tests.metrics.prometheus_program import PROGRAM, real_prometheus
from tests.traffic.running import Routed, routed
from tests.traffic.users import Ask, ask_all
from tests.waiting import wait_for

Serve = Callable[[Side, int, bool], None]


@dataclass
class Case:
    metrics: Metrics
    serve: Serve
    """So many requests of a side, which take about 20 ms, and fail or not."""
    silence: Callable[[], None]
    restart: Callable[[], None]
    takes_its_time: bool = False
    """Whether requests really take 20 ms, and longer where others use this computer too."""

    def reading(self) -> ArmReading:
        seen = self.metrics.arms()
        assert isinstance(seen, ArmReading), seen
        return seen

    def reading_of(self, requests: int) -> ArmReading:
        wait_for(lambda: self.reading().baseline.requests + self.reading().canary.requests >= requests)
        return self.reading()


SOURCES = ["memory", "prometheus", "cloudwatch", pytest.param("envoy", marks=pytest.mark.parts)]
if PROGRAM is not None:
    SOURCES.append(pytest.param("installed prometheus", marks=pytest.mark.parts))


@pytest.fixture(params=SOURCES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "memory":
        yield _in_memory()
    elif request.param == "cloudwatch":
        yield _cloudwatch()
    elif request.param == "prometheus":
        with ExitStack() as until_silent:
            yield _prometheus(until_silent)
    elif request.param == "installed prometheus":
        with ExitStack() as until_silent:
            yield _installed_prometheus(until_silent, tmp_path)
    else:
        with routed(servers_of_each=1) as running:
            yield _envoy(running)


def test_both_arms_are_empty_when_nobody_asked(case: Case) -> None:
    case.restart()
    for arm in (case.reading().baseline, case.reading().canary):
        assert arm.latency is not None
        assert (arm.requests, arm.errors, sum(arm.latency.counts)) == (0, 0, 0)


def test_each_arm_has_its_own_when_both_served(case: Case) -> None:
    before = case.reading()
    case.serve(Side.SOURCE, 7, False)
    case.serve(Side.TARGET, 3, False)
    after = case.reading_of(_all(before) + 10)
    assert _numbers(after.baseline - before.baseline) == (7, 0)
    assert _numbers(after.canary - before.canary) == (3, 0)


def test_failed_requests_are_errors_and_latencies_when_there_are_some(case: Case) -> None:
    before = case.reading()
    case.serve(Side.TARGET, 5, False)
    case.serve(Side.TARGET, 2, True)
    since = case.reading_of(_all(before) + 7).canary - before.canary
    assert _numbers(since) == (7, 2)
    assert since.latency is not None
    assert sum(since.latency.counts) == 7


def test_median_is_what_requests_took_when_they_took_twenty_milliseconds(case: Case) -> None:
    before = case.reading()
    case.serve(Side.SOURCE, 40, False)
    since = case.reading_of(_all(before) + 40).baseline - before.baseline
    assert since.latency is not None
    median = since.latency.quantile_ms(0.5)
    assert median is not None
    assert median >= 19
    assert median <= 26 or case.takes_its_time


def test_boot_stays_when_counters_go_on(case: Case) -> None:
    before = case.reading()
    case.serve(Side.SOURCE, 1, False)
    assert case.reading_of(_all(before) + 1).boot == before.boot


def test_boot_changes_when_counters_start_at_zero(case: Case) -> None:
    case.serve(Side.SOURCE, 5, False)
    before = case.reading_of(5)
    case.restart()
    assert case.reading().boot != before.boot
    assert case.reading().baseline.requests < before.baseline.requests


def test_reading_is_no_data_with_a_reason_when_nobody_answers(case: Case) -> None:
    case.silence()
    seen = case.metrics.arms()
    assert isinstance(seen, NoData)
    assert seen.reason


def _numbers(arm: ArmCounts) -> tuple[int, int]:
    return arm.requests, arm.errors


def _all(reading: ArmReading) -> int:
    return reading.baseline.requests + reading.canary.requests


def _in_memory() -> Case:
    metrics = InMemoryMetrics()

    def silence() -> None:
        metrics.silent = "asked to be"

    return Case(
        metrics=metrics,
        serve=lambda side, times, failed: metrics.serve(side, milliseconds=20.5, failed=failed, times=times),
        silence=silence,
        restart=metrics.restart,
    )


def _prometheus(until_silent: ExitStack) -> Case:
    double = until_silent.enter_context(prometheus())
    (exporter,) = double.targets.values()

    def scrape() -> None:
        double.scrape()
        double.pass_time()

    def serve(side: Side, times: int, failed: bool) -> None:
        exporter.serve(side, times, failed=failed)
        scrape()

    def restart() -> None:
        exporter.restart()
        scrape()

    scrape()
    metrics = PrometheusMetrics(double.url, ENVOY, now=lambda: double.now)
    return Case(metrics=metrics, serve=serve, silence=until_silent.close, restart=restart)


def _cloudwatch() -> Case:
    """Each minute is told at its end; counters start at zero with the hour."""
    double, now = CloudWatchDouble(), [datetime(2026, 11, 2, 12, 1, tzinfo=UTC)]
    arms = {
        side: Arm(name=side, load_balancer="app/alb/1", target_group=f"targetgroup/tg-{side}/2")
        for side in (Side.SOURCE, Side.TARGET)
    }

    def put(side: Side, metric: str, *values: float) -> None:
        dimensions = {"LoadBalancer": arms[side].load_balancer, "TargetGroup": arms[side].target_group}
        double.put("AWS/ApplicationELB", metric, dimensions, now[0], *values)

    def pass_minute() -> None:
        for side in arms:
            put(side, "HealthyHostCount", 1)
        now[0] += timedelta(minutes=1)

    def serve(side: Side, times: int, failed: bool) -> None:
        put(side, "RequestCount", *[1] * times)
        put(side, "TargetResponseTime", *[0.0205] * times)
        if failed:
            put(side, "HTTPCode_Target_5XX_Count", *[1] * times)
        pass_minute()

    def restart() -> None:
        now[0] = now[0].replace(minute=0) + timedelta(hours=1)
        pass_minute()

    def silence() -> None:
        double.refusal = EndpointConnectionError(endpoint_url="https://monitoring.example")

    restart()
    metrics = CloudWatchMetrics(double, (arms[Side.SOURCE], arms[Side.TARGET]), settle=timedelta(0), now=lambda: now[0])
    return Case(metrics=metrics, serve=serve, silence=silence, restart=restart)


def _installed_prometheus(until_silent: ExitStack, folder: Path) -> Case:
    exporter = Exporter()
    url = until_silent.enter_context(real_prometheus(folder, exporter))
    metrics = PrometheusMetrics(url, ENVOY, settle=timedelta(0))

    def scraped_since(begin: datetime) -> bool:
        seen = metrics.arms()
        return isinstance(seen, ArmReading) and seen.until is not None and seen.until > begin

    def restart() -> None:
        exporter.restart()
        now = datetime.now(UTC)
        wait_for(lambda: scraped_since(now))

    restart()
    return Case(
        metrics=metrics,
        serve=lambda side, times, failed: exporter.serve(side, times, failed=failed),
        silence=until_silent.close,
        restart=restart,
    )


def _envoy(running: Routed) -> Case:
    def serve(side: Side, times: int, failed: bool) -> None:
        running.router.set_shares(100 if side is Side.TARGET else 0)
        ask_all(running.port, [Ask(path=f"/?ms=20&status={500 if failed else 200}")] * times, at_once=4)

    def restart() -> None:
        running.kill()
        running.start()

    metrics = EnvoyMetrics(running.layout.admin_url, timeout=timedelta(seconds=60))
    return Case(metrics=metrics, serve=serve, silence=running.kill, restart=restart, takes_its_time=True)
