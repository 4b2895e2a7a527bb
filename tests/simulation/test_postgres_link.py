"""Messages over a link: late, held while it is cut, never out of order."""

import random
from datetime import UTC, datetime

import pytest

from crossfade.simulation.hub import Hub
from crossfade.simulation.link import Link, Pipe


@pytest.fixture
def hub() -> Hub:
    return Hub(datetime(2026, 1, 2, 3, 0, tzinfo=UTC))


@pytest.mark.parametrize("seed", range(20))
def test_everything_arrives_in_the_order_of_sending_when_the_link_is_cut_twice(hub: Hub, seed: int) -> None:
    link = Link(hub, random.Random(seed), round_trip=0.02, jitter=0.05)
    pipe, arrived = Pipe(link), list[int]()
    for number in range(200):
        hub.after(number * 0.02, lambda number=number: pipe.send(lambda: arrived.append(number)))  # type: ignore[misc]
    for at, up in ((0.5, False), (1.5, True), (1.7, False), (3.0, True)):
        hub.after(at, lambda up=up: setattr(link, "up", up))  # type: ignore[misc]
    hub.run(limit=2.9)
    assert arrived == list(range(len(arrived)))
    assert len(arrived) < 100
    hub.run(limit=100)
    assert arrived == list(range(200))


def test_nothing_arrives_that_was_under_way_when_the_connection_was_closed(hub: Hub) -> None:
    link = Link(hub, random.Random(1))
    arrived: list[str] = []
    closed, kept = Pipe(link), Pipe(link)
    link.up = False
    closed.send(lambda: arrived.append("closed"))
    kept.send(lambda: arrived.append("kept"))
    hub.run(limit=1)
    closed.close()
    link.up = True
    hub.run(limit=5)
    assert arrived == ["kept"]


def test_it_takes_half_a_round_trip_at_least(hub: Hub) -> None:
    link = Link(hub, random.Random(1), round_trip=0.5, stalls=False)
    times: list[float] = []
    Pipe(link).send(lambda: times.append(hub.seconds))
    hub.run(limit=5)
    assert times == [0.25]
