"""A slot that was made again between two heartbeats has lost changes, and only what it counts shows it."""

import pytest

from crossfade.database import way_back
from crossfade.database.channel import Channel
from crossfade.database.errors import SlotLost
from crossfade.database.native import NativeReplication
from crossfade.database.settings import channel
from crossfade.model.terms import NoData, Side
from tests.database.conftest import Pair, latest, writer
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

_PROVEN = "SELECT 1 FROM shop.log WHERE what = '{0}'"


def write_and_see(pair: Pair, side: Side, what: str) -> None:
    pair.rows(side, f"INSERT INTO shop.log (what) VALUES ('{what}')", "shop_app")
    wait_for(lambda: pair.rows(side.other, _PROVEN.format(what)))


def remake(pair: Pair, side: Side, meanwhile: str) -> None:
    """The slot on `side` is dropped, somebody writes, and it is made anew under its name."""
    name = channel(side)

    def dropped() -> bool:
        pair.rows(side, f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{name}'")
        inactive = f"pg_replication_slots WHERE slot_name = '{name}' AND NOT active"
        return bool(pair.rows(side, f"SELECT pg_drop_replication_slot(slot_name) FROM {inactive}"))

    wait_for(dropped)
    pair.rows(side, f"INSERT INTO shop.log (what) VALUES ('{meanwhile}')", "shop_app")
    pair.rows(side, f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")


@pytest.fixture
def cut_over(pair: Pair, moved: NativeReplication) -> NativeReplication:
    moved.switch(Side.TARGET, latest(moved) + 1)
    moved.wake_way_back(Side.TARGET)
    for number in range(5):
        write_and_see(pair, Side.TARGET, f"before {number}")
    assert not isinstance(moved.way_back(Side.TARGET), NoData)
    return moved


def test_the_way_back_is_lost_when_its_slot_was_made_again_between_two_looks(
    pair: Pair, cut_over: NativeReplication
) -> None:
    remake(pair, Side.TARGET, "nobody hears of it")
    seen = cut_over.way_back(Side.TARGET)
    assert isinstance(seen, NoData)
    assert seen.lost
    assert "it was made again: it has sent" in seen.reason


@pytest.mark.parametrize("point", ["preparing", "fencing"])
def test_nobody_goes_back_when_the_slot_was_made_again_within_the_switch(
    pair: Pair, cut_over: NativeReplication, point: str
) -> None:
    """The marker comes over the new slot as if nothing were missing."""

    def strike(at: str) -> None:
        if at == point:
            remake(pair, Side.TARGET, "would be lost")

    with NativeReplication(pair.settings(), at=strike) as role, pytest.raises(SlotLost, match="made again"):
        role.switch(Side.SOURCE, latest(role) + 1)
    assert writer(cut_over).side is Side.TARGET
    pair.rows(Side.TARGET, "INSERT INTO shop.log (what) VALUES ('goes on')", "shop_app")


def test_the_way_back_is_not_proven_when_its_slot_was_made_again_while_it_was_woken(
    pair: Pair, moved: NativeReplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had sent nothing yet, so that no count falls, and no heartbeat is missed."""
    moved.switch(Side.TARGET, latest(moved) + 1)
    begin = way_back.begin_where_opened

    def begin_and_lose(path: Channel) -> None:
        begin(path)
        remake(pair, Side.TARGET, "would be lost")

    monkeypatch.setattr(way_back, "begin_where_opened", begin_and_lose)
    with pytest.raises(SlotLost, match="made again"):
        moved.wake_way_back(Side.TARGET)
    seen = moved.way_back(Side.TARGET)
    assert isinstance(seen, NoData)
    assert seen.lost


def test_a_slot_that_counts_anew_after_a_crash_is_trusted(pair: Pair, cut_over: NativeReplication) -> None:
    cluster = pair.clusters.target
    cluster.kill()
    cluster.start()
    write_and_see(pair, Side.TARGET, "after the crash")
    wait_for(lambda: not isinstance(cut_over.way_back(Side.TARGET), NoData))  # its session is from before the crash
    assert cut_over.switch(Side.SOURCE, latest(cut_over) + 1).to is Side.SOURCE
