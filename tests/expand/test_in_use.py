"""What a change must not do to those who use the table meanwhile, and how it sees that they do."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from crossfade.expand.errors import LockNotGot, OutOfOrder, StillUsed
from crossfade.expand.locks import Patience
from crossfade.expand.state import Stands
from crossfade.expand.steps import SchemaChange, Settings
from crossfade.expand.usage import Confirmed
from tests.expand.conftest import ON_13, SURE, Database, Write, Writer, opened, silently
from tests.expand.kinds import CASES, CUSTOMER, RENAME

pytestmark = pytest.mark.parts

SLOW_DDL = """
    CREATE SEQUENCE tries;
    CREATE FUNCTION slowly() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('tries') <= {times} THEN PERFORM pg_sleep(60); END IF; END $$;
    CREATE EVENT TRIGGER slowly ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION slowly()
"""


@ON_13
@pytest.mark.parametrize(("times", "gives_up"), [(1, False), (1000, True)])
def test_what_takes_too_long_under_the_lock_is_ended_by_the_server_and_tried_again(
    database: Database, times: int, gives_up: bool
) -> None:
    database.run(*CUSTOMER.split(";"), SLOW_DDL.format(times=times))
    in_all = timedelta(milliseconds=300) if gives_up else timedelta(minutes=1)
    patience = Patience(hold=timedelta(milliseconds=100), pause=timedelta(milliseconds=1), in_all=in_all)
    with SchemaChange(RENAME, Settings(dsn=database.dsn, patience=patience)) as change_:
        if gives_up:
            with pytest.raises(LockNotGot, match="or not for long enough"):
                change_.expand(SURE)
            assert database.rows("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == [(0,)]
        else:
            assert change_.expand(SURE).attempts == 2
            assert database.rows("SELECT last_value FROM tries") == [(2,)]


def test_readers_are_seen_when_the_server_counts_statements(database: Database) -> None:
    database.run(
        *CUSTOMER.split(";"),
        "CREATE SCHEMA watch",
        "CREATE EXTENSION pg_stat_statements SCHEMA watch",
        "GRANT SELECT ON customer TO app",
    )
    with database.change(RENAME, quiet_ms=400) as change_:
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
    with database.change(RENAME, quiet_ms=300) as change_:
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


def reading(question: str) -> Write:
    def read(connection: psycopg.Connection[Any], _: int) -> None:
        connection.execute(question.encode())

    return read
