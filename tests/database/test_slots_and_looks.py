"""Slots that are lost, disks that fill, servers that do not answer."""

import os
import signal
import time
from datetime import timedelta

import pytest

from crossfade.database.errors import SlotLost
from crossfade.database.native import NativeReplication
from crossfade.model.seen import Replication, Writer
from crossfade.model.terms import NoData, Side
from tests.database.conftest import Pair, latest
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

SLOT = "crossfade_from_source"


def seen(role: NativeReplication) -> Replication:
    found = role.replication(Side.SOURCE)
    assert isinstance(found, Replication), found
    return found


def test_tells_lag_and_wal_when_replication_runs(pair: Pair, moved: NativeReplication) -> None:
    def at_rest() -> bool:
        found = seen(moved)
        assert found.copied
        assert found.tables == 9, "each partition counts, their parent and our own tables do not"
        assert found.retained_wal_bytes > 0
        return found.applying and found.lag == timedelta(0) and found.lag_bytes < 100_000

    wait_for(at_rest)


def test_tells_a_growing_lag_when_nothing_is_applied(pair: Pair, moved: NativeReplication) -> None:
    wait_for(lambda: seen(moved).lag == timedelta(0))
    with pair.connect(Side.TARGET) as holding:
        holding.execute("BEGIN; LOCK TABLE shop.log IN SHARE MODE")
        pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) SELECT repeat('x', 500) FROM generate_series(1, 2000)")
        wait_for(lambda: (seen(moved).lag or timedelta(0)) > timedelta(seconds=0.7))
        late = seen(moved)
    assert late.lag_bytes > 1_000_000
    wait_for(lambda: seen(moved).lag == timedelta(0))


def test_is_not_applying_when_the_subscription_is_asleep(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, f"ALTER SUBSCRIPTION {SLOT} DISABLE")
    wait_for(lambda: not seen(moved).applying)


def test_asks_for_a_new_full_load_when_the_slot_has_vanished(pair: Pair, moved: NativeReplication) -> None:
    drop_slot(pair)
    found = moved.replication(Side.SOURCE)
    assert isinstance(found, NoData)
    assert found.lost
    assert "it is gone" in found.reason
    assert "full load" in found.reason
    for verb in (moved.start_replication, lambda: moved.switch(Side.TARGET, latest(moved) + 1)):
        with pytest.raises(SlotLost):
            verb()


def test_is_not_fooled_when_the_slot_was_made_again_and_changes_are_missing(
    pair: Pair, moved: NativeReplication
) -> None:
    wait_for(lambda: seen(moved).lag == timedelta(0))
    drop_slot(pair)
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('lost'); SELECT crossfade.beat()")
    pair.rows(Side.SOURCE, f"SELECT pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    pair.rows(Side.TARGET, f"ALTER SUBSCRIPTION {SLOT} ENABLE")
    wait_for(lambda: isinstance(moved.replication(Side.SOURCE), NoData))
    found = moved.replication(Side.SOURCE)
    assert isinstance(found, NoData)
    assert found.lost
    assert "made again" in found.reason
    with pytest.raises(SlotLost):
        moved.switch(Side.TARGET, latest(moved) + 1)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [("timeline", "'00000007'", "timeline"), ("system_id", "system_id + 1", "another server")],
)
def test_asks_for_a_new_full_load_when_the_server_behind_the_name_is_another(
    pair: Pair, moved: NativeReplication, column: str, value: str, reason: str
) -> None:
    pair.rows(Side.SOURCE, f"UPDATE crossfade.slot_record SET {column} = {value}")
    found = moved.replication(Side.SOURCE)
    assert isinstance(found, NoData)
    assert reason in found.reason


def test_drops_the_slot_when_it_keeps_more_wal_than_the_limit(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, f"ALTER SUBSCRIPTION {SLOT} DISABLE")
    limit = seen(moved).retained_wal_bytes + 3_000_000
    with NativeReplication(pair.settings(retained_wal_limit_bytes=limit)) as role:
        assert isinstance(role.replication(Side.SOURCE), Replication)
        pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) SELECT repeat('x', 500) FROM generate_series(1, 8000)")
        found = role.replication(Side.SOURCE)
    assert isinstance(found, NoData)
    assert "over the limit" in found.reason
    assert pair.rows(Side.SOURCE, f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{SLOT}'") == []
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('the source goes on')", "shop_app")


def test_moves_the_sleeping_slot_along_when_it_keeps_wal(pair: Pair, moved: NativeReplication) -> None:
    """A way back that sleeps for weeks must not fill the target's disk."""
    kept = (
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)"
        " FROM pg_replication_slots WHERE slot_name = 'crossfade_from_target'"
    )
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) SELECT repeat('x', 500) FROM generate_series(1, 4000)")
    wait_for(lambda: pair.rows(Side.TARGET, kept)[0][0] > 1_000_000)
    with NativeReplication(pair.settings(asleep_wal_bytes=500_000)) as role:
        wait_for(
            lambda: (
                isinstance(role.replication(Side.SOURCE), Replication) and pair.rows(Side.TARGET, kept)[0][0] < 500_000
            )
        )


def test_never_moves_the_slot_along_when_its_side_takes_writes(pair: Pair, moved: NativeReplication) -> None:
    """It would skip writes of the application: they would never come back."""
    moved.switch(Side.TARGET, latest(moved) + 1)
    pair.rows(Side.TARGET, "INSERT INTO shop.log (what) VALUES ('keep me')", "shop_app")
    moved.prepare_switch(Side.TARGET)
    moved.wake_way_back(Side.TARGET)
    wait_for(lambda: pair.rows(Side.SOURCE, "SELECT 1 FROM shop.log WHERE what = 'keep me'"))


def test_says_why_within_its_time_when_a_server_is_down_or_frozen(pair: Pair, moved: NativeReplication) -> None:
    impatient = NativeReplication(pair.settings(look_timeout=timedelta(seconds=2)))
    wait_for(lambda: isinstance(impatient.writer(), Writer))
    pair.clusters.target.kill()
    found = impatient.writer()
    assert isinstance(found, NoData)
    assert "target database cannot be reached" in found.reason
    pair.clusters.target.start()
    wait_for(lambda: isinstance(impatient.writer(), Writer))
    pid = pair.clusters.source.pid
    assert pid is not None
    backends = [
        row[0]
        for row in pair.rows(Side.SOURCE, "SELECT pid FROM pg_stat_activity WHERE application_name = 'crossfade'")
    ]
    frozen = [pid, *backends]
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    try:
        before = time.monotonic()
        for look in (
            impatient.writer,
            lambda: impatient.replication(Side.SOURCE),
            lambda: impatient.way_back(Side.TARGET),
        ):
            assert isinstance(look(), NoData)
        assert time.monotonic() - before < 60  # two seconds each and their connecting; without limits, for ever
    finally:
        for process in frozen:
            os.kill(process, signal.SIGCONT)
    wait_for(lambda: isinstance(impatient.writer(), Writer))
    impatient.close()


def drop_slot(pair: Pair) -> None:
    pair.rows(Side.TARGET, f"ALTER SUBSCRIPTION {SLOT} DISABLE")
    wait_for(
        lambda: not pair.rows(Side.SOURCE, f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active")
    )
    pair.rows(Side.SOURCE, f"SELECT pg_drop_replication_slot('{SLOT}')")
