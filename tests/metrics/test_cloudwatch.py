"""What CloudWatch's sums of minutes become; the double holds every call against botocore's model."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from crossfade.metrics.business import Business
from crossfade.metrics.cloudwatch import CloudWatchMetrics
from crossfade.metrics.cloudwatch_queries import EDGES_MS, Arm
from crossfade.model.counts import ArmReading
from crossfade.model.terms import NoData
from tests.metrics.cloudwatch_double import CloudWatchDouble

ARMS = tuple(
    Arm(name=name, load_balancer="app/alb-web-prod/50dc", target_group=f"targetgroup/tg-{name}-prod/73e2")
    for name in ("legacy", "modern")
)
ELB = "AWS/ApplicationELB"
TRANSFERS = Business(name="transfers", good="Ledger Accepted{Arm={arm},Api=v1}", total="Ledger Tried{Arm={arm},Api=v1}")
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Site:
    """Two target groups whose minutes a test makes up; CloudWatch is told each minute `late` after its end."""

    def __init__(self) -> None:
        self.cloudwatch = CloudWatchDouble()
        self.now = NOON

    def minute(self, *, arm: int, at: datetime, slow: int = 0, fast: int = 0, failed: int = 0) -> None:
        """`fast` requests took 21 ms and `slow` ones 3 s; `failed` of them were answered with 500."""
        times = [0.021] * fast + [3.0] * slow
        self._put(arm, "HealthyHostCount", at, 4, 4)
        if times:
            self._put(arm, "RequestCount", at, *[1] * len(times))
            self._put(arm, "TargetResponseTime", at, *times)
        if failed:
            self._put(arm, "HTTPCode_Target_5XX_Count", at, failed)

    def both(self, first: int, last: int) -> None:
        """Minutes after noon from `first` until before `last`: 100 requests of the baseline, 10 of the canary."""
        for number in range(first, last):
            at = NOON + timedelta(minutes=number)
            self.minute(arm=0, at=at, fast=90, slow=10, failed=3)
            self.minute(arm=1, at=at, fast=10)

    def _put(self, arm: int, metric: str, at: datetime, *values: float) -> None:
        dimensions = {"LoadBalancer": ARMS[arm].load_balancer, "TargetGroup": ARMS[arm].target_group}
        self.cloudwatch.put(ELB, metric, dimensions, at, *values)

    def put(self, arm: int, metric: str, minute: int, *values: float) -> None:
        self._put(arm, metric, NOON + timedelta(minutes=minute), *values)

    def seen(self, at: float, *business: Business) -> ArmReading | NoData:
        self.now = NOON + timedelta(minutes=at)
        return CloudWatchMetrics(self.cloudwatch, (ARMS[0], ARMS[1]), business=business, now=lambda: self.now).arms()

    def reading(self, at: float, *business: Business) -> ArmReading:
        found = self.seen(at, *business)
        assert isinstance(found, ArmReading), found
        return found

    def reason(self, at: float, *business: Business) -> str:
        found = self.seen(at, *business)
        assert isinstance(found, NoData), found
        return found.reason


@pytest.fixture
def site() -> Site:
    return Site()


def test_counts_are_those_of_each_target_group_since_the_hour(site: Site) -> None:
    site.both(0, 10)
    found = site.reading(11)
    assert (found.baseline.requests, found.baseline.errors) == (1000, 30)
    assert (found.canary.requests, found.canary.errors) == (100, 0)
    assert found.until == NOON + timedelta(minutes=10)


def test_response_times_become_a_histogram_by_the_ranks_of_its_edges(site: Site) -> None:
    site.both(0, 10)
    latency = site.reading(11).baseline.latency
    assert latency is not None
    at_21, at_3000 = EDGES_MS.index(25.0), EDGES_MS.index(3000.0)
    assert {i: count for i, count in enumerate(latency.counts) if count} == {at_21: 900, at_3000: 100}


def test_rounded_ranks_never_lose_a_sample_when_there_are_few(site: Site) -> None:
    times = [0.004, 0.011, 0.021, 0.021, 0.21, 0.9, 30.0]
    for arm in (0, 1):
        site.minute(arm=arm, at=NOON)
        site.put(arm, "RequestCount", 0, *[1] * 7)
        site.put(arm, "TargetResponseTime", 0, *times)
    latency = site.reading(2).canary.latency
    assert latency is not None
    expected = [0] * (len(EDGES_MS) + 1)
    for seconds in times:
        expected[sum(edge < 1000 * seconds for edge in EDGES_MS)] += 1
    assert latency.counts == tuple(expected)


def test_a_minute_is_counted_when_it_is_told_and_not_before(site: Site) -> None:
    site.both(0, 5)
    assert site.reading(5.9).until == NOON + timedelta(minutes=4)
    assert site.reading(6).until == NOON + timedelta(minutes=5)
    assert site.reading(8).until == NOON + timedelta(minutes=5)  # minutes 5 and 6 are late
    site.both(6, 7)  # minute 6 is told before minute 5
    assert site.reading(8).until == NOON + timedelta(minutes=5)
    site.both(5, 6)
    assert site.reading(8).until == NOON + timedelta(minutes=7)
    assert site.reading(8).baseline.requests == 700


def test_a_minute_of_one_group_waits_for_that_of_the_other(site: Site) -> None:
    site.both(0, 3)
    site.minute(arm=0, at=NOON + timedelta(minutes=3), fast=100)
    assert site.reading(5).until == NOON + timedelta(minutes=3)
    assert site.reading(5).baseline.requests == 300


def test_nothing_is_zero_requests_when_the_group_told_its_hosts(site: Site) -> None:
    site.minute(arm=0, at=NOON, fast=10)
    site.minute(arm=1, at=NOON)
    found = site.reading(2)
    assert (found.canary.requests, found.canary.errors) == (0, 0)
    assert found.canary.latency is not None
    assert sum(found.canary.latency.counts) == 0


def test_reading_is_no_data_when_a_group_tells_nothing(site: Site) -> None:
    site.minute(arm=0, at=NOON, fast=10)
    assert "tg-modern-prod" in site.reason(2)


def test_what_came_between_two_readings_is_their_difference_when_a_minute_came_late(site: Site) -> None:
    site.both(0, 5)
    before = site.reading(6)
    site.both(5, 7)
    site.put(0, "RequestCount", 2, 1, 1, 1)  # three requests of minute 2, told only now
    since = site.reading(8).baseline - before.baseline
    assert since.requests == 203


def test_boot_is_the_hour_and_its_last_minute_belongs_to_it(site: Site) -> None:
    site.both(0, 60)
    first, last = site.reading(2), site.reading(61)
    assert first.boot == last.boot
    assert last.until == NOON + timedelta(hours=1)
    site.both(60, 61)
    next_hour = site.reading(62)
    assert next_hour.boot != last.boot
    assert next_hour.baseline.requests == 100


def test_connections_that_failed_are_errors_but_never_more_than_requests(site: Site) -> None:
    site.minute(arm=0, at=NOON, fast=10)
    site.minute(arm=1, at=NOON, fast=10, failed=2)
    site.put(1, "TargetConnectionErrorCount", 0, 5)
    assert site.reading(2).canary.errors == 7
    site.put(1, "TargetConnectionErrorCount", 0, 50)
    assert site.reading(2).canary.errors == 10


def test_business_metrics_are_sums_of_their_own_namespace(site: Site) -> None:
    site.both(0, 2)
    for arm, tried, accepted in (("legacy", 40, 39), ("modern", 8, 4)):
        for metric, count in (("Tried", tried), ("Accepted", accepted)):
            site.cloudwatch.put("Ledger", metric, {"Arm": arm, "Api": "v1"}, NOON, *[1] * count)
    found = site.reading(3, TRANSFERS)
    (baseline,), (canary,) = found.baseline.counted, found.canary.counted
    assert (baseline.name, baseline.good, baseline.total) == ("transfers", 39, 40)
    assert (canary.good, canary.total) == (4, 8)


def test_users_with_errors_are_those_of_their_own_namespace_and_never_more_than_errors(site: Site) -> None:
    site.minute(arm=0, at=NOON, fast=90, failed=3)
    site.minute(arm=1, at=NOON, fast=10, failed=2)
    for arm, users in (("legacy", 1), ("modern", 5)):
        site.cloudwatch.put("Ledger", "Unlucky", {"Arm": arm}, NOON, *[1] * users)
    site.now = NOON + timedelta(minutes=2)
    asked = "Ledger Unlucky{Arm={arm}}"
    counted = CloudWatchMetrics(
        site.cloudwatch, (ARMS[0], ARMS[1]), users_with_errors=asked, now=lambda: site.now
    ).arms()
    assert isinstance(counted, ArmReading)
    assert (counted.baseline.users_with_errors, counted.canary.users_with_errors) == (1, 2)
    assert site.reading(2).canary.users_with_errors is None


def test_all_pages_are_read_when_there_are_several(site: Site) -> None:
    site.both(0, 10)
    whole = site.reading(11)
    site.cloudwatch.page = 100
    site.cloudwatch.asked.clear()
    assert site.reading(11) == whole
    assert len(site.cloudwatch.asked) > 2


def test_no_call_asks_for_more_than_500_metrics_when_there_are_many(site: Site) -> None:
    site.both(0, 2)
    many = [
        Business(name=f"m{n}", good=f"L Good{n}{{Arm={{arm}}}}", total=f"L Total{n}{{Arm={{arm}}}}") for n in range(150)
    ]
    assert len(site.reading(3, *many).canary.counted) == 150
    asked = [len(call["MetricDataQueries"]) for call in site.cloudwatch.asked]
    assert max(asked) == 500
    assert sum(asked) > 600


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_reading_is_no_data_when_a_metric_is_not_whole(site: Site, status: str) -> None:
    site.both(0, 5)
    site.cloudwatch.statuses["HTTPCode_Target_5XX_Count"] = status
    assert status in site.reason(6)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (ClientError({"Error": {"Code": "Throttling", "Message": "x"}}, "GetMetricData"), "Throttling"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "x"}}, "GetMetricData"), "GetMetricData"),
        (NoCredentialsError(), "NoCredentialsError"),
        (EndpointConnectionError(endpoint_url="https://x"), "EndpointConnectionError"),
    ],
)
def test_reading_is_no_data_when_cloudwatch_refuses(site: Site, refusal: Exception, words: str) -> None:
    site.both(0, 5)
    site.cloudwatch.refusal = refusal
    assert words in site.reason(6)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda site: site.put(0, "RequestCount", 0, 0.5), "no count"),
        (lambda site: site.put(0, "RequestCount", 0, -5000), "no count"),
    ],
)
def test_reading_is_no_data_when_a_sum_is_no_count(site: Site, spoil: Callable[[Site], None], words: str) -> None:
    site.both(0, 5)
    spoil(site)
    assert words in site.reason(6)


def test_reading_is_no_data_when_response_times_come_without_ranks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.both(0, 2)
    monkeypatch.setattr("tests.metrics.cloudwatch_double._computed", lambda _, values: float(101 * len(values)))
    assert "without their rank" in site.reason(3)
