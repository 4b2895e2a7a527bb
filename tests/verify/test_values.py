"""Which values are the same: hashes of every type, on 13 and 18."""

import pytest

from crossfade.model.terms import Side
from crossfade.verify.postgres import VerifySettings, verify_at_rest
from tests.verify.asking import facts, found
from tests.verify.conftest import Pair

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET


def test_tells_null_from_empty_when_a_column_is_nullable(databases: Pair) -> None:
    databases.both(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b bytea, c int[], d numeric, e bool, f jsonb, g bigint)",
        "INSERT INTO t VALUES (1, '', '', '{}', 0, false, 'null', 0)",
        "INSERT INTO t VALUES (2)",
    )
    assert facts(found(databases)) == set()
    databases.run(TARGET, "UPDATE t SET a=NULL, b=NULL, c=NULL, d=NULL, e=NULL, f=NULL, g=NULL WHERE id = 1")
    assert facts(found(databases)) == {("changed", '{"id": 1}', ("a", "b", "c", "d", "e", "f", "g"))}


EQUAL_IN_TYPED_MODE = [
    ("numeric", "1.10", "1.1"),
    ("float8", "-0", "0"),
    ("jsonb", '{"a": 2.0}', '{"a": 2}'),
    ("jsonb", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
    ("timestamptz", "2024-01-01 12:00:00+00", "2024-01-01 13:00:00+01"),
]


@pytest.mark.parametrize(("kind", "here", "there"), EQUAL_IN_TYPED_MODE)
def test_passes_when_a_type_calls_two_values_equal(databases: Pair, kind: str, here: str, there: str) -> None:
    databases.both(f"CREATE TABLE t (id int PRIMARY KEY, v {kind})")
    databases.run(SOURCE, f"INSERT INTO t VALUES (1, '{here}')")
    databases.run(TARGET, f"INSERT INTO t VALUES (1, '{there}')")
    assert found(databases).differences == ()


@pytest.mark.parametrize(
    ("kind", "here", "there"),
    [("numeric", "1.10", "1.1"), ("jsonb", '{"a": 2.0}', '{"a": 2}'), ("jsonb", "[[1], 2]", "[[1, 2]]")],
)
def test_finds_values_that_look_different_when_strict(databases: Pair, kind: str, here: str, there: str) -> None:
    databases.both(f"CREATE TABLE t (id int PRIMARY KEY, v {kind})")
    databases.run(SOURCE, f"INSERT INTO t VALUES (1, '{here}')")
    databases.run(TARGET, f"INSERT INTO t VALUES (1, '{there}')")
    assert facts(found(databases, strict=True)) == {("changed", '{"id": 1}', ("v",))}


# each pair once collided in some hash: folds of 64 bits into 32, special values, dimensions, far times
DIFFERENT = [
    ("int8", "-1", "4294967295"),
    ("int8", "1", "4294967297"),
    ("numeric", "NaN", "0"),
    ("numeric(9,2)", "NaN", "0"),
    ("float8", "NaN", "Infinity"),
    ("float8", "1.7976931348623157e308", "1.7976931348623155e308"),
    ("float8", "5e-324", "0"),
    ("float4", "1.1", "1.1000001"),
    ("timestamptz", "2024-01-01 00:00:00+00", "2024-01-01 01:11:34.967297+00"),
    ("timestamp", "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999998"),
    ("timestamp", "2199-12-31 23:59:59.999999", "2199-12-31 23:59:59.999998"),
    ("timestamp", "1800-01-01 00:00:00.000001", "1800-01-01 00:00:00"),
    ("timestamp", "1799-12-31 23:59:59.999999", "1799-12-31 23:59:59.999998"),
    ("timestamptz", "9999-01-01 00:00:00+00", "9999-01-01 01:11:34.967297+00"),
    ("timestamptz", "4713-01-01 00:00:00.000001+00 BC", "4713-01-01 00:00:00+00 BC"),
    ("timestamp", "infinity", "-infinity"),
    ("timestamp", "infinity", "294276-12-31 23:59:59.999999"),
    ("time", "00:00:00", "01:11:34.967297"),
    ("timetz", "12:00:00+01", "12:00:00+02"),
    ("interval", "1 mon", "31 days"),
    ("date", "infinity", "4713-01-01 BC"),
    ("date", "5874897-12-31", "5874897-12-30"),
    ("int[]", "{1,2,3,4}", "{{1,2},{3,4}}"),
    ("int[]", "{1,NULL}", "{1}"),
    ("bigint[]", "{-1}", "{4294967295}"),
    ("text[]", "{a,b}", "{b,a}"),
    ("text[]", "{NULL}", '{"NULL"}'),
    ("bytea", r"\x00ff", r"\x00fe"),
    ("text", "a", "a "),
    ("text", "é", "e\u0301"),
    ("varchar(5)", "A", "a"),
    ('"char"', "a", "b"),
    ("bool", "true", "false"),
    ("uuid", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "6f9619ff-8b86-d011-b42d-00cf4fc964fe"),
    ("json", '{"a":1}', '{"a": 1}'),
    ("jsonb", '{"a": 1}', '{"a": "1"}'),
    ("money", "1.00", "1.01"),
    ("point", "(1,2)", "(1,3)"),
    ("bit(3)", "101", "100"),
    ("inet", "10.0.0.1/8", "10.0.0.1/9"),
    ("int4range", "[1,3)", "[1,4)"),
    ("path", "((1,2),(3,4))", "[(1,2),(3,4)]"),
    ("tsvector", "a b", "a c"),
]


def test_finds_them_all_when_values_of_any_type_differ(databases: Pair) -> None:
    databases.both(*(f"CREATE TABLE t{n} (id int PRIMARY KEY, v {kind})" for n, (kind, _, _) in enumerate(DIFFERENT)))
    both = [f"INSERT INTO t{n} VALUES (1, '{here}'), (2, '{there}')" for n, (_, here, there) in enumerate(DIFFERENT)]
    databases.both(*both)
    assert found(databases).differences == ()  # the same value hashes the same on 13 and 18
    databases.run(TARGET, *(f"UPDATE t{n} SET v = '{there}' WHERE id = 1" for n, (_, _, there) in enumerate(DIFFERENT)))
    missed = {f"public.t{n}" for n in range(len(DIFFERENT))} - {d.table for d in found(databases).differences}
    assert {DIFFERENT[int(table.removeprefix("public.t"))] for table in missed} == set()


def test_tells_infinities_of_numeric_apart_when_both_servers_know_them(databases: Pair) -> None:
    databases.run(TARGET, "CREATE SCHEMA a", "CREATE TABLE a.t (id int PRIMARY KEY, v numeric)")
    databases.run(TARGET, "INSERT INTO a.t VALUES (1, 'NaN'), (2, 'NaN'), (3, 'Infinity'), (4, '1')")
    with_itself = VerifySettings(source=databases.dsn(TARGET), target=databases.dsn(TARGET))
    assert verify_at_rest(with_itself).differences == ()
    databases.run(SOURCE, "CREATE SCHEMA a", "CREATE TABLE a.t (id int PRIMARY KEY, v numeric)")
    databases.run(SOURCE, "INSERT INTO a.t VALUES (1, 'NaN'), (2, 'NaN'), (3, 'NaN'), (4, '1')")
    assert facts(found(databases)) == {("changed", '{"id": 3}', ("v",))}


def test_finds_nothing_when_only_settings_of_the_databases_differ(databases: Pair) -> None:
    other = {
        "TimeZone": "Asia/Tokyo",
        "DateStyle": "German",
        "IntervalStyle": "iso_8601",
        "extra_float_digits": "-5",
        "bytea_output": "escape",
        "search_path": "nowhere",
    }
    databases.run(TARGET, *(f"ALTER DATABASE {databases.database} SET {k} = '{v}'" for k, v in other.items()))
    databases.both(
        "CREATE TABLE public.t (id timestamptz PRIMARY KEY, f point, i interval, b bytea[], d date[], s timestamptz)",
        "INSERT INTO public.t VALUES ('2024-03-31 01:30Z', '(1.23456789012345678,2)', '1 mon 2 days', '{a}',"
        " '{2024-01-01}', '9000-01-01 00:00Z')",
    )
    assert found(databases).differences == ()
