import pytest

from crossfade.database.native import NativeReplication
from crossfade.database.settings import Reach
from crossfade.model.seen import Finding, Severity
from crossfade.model.terms import Side
from tests.database.conftest import Pair

pytestmark = pytest.mark.parts


def found(pair: Pair, severity: Severity | None = None, **changes: object) -> dict[str, Finding]:
    with NativeReplication(pair.settings(application_roles=("shop_app",), **changes)) as role:
        return {f.subject: f for f in role.preflight() if severity in {None, f.severity}}


def test_is_clean_and_changes_nothing_when_all_is_well(fresh_pair: Pair) -> None:
    acl = "SELECT relname::text, relacl::text FROM pg_class WHERE relnamespace = 'shop'::regnamespace ORDER BY 1"
    before = fresh_pair.rows(Side.SOURCE, acl)
    assert found(fresh_pair, Severity.BLOCKER) == {}
    assert fresh_pair.rows(Side.SOURCE, acl) == before
    for side in Side:
        assert fresh_pair.rows(side, "SELECT 1 FROM pg_namespace WHERE nspname = 'crossfade'") == []


def test_warns_of_slow_identities_when_a_table_has_no_key(fresh_pair: Pair) -> None:
    warnings = found(fresh_pair, Severity.WARNING)
    assert "FULL" in warnings["table shop.note"].problem


def test_tells_why_a_warning_may_stay_when_the_migration_accepts_it(fresh_pair: Pair) -> None:
    fresh_pair.rows(Side.SOURCE, "CREATE TABLE shop.plain (id int)")
    may_stay = {"table shop.note": "small, and seldom changed", "table shop.plain": "this blocks, so it may not"}
    findings = found(fresh_pair, preflight_accept=may_stay)
    accepted = {subject: finding.accepted for subject, finding in findings.items() if finding.accepted}
    assert accepted == {"table shop.note": "small, and seldom changed"}
    assert findings["table shop.plain"].severity is Severity.BLOCKER


BLOCKERS = {
    "table shop.plain": "CREATE TABLE shop.plain (id int)",
    "table shop.later": "CREATE TABLE shop.later (id int PRIMARY KEY DEFERRABLE)",
    "table shop.never": "CREATE TABLE shop.never (id int PRIMARY KEY); ALTER TABLE shop.never REPLICA IDENTITY NOTHING",
    "table shop.part_a": "CREATE TABLE shop.part (id int) PARTITION BY LIST (id);"
    " CREATE TABLE shop.part_a PARTITION OF shop.part FOR VALUES IN (1)",
    "large objects": "SELECT lo_create(0)",
    "sequence shop.short": "CREATE SEQUENCE shop.short MAXVALUE 100; SELECT nextval('shop.short')",
    "sequence shop.down": "CREATE SEQUENCE shop.down INCREMENT -1 MINVALUE -100; SELECT nextval('shop.down')",
    "function shop.sneak()": "CREATE FUNCTION shop.sneak() RETURNS void LANGUAGE sql SECURITY DEFINER"
    " AS 'DELETE FROM shop.log'",
    "schema missing": "",
    "role shop_boss": "",
}
WARNINGS = {
    "table shop.fast": "CREATE UNLOGGED TABLE shop.fast (id int PRIMARY KEY)",
    "trigger always on shop.log": "CREATE TRIGGER always BEFORE INSERT ON shop.log"
    " EXECUTE FUNCTION shop.note_booking(); ALTER TABLE shop.log ENABLE ALWAYS TRIGGER always",
    "default privileges of postgres in shop": "ALTER DEFAULT PRIVILEGES IN SCHEMA shop"
    " GRANT INSERT ON TABLES TO shop_app",
    "materialized view shop.sums": "CREATE MATERIALIZED VIEW shop.sums AS SELECT 1 AS one",
}


def test_reports_every_fault_at_once_with_its_remedy_when_there_are_many(fresh_pair: Pair) -> None:
    for statements in (*BLOCKERS.values(), *WARNINGS.values()):
        if statements:
            fresh_pair.rows(Side.SOURCE, statements)
    with NativeReplication(
        fresh_pair.settings(application_roles=("shop_app", "shop_boss"), schemas=("shop", "missing"))
    ) as role:
        findings = role.preflight()
    by_severity = {s: {f.subject for f in findings if f.severity is s} for s in Severity}
    assert set(BLOCKERS) <= by_severity[Severity.BLOCKER]
    assert set(WARNINGS) <= by_severity[Severity.WARNING]
    assert all(finding.remedy for finding in findings)
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=lambda severity: severity is not Severity.BLOCKER)


def test_blocks_when_the_application_is_a_superuser(fresh_pair: Pair) -> None:
    with NativeReplication(fresh_pair.settings(application_roles=("postgres",))) as role:
        blockers = {f.subject: f for f in role.preflight() if f.severity is Severity.BLOCKER}
    assert "no fence stops it" in blockers["role postgres"].problem


def test_warns_when_a_superuser_is_at_work(fresh_pair: Pair) -> None:
    with fresh_pair.connect(Side.SOURCE):
        warnings = found(fresh_pair, Severity.WARNING)
    assert "test-postgres" in warnings["role postgres"].problem


def test_warns_when_the_application_owns_tables(fresh_pair: Pair) -> None:
    fresh_pair.rows(Side.SOURCE, "ALTER TABLE shop.log OWNER TO shop_app")
    with NativeReplication(fresh_pair.settings(application_roles=("shop_app",))) as role:
        (finding,) = (f for f in role.preflight() if f.subject == "role shop_app" and "shop.log" in f.problem)
    assert finding.severity is Severity.WARNING, "its writes can be fenced all the same"


def test_blocks_when_a_role_writes_everything_on_the_target(fresh_pair: Pair) -> None:
    fresh_pair.rows(Side.TARGET, "CREATE ROLE shop_almighty; GRANT pg_write_all_data TO shop_almighty")
    try:
        assert "pg_write_all_data" in found(fresh_pair, Severity.BLOCKER)["role shop_almighty"].problem
    finally:
        fresh_pair.rows(Side.TARGET, "DROP ROLE shop_almighty")


def test_blocks_when_the_target_holds_the_schema_already(fresh_pair: Pair) -> None:
    fresh_pair.rows(Side.TARGET, "CREATE SCHEMA shop")
    assert "exists on the target" in found(fresh_pair, Severity.BLOCKER)["schema shop"].problem


def test_blocks_when_the_migration_may_not_fence(fresh_pair: Pair) -> None:
    weak = Reach(dsn=fresh_pair.dsn(Side.SOURCE, "shop_app"), subscriber_dsn="")
    blockers = found(fresh_pair, Severity.BLOCKER, source=weak)
    assert "SUPERUSER" in blockers["source server"].remedy


def test_names_the_side_without_its_password_when_it_cannot_be_reached(fresh_pair: Pair) -> None:
    nowhere = Reach(dsn="host=127.0.0.1 port=1 dbname=x user=y password=topsecret", subscriber_dsn="")
    blockers = found(fresh_pair, Severity.BLOCKER, target=nowhere)
    assert "cannot be reached" in blockers["target database"].problem
    assert "topsecret" not in str(blockers)
    assert "topsecret" not in repr(fresh_pair.settings(target=nowhere))
