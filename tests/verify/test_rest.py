import json
from datetime import timedelta

import pytest
from psycopg import sql

from crossfade.model.seen import Difference
from crossfade.model.terms import Side
from crossfade.verify.catalog import read_relations
from crossfade.verify.chunks import by_key
from crossfade.verify.errors import StatementFailed, TableMissing
from crossfade.verify.postgres import VerifySettings, verify_at_rest
from crossfade.verify.relation import pair
from crossfade.verify.session import Session
from crossfade.verify.statement import TableStatements
from tests.verify.asking import facts, found
from tests.verify.conftest import Pair

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET

ITEMS = (
    "CREATE TABLE items (id bigint PRIMARY KEY, name text, price numeric, at timestamptz)",
    (
        "INSERT INTO items SELECT i, 'name ' || i, i * 1.37, timestamptz '2024-01-01' + i * interval '1.5 s'"
        " FROM generate_series(1, 3000) i"
    ),
)


def test_finds_nothing_when_both_sides_are_the_same(databases: Pair) -> None:
    databases.both(*ITEMS)
    seen = found(databases, rest_chunk_rows=1000)
    assert (seen.tables, seen.rows, seen.differences, seen.unresolved) == (1, 3000, (), ())


def test_names_each_key_when_rows_are_missing_extra_and_changed(databases: Pair) -> None:
    databases.both(*ITEMS)
    databases.run(
        TARGET,
        "DELETE FROM items WHERE id = 1",
        "DELETE FROM items WHERE id = 1000",  # the last of a chunk
        "INSERT INTO items (id, name) VALUES (-5, 'below all'), (9999, 'above all')",
        "UPDATE items SET name = 'other', price = 0 WHERE id = 1001",
        "UPDATE items SET at = at + interval '1 microsecond' WHERE id = 3000",
    )
    seen = found(databases, rest_chunk_rows=1000)
    assert facts(seen) == {
        ("missing", '{"id": 1}', ()),
        ("missing", '{"id": 1000}', ()),
        ("extra", '{"id": -5}', ()),
        ("extra", '{"id": 9999}', ()),
        ("changed", '{"id": 1001}', ("name", "price")),
        ("changed", '{"id": 3000}', ("at",)),
    }
    assert {d.table for d in seen.differences} == {"public.items"}


def test_finds_both_rows_when_a_value_was_swapped_between_them(databases: Pair) -> None:
    databases.both("CREATE TABLE t (id int PRIMARY KEY, a text, b int)", "INSERT INTO t VALUES (1,'x',7),(2,'y',7)")
    databases.run(TARGET, "UPDATE t SET a = CASE id WHEN 1 THEN 'y' ELSE 'x' END")
    assert facts(found(databases)) == {("changed", '{"id": 1}', ("a",)), ("changed", '{"id": 2}', ("a",))}


COMPOSITE = (
    "CREATE TABLE lines (account uuid, day date, number smallint, note text, PRIMARY KEY (day, account, number))",
    (
        "INSERT INTO lines SELECT md5((i % 50)::text)::uuid, date '2024-01-01' + i / 100, i % 100, 'n' || i"
        " FROM generate_series(1, 2000) i"
    ),
)


def test_names_the_whole_key_when_it_is_composite(databases: Pair) -> None:
    databases.both(*COMPOSITE)
    databases.run(TARGET, "UPDATE lines SET note = '' WHERE note = 'n777'", "DELETE FROM lines WHERE note = 'n1234'")
    seen = found(databases, rest_chunk_rows=300)
    assert {(d.kind, tuple(json.loads(d.key))) for d in seen.differences} == {
        ("changed", ("day", "account", "number")),
        ("missing", ("day", "account", "number")),
    }
    assert json.loads(next(d.key for d in seen.differences if d.kind == "changed"))["number"] == 77
    assert seen.rows == 2000


def test_compares_text_keys_when_the_sides_sort_them_differently(databases: Pair) -> None:
    databases.run(SOURCE, 'CREATE TABLE words (word text COLLATE "en-x-icu" PRIMARY KEY, n int)')
    databases.run(TARGET, 'CREATE TABLE words (word text COLLATE "C" PRIMARY KEY, n int)')
    databases.both(
        "INSERT INTO words SELECT (ARRAY['a','A','-a','ä','Z'])[1 + i % 5] || i, i FROM generate_series(1, 500) i"
    )
    assert found(databases, rest_chunk_rows=50).differences == ()
    databases.run(TARGET, "UPDATE words SET n = 0 WHERE word = 'ä498'", "DELETE FROM words WHERE word = '-a2'")
    seen = found(databases, rest_chunk_rows=50)
    assert facts(seen) == {("changed", '{"word": "ä498"}', ("n",)), ("missing", '{"word": "-a2"}', ())}
    assert seen.rows == 500


def test_takes_numeric_keys_as_equal_when_only_their_scale_differs(databases: Pair) -> None:
    databases.both("CREATE TABLE t (id numeric PRIMARY KEY, v int)")
    databases.run(SOURCE, "INSERT INTO t VALUES (1.10, 1), (2, 2), ('NaN', 3)")
    databases.run(TARGET, "INSERT INTO t VALUES (1.1, 0), (2.000, 2), ('NaN', 0)")
    assert facts(found(databases, rest_chunk_rows=1)) == {
        ("changed", '{"id": "1.1"}', ("v",)),
        ("changed", '{"id": "NaN"}', ("v",)),
    }


def test_compares_as_a_multiset_when_a_table_has_no_key(databases: Pair) -> None:
    databases.both(
        "CREATE TABLE log (line text, n int)", "INSERT INTO log SELECT 'l' || i % 10, 1 FROM generate_series(1, 100) i"
    )
    assert found(databases).differences == ()
    databases.run(TARGET, "DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log WHERE line = 'l3')")
    databases.run(TARGET, "INSERT INTO log VALUES ('new', 1)")
    seen = found(databases)
    assert sorted(d.kind for d in seen.differences) == ["extra", "missing"]
    assert all(json.loads(d.key).keys() == {"row_hash"} for d in seen.differences)


def test_finds_a_double_when_the_target_has_lost_its_unique_index(databases: Pair) -> None:
    databases.both("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    databases.run(TARGET, "ALTER TABLE t DROP CONSTRAINT t_pkey", "INSERT INTO t VALUES (2, 2)")
    assert facts(found(databases)) == {("extra", '{"id": 2}', ())}


def test_reads_partitions_through_the_parent_when_a_table_is_partitioned(databases: Pair) -> None:
    databases.both(
        "CREATE TABLE p (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')",
        "INSERT INTO p SELECT i, date '2024-01-01' + i % 50, 'v' FROM generate_series(1, 200) i",
    )
    databases.run(TARGET, "UPDATE p SET v = 'w' WHERE id = 40")
    seen = found(databases, rest_chunk_rows=30)
    assert (seen.tables, seen.rows) == (1, 200)
    assert facts(seen) == {("changed", '{"id": 40, "day": "2024-02-10"}', ("v",))}


def test_compares_by_name_when_columns_stand_in_another_order(databases: Pair) -> None:
    databases.run(SOURCE, "CREATE TABLE t (id int PRIMARY KEY, a int, b int)", "INSERT INTO t VALUES (1, 2, 3)")
    databases.run(TARGET, "CREATE TABLE t (b int, id int PRIMARY KEY, a int)", "INSERT INTO t VALUES (3, 1, 2)")
    assert found(databases).differences == ()


def test_compares_texts_when_a_column_has_another_type_there(databases: Pair) -> None:
    databases.run(SOURCE, "CREATE TABLE t (id int PRIMARY KEY, v varchar(9))", "INSERT INTO t VALUES (1,'a'),(2,'b')")
    databases.run(TARGET, "CREATE TABLE t (id bigint PRIMARY KEY, v text)", "INSERT INTO t VALUES (1,'a'),(2,'x')")
    assert facts(found(databases)) == {("changed", '{"id": 2}', ("v",))}


def test_hashes_by_label_when_an_enum_or_domain_has_other_ids_there(databases: Pair) -> None:
    databases.run(TARGET, "CREATE TYPE shift AS ENUM ('unused')")  # object ids now differ
    databases.both(
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        "CREATE DOMAIN cents AS bigint CHECK (value >= 0)",
        "CREATE TABLE t (m mood PRIMARY KEY, c cents)",
        "INSERT INTO t VALUES ('glad', 1), ('sad', 2)",
    )
    assert found(databases).differences == ()
    databases.run(TARGET, "UPDATE t SET c = 4294967298 WHERE m = 'sad'")
    assert facts(found(databases)) == {("changed", '{"m": "sad"}', ("c",))}


def test_survives_when_names_are_awkward(databases: Pair) -> None:
    databases.both(
        'CREATE SCHEMA "odd %s"',
        'CREATE TABLE "odd %s"."Ta""ble%" ("Id %" int, "b""%(x)s" text, PRIMARY KEY ("Id %", "b""%(x)s"))',
        'INSERT INTO "odd %s"."Ta""ble%" VALUES (1, \'%s\')',
    )
    databases.run(TARGET, 'UPDATE "odd %s"."Ta""ble%" SET "Id %" = 2')
    assert {d.kind for d in found(databases).differences} == {"missing", "extra"}


def test_reports_as_unresolved_when_something_stands_on_one_side_only(databases: Pair) -> None:
    databases.run(SOURCE, "CREATE TABLE gone (id int PRIMARY KEY)")
    databases.run(TARGET, "CREATE TABLE fresh (id int PRIMARY KEY)")
    databases.run(SOURCE, "CREATE TABLE t (id int PRIMARY KEY, a int)")
    databases.run(TARGET, "CREATE TABLE t (id int PRIMARY KEY, b int)")
    seen = found(databases)
    assert seen.unresolved == (
        "public.gone: missing on the target",
        "public.fresh: stands only on the target",
        "public.t: column a is missing on the target",
        "public.t: column b stands only on the target",
    )


def test_reports_a_table_as_unresolved_when_it_may_not_be_read(databases: Pair) -> None:
    databases.both("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
    databases.both(f"CREATE ROLE {databases.database} LOGIN", f"GRANT SELECT ON b TO {databases.database}")
    try:
        dsns = {
            side: databases.clusters[side].dsn(user=databases.database, database=databases.database) for side in Side
        }
        seen = verify_at_rest(VerifySettings(source=dsns[SOURCE], target=dsns[TARGET]))
        assert [text.split(":")[0] for text in seen.unresolved] == ["public.a"]
        assert "42501" in seen.unresolved[0]
    finally:
        databases.both(f"DROP OWNED BY {databases.database}", f"DROP ROLE {databases.database}")


def test_does_not_pass_when_a_policy_hides_rows(databases: Pair) -> None:
    role = databases.database
    databases.both("CREATE TABLE t (id int PRIMARY KEY)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    databases.both(f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON t TO {role}")
    databases.run(SOURCE, "INSERT INTO t VALUES (1)")
    try:
        dsns = {side: databases.clusters[side].dsn(user=role, database=role) for side in Side}
        seen = verify_at_rest(VerifySettings(source=dsns[SOURCE], target=dsns[TARGET]))
        assert [text.split(":")[0] for text in seen.unresolved] == ["public.t"]
    finally:
        databases.both(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_refuses_to_write_when_a_session_is_asked_to(databases: Pair) -> None:
    databases.both(*ITEMS)
    with (
        Session(SOURCE, databases.dsn(SOURCE), statement_timeout=timedelta(seconds=5)) as session,
        pytest.raises(StatementFailed) as caught,
    ):
        session.rows(sql.SQL("DELETE FROM public.items RETURNING id"))
    assert caught.value.sqlstate == "25006"


def test_lists_the_target_sequences_when_they_are_behind(databases: Pair) -> None:
    databases.both(
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)", "CREATE SEQUENCE down INCREMENT -1"
    )
    databases.run(TARGET, "SELECT setval('t_id_seq', 40)", "SELECT setval('down', -40)")
    databases.run(SOURCE, "SELECT setval('t_id_seq', 40)", "SELECT setval('down', -39)")
    assert found(databases).differences == ()
    databases.run(SOURCE, "SELECT nextval('t_id_seq')", "SELECT setval('down', -41)")
    assert found(databases).differences == (
        Difference(table="public.down", key="{}", kind="changed", columns=("last_value",)),
        Difference(table="public.t_id_seq", key="{}", kind="changed", columns=("last_value",)),
    )
    assert [d.table for d in found(databases, tables=("t",)).differences] == ["public.t_id_seq"]


def test_compares_only_those_when_tables_are_named(databases: Pair) -> None:
    databases.both(*(f"CREATE TABLE {name} (id int PRIMARY KEY)" for name in ("a", "b", "c")))
    assert found(databases, tables=("public.a", "b")).tables == 2
    with pytest.raises(TableMissing) as caught:
        found(databases, tables=("a", "nosuch", "other.a"))
    assert caught.value.tables == ("nosuch", "other.a")


def test_cuts_the_list_short_and_says_so_when_a_table_is_empty_there(
    databases: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossfade.verify.outcome.MOST_DIFFERENCES", 1000)
    databases.both(*ITEMS)
    databases.run(TARGET, "TRUNCATE items")
    seen = found(databases, rest_chunk_rows=1500)
    assert 1000 <= len(seen.differences) < 3000
    assert {d.kind for d in seen.differences} == {"missing"}
    assert len(seen.unresolved) == 1


def test_cuts_the_list_short_when_all_tables_together_have_too_many(
    databases: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossfade.verify.outcome.MOST_IN_ALL", 30)
    for name in ("a", "b", "c"):
        databases.both(f"CREATE TABLE {name} (id int PRIMARY KEY)")
        databases.run(SOURCE, f"INSERT INTO {name} SELECT generate_series(1, 20)")
    seen = found(databases)
    assert [difference.table for difference in seen.differences] == ["public.a"] * 20 + ["public.b"] * 20
    assert seen.unresolved == ("public.c: 30 differences were listed in all tables; rows after them were not compared",)


def test_changes_nothing_when_it_reads(databases: Pair) -> None:
    databases.both(*ITEMS)
    count = "SELECT count(*) FROM pg_class"
    before = [databases.value(side, count) for side in Side]
    found(databases)
    assert [databases.value(side, count) for side in Side] == before


def test_cuts_slices_of_equal_size_when_it_walks_the_key(databases: Pair) -> None:
    databases.both(*ITEMS)
    with Session(SOURCE, databases.dsn(SOURCE), statement_timeout=timedelta(seconds=5)) as session:
        relation = read_relations(session, ())["public", "items"]
        statements = TableStatements(session, pair(relation, relation))
        sizes = [statements.digest(part).rows for part in by_key(statements, 700)]
    assert sizes == [700, 700, 700, 700, 200]
