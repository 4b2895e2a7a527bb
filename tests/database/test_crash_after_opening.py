"""A slot's position is on disk only after a checkpoint: a primary that dies may have it as it was before the switch."""

from datetime import timedelta

import pytest

from crossfade.database.errors import NotDrained
from crossfade.database.native import NativeReplication
from crossfade.model.seen import WayBack, Writer
from crossfade.model.terms import Side
from tests.database.conftest import Pair, latest
from tests.waiting import wait_for

pytestmark = pytest.mark.parts


def proven(role: NativeReplication, primary: Side) -> bool:
    seen = role.way_back(primary)
    return isinstance(seen, WayBack) and seen.proven


@pytest.mark.parametrize("to", list(Side))
def test_the_way_back_can_be_woken_when_the_new_primary_died_after_it_was_opened(
    pair: Pair, moved: NativeReplication, to: Side
) -> None:
    if to is Side.SOURCE:
        moved.switch(Side.TARGET, latest(moved) + 1)
        moved.wake_way_back(Side.TARGET)

    def write(point: str) -> None:
        if point == "fencing":  # too late to be skipped before the window, and a row that cannot be there twice
            pair.rows(to.other, f"INSERT INTO shop.customer (name) VALUES ('last on {to.other}')", "shop_app")

    with NativeReplication(pair.settings(), at=write) as role:
        role.switch(to, latest(role) + 1)
    pair.clusters[to].kill()
    pair.clusters[to].start()
    wait_for(lambda: isinstance(moved.writer(), Writer))
    moved.wake_way_back(to)
    pair.rows(to, "INSERT INTO shop.log (what) VALUES ('after it')", "shop_app")
    wait_for(lambda: pair.rows(to.other, "SELECT 1 FROM shop.log WHERE what = 'after it'"))
    wait_for(lambda: proven(moved, to))  # its sender says a little later than it sends that it streams


def test_is_not_taken_for_lost_when_it_cannot_be_woken_at_first_after_such_a_crash(
    pair: Pair, moved: NativeReplication
) -> None:
    """What the slot would send from before the opening is never asked for, so it is nobody's write around the fence."""

    def write(point: str) -> None:
        if point == "fencing":
            pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('late')", "shop_app")

    with (
        NativeReplication(pair.settings(), at=write) as role,
        NativeReplication(pair.settings(wake_timeout=timedelta(seconds=2))) as impatient,
    ):
        role.switch(Side.TARGET, latest(role) + 1)
        pair.clusters.target.kill()
        pair.clusters.target.start()
        pair.rows(Side.SOURCE, "ALTER TABLE crossfade.marker ADD CONSTRAINT never CHECK (false) NOT VALID")
        try:
            with pytest.raises(NotDrained):
                impatient.wake_way_back(Side.TARGET)
        finally:
            pair.rows(Side.SOURCE, "ALTER TABLE crossfade.marker DROP CONSTRAINT never")
        role.wake_way_back(Side.TARGET)
