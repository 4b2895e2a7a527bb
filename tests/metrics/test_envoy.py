"""What only a real Envoy can show: what it counts, and when."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from crossfade.metrics.envoy import EnvoyMetrics
from crossfade.metrics.latency import EDGES_MS
from crossfade.model.counts import ArmCounts, ArmReading, Counted
from crossfade.model.resolve import TRANSFERS
from crossfade.model.terms import NoData
from crossfade.rehearsal.processes import free_ports
from tests.traffic.running import Routed, routed
from tests.traffic.users import Ask, Connection, ask_all, load
from tests.waiting import wait_for


def _reading(running: Routed) -> ArmReading:
    seen = EnvoyMetrics(running.layout.admin_url, timeout=timedelta(seconds=60)).arms()
    assert isinstance(seen, ArmReading), seen
    return seen


def _counted(running: Routed, requests: int, of: Callable[[ArmReading], ArmCounts] = lambda r: r.baseline) -> ArmCounts:
    wait_for(lambda: of(_reading(running)).requests >= requests)
    return of(_reading(running))


@pytest.mark.parts
def test_connection_failures_are_errors_and_latencies_when_all_servers_are_dead(own: Routed) -> None:
    before = _reading(own).canary
    own.servers.down(own.servers.modern)
    own.router.set_shares(100)
    answers = ask_all(own.port, [Ask(user=str(number)) for number in range(20)])
    assert {answer.status for answer in answers} == {503}
    since = _counted(own, 20, lambda r: r.canary) - before
    assert (since.requests, since.errors) == (20, 20)
    assert since.latency is not None
    assert sum(since.latency.counts) == 20


@pytest.mark.parts
def test_timeouts_are_errors_that_took_the_timeout_when_a_server_hangs() -> None:
    with routed(servers_of_each=1, timeout_s=0.32) as running:
        before = _reading(running).baseline
        answers = ask_all(running.port, [Ask(path="/hang")] * 4)
        assert {answer.status for answer in answers} == {504}
        since = _counted(running, before.requests + 4) - before
    assert (since.requests, since.errors) == (4, 4)
    assert since.latency is not None
    assert (since.latency.quantile_ms(0.1) or 0) >= 300


@pytest.mark.parts
def test_request_without_an_answer_is_an_error_when_the_user_gives_up(own: Routed) -> None:
    before, asked = _reading(own).baseline, own.servers.legacy.seen["GET"]

    async def give_up() -> None:
        asking = asyncio.create_task(Connection(own.port).ask(Ask(path="/hang")))
        await asyncio.to_thread(wait_for, lambda: own.servers.legacy.seen["GET"] > asked)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.25):
                await asking

    asyncio.run(give_up())
    since = _counted(own, before.requests + 1) - before
    assert (since.requests, since.errors) == (1, 1)
    assert since.latency is not None
    assert (since.latency.quantile_ms(0.5) or 0) >= 200


@pytest.mark.parts
def test_only_answers_of_500_and_more_are_errors_when_users_ask_for_nonsense(own: Routed) -> None:
    before = _reading(own).baseline
    ask_all(own.port, [Ask(path=f"/?status={status}") for status in (200, 201, 302, 404, 409, 499, 500, 502, 599)])
    since = _counted(own, before.requests + 9) - before
    assert (since.requests, since.errors) == (9, 3)


@pytest.mark.parts
def test_transfers_are_counted_by_arm_and_by_how_they_went(own: Routed) -> None:
    """Whatever is no transfer is not among them, and a transfer that nobody answered went badly."""
    own.router.set_shares(100)
    transfers = [
        Ask(path=f"/api/transfers?status={status}", method="POST") for status in (201, 201, 200, 302, 409, 500)
    ]
    others = [Ask(path="/api/transfers"), Ask(path="/api/statements?status=409", method="POST")]
    ask_all(own.port, [*transfers, *others])
    own.servers.down(own.servers.modern)
    ask_all(own.port, [Ask(path="/api/transfers?status=201", method="POST")])
    metrics = EnvoyMetrics(own.layout.admin_url, business=[TRANSFERS], timeout=timedelta(seconds=60))

    def counted() -> tuple[Counted, ...]:
        seen = metrics.arms()
        assert isinstance(seen, ArmReading), seen
        assert seen.baseline.counted == (Counted(name=TRANSFERS, good=0, total=0),)
        return seen.canary.counted

    wait_for(lambda: counted()[0].total >= 7)
    assert counted() == (Counted(name=TRANSFERS, good=3, total=7),)
    assert _reading(own).canary.counted == ()


@pytest.mark.parts
def test_mirrored_copies_are_not_counted_when_the_mirror_is_on(own: Routed) -> None:
    own.router.mirror(100)
    ask_all(own.port, [Ask()] * 30)
    wait_for(lambda: own.servers.modern.seen["GET"] >= 30)
    assert _counted(own, 30).requests >= 30
    assert _reading(own).canary.requests == 0


@pytest.mark.parts
def test_requests_errors_and_histogram_agree_when_read_under_load(own: Routed) -> None:
    own.router.set_shares(50)
    readings = [_reading(own)]
    with load(own.port, "/?status=500") as users:
        while len(readings) < 200 or len(users.answers) <= 500:
            readings.append(_reading(own))
    for reading in readings:
        for arm in (reading.baseline, reading.canary):
            assert arm.latency is not None
            assert arm.requests == sum(arm.latency.counts)
            assert arm.errors <= arm.requests
    first, last = readings[0], readings[-1]
    assert last.canary.requests > first.canary.requests
    own.router.set_shares(0)
    everything = len(users.answers)
    wait_for(lambda: _reading(own).baseline.requests + _reading(own).canary.requests >= everything)
    assert _reading(own).baseline.requests + _reading(own).canary.requests == everything


@pytest.mark.parts
@pytest.mark.parametrize("milliseconds", [11, 16, 31])
def test_latency_lies_in_the_bin_that_its_edges_say_when_it_is_known(own: Routed, milliseconds: int) -> None:
    """A server answers after that many milliseconds and a little: nothing may be counted below."""
    before = _reading(own).baseline
    ask_all(own.port, [Ask(path=f"/?ms={milliseconds}")] * 50, at_once=2)
    since = _counted(own, before.requests + 50) - before
    assert since.latency is not None
    low = max(i for i, edge in enumerate(EDGES_MS) if edge <= milliseconds)
    assert sum(since.latency.counts[: low + 1]) == 0
    assert sum(since.latency.counts[low + 1 : low + 8]) >= 1


@pytest.mark.parts
def test_reading_is_cheap_when_the_engine_looks_twice_a_second(own: Routed) -> None:
    metrics = EnvoyMetrics(own.layout.admin_url, timeout=timedelta(seconds=60))

    def seconds() -> float:
        begin = time.monotonic()
        assert isinstance(metrics.arms(), ArmReading)
        return time.monotonic() - begin

    wait_for(lambda: seconds() < 0.010)  # once nobody else has the processor


def test_reading_takes_no_longer_than_the_timeout_when_the_router_hangs() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        seen = EnvoyMetrics(f"http://127.0.0.1:{port}", timeout=timedelta(milliseconds=100)).arms()  # else for ever
    assert isinstance(seen, NoData)


@pytest.mark.parametrize(
    ("status", "stats"),
    [
        (500, {"stats": []}),
        (200, {"nothing": []}),
        (200, {"stats": [1]}),
        (200, {"stats": [{"histograms": [{"name": "arms.answered.latency.arm.legacy", "buckets": [{"x": 1}]}]}]}),
        (
            200,
            {
                "stats": [
                    {
                        "histograms": [
                            {
                                "name": "arms.answered.latency.arm.legacy",
                                "buckets": [{"upper_bound": 10, "interval": 0, "cumulative": 1}],
                            }
                        ]
                    }
                ]
            },
        ),
    ],
)
def test_reading_is_no_data_when_the_answer_is_not_ours(status: int, stats: object) -> None:
    class Imposter(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            ours = {"configs": [{"last_updated": "now"}]} if "config_dump" in self.path else stats
            body = json.dumps(ours).encode()
            self.send_response(200 if "config_dump" in self.path else status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
            pass

    (port,) = free_ports(1)
    with HTTPServer(("127.0.0.1", port), Imposter) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        seen = EnvoyMetrics(f"http://127.0.0.1:{port}").arms()
        thread.join()
    assert isinstance(seen, NoData)
