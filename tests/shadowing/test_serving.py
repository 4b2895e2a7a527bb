"""The collector as a process of its own: Envoy sends it copies, it asks real servers, and no user waits for it."""

import asyncio
import random
import time
from collections.abc import Iterator
from itertools import chain

import pytest

from crossfade.model.comparing import FieldCounts, ShadowReading
from crossfade.model.terms import NoData
from tests.shadowing.running import Collected, collected
from tests.shadowing.tail import tail_is_slower
from tests.traffic.users import Ask, Connection, ask_all
from tests.waiting import wait_for

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module")
def patient() -> Iterator[Collected]:
    with collected(timeout=60, max_in_flight=1000) as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[Collected]:
    with collected(timeout=2, max_in_flight=20) as made:
        yield made


@pytest.fixture
def shared(patient: Collected) -> Iterator[Collected]:
    """The module's, with all servers up and nothing under way."""
    yield patient
    mend(patient)


@pytest.fixture
def hanging(hasty: Collected) -> Iterator[Collected]:
    """Another, that soon gives up servers that hang."""
    yield hasty
    mend(hasty)


def mend(running: Collected) -> None:
    servers = running.routed.servers
    servers.modern.frozen.clear()
    for port in set(servers.modern.ports) - set(servers.modern.listeners):
        servers.up(servers.modern, port)
    wait_for(lambda: running.reading().in_flight == 0)


def came(now: ShadowReading, before: ShadowReading) -> int:
    """How many copies something has become of."""
    names = ("pairs", "unanswered", "control_unanswered", "dropped", "unsafe")
    return sum(getattr(now, name) - getattr(before, name) for name in names)


def asked(own: Collected, asks: list[Ask], *, copies: int, at_once: int = 1) -> tuple[ShadowReading, ShadowReading]:
    """The counts before, and when something has become of all `copies`."""
    before = own.reading()
    answers = ask_all(own.routed.port, asks, at_once=at_once)
    assert {answer.arm for answer in answers} == {"legacy"}
    wait_for(lambda: came(own.reading(), before) == copies)
    return before, own.reading()


def test_each_read_becomes_a_pair_and_no_write_does(shared: Collected) -> None:
    seen = shared.routed.servers.modern.seen
    reads, writes = seen["GET"], seen["POST"]
    before, after = asked(shared, [Ask(), Ask(method="POST")] * 10, copies=10)
    assert (after.pairs - before.pairs, after.matched - before.matched) == (10, 10)
    assert (seen["GET"] - reads, seen["POST"] - writes) == (10, 0)


def test_a_route_declared_safe_is_asked_whatever_its_method(shared: Collected) -> None:
    before, after = asked(shared, [Ask(method="POST", path="/search")] * 3, copies=3)
    assert after.pairs - before.pairs == 3
    assert shared.routed.servers.modern.seen["POST"] == 3


def test_a_server_that_refuses_costs_a_try_on_the_next_one(shared: Collected) -> None:
    servers = shared.routed.servers
    servers.down(servers.modern, *shared.routed.layout.modern_ports[:2])
    before, after = asked(shared, [Ask()] * 10, copies=10)
    assert after.pairs - before.pairs == 10


def test_calls_are_cancelled_and_counted_and_further_ones_dropped_when_the_candidate_hangs(hanging: Collected) -> None:
    hanging.routed.servers.modern.frozen.update(hanging.routed.layout.modern_ports)
    before, after = asked(hanging, [Ask()] * 60, copies=60, at_once=30)
    assert after.pairs == before.pairs
    assert after.unanswered - before.unanswered >= 20
    assert after.dropped > before.dropped


def test_no_live_request_is_slower_while_every_shadow_call_hangs(hanging: Collected) -> None:
    """In pairs: a read, of which a copy is sent and hangs, and a write, of which none is, a coin saying which is first.

    They come close after each other over one connection, so other load strikes both alike.
    """
    modern, ports = hanging.routed.servers.modern, hanging.routed.layout.modern_ports
    modern.frozen.update(ports)
    before = hanging.reading()
    pairs = asyncio.run(timed_pairs(hanging.routed.port, 2000))
    assert not tail_is_slower(pairs), sorted(pairs, key=max, reverse=True)[:20]
    wait_for(lambda: hanging.reading().unanswered > before.unanswered)
    assert hanging.reading().pairs == before.pairs


async def timed_pairs(port: int, pairs: int) -> list[tuple[float, float]]:
    """Seconds of a read and of a write, of users who ask one after the other."""
    connection, coin, took = Connection(port), random.Random(), []
    for number in range(pairs):
        pair = {}
        for method in coin.sample(("GET", "POST"), 2):
            began = time.perf_counter()
            answer = await connection.ask(Ask(user=str(number), method=method))
            pair[method] = time.perf_counter() - began
            assert (answer.status, answer.arm) == (200, "legacy")
        took.append((pair["GET"], pair["POST"]))
    await connection.close()
    return took


def test_the_router_is_as_quick_as_ever_while_every_shadow_call_hangs(hanging: Collected) -> None:
    """In turns, for what would hold up all requests alike; the quietest turn of each counts, whatever else runs."""
    modern, ports = hanging.routed.servers.modern, hanging.routed.layout.modern_ports
    quiet: list[float] = []
    held_up: list[float] = []
    for _ in range(3):
        modern.frozen.clear()
        quiet.append(p99_of_live_requests(hanging.routed.port))
        unanswered = hanging.reading().unanswered
        modern.frozen.update(ports)
        held_up.append(p99_of_live_requests(hanging.routed.port))
        wait_for(lambda unanswered=unanswered: hanging.reading().unanswered > unanswered)  # type: ignore[misc]
    assert min(held_up) < 2 * min(quiet) + 0.5, (quiet, held_up)  # it would be the two seconds of the timeout


def p99_of_live_requests(port: int, requests: int = 200) -> float:
    """In seconds, of users who ask one after the other."""

    async def timed() -> list[float]:
        connection, took = Connection(port), []
        for number in range(requests):
            began = time.perf_counter()
            answer = await connection.ask(Ask(user=str(number)))
            took.append(time.perf_counter() - began)
            assert (answer.status, answer.arm) == (200, "legacy")
        await connection.close()
        return took

    return sorted(asyncio.run(timed()))[int(0.99 * requests)]


def test_nothing_of_an_answer_or_request_is_written_or_told(hanging: Collected) -> None:
    """Marked values in addresses and headers, of requests whose answers agree, fail, and do not come."""
    marked = [
        Ask(path=f"/MARK1/a{number}?card=MARK2&status={200 if number % 2 else 500}", user=f"MARK3-{number}")
        for number in range(20)
    ]
    hanging.routed.servers.modern.frozen.add(hanging.routed.layout.modern_ports[0])
    asked(hanging, marked, copies=20, at_once=4)
    places = [place for folder in (hanging.folder, hanging.routed.layout.folder) for place in folder.rglob("*")]
    written = [place.read_bytes() for place in places if place.is_file() and not place.is_symlink()]
    assert len(written) >= 3
    told = [repr(hanging.reading()).encode()]
    assert not [text for text in chain(written, told) if b"MARK" in text]


def test_users_are_answered_and_it_collects_again_when_it_was_killed_and_started_anew(shared: Collected) -> None:
    asked(shared, [Ask()] * 3, copies=3)
    before = shared.reading().boot
    shared.kill()
    assert {answer.status for answer in ask_all(shared.routed.port, [Ask()] * 20)} == {200}
    found = shared.client.reading()
    assert isinstance(found, NoData)
    assert "silent" in found.reason
    shared.start()
    ask_all(shared.routed.port, [Ask()] * 5, at_once=1)
    wait_for(lambda: shared.reading().pairs > 0)
    assert shared.reading().boot != before


def test_differences_are_found_by_field_when_one_side_answers_otherwise(shared: Collected) -> None:
    shared.kill()
    shared.settings = shared.settings.model_copy(
        update={"comparison": shared.settings.comparison.model_copy(update={"ignore_headers": ("x-server",)})}
    )
    shared.start()
    _, after = asked(shared, [Ask()] * 12, copies=12)
    (found,) = after.fields
    assert (found.path, found.counts) == ("headers.x-arm", FieldCounts(candidate_only=after.pairs))
