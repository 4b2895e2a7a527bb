import pytest

from crossfade.database.errors import SideUnreachable, SlotLost, WritersStay
from crossfade.database.memory import InMemoryDatabase
from crossfade.database.port import SWITCH_POINTS
from crossfade.model.seen import Writer
from crossfade.model.terms import NoData, Side


class Crash(BaseException):
    """As a SIGKILL would."""


def ready() -> InMemoryDatabase:
    database = InMemoryDatabase()
    database.create_schema()
    database.start_replication()
    database.replication(Side.SOURCE)
    database.build_way_back()
    return database


@pytest.mark.parametrize("point", SWITCH_POINTS)
def test_has_one_writer_and_all_rows_when_crashed_at_a_point_and_resumed(point: str) -> None:
    database = ready()
    database.write("before", "1")

    def crash(reached: str) -> None:
        if reached == point:
            raise Crash

    database.at = crash
    with pytest.raises(Crash):
        database.switch(Side.TARGET, 1)
    database.at = lambda reached: None
    assert database.switch(Side.TARGET, 1).resumed is (point not in {"preparing", "fencing"})
    assert database.writer() == Writer(source_open=False, source_epoch=1, target_open=True, target_epoch=1)
    assert database.sides[Side.TARGET].rows == {"before": "1"}


def test_opens_the_old_side_again_when_a_point_fails() -> None:
    database = ready()

    def fail(reached: str) -> None:
        if reached == "locked":
            raise WritersStay(Side.SOURCE, (), fenced=True)

    database.at = fail
    with pytest.raises(WritersStay):
        database.switch(Side.TARGET, 1)
    assert database.write("after", "1")


def test_says_no_data_and_raises_when_a_side_is_away_or_a_slot_lost() -> None:
    database = ready()
    database.unreachable(Side.TARGET)
    assert isinstance(database.writer(), NoData)
    with pytest.raises(SideUnreachable):
        database.switch(Side.TARGET, 1)
    database.unreachable(Side.TARGET, back=True)
    database.lose_slot(Side.SOURCE)
    assert isinstance(database.replication(Side.SOURCE), NoData)
    with pytest.raises(SlotLost):
        database.switch(Side.TARGET, 1)
