"""Of a row that differs: whether the target has written it since it was opened, by the servers' own transactions."""

import psycopg
import pytest

from crossfade.database.state import script
from crossfade.model.seen import Difference
from crossfade.model.terms import Side
from crossfade.verify.age import Ages, Horizon
from crossfade.verify.postgres import verify_live
from crossfade.verify.statement import RowState
from tests.verify.conftest import Pair, ScriptedReplay

SOURCE, TARGET = Side.SOURCE, Side.TARGET
ROWS = ("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t SELECT i, 'a' FROM generate_series(1, 4) i")


def state(xmin: int) -> tuple[RowState, ...]:
    return (RowState(signature="1", version=str(xmin % (1 << 32))),)


def installed(pair: Pair) -> None:
    """Our schema and the same rows on both sides; the source takes writes."""
    pair.both(*ROWS, *(script(part) for part in ("state.sql", "grants.sql", "switch.sql")))
    for side in Side:
        pair.run(side, f"INSERT INTO crossfade.writer (side, open) VALUES ('{side}', {side is SOURCE})")


def switched(pair: Pair) -> None:
    pair.run(SOURCE, "SELECT crossfade.claim(1, false)")
    pair.run(TARGET, "SELECT crossfade.claim(1, true)")


def found(pair: Pair) -> dict[str, Difference]:
    verification = verify_live(pair.settings, TARGET, replays=ScriptedReplay(lambda: None))
    return {difference.key: difference for difference in verification.differences}


@pytest.mark.parts
def test_tells_what_was_written_before_and_since_the_switch(databases: Pair) -> None:
    installed(databases)
    databases.run(TARGET, "UPDATE t SET v = 'damaged' WHERE id = 1")
    switched(databases)
    databases.run(TARGET, "UPDATE t SET v = 'new' WHERE id = 2", "INSERT INTO t VALUES (5, 'new')")
    databases.run(TARGET, "DELETE FROM t WHERE id = 3")
    databases.run(SOURCE, "UPDATE t SET v = 'past the fence' WHERE id = 4")
    ages = {key: (row.kind, row.written_since_switch) for key, row in found(databases).items()}
    assert ages == {
        '{"id": 1}': ("changed", False),
        '{"id": 2}': ("changed", True),
        '{"id": 3}': ("missing", None),
        '{"id": 4}': ("changed", None),
        '{"id": 5}': ("extra", True),
    }


@pytest.mark.parts
def test_a_row_counts_as_written_since_when_its_transaction_was_under_way_at_the_opening(databases: Pair) -> None:
    installed(databases)
    with psycopg.connect(databases.dsn(TARGET)) as writer:
        writer.execute("UPDATE t SET v = 'b' WHERE id = 1")
        switched(databases)
    assert found(databases)['{"id": 1}'].written_since_switch is True


@pytest.mark.parts
def test_the_horizon_stays_when_the_same_side_is_claimed_again(databases: Pair) -> None:
    """A later engine claims an epoch for what is open already: what was written meanwhile is no older for it."""
    installed(databases)
    switched(databases)
    databases.run(TARGET, "UPDATE t SET v = 'new' WHERE id = 2", "SELECT crossfade.claim(2, true)")
    assert found(databases)['{"id": 2}'].written_since_switch is True


@pytest.mark.parts
def test_a_frozen_row_counts_as_old(databases: Pair) -> None:
    installed(databases)
    databases.run(TARGET, "UPDATE t SET v = 'damaged' WHERE id = 1", "VACUUM (FREEZE) t")
    switched(databases)
    assert found(databases)['{"id": 1}'].written_since_switch is False


@pytest.mark.parts
def test_nothing_is_told_when_no_migration_has_switched(databases: Pair) -> None:
    databases.both(*ROWS)
    databases.run(TARGET, "UPDATE t SET v = 'new' WHERE id = 2")
    assert found(databases)['{"id": 2}'].written_since_switch is None


@pytest.mark.parametrize("opened", [700, (1 << 32) - 5, (5 << 32) + 17])
def test_transactions_are_compared_across_a_wraparound(opened: int) -> None:
    ages = Ages(source=Horizon(900), target=Horizon(opened))
    assert ages.written_since_switch(state(899), state(opened - 1)) is False
    assert ages.written_since_switch(state(899), state(opened)) is True
    assert ages.written_since_switch(state(899), state(opened + 1000)) is True
    assert ages.written_since_switch(state(900), state(opened - 1)) is None
