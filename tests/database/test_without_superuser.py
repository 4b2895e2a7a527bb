"""A migration whose role is no superuser, as services give it: what preflight asks for, and that it is enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from crossfade.database.native import NativeReplication
from crossfade.database.settings import NativeSettings, Reach
from crossfade.model.seen import Finding, Severity
from crossfade.model.terms import Side
from tests.database.conftest import Clusters, Pair, move, traces, writer
from tests.database.shoppers import digest
from tests.database.test_planted_problems import Yards, seen, servers, unlike, yards
from tests.waiting import wait_for

pytestmark = pytest.mark.parts
__all__ = ["servers"]

MOVER = "CREATE ROLE shop_mover LOGIN NOSUPERUSER CREATEROLE CREATEDB PASSWORD 'moving'"
BELONGS = """
ALTER TYPE shop.state OWNER TO shop_owner; ALTER SEQUENCE shop.invoice OWNER TO shop_owner;
ALTER SEQUENCE shop.untouched OWNER TO shop_owner; ALTER FUNCTION shop.note_booking() OWNER TO shop_owner;
"""


def prepare(both: Yards) -> None:
    for side in Side:
        both.run(side, "ALTER ROLE yard_weak CREATEROLE CREATEDB", "GRANT pg_monitor TO yard_weak")


def test_everything_that_the_role_lacks_is_named_and_granted_when_both_sides_are_18(servers: Clusters) -> None:
    with yards(servers.target, servers.target) as both:
        prepare(both)
        both.run(Side.SOURCE, "CREATE TYPE yard.mood AS ENUM ('good'); CREATE SEQUENCE yard.turns")
        found = both.found(user="yard_weak")
        on_each = {
            "REPLICATION": "ALTER ROLE yard_weak REPLICATION;",
            "subscription": "GRANT pg_create_subscription TO yard_weak;",
            "advance": "GRANT EXECUTE ON FUNCTION pg_replication_origin_advance(text, pg_lsn) TO yard_weak;",
            "progress": "GRANT EXECUTE ON FUNCTION pg_replication_origin_progress(text, boolean) TO yard_weak;",
        }
        for side in Side:
            lacking = {one.sql for one in found if one.check.name == "role-lacks" and one.side is side}
            schema = f"GRANT CREATE ON DATABASE {both.names[side]} TO yard_weak;"
            assert lacking == {*on_each.values(), schema}
        told = seen(one for one in found if one.check.name != "role-lacks")
        assert told == {
            ("role-speaks-for-owners", "role yard_owner"),
            ("role-writes-by-owners", "schema yard"),
            ("role-reads-sequences", "sequence yard.good_id_seq"),
            ("role-reads-sequences", "sequence yard.turns"),
            ("owner-is-superuser", "type yard.mood"),
            ("owner-is-superuser", "sequence yard.turns"),
            ("role-on-target", "role yard_owner"),
            ("role-on-target", "role yard_app"),
            ("fence-trial-failed", "fence"),
        }
        both.remedy(found)
        assert unlike(both.found(user="yard_weak"), set()) == []
        both.run(Side.SOURCE, "DROP OWNED BY yard_weak")
        both.run(Side.TARGET, "DROP OWNED BY yard_weak")


def test_a_superuser_is_asked_for_when_the_source_is_13_and_no_service(servers: Clusters) -> None:
    with yards(servers.source, servers.target) as both:
        prepare(both)
        found = both.found(user="yard_weak")
        asked = [one for one in found if one.check.name == "role-rights"]
        assert [(one.side, one.sql) for one in asked] == [(Side.SOURCE, "ALTER ROLE yard_weak SUPERUSER;")]
        assert not [one for one in found if one.check.name == "not-examined"]
        both.remedy(found)
        assert unlike(both.found(user="yard_weak"), set()) == []
        both.run(Side.SOURCE, "ALTER ROLE yard_weak NOSUPERUSER")
        both.run(Side.TARGET, "DROP OWNED BY yard_weak")


def lets_in(dsn: str) -> bool:
    """Without a password."""
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def mover(pair: Pair) -> Iterator[NativeSettings]:
    """A role of this name on both servers: a superuser on 13; on 18 as a service gives it, logging in by password."""
    with pair.clusters.source.data.joinpath("pg_hba.conf").open("r+", encoding="utf-8") as file:
        before = file.read()
        file.seek(0)
        file.write("host all shop_mover 127.0.0.1/32 scram-sha-256\n" + before)
    scram = "SET password_encryption = 'scram-sha-256'; "
    pair.rows(Side.SOURCE, f"{scram}{MOVER}; ALTER ROLE shop_mover SUPERUSER; SELECT pg_reload_conf()")
    pair.rows(Side.TARGET, f"{MOVER}; ALTER ROLE shop_mover REPLICATION; GRANT pg_monitor TO shop_mover")
    pair.rows(Side.SOURCE, BELONGS)
    reach = {side: f"{pair.dsn(side, 'shop_mover')} password=moving" for side in Side}
    ends = {side: Reach(dsn=reach[side], subscriber_dsn=reach[side]) for side in Side}
    wait_for(lambda: not lets_in(pair.dsn(Side.SOURCE, "shop_mover")))  # the server reads its file when it comes to it
    try:
        yield pair.settings(source=ends[Side.SOURCE], target=ends[Side.TARGET])
    finally:
        pair.clusters.source.data.joinpath("pg_hba.conf").write_text(before, encoding="utf-8")
        pair.rows(Side.SOURCE, "DROP OWNED BY shop_mover; DROP ROLE shop_mover; SELECT pg_reload_conf()")
        pair.rows(Side.TARGET, "DROP OWNED BY shop_mover CASCADE; DROP ROLE shop_mover")


def blockers(settings: NativeSettings) -> list[Finding]:
    with NativeReplication(settings) as role:
        return [one for one in role.preflight() if one.severity is Severity.BLOCKER]


def test_it_moves_there_and_back_and_leaves_nothing_when_preflight_was_heeded(fresh_pair: Pair) -> None:
    with mover(fresh_pair) as settings:
        bare = replace(settings.source, subscriber_dsn=fresh_pair.dsn(Side.SOURCE, "shop_mover"))
        without = [one.subject for one in blockers(replace(settings, source=bare))]
        assert "subscription on the target" in without
        for finding in blockers(settings):
            fresh_pair.rows(Side.TARGET, finding.remedy.partition("; on the target.")[0])
        assert blockers(settings) == []
        with NativeReplication(settings) as role:
            move(role)
            role.switch(Side.TARGET, 1)
            role.wake_way_back(Side.TARGET)
            fresh_pair.rows(Side.TARGET, "INSERT INTO shop.log (what) VALUES ('there')", "shop_app")
            role.switch(Side.SOURCE, 2)
            role.wake_way_back(Side.SOURCE)
            fresh_pair.rows(Side.SOURCE, "INSERT INTO shop.log (what) VALUES ('and back')", "shop_app")
            wait_for(lambda: digest(fresh_pair, Side.TARGET) == digest(fresh_pair, Side.SOURCE))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                fresh_pair.rows(Side.TARGET, "INSERT INTO shop.log (what) VALUES ('behind the fence')", "shop_app")
            assert writer(role).side is Side.SOURCE
            role.remove_replication()
        assert [traces(fresh_pair, side) for side in Side] == [[], []]
