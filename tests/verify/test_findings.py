"""What is told of a difference, the script that would repair it, and what is not rows."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from crossfade.model.terms import Side
from crossfade.verify.examination import Examination, How, examine
from crossfade.verify.postgres import verify_at_rest
from crossfade.verify.repair import script
from crossfade.verify.rules import TableRule
from crossfade.verify.session import Session
from crossfade.verify.settings import Values
from crossfade.verify.structure import StructureDifference, differences
from tests.verify.asking import facts, found
from tests.verify.conftest import Pair, ScriptedReplay

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET

PEOPLE = (
    "CREATE TABLE people (id int PRIMARY KEY, name text, born date, photo bytea)",
    "INSERT INTO people SELECT i, 'person ' || i, date '1990-01-01' + i, '\\x00ff' FROM generate_series(1, 20) i",
)


def examined(databases: Pair, how: How | None = None, **changes: object) -> Examination:
    return examine(dataclasses.replace(databases.settings, **changes), how or How())  # type: ignore[arg-type]


def test_masks_tell_whether_values_are_equal_and_not_what_they_are(databases: Pair) -> None:
    databases.both(*PEOPLE)
    databases.run(
        TARGET, "UPDATE people SET name = 'secret', born = NULL WHERE id = 2", "DELETE FROM people WHERE id = 3"
    )
    changed, missing = examined(databases, values=Values.MASKED).findings
    assert changed.source is not None
    assert changed.target is not None
    assert set(changed.source) == set(changed.target) == {"name", "born"}
    assert changed.target["born"] is None
    masks = {*changed.source.values(), *changed.target.values()} - {None}
    assert all(mask is not None and len(mask) == 16 and int(mask, 16) >= 0 for mask in masks)
    assert len(masks) == 3
    assert missing.target is None
    assert missing.source is not None
    assert set(missing.source) == {"id", "name", "born", "photo"}
    again = examined(databases, values=Values.MASKED).findings[0]
    assert again.source is not None
    assert again.source["name"] != changed.source["name"]  # a new key: masks cannot be gathered over runs


def test_values_are_shown_when_asked_for_and_long_ones_are_cut(databases: Pair) -> None:
    databases.both(*PEOPLE)
    databases.run(TARGET, "UPDATE people SET name = repeat('é', 300), born = NULL WHERE id = 2")
    (changed,) = examined(databases, values=Values.SHOWN).findings
    assert changed.source == {"name": "person 2", "born": "1990-01-03"}
    assert changed.target == {"name": "é" * 200 + "…", "born": None}


def test_values_are_told_of_the_version_that_was_judged_when_compared_live(databases: Pair) -> None:
    databases.both(*PEOPLE)
    databases.run(TARGET, "UPDATE people SET name = 'wrong' WHERE id = 2")
    how = How(live=True, primary=SOURCE, replays=ScriptedReplay(lambda: None))
    (changed,) = examined(databases, how, values=Values.SHOWN).findings
    assert (changed.source, changed.target) == ({"name": "person 2"}, {"name": "wrong"})


ODD = 'CREATE TABLE "odd "" one"."t\'%" ("k\'" text, n numeric, "v %" text, f float8, at timestamptz, b bytea, j jsonb,'
AWKWARD = (
    'CREATE SCHEMA "odd "" one"',
    ODD + ' a text[], g int GENERATED ALWAYS AS (1) STORED, PRIMARY KEY ("k\'", n))',
    (
        "INSERT INTO \"odd \"\" one\".\"t'%\" SELECT 'k''\\ ' || chr(10) || '; DROP TABLE x; --' || i, i * 1.10,"
        " E'\\\\ '' %s', 0.1 + i, now(), '\\x00', '{\"a\": [1]}', '{\"x,y\", NULL}' FROM generate_series(1, 9) i"
    ),
    "CREATE TABLE ids (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE)",
    "INSERT INTO ids (code) VALUES ('a'), ('b'), ('c')",
    "CREATE TABLE log (line text, n int)",
    "INSERT INTO log SELECT 'l' || i % 3, 1 FROM generate_series(1, 12) i",
)
SPOIL = (
    'DELETE FROM "odd "" one"."t\'%" WHERE n = 2.20',
    'UPDATE "odd "" one"."t\'%" SET "v %" = NULL, f = \'NaN\', b = NULL, a = NULL WHERE n = 3.30',
    'INSERT INTO "odd "" one"."t\'%" ("k\'", n) VALUES (\'extra\', \'NaN\')',
    "DELETE FROM ids WHERE id = 2",
    "INSERT INTO ids (code) VALUES ('b')",  # the repair inserts what must be deleted first
    "DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)",
    "INSERT INTO log VALUES ('l1', 1), ('l1', 1), ('new', NULL)",
)


def test_the_repair_script_makes_the_sides_alike_when_a_person_runs_it(databases: Pair) -> None:
    databases.run(SOURCE, *AWKWARD)
    databases.run(TARGET, *AWKWARD)
    databases.run(TARGET, 'UPDATE "odd "" one"."t\'%" SET at = at')
    with psycopg.connect(databases.dsn(SOURCE)) as here:
        told = here.execute('SELECT at::text FROM "odd "" one"."t\'%" LIMIT 1').fetchone()
    assert told
    databases.run(TARGET, f'UPDATE "odd "" one"."t\'%" SET at = \'{told[0]}\'')
    assert found(databases).differences == ()
    databases.run(TARGET, *SPOIL)
    before = examined(databases)
    assert len(before.findings) >= 7
    text = "".join(script(databases.settings, before))
    assert found(databases).differences == before.verification.differences  # writing it repaired nothing
    databases.run(TARGET, text)
    assert [d for d in found(databases).differences if "seq" not in d.table] == []


def test_the_repair_script_leaves_a_row_alone_when_it_has_changed_since(databases: Pair) -> None:
    databases.both(*PEOPLE)
    databases.run(TARGET, "UPDATE people SET name = 'wrong' WHERE id < 3")
    text = "".join(script(databases.settings, examined(databases)))
    databases.run(TARGET, "UPDATE people SET name = 'newer' WHERE id = 2")
    databases.run(TARGET, text)
    assert facts(found(databases)) == {("changed", '{"id": 2}', ("name",))}


def test_rules_map_names_ignore_columns_and_filter_rows(databases: Pair) -> None:
    databases.run(SOURCE, "CREATE TABLE old (id int PRIMARY KEY, name text, noise int, at date)")
    databases.run(
        TARGET, "CREATE SCHEMA new", "CREATE TABLE new.fresh (key int PRIMARY KEY, title text, at date, added int)"
    )
    databases.run(SOURCE, "INSERT INTO old SELECT i, 'n' || i, i, date '2024-01-01' + i FROM generate_series(0, 99) i")
    databases.run(
        TARGET, "INSERT INTO new.fresh SELECT i, 'n' || i, date '2024-01-01' + i FROM generate_series(50, 99) i"
    )
    rule = TableRule(
        target="new.fresh",
        columns={"id": "key", "name": "title"},
        ignore=("noise",),
        ignore_on_target=("added",),
        where="at >= '2024-02-20' -- a comment % ends here",
    )
    seen = found(databases, rules={"public.old": rule}, rest_chunk_rows=10)
    assert (seen.rows, seen.differences, seen.unresolved) == (50, (), ())
    databases.run(TARGET, "UPDATE new.fresh SET title = 'x' WHERE key = 77", "DELETE FROM new.fresh WHERE key = 99")
    assert facts(found(databases, rules={"public.old": rule})) == {
        ("changed", '{"id": 77}', ("name",)),
        ("missing", '{"id": 99}', ()),
    }
    text = "".join(
        script(
            dataclasses.replace(databases.settings, rules={"public.old": rule}),
            examined(databases, rules={"public.old": rule}),
        )
    )
    databases.run(TARGET, text)
    assert found(databases, rules={"public.old": rule}).differences == ()


GUARDED = (
    "CREATE TABLE t (id bigint PRIMARY KEY, v varchar(9) NOT NULL DEFAULT 'x', n numeric(5,2), at date DEFAULT now())",
    "CREATE INDEX by_v ON t (v) WHERE n > 0",
    "ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0)",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE POLICY own ON t USING (id > 0)",
    "GRANT SELECT, INSERT ON t TO PUBLIC",
    "INSERT INTO t (id) VALUES (1)",
    "ANALYZE t",
)
# each makes one difference: (statement on the target, kind, name)
SPOILT = [
    ("ALTER TABLE t ALTER v TYPE varchar(10)", "column", "v"),
    ("ALTER TABLE t ALTER at DROP DEFAULT", "column", "at"),
    ("ALTER TABLE t DROP CONSTRAINT positive", "constraint", "positive"),
    ("ALTER TABLE t DISABLE TRIGGER touched", "trigger", "touched"),
    ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "row security", "enabled"),
    ("REVOKE INSERT ON t FROM PUBLIC", "grant", "PUBLIC"),
    ("DROP INDEX by_v", "index", "by_v"),
    ("DROP POLICY own ON t", "policy", "own"),
]


def test_names_each_object_when_what_is_not_rows_differs(databases: Pair) -> None:
    databases.both(*GUARDED)

    def compared() -> tuple[StructureDifference, ...]:
        tables = examined(databases).tables
        timeout = timedelta(seconds=20)
        with (
            Session(SOURCE, databases.dsn(SOURCE), statement_timeout=timeout) as source,
            Session(TARGET, databases.dsn(TARGET), statement_timeout=timeout) as target,
        ):
            return differences(source, target, tables)

    assert compared() == ()
    databases.run(TARGET, *(statement for statement, _, _ in SPOILT))
    databases.run(TARGET, "DELETE FROM pg_statistic WHERE starelid = 't'::regclass")
    seen = compared()
    assert {(each.kind, each.name) for each in seen} == {(kind, name) for _, kind, name in SPOILT} | {
        ("statistics", "gathered")
    }
    assert (
        next(each for each in seen if each.name == "v").target
        == "character varying(10) NOT NULL DEFAULT 'x'::character varying"
    )


def test_verification_of_the_engine_reads_no_values(databases: Pair, tmp_path: Path) -> None:
    databases.both(*PEOPLE)
    databases.run(TARGET, "UPDATE people SET name = 'wrong' WHERE id = 2")
    (finding,) = examined(databases).findings
    assert (finding.source, finding.target) == (None, None)
    assert "wrong" not in json.dumps(dataclasses.asdict(verify_at_rest(databases.settings)), default=str)
