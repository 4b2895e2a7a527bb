"""The tables of the benchmark, small: what is measured on them is right, and their bare scan hashes what it should."""

import pytest
from benchmarks.verify import table
from benchmarks.verify_tables import SHAPES

from crossfade.model.terms import Side
from tests.verify.asking import found
from tests.verify.conftest import Pair

pytestmark = pytest.mark.parts


def test_finds_the_one_row_that_is_missing_in_each_of_the_benchmarks_tables(databases: Pair) -> None:
    for name, shape in SHAPES.items():
        databases.both(*shape.filling(table(name), round(300 / shape.part)))
        here, there = (databases.value(side, shape.scan(table(name))) for side in Side)
        assert here == there, name  # what ours is measured against hashes the same on 13 and 18
    seen = found(databases, rest_chunk_rows=100)
    assert (seen.tables, seen.rows, seen.differences, seen.unresolved) == (len(SHAPES), 300 * len(SHAPES), (), ())
    for name in SHAPES:
        named = table(name)
        databases.run(Side.TARGET, f"DELETE FROM {named} WHERE ctid = (SELECT min(ctid) FROM {named})")
    seen = found(databases, rest_chunk_rows=100)
    assert {(d.table, d.kind) for d in seen.differences} == {(f"public.{table(name)}", "missing") for name in SHAPES}
    assert len(seen.differences) == len(SHAPES)
