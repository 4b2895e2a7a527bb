"""What a change must not do to those who use the table meanwhile, and how it sees that they do."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from crossfade.expand.backfill import Pacing
from crossfade.expand.errors import ChangeImpossible, LockNotGot, OutOfOrder, StillUsed
from crossfade.expand.locks import Patience
from crossfade.expand.state import Stands
from crossfade.expand.steps import SchemaChange, Settings
from crossfade.expand.usage import Confirmed
from tests.expand.conftest import ON_13, ON_18, SURE, Database, Write, Writer, change, opened, silently
from tests.expand.kinds import CASES, CUSTOMER, HALF, RENAME, ROWS, writes
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

SLOW_DDL = """
    CREATE SEQUENCE tries;
    CREATE FUNCTION slowly() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('tries') <= {times} THEN PERFORM pg_sleep(60); END IF; END $$;
    CREATE EVENT TRIGGER slowly ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION slowly()
"""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever watches for a quiet time watches until each application that runs has done something."""

    def until_all_have_worked(_seconds: float) -> None:
        for one in tuple(Writer.running):
            wanted = one.done + 2  # the first may have been under way before
            wait_for(lambda one=one, wanted=wanted: one.done >= wanted or one.failure is not None)  # type: ignore[misc]

    monkeypatch.setattr("crossfade.expand.usage.time", SimpleNamespace(sleep=until_all_have_worked))


@ON_13
@pytest.mark.parametrize(("times", "gives_up"), [(1, False), (1000, True)])
def test_what_takes_too_long_under_the_lock_is_ended_by_the_server_and_tried_again(
    database: Database, times: int, gives_up: bool
) -> None:
    database.run(*CUSTOMER.split(";"), SLOW_DDL.format(times=times))
    in_all = timedelta(milliseconds=300) if gives_up else timedelta(minutes=1)
    long = timedelta(seconds=2)  # for the second try, which nothing holds up, also on a busy computer
    patience = Patience(each=long, hold=long, pause=timedelta(milliseconds=1), in_all=in_all)
    with SchemaChange(RENAME, Settings(dsn=database.dsn, patience=patience)) as change_:
        if gives_up:
            with pytest.raises(LockNotGot, match="or not for long enough"):
                change_.expand(SURE)
            assert database.rows("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == [(0,)]
        else:
            assert change_.expand(SURE).attempts > 1
            assert database.rows("SELECT last_value > 1 FROM tries") == [(True,)]


@ON_18
def test_a_batch_that_holds_its_rows_too_long_is_undone_and_made_smaller(database: Database) -> None:
    slowly = "BEGIN PERFORM nextval('tries'), pg_sleep(0.002); RETURN NEW; END"
    database.run(
        *CUSTOMER.split(";"),
        "CREATE SEQUENCE tries",
        f"CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS '{slowly.replace(chr(39), chr(39) * 2)}'",
        "CREATE TRIGGER slowly BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION slowly()",
        "ALTER TABLE customer ENABLE ALWAYS TRIGGER slowly",
    )
    pacing = Pacing(share_percent=100, batch=timedelta(milliseconds=20), latency=timedelta(seconds=5))
    with SchemaChange(RENAME, Settings(dsn=database.dsn, pacing=pacing)) as change_:
        change_.expand(SURE)
        assert change_.backfill(silently) == ROWS
    assert database.rows("SELECT last_value > 120 FROM tries") == [(True,)]  # what was undone had counted


def test_readers_are_seen_when_the_server_counts_statements(database: Database) -> None:
    database.run(
        *CUSTOMER.split(";"),
        "CREATE SCHEMA watch",
        "CREATE EXTENSION pg_stat_statements SCHEMA watch",
        "GRANT SELECT ON customer TO app",
    )
    with database.change(RENAME, quiet_ms=1000) as change_:
        change_.expand(SURE)
        change_.backfill(silently)
        change_.check()
        for reads in ("SELECT mail FROM customer WHERE id = 1", "SELECT * FROM customer WHERE id = 2"):
            with (
                Writer(database.app_dsn, reading(reads)),
                pytest.raises(StillUsed, match="statements that name the old shape ran"),
            ):
                change_.contract(Confirmed())
        with (
            Writer(database.app_dsn, reading("SELECT email FROM customer WHERE id = 1")),
            Writer(database.app_dsn, reading("SELECT count(*) FROM customer")),
        ):
            with pytest.raises(StillUsed, match="statements that name the new shape ran"):
                change_.back(Confirmed())
            change_.contract(Confirmed())  # nobody has to confirm what can be seen


@ON_13
def test_an_owner_without_more_rights_does_it_all_and_is_told_when_it_cannot_see_who_reads(database: Database) -> None:
    database.run(*CUSTOMER.split(";"), "CREATE EXTENSION pg_stat_statements", "CREATE ROLE owner LOGIN")
    name = database.name
    database.run("ALTER TABLE customer OWNER TO owner", f"GRANT CREATE ON DATABASE {name} TO owner")
    try:
        patience = Patience(pause=timedelta(milliseconds=10))
        owner = Settings(dsn=database.cluster.dsn(user="owner", database=name), patience=patience, quiet=timedelta(0))
        with SchemaChange(RENAME, owner) as change_:
            change_.expand(SURE)
            change_.backfill(silently)
            change_.check()
            with pytest.raises(StillUsed, match="nobody can see") as refused:
                change_.contract(Confirmed())
            assert "Grant pg_read_all_stats" in refused.value.remedy
            database.run("GRANT pg_read_all_stats TO owner")
            change_.contract(Confirmed())
    finally:
        database.run("REASSIGN OWNED BY owner TO CURRENT_USER", "DROP OWNED BY owner", "DROP ROLE owner")


@ON_13
def test_contract_and_back_are_refused_while_what_would_go_is_used(database: Database) -> None:
    database.run(*CUSTOMER.split(";"), "CREATE INDEX by_mail ON customer (mail)", "CREATE PUBLICATION p FOR ALL TABLES")
    confirmed = Confirmed(readers_gone=True, replication_checked=True)
    old, new = (next(getattr(case, who) for case in CASES if case.name == "rename") for who in ("old", "new"))
    with database.change(RENAME, quiet_ms=1000) as change_:
        with pytest.raises(StillUsed, match="publication p"):
            change_.expand(SURE)
        change_.expand(confirmed)
        change_.backfill(silently)
        change_.check()
        with Writer(database.dsn, old), pytest.raises(StillUsed) as refused:
            change_.contract(Confirmed())
        for use in ("publication p", "index by_mail", "old shape was written", "who reads the old shape"):
            assert use in str(refused.value)
        with Writer(database.dsn, new), pytest.raises(StillUsed, match="new shape was written"):
            change_.back(confirmed)
        assert change_.stands is Stands.CHECKED
        listed = RENAME.model_copy(update={"drops": ("by_mail",)})
    with Writer(database.dsn, new), opened(database, listed) as change_:
        database.run("CREATE VIEW mails AS SELECT mail FROM customer")
        with pytest.raises(StillUsed, match="view mails"):
            change_.contract(confirmed)
        database.run("DROP VIEW mails")
        change_.contract(confirmed)
        with pytest.raises(OutOfOrder):
            change_.back(confirmed)


# the second partition has the same columns in another order, and one that is gone
PARTITIONED = """
    CREATE TABLE customer (id int, mail text NOT NULL, name text, amount numeric(12,2), note text, at int,
        PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE customer_a PARTITION OF customer FOR VALUES FROM (0) TO (50);
    CREATE TABLE customer_b (at int NOT NULL, gone int, id int NOT NULL, name text, amount numeric(12,2), note text,
        mail text NOT NULL);
    ALTER TABLE customer_b DROP COLUMN gone;
    ALTER TABLE customer ATTACH PARTITION customer_b FOR VALUES FROM (50) TO (100);
    INSERT INTO customer SELECT n, 'm' || n, 'Ann' || n || ' Lee', n + 0.25, NULL, n % 100
        FROM generate_series(1, 120) n;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO app
"""
BUT_FRESH = "SELECT count(*) FROM customer WHERE id < 900 AND"


@pytest.mark.parametrize("name", ["split", "rename", "not null"])
def test_a_partitioned_table_is_changed_while_both_versions_write_to_all_of_its_partitions(
    database: Database, name: str
) -> None:
    case = next(each for each in CASES if each.name == name)
    database.run(*PARTITIONED.split(";"))
    before, statements = database.shape(), tuple(each for each in case.new_statements if "INSERT" not in each)
    old, new = (
        writes(case.old_statements[-1:], lambda n: n % HALF + 1),
        writes(statements, lambda n: n % HALF + HALF + 1),
    )
    with database.change(change(case.change)) as change_:
        change_.expand(SURE)
        change_.back(SURE)
        assert database.shape() == before
        change_.expand(SURE)
        with Writer(database.app_dsn, old) as olds, Writer(database.app_dsn, new) as news:
            database.run("CREATE TABLE customer_c PARTITION OF customer FOR VALUES FROM (100) TO (200)")
            change_.backfill(silently)
            wait_for(lambda: min(olds.done, news.done) >= HALF or bool(olds.failure or news.failure))
            assert change_.check()[0].diverging == 0
            assert database.rows(case.apart) == [(0,)]
        database.run("INSERT INTO customer (id, at, mail, name) VALUES (901, 150, 'm901', 'Dee Fox')")
        assert database.rows(case.apart) == [(0,)]
        change_.contract(SURE)
    assert database.rows(case.ended.replace("SELECT count(*) FROM customer WHERE", BUT_FRESH)) == [(0,)]


@ON_13
def test_what_partitions_cannot_bear_is_told_before_anything_is_changed(database: Database) -> None:
    database.run(
        *PARTITIONED.split(";"), "CREATE INDEX of_a ON customer_a (mail)", "CREATE PUBLICATION p FOR TABLE customer_b"
    )
    for kind, told in {
        "change_type: {column: at, to: since, type: bigint, up: at, down: since}": "at says into which partition",
        "not_null: {column: at, up: '1'}": "at says into which partition",
        "extract_table: {to: other, columns: [note]}": "would have none",
        "add_index: {name: i, columns: [note]}": "no index is built beside",
        "add_constraint: {name: c, unique: [id, at]}": "no index is built beside",
        "add_constraint: {name: c, foreign_key: {columns: [id], references: a.b, referenced: [id]}}": "NOT VALID",
    }.items():
        file = change(f"{{version: 1, name: c, table: public.customer, {kind}}}")
        with database.change(file) as change_, pytest.raises(ChangeImpossible, match=told):
            change_.expand(SURE)
    part = change("{version: 1, name: c, table: public.customer_a, add_column: {column: x, type: int}}")
    with database.change(part) as change_, pytest.raises(ChangeImpossible, match="a partition"):
        change_.expand(SURE)
    with database.change(RENAME) as change_:
        with pytest.raises(StillUsed, match="publication p"):
            change_.expand(SURE)
        change_.expand(Confirmed(replication_checked=True))
        change_.backfill(silently)
        change_.check()
        with pytest.raises(StillUsed, match="index of_a would go"):
            change_.contract(Confirmed(readers_gone=True, replication_checked=True))


def reading(question: str) -> Write:
    def read(connection: psycopg.Connection[Any], _: int) -> None:
        connection.execute(question.encode())

    return read
