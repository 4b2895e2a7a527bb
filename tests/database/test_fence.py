from typing import Any

import psycopg
import pytest
from psycopg import errors

from crossfade.database.native import NativeReplication
from crossfade.model.terms import Side
from tests.database.conftest import Pair, latest, writer

pytestmark = pytest.mark.parts

GRANTS = """
SELECT c.relname::text, NULL::text, pg_get_userbyid(a.grantor)::text,
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, a.privilege_type, a.is_grantable
FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.privilege_type <> 'MAINTAIN'
UNION ALL
SELECT c.relname::text, t.attname::text, pg_get_userbyid(a.grantor)::text,
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, a.privilege_type, a.is_grantable
FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid CROSS JOIN LATERAL aclexplode(t.attacl) a
WHERE c.relnamespace = 'shop'::regnamespace
"""
WRITES = {
    "shop_app": "INSERT INTO shop.log (what) VALUES ('by a direct grant')",
    "shop_clerk": "INSERT INTO shop.log (what) VALUES ('by membership')",
    "shop_pricer": "UPDATE shop.item SET price = price",
    "shop_reader": "INSERT INTO shop.note VALUES (1, 'by PUBLIC')",
    "shop_writers": "UPDATE shop.stock SET amount = amount",
    "shop_owner": "INSERT INTO shop.log (what) VALUES ('as the owner')",
}


def attempt(pair: Pair, side: Side, role: str) -> str:
    """The SQLSTATE of that role's write; empty when it was let in."""
    with psycopg.connect(pair.dsn(side)) as connection:  # as superuser, for not every role may log in
        connection.execute(f"SET ROLE {role}".encode())
        try:
            connection.execute(WRITES[role].encode())
        except psycopg.Error as refused:
            return refused.sqlstate or "?"
        finally:
            connection.rollback()
    return ""


def grants(pair: Pair, side: Side) -> set[tuple[Any, ...]]:
    return set(pair.rows(side, GRANTS))


def test_stops_every_role_and_gives_each_back_when_switched_there_and_back(
    pair: Pair, moved: NativeReplication
) -> None:
    before = grants(pair, Side.SOURCE)
    assert {role: attempt(pair, Side.SOURCE, role) for role in WRITES} == dict.fromkeys(WRITES, "")
    moved.switch(Side.TARGET, latest(moved) + 1)
    assert {role: attempt(pair, Side.SOURCE, role) for role in WRITES} == dict.fromkeys(WRITES, "42501")
    assert {role: attempt(pair, Side.TARGET, role) for role in WRITES} == dict.fromkeys(WRITES, "")
    assert grants(pair, Side.TARGET) == before, "the target grants exactly what the source did"
    moved.wake_way_back(Side.TARGET)
    moved.switch(Side.SOURCE, latest(moved) + 1)
    assert grants(pair, Side.SOURCE) == before
    assert {role: attempt(pair, Side.TARGET, role) for role in WRITES} == dict.fromkeys(WRITES, "42501")


def test_keeps_grants_by_others_in_their_order_when_opened_again(pair: Pair, moved: NativeReplication) -> None:
    """shop_writers' right stands on shop_lead's grant option: it falls with it, and must come back after it."""
    chain = [grant for grant in grants(pair, Side.SOURCE) if grant[2] == "shop_lead"]
    assert chain, "the shop has a grant that is not the owner's"
    moved.switch(Side.TARGET, latest(moved) + 1)
    assert [grant for grant in grants(pair, Side.TARGET) if grant[2] == "shop_lead"] == chain


def test_opens_no_more_than_was_there_when_a_role_is_gone(pair: Pair, moved: NativeReplication) -> None:
    for side in Side:
        pair.rows(side, "CREATE ROLE shop_temp")
    pair.rows(Side.SOURCE, "GRANT INSERT ON shop.log TO shop_temp")
    moved.switch(Side.TARGET, latest(moved) + 1)
    moved.wake_way_back(Side.TARGET)
    for side in Side:
        pair.rows(side, "DROP OWNED BY shop_temp; DROP ROLE shop_temp")
    moved.switch(Side.SOURCE, latest(moved) + 1)
    assert writer(moved).side is Side.SOURCE


def test_sees_a_grant_given_behind_our_back_when_it_looks_at_the_writers(pair: Pair, moved: NativeReplication) -> None:
    pair.rows(Side.TARGET, "GRANT UPDATE (price) ON shop.item TO shop_pricer")
    seen = writer(moved)
    assert (seen.source_open, seen.target_open, seen.side) == (True, True, None)
    pair.rows(Side.TARGET, "REVOKE UPDATE (price) ON shop.item FROM shop_pricer")
    assert writer(moved).side is Side.SOURCE


def test_leaves_superusers_and_ours_alone_when_fenced(pair: Pair, moved: NativeReplication) -> None:
    moved.switch(Side.TARGET, latest(moved) + 1)
    for user in ("postgres", "crossfade"):
        with pair.connect(Side.SOURCE, user) as connection, connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO shop.log (what) VALUES ('let in')")
    with pytest.raises(errors.InsufficientPrivilege):
        pair.rows(Side.SOURCE, "DELETE FROM shop.log", "shop_app")
