"""Where a table is cut: every row in one chunk and in one only, whatever the statistics know."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from crossfade.model.terms import Side
from crossfade.verify.bounds import Chunk, cut
from crossfade.verify.catalog import read_relations
from crossfade.verify.relation import pair
from crossfade.verify.session import Session
from crossfade.verify.statement import Slice, TableStatements
from tests.verify.conftest import Pair

pytestmark = pytest.mark.parts


@contextmanager
def statements(databases: Pair) -> Iterator[TableStatements]:
    with Session(Side.SOURCE, databases.dsn(Side.SOURCE), statement_timeout=timedelta(seconds=20)) as session:
        relation = read_relations(session, ())["public", "t"]
        yield TableStatements(session, pair(relation, relation))


def sizes(reads: TableStatements, rows: int) -> list[int]:
    """The rows of each chunk; together they have to be those of the table, and so do those of their parts."""
    chunks: list[Chunk] = list(cut(reads, rows))
    assert_parts_are_the_chunks(reads, rows)
    counted = [reads.digest(chunk.part or Slice()).rows for chunk in chunks]
    whole = reads.digest(Slice())
    assert sum(counted) == whole.rows
    total = sum(reads.digest(chunk.part or Slice()).total for chunk in chunks)
    assert total == whole.total
    return counted


def assert_parts_are_the_chunks(reads: TableStatements, rows: int) -> None:
    parted = [chunk.part for chunk in cut(reads, rows, 4) if chunk.part]
    digests = [digest for part in parted for digest in reads.digests_of_parts(part)]
    assert digests == [reads.digest(each) for part in parted for each in part.parts()]
    whole = reads.digest(Slice())
    assert (sum(digest.rows for digest in digests), sum(digest.total for digest in digests)) == (
        whole.rows,
        whole.total,
    )


def test_cuts_a_chunk_into_parts_that_one_statement_digests(databases: Pair) -> None:
    databases.run(
        Side.SOURCE,
        'CREATE TABLE t (a int, low_0 text COLLATE "C", b int, PRIMARY KEY (a, low_0))',  # names of the statement's own
        "INSERT INTO t SELECT i / 3, i::text, i FROM generate_series(1, 1200) i",
    )
    with statements(databases) as reads:
        for _ in range(2):
            chunks = list(cut(reads, 100, 4))
            assert max(chunk.rows for chunk in chunks) <= 100
            assert sum(len(chunk.part.parts()) == 4 for chunk in chunks if chunk.part) >= 10
            assert_parts_are_the_chunks(reads, 100)
            databases.run(Side.SOURCE, "ANALYZE t")  # at first by a walk, now by statistics


NUMBERS = "CREATE TABLE t (id bigint PRIMARY KEY, v text)"


def test_cuts_by_statistics_and_walks_what_is_newer(databases: Pair) -> None:
    databases.run(
        Side.SOURCE, NUMBERS, "INSERT INTO t SELECT i * 3, 'v' FROM generate_series(-2000, 2000) i", "ANALYZE t"
    )
    with statements(databases) as reads:
        assert max(sizes(reads, 200)) <= 2 * 200
        assert len(sizes(reads, 200)) >= 20
        assert max(sizes(reads, 10)) <= 4 * 10  # buckets of 40 rows are divided further
        databases.run(Side.SOURCE, "INSERT INTO t SELECT i, 'new' FROM generate_series(7001, 9000) i")
        assert max(sizes(reads, 200)) <= 2 * 200


def test_walks_the_index_when_there_are_no_statistics(databases: Pair) -> None:
    databases.run(Side.SOURCE, NUMBERS, "ALTER TABLE t SET (autovacuum_enabled = off)")
    databases.run(Side.SOURCE, "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 1000) i")
    with statements(databases) as reads:
        assert sizes(reads, 300) == [300, 300, 300, 100]


@pytest.mark.parametrize(
    "columns",
    [
        'a int, b text COLLATE "C", PRIMARY KEY (a, b)',
        "a uuid PRIMARY KEY DEFAULT gen_random_uuid(), b text",
        'a date, b text COLLATE "C", PRIMARY KEY (a, b)',
        'a text COLLATE "C" PRIMARY KEY, b text',
    ],
)
def test_loses_no_row_when_the_key_is_of_another_kind(databases: Pair, columns: str) -> None:
    value = {
        "a int": "i / 10",
        "a uuid": "md5(i::text)::uuid",
        "a date": "date '2024-01-01' + i / 10",
        "a text": "md5(i::text)",
    }[" ".join(columns.split()[:2]).rstrip(",")]
    databases.run(
        Side.SOURCE,
        f"CREATE TABLE t ({columns})",
        f"INSERT INTO t SELECT {value}, i::text FROM generate_series(1, 1500) i",
        "ANALYZE t",
    )
    with statements(databases) as reads:
        assert len(sizes(reads, 100)) >= 10
        assert len(sizes(reads, 3)) >= 50


def test_walks_when_the_keys_first_column_has_few_values(databases: Pair) -> None:
    databases.run(
        Side.SOURCE,
        "CREATE TABLE t (kind int, id int, PRIMARY KEY (kind, id))",
        "INSERT INTO t SELECT i % 2, i FROM generate_series(1, 1000) i",
        "ANALYZE t",
    )
    with statements(databases) as reads:
        assert sizes(reads, 300) == [300, 300, 300, 100]
