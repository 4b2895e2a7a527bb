import pytest

from crossfade.database.errors import ReplicationNotReady
from crossfade.database.native import NativeReplication
from crossfade.database.preflight import CHECKS
from crossfade.database.structure import ChangeKind
from crossfade.model.seen import Finding, Replication
from crossfade.model.terms import NoData, Side
from tests.database.conftest import Pair, Shelf, latest, writer
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

CHANGES = {
    "table shop.added": "CREATE TABLE shop.added (id int PRIMARY KEY)",
    "column shop.log.at": "ALTER TABLE shop.log ADD COLUMN at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00'",
    "column shop.stock.amount": "ALTER TABLE shop.stock ALTER COLUMN amount TYPE bigint",
    "column shop.label.text": "ALTER TABLE shop.label ALTER COLUMN text SET DEFAULT 'none yet'",
    "index log_what on shop.log": "CREATE INDEX log_what ON shop.log (what)",
    "constraint short on shop.log": "ALTER TABLE shop.log ADD CONSTRAINT short CHECK (length(what) < 1000)",
}
LOOSENED = {"column shop.customer.facts": "ALTER TABLE shop.customer ALTER COLUMN facts DROP NOT NULL"}
ON_TARGET = {"constraint loud on shop.log": "ALTER TABLE shop.log ADD CONSTRAINT loud CHECK (what <> upper(what))"}
WOULD_STOP = {"table shop.added", "column shop.log.at"}


def told(pair: Pair) -> dict[str, Finding]:
    whys = {check.name for check in CHECKS if check.name.startswith("ddl-")}
    assert len(whys) == len(ChangeKind)
    with NativeReplication(pair.settings(application_roles=("shop_app",))) as role:
        found = role.preflight()
    subjects = {*CHANGES, *LOOSENED}
    return {one.subject: one for one in found if one.subject in subjects or " only" in one.problem}


def change(pair: Pair, subjects: set[str]) -> None:
    for subject, statement in (CHANGES | LOOSENED).items():
        if subject in subjects:
            pair.rows(Side.SOURCE, statement)
    for statement in ON_TARGET.values():
        pair.rows(Side.TARGET, statement)


def test_names_each_change_of_a_table_with_the_statement_for_the_target_when_ddl_drifts(
    pair: Pair, shelf: Shelf
) -> None:
    assert told(pair) == {}, "13 and 18 spell the same schema alike"
    change(pair, {*CHANGES, *LOOSENED})
    try:
        found = told(pair)
        assert set(found) == {*CHANGES, *LOOSENED, *ON_TARGET}
        assert "bigint on the source and integer on the target" in found["column shop.stock.amount"].problem
        for finding in found.values():
            statement, _, _ = finding.remedy.partition("; on the target.")
            if "on the target." in finding.remedy:
                pair.rows(Side.TARGET, statement)
        assert set(told(pair)) == {"table shop.added"}, "a whole table is made by a person"
    finally:
        shelf.clear()  # no other test gets these tables


def test_a_look_names_what_was_changed_and_no_switch_begins_until_it_is_mended_or_accepted(
    pair: Pair, shelf: Shelf
) -> None:
    subjects = {*CHANGES, *LOOSENED} - WOULD_STOP
    change(pair, subjects)
    try:
        with NativeReplication(pair.settings()) as role:
            seen = role.replication(Side.SOURCE)
            assert isinstance(seen, NoData)
            assert {one for one in {*subjects, *ON_TARGET} if one in seen.reason} == {*subjects, *ON_TARGET}
            assert "preflight" in seen.reason
            assert "none yet" not in seen.reason, "a default may be anything"
            with pytest.raises(ReplicationNotReady, match="log_what"):
                role.switch(Side.TARGET, latest(role) + 1)
            assert writer(role).side is Side.SOURCE
            for finding in (found for subject, found in told(pair).items() if subject != "index log_what on shop.log"):
                pair.rows(Side.TARGET, finding.remedy.partition("; on the target.")[0])
            rest = role.replication(Side.SOURCE)
            assert isinstance(rest, NoData)
            assert rest.reason.startswith("index log_what on shop.log: it stands on the source only: ")
        accepted = {"index log_what on shop.log": "nobody searches by it any more"}
        with NativeReplication(pair.settings(preflight_accept=accepted)) as role:
            assert isinstance(role.replication(Side.SOURCE), Replication)
            role.switch(Side.TARGET, latest(role) + 1)
            pair.rows(Side.TARGET, "CREATE INDEX label_text ON shop.label (text)")
            role.wake_way_back(Side.TARGET)
            wait_for(lambda: isinstance(role.replication(Side.TARGET), Replication))
            role.switch(Side.SOURCE, latest(role) + 1)
    finally:
        shelf.clear()
