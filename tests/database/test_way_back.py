"""What is left of the replication after a fail back, and what a fail back makes of a way back that was put to sleep."""

import pytest

from crossfade.database.native import NativeReplication
from crossfade.model.seen import Replication, WayBack
from crossfade.model.terms import Side
from tests.database.conftest import Pair, latest
from tests.database.shoppers import Shoppers, digest
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

_SLOTS = "SELECT slot_name, slot_type FROM pg_replication_slots WHERE database = current_database()"
_SUBSCRIPTIONS = (
    "SELECT s.oid, s.subname, r.srrelid, r.srsubstate FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
    " JOIN pg_subscription_rel r ON r.srsubid = s.oid WHERE d.datname = current_database() ORDER BY 2, 3"
)


def standing(pair: Pair) -> list[object]:
    """Slots, subscriptions and their tables with the state of their copies: a new copy would be another of these."""
    return [pair.rows(side, query) for side in Side for query in (_SLOTS, _SUBSCRIPTIONS)]


def switch(role: NativeReplication, to: Side) -> None:
    role.prepare_switch(to)
    role.switch(to, latest(role) + 1)
    role.wake_way_back(to)


def test_a_later_cutover_needs_no_new_full_load_when_everything_is_built_again_after_a_fail_back(
    pair: Pair, moved: NativeReplication
) -> None:
    with Shoppers(pair) as shoppers:
        for to in (Side.TARGET, Side.SOURCE):
            shoppers.wait_for_purchases()
            switch(moved, to)
        before = standing(pair)
        moved.create_schema()
        moved.start_replication()
        moved.complete_schema()
        moved.build_way_back()
        assert standing(pair) == before
        seen = moved.replication(Side.SOURCE)
        assert isinstance(seen, Replication)
        assert seen.copied
        shoppers.wait_for_purchases()
        switch(moved, Side.TARGET)
        assert standing(pair) == before
    assert shoppers.lost_and_doubled(Side.TARGET) == (0, 0)
    wait_for(lambda: digest(pair, Side.SOURCE) == digest(pair, Side.TARGET))


def test_failing_back_loses_nothing_when_somebody_has_put_the_way_back_to_sleep(
    pair: Pair, moved: NativeReplication
) -> None:
    with Shoppers(pair) as shoppers:
        shoppers.wait_for_purchases()
        switch(moved, Side.TARGET)
        ((name,),) = pair.rows(
            Side.SOURCE,
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
            " WHERE d.datname = current_database()",
        )
        pair.rows(Side.SOURCE, f"ALTER SUBSCRIPTION {name} DISABLE")
        shoppers.wait_for_purchases()

        def is_dead() -> bool:
            seen = moved.way_back(Side.TARGET)
            return isinstance(seen, WayBack) and not seen.proven

        wait_for(is_dead)
        moved.wake_way_back(Side.TARGET)  # the first steps of a fail back
        switch(moved, Side.SOURCE)
    assert shoppers.lost_and_doubled(Side.SOURCE) == (0, 0)
    wait_for(lambda: digest(pair, Side.SOURCE) == digest(pair, Side.TARGET))
