"""What only a real Envoy can show."""

import itertools
import socket
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.rehearsal.processes import free_ports
from crossfade.traffic import runtime
from crossfade.traffic.envoy import EnvoyRouter
from crossfade.traffic.port import RouterUnreachable, SharesNotTaken, SharesNotWritten
from tests.traffic.running import Routed, routed, without_room
from tests.traffic.users import Ask, arms_of, ask_all, load
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

USERS = [f"user-{number}" for number in range(1000)]


def test_measured_share_is_the_wanted_one_when_ten_thousand_users_ask(shared: Routed) -> None:
    shared.router.set_shares(25)
    users = [f"{number:08x}" for number in range(10_000)]
    arms = Counter(arms_of(shared.port, users).values())
    assert arms["modern"] / len(users) == pytest.approx(0.25, abs=0.025)  # 5.8 standard deviations of a fair hash


def test_nobody_moves_back_when_the_share_rises(shared: Routed) -> None:
    modern: set[str] = set()
    for percent in (1, 5, 15, 25, 50, 90, 100):
        shared.router.set_shares(percent)
        now = {user for user, arm in arms_of(shared.port, USERS).items() if arm == "modern"}
        assert modern <= now, f"at {percent} %"
        modern = now
    assert len(modern) == len(USERS)


def test_users_stay_on_their_side_when_they_ask_again(shared: Routed) -> None:
    shared.router.set_shares(40)
    assert arms_of(shared.port, USERS) == arms_of(shared.port, USERS)


def test_requests_without_a_user_are_spread_when_there_is_nothing_to_hash(shared: Routed) -> None:
    shared.router.set_shares(50)
    arms = Counter(answer.arm for answer in ask_all(shared.port, [Ask()] * 400))
    assert 120 < arms["modern"] < 280


def test_no_request_fails_when_the_share_goes_up_and_down_under_load(shared: Routed) -> None:
    with load(shared.port, "/?ms=5") as users:
        for percent in (0, 5, 25, 60, 100, 30, 100, 0):
            shared.router.set_shares(percent)
            target = len(users.answers) + 60
            wait_for(lambda target=target: len(users.answers) >= target)  # type: ignore[misc]
    assert users.failures == []
    assert {answer.arm for answer in users.answers} == {"legacy", "modern"}


def test_no_request_reaches_modern_when_the_share_fell_to_zero(shared: Routed) -> None:
    shared.router.set_shares(100)
    assert set(arms_of(shared.port, USERS[:50]).values()) == {"modern"}
    shared.router.set_shares(0)
    assert set(arms_of(shared.port, USERS).values()) == {"legacy"}


def test_share_is_set_within_milliseconds_when_the_router_is_up(shared: Routed) -> None:
    percents = itertools.cycle(range(50))

    def seconds() -> float:
        begin = time.monotonic()
        shared.router.set_shares(next(percents))
        return time.monotonic() - begin

    wait_for(lambda: seconds() < 0.010)  # once nobody else has the processor


def test_side_is_not_drained_when_a_request_is_in_flight(shared: Routed) -> None:
    shared.router.set_shares(100)
    with load(shared.port, "/?ms=300", at_once=1) as users:
        wait_for(lambda: shared.router.drained(Side.TARGET) is False)
        assert shared.router.drained(Side.SOURCE) is True
        shared.router.set_shares(0)
        wait_for(lambda: shared.router.drained(Side.TARGET) is True)
        wait_for(lambda: shared.router.drained(Side.SOURCE) is False)
    assert users.failures == []


def test_reads_are_mirrored_and_writes_are_not_when_the_mirror_is_on(shared: Routed) -> None:
    shared.router.mirror(100)
    before = Counter(shared.servers.modern.seen)
    answers = ask_all(shared.port, [Ask(method="GET")] * 20 + [Ask(method="POST")] * 20 + [Ask(method="PUT")] * 20)
    assert {answer.arm for answer in answers} == {"legacy"}
    wait_for(lambda: shared.servers.modern.seen["GET"] - before["GET"] == 20)
    assert shared.servers.modern.seen - before == Counter(GET=20)


def test_nothing_is_mirrored_when_the_mirror_is_off(shared: Routed) -> None:
    shared.router.mirror(100)
    ask_all(shared.port, [Ask()])
    shared.router.mirror(0)
    wait_for(lambda: shared.router.drained(Side.TARGET) is True)
    before = Counter(shared.servers.modern.seen)
    ask_all(shared.port, [Ask()] * 50)
    assert shared.servers.modern.seen == before


def test_live_requests_are_answered_quickly_when_the_mirrored_side_hangs(own: Routed) -> None:
    own.servers.down(own.servers.modern)
    hung = [socket.create_server(("127.0.0.1", port)) for port in own.layout.modern_ports]  # accepts, never answers
    try:
        own.router.mirror(100)
        answers = ask_all(own.port, [Ask(user=str(number)) for number in range(500)])
        assert {answer.status for answer in answers} == {200}
        assert own.router.drained(Side.TARGET) is False  # the copies wait for their timeout, the users do not
    finally:
        for listener in hung:
            listener.close()


def test_nobody_moved_when_the_router_was_killed_and_started_without_an_engine(own: Routed) -> None:
    own.router.set_shares(35)
    before = arms_of(own.port, USERS)
    own.kill()
    own.start()
    assert arms_of(own.port, USERS) == before
    assert 0 < Counter(before.values())["modern"] < len(USERS)


def test_only_what_it_was_working_on_fails_when_a_server_is_killed(own: Routed) -> None:
    with load(own.port, "/") as users:
        wait_for(lambda: len(users.answers) > 100)
        own.servers.down(own.servers.legacy, own.layout.legacy_ports[0])
        target = len(users.answers) + 500
        wait_for(lambda: len(users.answers) > target)
    assert len(users.failures) <= 16  # one for each user who was just waiting for that server


def test_new_requests_go_elsewhere_when_a_server_refuses_connections(own: Routed) -> None:
    own.servers.down(own.servers.legacy, *own.layout.legacy_ports[:2])
    alive = str(own.layout.legacy_ports[2])
    answers = ask_all(own.port, [Ask(user=str(number)) for number in range(200)], at_once=4)
    assert {(answer.status, answer.server) for answer in answers} == {(200, alive)}


def test_users_are_answered_by_others_when_a_server_freezes() -> None:
    with routed(timeout_s=1) as own:
        frozen = own.layout.legacy_ports[0]
        own.servers.legacy.frozen.add(frozen)
        everybody = [Ask(user=str(number)) for number in range(60)]
        wait_for(lambda: {answer.status for answer in ask_all(own.port, everybody)} == {200})
        assert str(frozen) not in {answer.server for answer in ask_all(own.port, everybody)}
        own.servers.legacy.frozen.clear()
        wait_for(lambda: str(frozen) in {answer.server for answer in ask_all(own.port, everybody)})


def test_server_is_used_again_within_seconds_when_it_comes_back(own: Routed) -> None:
    first = own.layout.legacy_ports[0]
    own.servers.down(own.servers.legacy, first)
    wait_for(lambda: str(first) not in {answer.server for answer in ask_all(own.port, [Ask()] * 50)})
    own.servers.up(own.servers.legacy, first)
    again = lambda: str(first) in {answer.server for answer in ask_all(own.port, [Ask()] * 50)}  # noqa: E731
    wait_for(again, seconds=12)  # without its shorter intervals it would count as down for 15 s


def test_shares_are_no_data_when_the_weights_do_not_sum_to_the_whole(own: Routed) -> None:
    own.router.set_shares(10)
    _tamper(own.layout.runtime_folder, "traffic.weight.legacy", "10")
    wait_for(lambda: isinstance(own.router.shares(), NoData))
    assert "do not sum" in str(own.router.shares())


def test_share_is_set_right_when_the_weights_were_wrong(own: Routed) -> None:
    _tamper(own.layout.runtime_folder, "traffic.weight.modern", "10")
    assert own.router.set_shares(20) == Shares(canary_percent=20)
    assert own.router.shares() == Shares(canary_percent=20)


def test_everybody_goes_back_and_nobody_forth_when_the_disk_is_full(own: Routed) -> None:
    own.router.set_shares(50)
    with without_room():
        with pytest.raises(SharesNotWritten) as caught:
            own.router.set_shares(60)
        assert own.router.set_shares(0) == Shares(canary_percent=0)
    assert caught.value.retryable
    assert set(arms_of(own.port, USERS).values()) == {"legacy"}
    assert own.router.set_shares(60) == Shares(canary_percent=60)


def test_setting_is_refused_when_the_router_watches_another_folder(own: Routed, tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    elsewhere = EnvoyRouter(own.layout.admin_url, tmp_path, timeout=timedelta(milliseconds=100))
    with pytest.raises(SharesNotTaken) as caught:
        elsewhere.set_shares(50)
    assert caught.value.retryable
    assert own.router.shares() == Shares(canary_percent=0)


def test_last_one_holds_when_two_set_shares_at_once(own: Routed) -> None:
    def set_often(percent: float) -> None:
        router = EnvoyRouter(own.layout.admin_url, own.layout.runtime_folder, timeout=timedelta(milliseconds=50))
        for _ in range(20):
            try:
                router.set_shares(percent)
            except (SharesNotTaken, RouterUnreachable):
                continue  # the other one was quicker: seen, and said; or the computer is busy

    threads = [threading.Thread(target=set_often, args=(percent,)) for percent in (10, 90)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: own.router.shares() in (Shares(canary_percent=10), Shares(canary_percent=90)))
    assert own.router.set_shares(50) == Shares(canary_percent=50)


def test_looks_take_no_longer_than_the_timeout_when_the_router_hangs(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    runtime.prepare(tmp_path)
    with socket.create_server(("127.0.0.1", port)):
        router = EnvoyRouter(f"http://127.0.0.1:{port}", tmp_path, timeout=timedelta(milliseconds=100))
        assert isinstance(router.shares(), NoData)  # each of these would wait for ever without its limit
        assert isinstance(router.drained(Side.TARGET), NoData)
        with pytest.raises(RouterUnreachable):
            router.set_shares(5)


def _tamper(folder: Path, key: str, value: str) -> None:
    """As somebody would who edits the values by hand: in place, then the link anew, so that the router looks."""
    place = folder / runtime.LINK
    (place / key).write_text(value)
    again = folder / "again"
    again.symlink_to(place.resolve())
    again.replace(place)
