"""Every type of the catalog, on each version: verified, or named as not."""

from collections.abc import Iterator

import psycopg
import pytest

from crossfade.model.terms import Side
from crossfade.verify.kinds import NOT_COMPARED
from crossfade.verify.postgres import VerifySettings, verify_at_rest
from crossfade.verify.rules import TableRule
from tests.verify.asking import facts, found
from tests.verify.conftest import Pair

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET

# two values of each, so near to each other that a hash that folds or rounds would take them for one
SAMPLES = {
    "aclitem": ("postgres=r/postgres", "postgres=w/postgres"),
    "bit": ("0", "1"),
    "bool": ("f", "t"),
    "box": ("(2,2),(0,0)", "(2,2),(0,1)"),
    "bpchar": ("a", "A"),
    "bytea": (r"\x00", r"\x0000"),
    "cardinal_number": ("1", "2"),
    "char": ("a", "b"),
    "character_data": ("a", "a "),
    "cid": ("1", "4294967295"),
    "cidr": ("10.0.0.0/8", "10.0.0.0/9"),
    "circle": ("<(0,0),1>", "<(0,0),1.0000000000000002>"),
    "date": ("5874897-12-31", "infinity"),
    "datemultirange": ("{[2024-01-01,2024-01-03)}", "{[2024-01-01,2024-01-02),[2024-01-02,2024-01-04)}"),
    "daterange": ("[2024-01-01,2024-01-03)", "[2024-01-01,)"),
    "float4": ("1e-45", "0"),
    "float8": ("1.7976931348623157e308", "Infinity"),
    "inet": ("::1", "::1/127"),
    "int2": ("-32768", "32767"),
    "int2vector": ("1 2", "2 1"),
    "int4": ("-1", "1"),
    "int4multirange": ("{}", "{[1,2)}"),
    "int4range": ("empty", "[1,2)"),
    "int8": ("-1", "4294967295"),
    "int8multirange": ("{[1,2)}", "{[1,4294967298)}"),
    "int8range": ("[1,2)", "[1,4294967298)"),
    "interval": ("1 mon", "1 mon 00:00:00.000001"),
    "json": ('{"a":1}', '{"a": 1}'),
    "jsonb": ('{"a": 1}', '{"a": null}'),
    "jsonpath": ("$.a", "$.b"),
    "line": ("{1,2,3}", "{1,2,4}"),
    "lseg": ("[(0,0),(1,1)]", "[(1,1),(0,0)]"),
    "macaddr": ("08:00:2b:01:02:03", "08:00:2b:01:02:04"),
    "macaddr8": ("08:00:2b:01:02:03:04:05", "08:00:2b:01:02:03:04:06"),
    "money": ("0.01", "-0.01"),
    "name": ("a", "A"),
    "numeric": ("NaN", "0"),
    "nummultirange": ("{[1,2)}", "{[1,2]}"),
    "numrange": ("[1,2)", "[1,2]"),
    "oid": ("1", "4294967295"),
    "oidvector": ("1 2", "2 1"),
    "path": ("((1,2),(3,4))", "[(1,2),(3,4)]"),
    "pg_lsn": ("0/1", "1/1"),
    "pg_snapshot": ("10:20:10,14", "10:20:10,15"),
    "point": ("(0,1)", "(-0,1)"),
    "polygon": ("((0,0),(1,1),(2,0))", "((1,1),(2,0),(0,0))"),
    "refcursor": ("a", "b"),
    "regclass": ("pg_class", "pg_type"),
    "regcollation": ('"C"', '"POSIX"'),
    "regconfig": ("simple", "english"),
    "regdictionary": ("simple", "english_stem"),
    "regnamespace": ("pg_catalog", "public"),
    "regoper": ("|/", "||/"),
    "regoperator": ("+(integer,integer)", "-(integer,integer)"),
    "regproc": ("now", "pi"),
    "regprocedure": ("abs(integer)", "abs(bigint)"),
    "regrole": ("postgres", "pg_monitor"),
    "regtype": ("integer", "bigint"),
    "sql_identifier": ("a", "b"),
    "text": ("", "\\"),
    "tid": ("(0,1)", "(1,0)"),
    "time": ("00:00:00", "01:11:34.967297"),
    "time_stamp": ("2024-01-01 00:00:00.01+00", "2024-01-01 00:00:00.02+00"),
    "timestamp": ("294276-12-31 23:59:59.999999", "294276-12-31 23:59:59.999998"),
    "timestamptz": ("4713-01-01 00:00:00+00 BC", "-infinity"),
    "timetz": ("12:00:00+01", "11:00:00+00"),
    "tsmultirange": ("{[2024-01-01,2024-01-02)}", "{[2024-01-01,2024-01-02]}"),
    "tsquery": ("a & b", "a | b"),
    "tsrange": ("[2024-01-01,2024-01-02)", "(2024-01-01,2024-01-02)"),
    "tstzmultirange": ("{[2024-01-01,2024-01-02)}", "{[2024-01-01,2024-01-02]}"),
    "tstzrange": ("[2024-01-01,2024-01-02)", "(2024-01-01,2024-01-02)"),
    "tsvector": ("a:1", "a:1A"),
    "txid_snapshot": ("10:20:10,14", "10:20:10,15"),
    "uuid": ("6f9619ff-8b86-d011-b42d-00cf4fc964ff", "6f9619ff-8b86-d011-b42d-00cf4fc964fe"),
    "varbit": ("1", "10"),
    "varchar": ("a", "á"),
    "xid": ("1", "4294967295"),
    "xid8": ("1", "4294967297"),
    "xml": ("<a/>", "<a></a>"),
    "yes_or_no": ("YES", "NO"),
}
TYPES = """
    SELECT t.typname, format_type(t.oid, NULL), t.typarray <> 0 FROM pg_type t
    WHERE t.typnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND t.typtype IN ('b', 'd', 'e', 'r', 'm')
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)  -- arrays come with their elements
    ORDER BY 1
"""


def described(databases: Pair, side: Side) -> Iterator[tuple[str, str, bool]]:
    with psycopg.connect(databases.dsn(side)) as connection:
        yield from connection.execute(TYPES.encode()).fetchall()


def samples(databases: Pair, *sides: Side) -> dict[str, tuple[str, str]]:
    """Those that every one of the servers can take: some are built without XML."""
    for side in sides:
        try:
            databases.value(side, "SELECT '<a/>'::xml::text")
        except psycopg.errors.FeatureNotSupported:
            return {kind: values for kind, values in SAMPLES.items() if kind != "xml"}
    return SAMPLES


def filled(databases: Pair, side: Side, schema: str, which: int, known: dict[str, tuple[str, str]]) -> None:
    """A table with a column of each type and one with arrays of each, with one row of the samples' `which`."""
    types = list(described(databases, side))
    for table, array in (("one", False), ("many", True)):
        chosen = [(kind, sql_name) for kind, sql_name, has_array in types if has_array or not array]
        columns = ", ".join(f'"{kind}" {sql_name}{"[]" * array}' for kind, sql_name in chosen)
        values = [known[kind][which] for kind, _ in chosen if kind in known]
        names = ", ".join(f'"{kind}"' for kind, _ in chosen if kind in known)
        places = ", ".join(f"ARRAY[%s]::{sql_name}[]" if array else "%s" for kind, sql_name in chosen if kind in known)
        with psycopg.connect(databases.dsn(side), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
            connection.execute(f"CREATE TABLE {schema}.{table} (id int PRIMARY KEY, {columns})".encode())
            connection.execute(f"INSERT INTO {schema}.{table} (id, {names}) VALUES (1, {places})".encode(), values)


@pytest.mark.parametrize("side", list(Side))
def test_every_type_of_the_catalog_is_verified_or_named_as_not(databases: Pair, side: Side) -> None:
    known = samples(databases, side)
    filled(databases, side, "a", 0, known)
    filled(databases, side, "b", 1, known)
    dsn, rules = databases.dsn(side), {f"a.{table}": TableRule(target=f"b.{table}") for table in ("one", "many")}
    seen = verify_at_rest(VerifySettings(source=dsn, target=dsn, rules=rules, tables=("a.one", "a.many")))
    told = {difference.table: set(difference.columns) for difference in seen.differences}
    unwritable = SAMPLES.keys() - known.keys()
    types = [each for each in described(databases, side) if each[0] not in unwritable]
    assert told["a.one"] == {kind for kind, _, _ in types if kind not in NOT_COMPARED}
    assert told["a.many"] == {kind for kind, _, has_array in types if has_array and kind not in NOT_COMPARED}
    named = {text.split()[2] for text in seen.unresolved}
    assert named == {kind for kind, _, _ in types} & NOT_COMPARED
    assert all("which is not compared" in text for text in seen.unresolved)


def test_every_type_hashes_the_same_on_13_and_18(databases: Pair) -> None:
    for which, schema in enumerate(("a", "b")):
        for side in Side:
            filled(databases, side, schema, which, samples(databases, *Side))
    assert found(databases).differences == ()


MADE = (
    "CREATE TYPE mood AS ENUM ('glad', 'sad')",
    "CREATE DOMAIN cents AS bigint CHECK (value >= 0)",
    "CREATE TYPE reading AS (at timestamptz, value float8, mood mood)",
    "CREATE TYPE span AS RANGE (subtype = float8)",
    (
        "CREATE TABLE made (id int PRIMARY KEY, c reading, d cents[], e mood[], r span, n reading[],"
        " doubled int GENERATED ALWAYS AS (id * 2) STORED)"
    ),
    (
        "INSERT INTO made VALUES (1, '(\"2024-01-01 00:00:00+00\",0.1,glad)', '{1}', '{glad}', '[0.1,0.3)',"
        " ARRAY['(,,sad)'::reading])"
    ),
    "INSERT INTO made VALUES (2)",
)
CHANGES = {
    "c": "('2024-01-01 00:00:00+00', 0.1::float8 + 5e-17, 'glad')",
    "d": "'{4294967297}'",
    "e": "'{sad}'",
    "r": "'[0.1,0.30000000000000004)'",
    "n": "ARRAY['(,0,sad)'::reading]",
}


def test_types_that_people_made_are_compared_by_what_they_hold(databases: Pair) -> None:
    databases.run(TARGET, "CREATE TYPE shift AS ENUM ('other ids')", "SET TimeZone = 'Asia/Tokyo'")
    databases.both(*MADE)
    assert found(databases).differences == ()
    databases.run(TARGET, *(f"UPDATE made SET {column} = {value} WHERE id = 1" for column, value in CHANGES.items()))
    assert facts(found(databases)) == {("changed", '{"id": 1}', tuple(CHANGES))}


def test_a_generated_column_is_compared_when_the_sides_compute_it_otherwise(databases: Pair) -> None:
    for side, factor in ((SOURCE, 2), (TARGET, 3)):
        databases.run(side, f"CREATE TABLE g (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * {factor}) STORED)")
    databases.both("INSERT INTO g VALUES (0), (1)")
    assert facts(found(databases)) == {("changed", '{"id": 1}', ("v",))}


def test_large_objects_are_compared_when_no_schema_is_named(databases: Pair) -> None:
    databases.both("SELECT lo_from_bytea(4711, repeat('ab', 3000)::bytea)", "SELECT lo_from_bytea(4712, '')")
    assert found(databases).differences == ()
    databases.run(TARGET, r"SELECT lo_put(4711, 5000, '\x00')", "SELECT lo_unlink(4712)")
    assert {(d.table, d.kind, d.key) for d in found(databases).differences} == {
        ("pg_catalog.pg_largeobject", "changed", '{"loid": "4711", "pageno": 2}'),
        ("pg_catalog.pg_largeobject_metadata", "missing", '{"oid": "4712"}'),
    }
    assert found(databases, schemas=("public",)).differences == ()


def test_a_key_with_descending_columns_is_compared_when_its_index_cannot_be_walked(databases: Pair) -> None:
    databases.both(
        "CREATE TABLE k (a int NOT NULL, b int NOT NULL, v int)",
        "CREATE UNIQUE INDEX ON k (a DESC, b ASC)",
        "CREATE TABLE d (a int NOT NULL, v int)",
        "CREATE UNIQUE INDEX ON d (a DESC)",
        "INSERT INTO k SELECT i / 10, i % 10, i FROM generate_series(0, 499) i",
        "INSERT INTO d SELECT i, i FROM generate_series(0, 499) i",
    )
    databases.run(TARGET, "UPDATE k SET v = -1 WHERE (a, b) = (7, 3)", "DELETE FROM d WHERE a IN (0, 499)")
    assert facts(found(databases, rest_chunk_rows=60)) == {
        ("changed", '{"a": 7, "b": 3}', ("v",)),
        ("missing", '{"a": 0}', ()),
        ("missing", '{"a": 499}', ()),
    }
