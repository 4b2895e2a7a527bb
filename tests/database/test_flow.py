"""A channel that stalls: what was sent into it is fetched, and nobody is fenced while it does not flow."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from crossfade.database import fence
from crossfade.database.errors import NotDrained, SlotLost
from crossfade.database.native import NativeReplication
from crossfade.model.terms import NoData, Side
from tests.database.conftest import Pair, latest, process, stopped, writer
from tests.database.shoppers import Shoppers, digest
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

PATIENCE = timedelta(seconds=20)  # a walsender that nobody writes to looks again after 30, half of its timeout


def sender(pair: Pair, publisher: Side) -> int:
    slot = f"crossfade_from_{publisher}"
    found = pair.rows(publisher, f"SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{slot}'")
    return int(found[0][0])


@contextmanager
def unheard(pair: Pair, publisher: Side, purpose: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Markers for this purpose are committed, and the walsender is not woken by them: only by a flush after them.

    So it is when a flush falls between a walsender's last look and its sleep, which no test can hit at will. And no
    status message of the subscriber's wakes it meanwhile.
    """
    plain = fence.mark_script

    def mark(why: str, token: str) -> str:
        script = plain(why, token)
        return script.replace("BEGIN;", "BEGIN; SET LOCAL synchronous_commit = off;") if why == purpose else script

    patch.setattr(fence, "mark_script", mark)
    status = "wal_receiver_status_interval"
    pair.rows(publisher.other, f"ALTER SYSTEM SET {status} = '1h'")
    pair.rows(publisher.other, "SELECT pg_reload_conf()")
    try:
        with stopped(process(pair, publisher, "walwriter")):
            yield
    finally:
        pair.rows(publisher.other, f"ALTER SYSTEM RESET {status}")
        pair.rows(publisher.other, "SELECT pg_reload_conf()")
    patch.undo()


@pytest.mark.parametrize("to", list(Side))
@pytest.mark.parametrize("purpose", ["trial", "drain"])
def test_fetches_the_marker_when_the_walsender_overslept_it(
    pair: Pair, moved: NativeReplication, monkeypatch: pytest.MonkeyPatch, to: Side, purpose: str
) -> None:
    if to is Side.SOURCE:
        moved.switch(Side.TARGET, latest(moved) + 1)
        moved.wake_way_back(Side.TARGET)
    with (
        NativeReplication(pair.settings(drain_timeout=PATIENCE)) as role,
        unheard(pair, to.other, purpose, monkeypatch),
    ):
        report = role.switch(to, latest(role) + 1)
    assert report.write_window < timedelta(seconds=1)
    assert writer(moved).side is to


def test_wakes_the_way_back_at_once_when_the_walsender_overslept_the_marker(
    pair: Pair, moved: NativeReplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved.switch(Side.TARGET, latest(moved) + 1)
    moved.wake_way_back(Side.TARGET)  # it runs, so what follows has nothing else to wait for
    with (
        NativeReplication(pair.settings(wake_timeout=PATIENCE)) as role,
        unheard(pair, Side.TARGET, "way_back", monkeypatch),
    ):
        role.wake_way_back(Side.TARGET)
    assert writer(moved).side is Side.TARGET


def test_fences_nothing_when_the_channel_stalls_after_its_first_trial(
    pair: Pair, moved: NativeReplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between them lie the wait for old transactions and the plans: seconds in which a channel can stop."""
    before, plain = writer(moved), fence.plan_opening
    with ExitStack() as stack:

        def stall(*arguments: object) -> None:
            plain(*arguments)  # type: ignore[arg-type]
            stack.enter_context(stopped(sender(pair, Side.SOURCE)))

        monkeypatch.setattr(fence, "plan_opening", stall)
        with (
            NativeReplication(pair.settings(drain_timeout=timedelta(seconds=2))) as role,
            pytest.raises(NotDrained, match="nothing was fenced") as refused,
        ):
            role.switch(Side.TARGET, latest(role) + 1)
    assert not refused.value.fenced
    assert writer(moved) == before


def test_delays_the_switch_and_not_the_writes_when_the_channel_stalls_for_a_while(
    pair: Pair, moved: NativeReplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is frozen just before the fence, and goes on only once the first try was given up."""
    plain, released = fence.plan_opening, list[datetime]()
    with Shoppers(pair, count=2) as shoppers, ExitStack() as stack:
        shoppers.wait_for_purchases(5)

        def stall_once(*arguments: object) -> None:
            plain(*arguments)  # type: ignore[arg-type]
            stack.callback(lambda: released.append(datetime.now(UTC)))
            stack.enter_context(stopped(sender(pair, Side.SOURCE)))
            monkeypatch.setattr(fence, "plan_opening", go_on)

        def go_on(*arguments: object) -> None:
            plain(*arguments)  # type: ignore[arg-type]

        settings = pair.settings(drain_timeout=timedelta(seconds=3), attempts=20)
        monkeypatch.setattr(fence, "plan_opening", stall_once)
        with NativeReplication(settings) as role:
            release_after_a_try(role, stack)
            report = role.switch(Side.TARGET, latest(role) + 1)
    assert report.fenced_at is not None
    assert report.fenced_at > released[0], "writes wait for nothing that can be waited for before them"
    assert shoppers.lost_and_doubled(Side.TARGET) == (0, 0)
    moved.wake_way_back(Side.TARGET)
    wait_for(lambda: digest(pair, Side.SOURCE) == digest(pair, Side.TARGET))


def release_after_a_try(role: NativeReplication, held: ExitStack) -> None:
    """The pause between two tries is when whatever held the channel lets it go."""

    class Pace:
        def monotonic(self) -> float:
            return time.monotonic()

        def sleep(self, seconds: float) -> None:
            held.close()
            time.sleep(seconds)

    for switch in role._switches.values():
        switch._pace = Pace()


def test_names_who_wrote_past_the_fence_when_that_would_return(pair: Pair, moved: NativeReplication) -> None:
    """It came over before the way here was put to sleep; back where it is from, it would be there already."""

    def write(point: str) -> None:
        if point == "opened":
            pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('past the fence')")
            wait_for(lambda: pair.rows(Side.TARGET, "SELECT 1 FROM shop.log WHERE what = 'past the fence'"))

    with NativeReplication(pair.settings(wake_timeout=timedelta(seconds=3)), at=write) as role:
        role.switch(Side.TARGET, latest(role) + 1)
        pair.rows(Side.TARGET, "INSERT INTO shop.log (what) VALUES ('the application''s')", "shop_app")
        with pytest.raises(SlotLost, match="1 changes that somebody made on the source around the fence"):
            role.wake_way_back(Side.TARGET)
        found = role.way_back(Side.TARGET)
    assert isinstance(found, NoData)
    assert found.lost
    assert writer(moved).side is Side.TARGET
