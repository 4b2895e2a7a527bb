import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.ledger.database import LedgerNotCreated, LedgerSize, create_ledger
from crossfade.rehearsal.ledger.documents import write_documents
from crossfade.rehearsal.ledger.release.settings import Side

pytestmark = pytest.mark.parts

POST = "SELECT id, balance, replayed FROM ledger.post_transfer(%s, %s, %s, %s, NULL)"


@pytest.fixture(scope="module", params=list(Side))
def ledger(request: pytest.FixtureRequest, clusters: dict[Side, Cluster]) -> Iterator[Cluster]:
    cluster = clusters[request.param]
    create_ledger(cluster.dsn(), 2_000, name="books")
    yield cluster
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE books WITH (FORCE)")


@pytest.fixture
def app(ledger: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(ledger.dsn(user="ledger_app", database="books"), autocommit=True) as connection:
        yield connection


def test_holds_about_the_rows_asked_for_when_created() -> None:
    for rows in (2_000, 100_000, 1_000_000):
        assert LedgerSize.of_rows(rows).rows == pytest.approx(rows, rel=0.01)


def test_history_is_balanced_when_created(app: psycopg.Connection) -> None:
    assert app.execute("SELECT sum(amount) FROM ledger.entries").fetchone() == (0,)
    wrong = app.execute(
        "SELECT count(*) FROM ledger.accounts a"
        " WHERE balance <> (SELECT sum(amount) FROM ledger.entries e WHERE e.account_id = a.id)"
    ).fetchone()
    assert wrong == (0,)


def test_every_table_and_partition_has_a_primary_key_when_created(app: psycopg.Connection) -> None:
    without = app.execute(
        "SELECT relname FROM pg_class c WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"
    ).fetchall()
    assert without == []


def test_books_once_when_the_same_key_comes_twice(app: psycopg.Connection) -> None:
    key = uuid4()
    first = app.execute(POST, (key, 2, 3, Decimal("12.34"))).fetchone()
    app.execute(POST, (uuid4(), 2, 3, Decimal("1.00")))
    again = app.execute(POST, (key, 2, 3, Decimal("12.34"))).fetchone()
    assert first is not None
    assert again == (first[0], first[1], True)
    legs = app.execute(
        "SELECT count(*), sum(amount) FROM ledger.entries WHERE transfer_id = %s", (first[0],)
    ).fetchone()
    assert legs == (2, 0)


def test_refuses_when_a_key_is_used_for_another_transfer(app: psycopg.Connection) -> None:
    key = uuid4()
    app.execute(POST, (key, 2, 3, Decimal(5)))
    with pytest.raises(psycopg.Error) as refused:
        app.execute(POST, (key, 2, 3, Decimal(6)))
    assert refused.value.sqlstate == "LG003"


def test_refuses_when_the_account_does_not_cover_the_amount(app: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute(POST, (uuid4(), 2, 3, Decimal(10_000_000)))


def test_refuses_at_commit_when_a_transfer_has_no_entries(app: psycopg.Connection) -> None:
    insert = (
        "INSERT INTO ledger.transfers (idempotency_key, debit_account, credit_account, amount) VALUES (%s, 2, 3, 1)"
    )
    app.execute("BEGIN")
    app.execute(insert, (uuid4(),))  # the constraint is deferred: nothing happens before the commit
    with pytest.raises(psycopg.errors.CheckViolation, match="0 entries"):
        app.execute("COMMIT")


def test_warms_without_writing_when_called_without_a_key(app: psycopg.Connection) -> None:
    before = app.execute("SELECT count(*) FROM ledger.transfers").fetchone()
    app.execute(POST, (None, None, None, None))
    assert app.execute("SELECT count(*) FROM ledger.transfers").fetchone() == before


@pytest.mark.parametrize("call", [POST, "SELECT * FROM ledger.issue_statement(%s, %s)"])
def test_refuses_known_keys_too_when_fenced(ledger: Cluster, app: psycopg.Connection, call: str) -> None:
    parameters = (uuid4(), 2, 3, Decimal(1)) if call == POST else (uuid4(), 2)
    app.execute(call.encode(), parameters)
    with psycopg.connect(ledger.dsn(database="books"), autocommit=True) as admin:
        admin.execute("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ledger FROM ledger_app")
        try:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(call.encode(), parameters)
        finally:
            admin.execute("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ledger TO ledger_app")


def test_gives_the_same_document_when_a_statement_is_asked_for_again(app: psycopg.Connection) -> None:
    key = uuid4()
    ask = "SELECT document, checksum, body FROM ledger.issue_statement(%s, 5)"
    first = app.execute(ask, (key,)).fetchone()
    app.execute(POST, (uuid4(), 5, 6, Decimal(1)))
    assert app.execute(ask, (key,)).fetchone() == first


def test_writes_documents_with_the_checksums_of_their_rows_when_asked(ledger: Cluster, tmp_path: Path) -> None:
    dsn = ledger.dsn(database="books")
    assert write_documents(dsn, tmp_path) == len(list(tmp_path.rglob("*.txt"))) >= 40
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT document, checksum, sha256(%s) FROM ledger.statements", (b"",)).fetchall()
        for document, checksum, _ in rows:
            body = (tmp_path / "statements" / document).read_bytes()
            found = connection.execute("SELECT encode(sha256(%s), 'hex')", (body,)).fetchone()
            assert found == (checksum,)


def test_says_which_step_failed_when_the_database_exists(ledger: Cluster) -> None:
    with pytest.raises(LedgerNotCreated, match="database"):
        create_ledger(ledger.dsn(), 2_000, name="books")


def test_takes_about_a_second_when_a_hundred_thousand_rows_are_asked_for(clusters: dict[Side, Cluster]) -> None:
    began = time.monotonic()
    create_ledger(clusters[Side.SOURCE].dsn(), 100_000, name="large")
    took = time.monotonic() - began
    with psycopg.connect(clusters[Side.SOURCE].dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE large"))
    assert took < 40  # 0.7 s by itself; row by row it would be a minute


def test_as_many_statements_as_asked_for_but_one_for_each_transfer_at_most() -> None:
    usual = LedgerSize.of_rows(5_000)
    assert LedgerSize.of_rows(5_000, 7) == LedgerSize(
        customers=usual.customers, accounts=usual.accounts, transfers=usual.transfers, statements=7
    )
    assert LedgerSize.of_rows(5_000, 0).statements == 0
    assert LedgerSize.of_rows(5_000, 1_000_000).statements == usual.transfers
