"""Two engines at once, and what a dead one still says: nobody changes a database while somebody else does."""

import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from crossfade.database import fence
from crossfade.database.errors import SwitchInProgress, TargetInUse
from crossfade.database.native import NativeReplication
from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side
from tests.database.conftest import Pair, move, traces, writer
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

_TAKE = "SELECT pg_advisory_lock(16721, 1)"  # a session that has just ended may hold it for a moment
_HELD = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid) = (16721, 1) AND granted"
_PUBLISHED = "SELECT 1 FROM pg_publication"
_BUSY_FOR_HOURS = """
import sys, psycopg
from crossfade.database import fence
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute(fence._CLIENT_CHECK)
    connection.execute("SELECT pg_advisory_lock(16721, 1)")
    connection.execute("SELECT pg_sleep(36000)")
"""


@pytest.mark.parametrize("side", Side)
def test_waits_for_the_other_engine_when_that_is_at_it(fresh_pair: Pair, fresh: NativeReplication, side: Side) -> None:
    """Two that build at once would each see no slot, and the later drop the one that the earlier subscribed to."""
    fresh.create_schema()
    asked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%try_advisory_lock%'"
    with fresh_pair.connect(side, "crossfade") as other:
        other.execute(_TAKE)
        other.execute("SELECT 1")
        late = threading.Thread(target=fresh.start_replication)
        late.start()
        try:
            wait_for(lambda: fresh_pair.rows(side, asked))
            assert not fresh_pair.rows(Side.SOURCE, _PUBLISHED)
        finally:
            other.close()
            late.join()
    assert fresh_pair.rows(Side.SOURCE, _PUBLISHED)


def test_says_that_another_engine_is_at_it_when_that_does_not_leave(
    fresh_pair: Pair, fresh: NativeReplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "_OTHER_ENGINE", timedelta(milliseconds=200))
    fresh.create_schema()
    with fresh_pair.connect(Side.TARGET, "crossfade") as other:
        other.execute(_TAKE)
        with pytest.raises(SwitchInProgress, match="target"):
            fresh.complete_schema()


def test_undoes_the_fence_of_a_late_engine_when_replication_is_removed(
    fresh_pair: Pair, fresh: NativeReplication
) -> None:
    """Its epoch would be refused by nobody once our notes are gone, and the source would stay closed for ever."""
    fresh.create_schema()
    with fresh_pair.connect(Side.SOURCE, "crossfade") as late:
        late.execute(_TAKE)
        late.execute("SELECT pg_try_advisory_lock(16721, 2)")
        late.execute("BEGIN")
        late.execute("SELECT crossfade.fence(1)")
        fresh.remove_replication()
        with pytest.raises(psycopg.OperationalError):
            late.execute("COMMIT")
    fresh_pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('goes on')", "shop_app")


def test_changes_nothing_when_an_engine_is_late_until_the_migration_has_ended(
    fresh_pair: Pair, fresh: NativeReplication
) -> None:
    """It stood still for an hour in any of its steps; meanwhile another has finished."""
    move(fresh)
    fresh.switch(Side.TARGET, 1)
    fresh.wake_way_back(Side.TARGET)
    fresh.end_way_back()
    ended = writer(fresh)
    with pytest.raises(TargetInUse):
        fresh.create_schema()
    for late in (
        fresh.start_replication,
        fresh.complete_schema,
        fresh.build_way_back,
        partial(fresh.prepare_switch, Side.TARGET),
        partial(fresh.switch, Side.TARGET, 1),
        partial(fresh.wake_way_back, Side.TARGET),
        fresh.remove_replication,
    ):
        with suppress(CrossfadeError):
            late()
        assert (writer(fresh), [traces(fresh_pair, side) for side in Side]) == (ended, [[], []]), late


def test_does_not_wait_for_an_engine_when_that_was_killed_in_a_long_statement(
    fresh_pair: Pair, fresh: NativeReplication
) -> None:
    fresh.create_schema()
    argv = [sys.executable, "-c", _BUSY_FOR_HOURS, fresh_pair.dsn(Side.TARGET, "crossfade")]
    with subprocess.Popen(argv) as engine:
        wait_for(lambda: fresh_pair.rows(Side.TARGET, _HELD))
        engine.kill()
    wait_for(lambda: not fresh_pair.rows(Side.TARGET, _HELD))
    fresh.start_replication()
