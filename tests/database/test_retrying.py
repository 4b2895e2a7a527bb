"""Which refusals of a database are worth another try."""

import pytest

from crossfade.database.errors import StatementFailed
from crossfade.model.terms import Side


@pytest.mark.parametrize(
    ("sqlstate", "problem"),
    [
        ("42704", 'replication slot "crossfade_from_source" does not exist'),
        ("42710", 'subscription "crossfade_from_source" already exists'),
        ("42P01", 'relation "crossfade.marker" does not exist'),
        ("23505", 'duplicate key value violates unique constraint "pg_subscription_subname_index"'),
    ],
)
def test_it_is_tried_again_when_another_engine_was_quicker(sqlstate: str, problem: str) -> None:
    assert StatementFailed(Side.SOURCE, sqlstate, problem).retryable


@pytest.mark.parametrize("sqlstate", ["42601", "42501", "0A000", "23505"])
def test_it_is_not_tried_again_when_the_statement_is_wrong(sqlstate: str) -> None:
    assert not StatementFailed(Side.SOURCE, sqlstate, "syntax error").retryable
