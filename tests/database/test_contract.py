"""What every adapter of the database role keeps, on a fresh pair each time."""

from collections.abc import Iterator

import pytest

from crossfade.database.errors import FullLoadNotDone, StaleEpoch, TargetHoldsWrites
from crossfade.database.memory import InMemoryDatabase
from crossfade.database.native import NativeReplication
from crossfade.database.port import Database
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import NoData, Side
from tests.database.conftest import Pair
from tests.waiting import wait_for


@pytest.fixture(params=["memory", pytest.param("native", marks=pytest.mark.parts)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "memory":
        yield InMemoryDatabase(looks_to_copy=2)
        return
    pair: Pair = request.getfixturevalue("fresh_pair")
    with NativeReplication(pair.settings()) as role:
        yield role


def ready(database: Database) -> None:
    database.create_schema()
    database.start_replication()
    wait_for(lambda: getattr(database.replication(Side.SOURCE), "copied", False))
    database.complete_schema()
    database.build_way_back()


def writer(database: Database) -> Writer:
    seen = database.writer()
    assert isinstance(seen, Writer)
    return seen


def proven(database: Database, primary: Side) -> bool:
    seen = database.way_back(primary)
    assert isinstance(seen, WayBack)
    return seen.proven


def test_tells_the_truth_when_nothing_is_built(database: Database) -> None:
    assert writer(database) == Writer(source_open=True, source_epoch=0, target_open=False, target_epoch=0)
    assert isinstance(database.replication(Side.SOURCE), NoData)
    assert database.way_back(Side.TARGET) == WayBack(primary=Side.TARGET, built=False, proven=False, lag_bytes=0)
    with pytest.raises(CrossfadeError):
        database.complete_schema()


def test_keeps_one_writer_and_the_way_back_when_moved_there_and_back(database: Database) -> None:
    """The whole life of a migration, each verb twice: the second time it does nothing."""
    database.create_schema()
    database.start_replication()
    with pytest.raises(FullLoadNotDone):
        database.complete_schema()
    for _ in range(2):
        ready(database)
    assert writer(database).side is Side.SOURCE
    for epoch, to in enumerate((Side.TARGET, Side.SOURCE, Side.TARGET), start=1):
        for again in (False, True):
            database.prepare_switch(to)
            report = database.switch(to, epoch)
            assert (report.to, report.epoch, report.resumed) == (to, epoch, again)
            assert writer(database).side is to
            assert not proven(database, to)
        for stale in (epoch - 1, epoch):
            with pytest.raises(StaleEpoch):
                database.switch(to.other, stale)
        for _ in range(2):
            database.wake_way_back(to)
            assert proven(database, to)
        assert isinstance(database.replication(to), Replication)
    with pytest.raises(TargetHoldsWrites):
        database.remove_replication()
    for _ in range(2):
        database.end_way_back()
        assert writer(database).side is Side.TARGET


def test_can_be_built_again_when_it_was_removed(database: Database) -> None:
    for _ in range(2):
        ready(database)
        for _ in range(2):
            database.remove_replication()
        assert writer(database) == Writer(source_open=True, source_epoch=0, target_open=False, target_epoch=0)
        assert isinstance(database.replication(Side.SOURCE), NoData)
