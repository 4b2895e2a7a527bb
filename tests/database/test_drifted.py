import pytest

from crossfade.database.native import NativeReplication
from crossfade.database.preflight import CHECKS
from crossfade.model.seen import Finding
from crossfade.model.terms import Side
from tests.database.conftest import Pair, Shelf

pytestmark = pytest.mark.parts

CHANGES = {
    "table shop.added": "CREATE TABLE shop.added (id int PRIMARY KEY)",
    "column shop.log.at": "ALTER TABLE shop.log ADD COLUMN at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00'",
    "column shop.stock.amount": "ALTER TABLE shop.stock ALTER COLUMN amount TYPE bigint",
    "column shop.label.text": "ALTER TABLE shop.label ALTER COLUMN text SET DEFAULT 'none yet'",
    "index log_what on shop.log": "CREATE INDEX log_what ON shop.log (what)",
    "constraint short on shop.log": "ALTER TABLE shop.log ADD CONSTRAINT short CHECK (length(what) < 1000)",
}
ON_TARGET = {"column shop.customer.facts": "ALTER TABLE shop.customer ALTER COLUMN facts DROP NOT NULL"}


def told(pair: Pair) -> dict[str, Finding]:
    whys = {check.name for check in CHECKS if check.name.startswith("ddl-")}
    assert len(whys) == 7
    with NativeReplication(pair.settings(application_roles=("shop_app",))) as role:
        found = role.preflight()
    subjects = {*CHANGES, *ON_TARGET}
    return {one.subject: one for one in found if one.subject in subjects or "source only" in one.problem}


def test_names_each_change_of_a_table_with_the_statement_for_the_target_when_ddl_drifts(
    pair: Pair, shelf: Shelf
) -> None:
    assert told(pair) == {}, "13 and 18 spell the same schema alike"
    for statement in (*CHANGES.values(), *ON_TARGET.values()):
        pair.rows(Side.SOURCE, statement)
    try:
        found = told(pair)
        assert set(found) == {*CHANGES, *ON_TARGET}
        assert "bigint on the source and integer on the target" in found["column shop.stock.amount"].problem
        for finding in found.values():
            statement, _, _ = finding.remedy.partition("; on the target.")
            if "on the target." in finding.remedy:
                pair.rows(Side.TARGET, statement)
        assert set(told(pair)) == {"table shop.added"}, "a whole table is made by a person"
    finally:
        shelf.clear()  # no other test gets these tables
