from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from crossfade.database.errors import SideUnreachable, StatementFailed
from crossfade.database.session import PostgresSession, Session
from crossfade.model.terms import Side
from tests.database.conftest import PATIENT, Clusters

pytestmark = pytest.mark.parts


@pytest.fixture
def session(clusters: Clusters) -> Iterator[Session]:
    dsn = clusters.source.dsn(database="shop")
    with PostgresSession(Side.SOURCE, dsn, application_name="crossfade", patience=PATIENT) as session:
        yield session


def test_answers_with_the_first_row_of_each_statement_when_a_script_is_run(session: Session) -> None:
    script = "BEGIN; SELECT 'a', 1; SELECT 2 WHERE false; COMMIT; SELECT 'b', NULL"
    assert session.run(script, patience=PATIENT) == [("a", "1"), ("b", None)]


def test_is_cancelled_and_can_go_on_when_the_patience_is_over(session: Session) -> None:
    with pytest.raises(StatementFailed) as failed:
        session.run("SELECT pg_sleep(36000)", patience=timedelta(seconds=0.2))
    assert (failed.value.sqlstate, failed.value.retryable) == ("57014", True)
    assert session.value("SELECT 1") == 1


def test_quotes_no_row_when_a_statement_fails(session: Session) -> None:
    statement = "INSERT INTO shop.label VALUES ('a', 'private')"
    with pytest.raises(StatementFailed) as asked:
        session.rows(statement)
    with pytest.raises(StatementFailed) as sent:
        session.run(statement, patience=PATIENT)
    for failed in (asked.value, sent.value):
        assert "label_code" in str(failed)
        assert "private" not in str(failed)
        assert "(a)" not in str(failed)
        assert failed.retryable is False


def test_says_unreachable_when_the_server_ends_the_session(clusters: Clusters, session: Session) -> None:
    with psycopg.connect(clusters.source.dsn()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (session.pid,))
    with pytest.raises(SideUnreachable):
        session.rows("SELECT 1")
    assert session.closed
