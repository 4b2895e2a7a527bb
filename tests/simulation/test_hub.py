"""Virtual time: one thing at a time, in an order that repeats; and a killed process never runs again."""

from datetime import UTC, datetime

import pytest

from crossfade.simulation.hub import Hub, Signal

START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
def hub() -> Hub:
    return Hub(START)


def test_processes_and_callbacks_take_turns_in_the_order_of_time(hub: Hub) -> None:
    told: list[tuple[float, str]] = []

    def body(name: str, pause: float) -> None:
        for _ in range(2):
            hub.sleep(pause)
            told.append((hub.seconds, name))

    hub.spawn("slow", lambda: body("slow", 3.0))
    hub.spawn("fast", lambda: body("fast", 1.0))
    hub.after(2.5, lambda: told.append((hub.seconds, "callback")))
    assert hub.run(limit=100.0)
    assert told == [(1.0, "fast"), (2.0, "fast"), (2.5, "callback"), (3.0, "slow"), (6.0, "slow")]
    assert (hub.now() - START).total_seconds() == 6.0


def test_nothing_of_a_killed_process_runs_not_even_its_way_out_while_the_world_goes_on(hub: Hub) -> None:
    told: list[str] = []

    def body() -> None:
        try:
            hub.sleep(10.0)
            told.append("went on")
        finally:
            told.append("cleaned up")

    process = hub.spawn("engine", body)
    process.on_death.append(lambda: told.append("its sessions end"))
    hub.after(5.0, lambda: hub.kill(process))
    hub.run(limit=100.0)
    assert told == ["its sessions end"]
    hub.close()  # now it may leave, where it can reach nothing
    assert told == ["its sessions end", "cleaned up"]


def test_a_process_that_kills_itself_stops_in_that_very_line(hub: Hub) -> None:
    told: list[str] = []

    def body() -> None:
        hub.sleep(1.0)
        assert hub.current is not None
        hub.kill(hub.current)
        told.append("went on")

    hub.spawn("engine", body)
    assert hub.run(limit=100.0)
    assert told == []


def test_a_wait_ends_when_its_condition_holds_or_its_time_is_over_and_wakes_once(hub: Hub) -> None:
    arrived, signal, told = [False], Signal(), []

    def body() -> None:
        told.append((hub.wait_for(lambda: arrived[0], signal, within=1.0), hub.seconds))
        told.append((hub.wait_for(lambda: arrived[0], signal, within=9.0), hub.seconds))
        hub.sleep(5.0)  # a second wake-up of the wait before would cut this short
        told.append((True, hub.seconds))

    def arrive() -> None:
        arrived[0] = True
        signal.notify(hub)
        signal.notify(hub)

    hub.spawn("waiter", body)
    hub.after(1.0, lambda: signal.notify(hub))  # at the very moment of the first deadline
    hub.after(3.0, arrive)
    hub.run(limit=100.0)
    assert told == [(False, 1.0), (True, 3.0), (True, 8.0)]


def test_what_fails_in_a_process_is_not_swallowed(hub: Hub) -> None:
    def body() -> None:
        hub.sleep(1.0)
        raise ValueError("broken")

    hub.spawn("engine", body)
    with pytest.raises(ValueError, match="broken"):
        hub.run(limit=100.0)


def test_a_run_stops_at_its_limit(hub: Hub) -> None:
    def body() -> None:
        for _ in range(1000):
            hub.sleep(1.0)

    hub.spawn("endless", body)
    assert not hub.run(limit=10.0)
    assert hub.seconds == 10.0
