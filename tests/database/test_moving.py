"""Schema in two halves, full load, drift, and the removal of it all."""

import subprocess

import pytest

from crossfade.database.errors import FullLoadNotDone, ReplicationNotReady, TargetHoldsWrites
from crossfade.database.native import NativeReplication
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import NoData, Side
from tests.database.conftest import Pair, copied, latest, move, traces, writer
from tests.database.shoppers import Shoppers, digest
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

INDEXES = "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'shop' ORDER BY 1"
CONSTRAINTS = (
    "SELECT conrelid::regclass::text, contype::text, condeferrable, convalidated, count(*) FROM pg_constraint"
    " WHERE connamespace = 'shop'::regnamespace AND contype <> 'n' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
)
TRIGGERS = (  # those of partitions come with their parent's, and the versions disagree whether they are internal
    "SELECT t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND NOT c.relispartition ORDER BY 1"
)


def dumped(pair: Pair, side: Side) -> str:
    """Everything that pg_dump knows of the source, without the marks that differ each time."""
    argv = [str(pair.settings().programs / "pg_dump"), f"--dbname={pair.dsn(side)}"]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def test_copies_the_schema_in_two_halves_when_asked(fresh_pair: Pair, fresh: NativeReplication) -> None:
    fresh.create_schema()
    first = {name for (name,) in fresh_pair.rows(Side.TARGET, INDEXES)}
    assert {"booking_pkey", "booking_late_pkey", "stock_pkey", "label_code"} <= first
    assert not {"booking_customer", "booking_late_customer_id_idx", "customer_name_key"} & first
    assert fresh_pair.rows(Side.TARGET, TRIGGERS) == []
    assert not [row for row in fresh_pair.rows(Side.TARGET, CONSTRAINTS) if row[1] == "f"]
    with pytest.raises(FullLoadNotDone):
        fresh.complete_schema()
    fresh.create_schema()
    fresh.start_replication()
    wait_for(lambda: copied(fresh))
    fresh.complete_schema()
    for what in (INDEXES, CONSTRAINTS, TRIGGERS):
        assert fresh_pair.rows(Side.TARGET, what) == fresh_pair.rows(Side.SOURCE, what)
    fresh.complete_schema()


def test_goes_on_with_the_second_half_when_it_was_cut_short(fresh_pair: Pair, fresh: NativeReplication) -> None:
    fresh.create_schema()
    fresh.start_replication()
    wait_for(lambda: copied(fresh))
    fresh_pair.rows(Side.TARGET, "ALTER TABLE shop.note ADD CONSTRAINT note_booking CHECK (true)")
    fresh_pair.rows(
        Side.TARGET, "CREATE TRIGGER note_booking AFTER INSERT ON shop.booking EXECUTE FUNCTION shop.note_booking()"
    )
    with pytest.raises(Exception, match="already exists"):
        fresh.complete_schema()
    fresh_pair.rows(Side.TARGET, "DROP TRIGGER note_booking ON shop.booking")
    fresh.complete_schema()
    assert fresh_pair.rows(Side.TARGET, TRIGGERS) == [("note_booking",)]


def test_copies_every_kind_of_table_when_users_write_meanwhile(fresh_pair: Pair, fresh: NativeReplication) -> None:
    with Shoppers(fresh_pair) as shoppers:
        shoppers.wait_for_purchases(5)
        move(fresh)
        for statement in (
            "UPDATE shop.note SET text = 'full' WHERE customer_id = 1",
            "DELETE FROM shop.note WHERE customer_id = 2",
            "UPDATE shop.label SET text = 'by index', code = 'z' WHERE code = 'a'",
            "UPDATE shop.item SET price = 3.5 WHERE id = 7",
            "UPDATE shop.booking SET day = '2026-03-01' WHERE id = 1",
            "UPDATE shop.customer SET name = CASE id WHEN 1 THEN 'customer 2' ELSE 'customer 1' END WHERE id < 3",
            "TRUNCATE shop.log",
        ):
            fresh_pair.rows(Side.SOURCE, statement)
        shoppers.wait_for_purchases(5)
    wait_for(lambda: digest(fresh_pair, Side.TARGET) == digest(fresh_pair, Side.SOURCE))
    assert fresh_pair.rows(Side.TARGET, "SELECT gross FROM shop.item WHERE id = 7")[0][0] * 100 == 416.5
    assert shoppers.lost_and_doubled(Side.TARGET) == (0, 0)


def test_leaves_the_source_exactly_as_before_when_removed(fresh_pair: Pair, fresh: NativeReplication) -> None:
    before = dumped(fresh_pair, Side.SOURCE)
    move(fresh)
    fresh.remove_replication()
    assert dumped(fresh_pair, Side.SOURCE) == before
    for side in Side:
        assert traces(fresh_pair, side) == []
    assert fresh_pair.rows(Side.TARGET, "SELECT 1 FROM pg_namespace WHERE nspname = 'shop'") == []
    assert writer(fresh) == Writer(source_open=True, source_epoch=0, target_open=False, target_epoch=0)
    fresh.remove_replication()
    move(fresh)
    assert fresh.switch(Side.TARGET, 1).to is Side.TARGET


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_removes_what_is_half_built_when_asked(fresh_pair: Pair, fresh: NativeReplication, steps: int) -> None:
    before = dumped(fresh_pair, Side.SOURCE)
    for step in (fresh.create_schema, fresh.start_replication)[:steps]:
        step()
    fresh.remove_replication()
    assert dumped(fresh_pair, Side.SOURCE) == before
    assert [traces(fresh_pair, side) for side in Side] == [[], []]


def test_opens_the_source_when_removed_after_a_failed_switch(fresh_pair: Pair, fresh: NativeReplication) -> None:
    before = dumped(fresh_pair, Side.SOURCE)
    move(fresh)
    fresh_pair.rows(Side.SOURCE, "SELECT crossfade.fence(3)", "crossfade")
    assert writer(fresh).side is None
    fresh.remove_replication()
    assert dumped(fresh_pair, Side.SOURCE) == before


def test_refuses_to_empty_the_target_when_it_is_the_primary(fresh_pair: Pair, fresh: NativeReplication) -> None:
    move(fresh)
    fresh.switch(Side.TARGET, 1)
    with pytest.raises(TargetHoldsWrites):
        fresh.remove_replication()
    fresh.wake_way_back(Side.TARGET)
    fresh.end_way_back()
    assert [traces(fresh_pair, side) for side in Side] == [[], []]
    fresh.remove_replication()
    fresh.end_way_back()
    assert fresh_pair.rows(Side.TARGET, "SELECT count(*) FROM shop.customer") == [(200,)]
    assert writer(fresh) == Writer(source_open=False, source_epoch=0, target_open=True, target_epoch=0)


def test_never_drops_a_schema_that_is_not_ours_when_removed(fresh_pair: Pair, fresh: NativeReplication) -> None:
    fresh_pair.rows(Side.TARGET, "CREATE SCHEMA shop; CREATE TABLE shop.theirs (id int)")
    fresh.remove_replication()
    assert fresh_pair.rows(Side.TARGET, "SELECT to_regclass('shop.theirs') IS NOT NULL") == [(True,)]


# what replication does not carry


def test_names_the_missing_column_when_a_table_was_altered_on_the_source(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(
        Side.SOURCE, "ALTER TABLE shop.log ADD COLUMN level int; INSERT INTO shop.log (what, level) VALUES ('x', 1)"
    )
    seen = moved.replication(Side.SOURCE)
    assert isinstance(seen, NoData)
    assert "shop.log is missing replicated column level on the target" in seen.reason
    assert "ALTER TABLE" in seen.reason
    pair.rows(Side.TARGET, "ALTER TABLE shop.log ADD COLUMN level int")
    wait_for(lambda: pair.rows(Side.TARGET, "SELECT 1 FROM shop.log WHERE level = 1"))
    assert isinstance(moved.replication(Side.SOURCE), Replication)
    for side in Side:
        pair.rows(side, "ALTER TABLE shop.log DROP COLUMN level")


def test_does_no_harm_when_the_target_has_a_column_more(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, "ALTER TABLE shop.log ADD COLUMN extra int")
    assert isinstance(moved.replication(Side.SOURCE), Replication)
    pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('more')")
    wait_for(lambda: pair.rows(Side.TARGET, "SELECT 1 FROM shop.log WHERE what = 'more'"))
    way_back = moved.way_back(Side.TARGET)
    assert isinstance(way_back, NoData), "but changes of it would not come back"
    assert "shop.log is missing replicated column extra on the source" in way_back.reason
    pair.rows(Side.TARGET, "ALTER TABLE shop.log DROP COLUMN extra")


def test_names_each_step_when_a_table_is_new_on_the_source(pair: Pair, moved: NativeReplication) -> None:
    table = "CREATE TABLE shop.fresh (id int PRIMARY KEY)"
    pair.rows(Side.SOURCE, table)
    assert "shop.fresh is missing on the target" in reason(moved)
    pair.rows(Side.TARGET, table)
    assert "ALTER PUBLICATION crossfade_from_source ADD TABLE shop.fresh" in reason(moved)
    pair.rows(Side.SOURCE, "ALTER PUBLICATION crossfade_from_source ADD TABLE shop.fresh")
    assert "ALTER SUBSCRIPTION crossfade_from_source REFRESH PUBLICATION" in reason(moved)
    pair.rows(Side.TARGET, "ALTER SUBSCRIPTION crossfade_from_source REFRESH PUBLICATION")
    wait_for(lambda: copied(moved))
    assert isinstance(moved.way_back(Side.TARGET), WayBack), "the way back has taken it up by itself"
    moved.switch(Side.TARGET, latest(moved) + 1)
    moved.wake_way_back(Side.TARGET)
    pair.rows(Side.TARGET, "INSERT INTO shop.fresh VALUES (1)")
    wait_for(lambda: pair.rows(Side.SOURCE, "SELECT 1 FROM shop.fresh"))
    for side in Side:
        pair.rows(side, "DROP TABLE shop.fresh")


def test_fences_nothing_when_changes_would_not_come_back(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, "ALTER TABLE shop.log ADD COLUMN extra int")
    with pytest.raises(ReplicationNotReady, match="missing replicated column extra on the source"):
        moved.switch(Side.TARGET, latest(moved) + 1)
    assert writer(moved).side is Side.SOURCE
    pair.rows(Side.TARGET, "ALTER TABLE shop.log DROP COLUMN extra")


def reason(role: NativeReplication) -> str:
    seen = role.replication(Side.SOURCE)
    assert isinstance(seen, NoData), seen
    return seen.reason


def test_is_unproven_until_woken_when_switched(moved: NativeReplication) -> None:
    asleep = moved.way_back(Side.TARGET)
    assert isinstance(asleep, WayBack)
    assert (asleep.built, asleep.proven) == (True, False)
    moved.switch(Side.TARGET, latest(moved) + 1)
    switched = moved.way_back(Side.TARGET)
    assert isinstance(switched, WayBack)
    assert switched.proven is False
    moved.wake_way_back(Side.TARGET)

    def awake() -> bool:  # its sender says a little later than it sends that it streams
        seen = moved.way_back(Side.TARGET)
        assert isinstance(seen, WayBack)
        return (seen.primary, seen.proven) == (Side.TARGET, True)

    wait_for(awake)
