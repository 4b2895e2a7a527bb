"""Each kind of change, on PostgreSQL 13 and 18, while both versions write: backward at every step, then to the end.

Almost all tests that need a server stand in this module, so that one process starts the servers once.
"""

import json
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.schema import schema
from crossfade.expand.errors import (
    AnotherAtWork,
    ChangeDiffers,
    ChangeImpossible,
    LockNotGot,
    OutOfOrder,
    StatementRefused,
    StillDiverging,
)
from crossfade.expand.locks import Patience
from crossfade.expand.state import Stands
from crossfade.expand.steps import SchemaChange, Settings
from tests.expand.conftest import ON_13, ON_18, SURE, Database, Sent, Writer, change, opened, silently
from tests.expand.kinds import CASES, CUSTOMER, HALF, RENAME, ROWS, SPLIT, Case, writes
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

EXAMPLES = Path(__file__).parents[2] / "examples" / "expand"
NOTE = "{version: 1, name: n, table: public.customer, add_index: {name: customer_note, columns: [note]}}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_versions_work_at_every_step_and_back_until_contract(database: Database, case: Case, sent: Sent) -> None:
    database.run(*case.table.split(";"), "GRANT ALL ON ALL TABLES IN SCHEMA public TO app")
    file, before = change(case.change), database.shape()
    with Writer(database.app_dsn, case.old) as old:
        for steps in (1, 2, 3):
            with database.change(file) as opened:
                opened.expand(SURE)
                with Writer(database.app_dsn, case.new) as new:
                    if steps > 1:
                        opened.backfill(silently)
                        assert database.rows(case.apart) == [(0,)]
                    if steps > 2:
                        found, _ = opened.check()
                        assert (found.diverging, opened.stands) == (0, Stands.CHECKED)
                    seen = new.done
                assert new.done >= seen > 0
                if steps < 3:
                    opened.back(SURE)
                    assert database.shape() == before
                    assert opened.stands is Stands.NOTHING
        wait_for(lambda: old.done >= HALF or old.failure is not None)  # each of its rows has been written
        old.stop()
    with Writer(database.app_dsn, case.new) as new:
        with database.change(file) as opened:
            opened.contract(SURE)
            assert opened.stands is Stands.CONTRACTED
        reached = new.done + ROWS
        wait_for(lambda: new.done >= reached or new.failure is not None)
    assert database.rows(case.ended) == [(0,)]
    assert only_few_changes_of_the_catalogue(sent)
    if case.name in {"rename", "not null", "add a check", "add a foreign key"}:
        assert sent.beside  # where rows are looked at, the server says so


def only_few_changes_of_the_catalogue(sent: Sent) -> bool:
    """Under each lock; the work's own statements, at most four of them, stand before the note and the commit."""
    for texts, told in sent.under_locks:
        lock = next(number for number, text in enumerate(texts) if text.startswith("LOCK TABLE"))
        now, limit, *work, note, commit, _ = texts[lock + 1 :]
        assert (now, commit) == ("SELECT clock_timestamp()", "COMMIT")
        assert limit.startswith("SET LOCAL statement_timeout")
        assert note.startswith("INSERT INTO crossfade_expand.made")
        assert 1 <= len(work) <= 4
        assert all(text.startswith(("ALTER TABLE", "CREATE TRIGGER", "DROP TRIGGER", "DROP VIEW")) for text in work)
        assert "SET LOCAL synchronous_commit = off" in texts[:lock]
        assert told == ()
    return bool(sent.under_locks) or not sent.beside


@ON_13
@pytest.mark.parametrize("name", ["rename", "split", "extract a table"])
def test_shapes_agree_when_both_versions_write_the_same_rows(database: Database, name: str) -> None:
    case = next(each for each in CASES if each.name == name)
    database.run(*case.table.split(";"))
    old, new = (writes(each, lambda number: number % 3 + 1) for each in (case.old_statements, case.new_statements))
    with database.change(change(case.change)) as change_:
        change_.expand(SURE)
        with Writer(database.dsn, old) as olds, Writer(database.dsn, new) as news, Writer(database.dsn, old):
            change_.backfill(silently)
            wait_for(lambda: min(olds.done, news.done) > 60)
        assert change_.check()[0].diverging == 0
    assert database.rows(case.apart) == [(0,)]


@ON_18
def test_a_second_one_is_refused_while_the_first_is_at_work(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    with database.change(RENAME) as first, database.change(change(NOTE)) as second:
        first.expand(SURE)
        with pytest.raises(AnotherAtWork):
            second.expand(SURE)


@ON_13
def test_steps_out_of_order_and_another_file_are_refused(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    with database.change(RENAME) as change_:
        for early in (lambda: change_.backfill(silently), change_.check, lambda: change_.contract(SURE)):
            with pytest.raises(OutOfOrder):
                early()
        change_.expand(SURE)
    with opened(database, SPLIT.model_copy(update={"name": "r"})) as other, pytest.raises(ChangeDiffers):
        other.backfill(silently)


@ON_18
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("add_column: {column: x, type: int, up: nosuch + 1}", "nosuch"),
        ("add_column: {column: x, type: nosuchtype, up: '1'}", "nosuchtype"),
        ("add_column: {column: x, type: int, up: '1); DROP TABLE customer; --'}", "refused"),
        ("add_column: {column: x, type: int, up: '1), (2'}", "not one expression"),
        ("add_column: {column: x, type: int, up: '1) STORED, ADD COLUMN y int GENERATED ALWAYS AS (2'}", "refused"),
        ("add_column: {column: x, type: timestamptz, up: now()}", "immutable"),
        ("add_column: {column: x, type: int, up: mail::int}", "computing x"),
        ("add_index: {name: i, columns: [mail], where: 'true) ; DROP TABLE customer; --'}", "refused"),
        ("rename_column: {column: id, to: number}", "in the key"),
        ("rename_column: {column: mail, to: name}", "already"),
        ("add_constraint: {name: customer_pkey, check: id > 0}", "has a constraint customer_pkey already"),
        ("extract_table: {to: other, columns: [mail]}", "must be given in every insert"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_changed(database: Database, kind: str, told: str) -> None:
    database.run(*CUSTOMER.split(";"))
    before = database.shape()
    file = change(f"{{version: 1, name: c, table: public.customer, {kind}}}")
    with database.change(file) as change_, pytest.raises(ChangeImpossible, match=told) as refused:
        change_.expand(SURE)
    assert database.shape() == before
    assert refused.value.remedy
    assert "'m1'" not in str(refused.value)  # a value of a row


@ON_18
def test_a_row_from_before_keeps_what_a_new_writer_does_not_write(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    with database.change(SPLIT) as change_:
        change_.expand(SURE)
        database.run(
            "UPDATE customer SET given = 'Bea' WHERE id = 7", "UPDATE customer SET name = 'Cy Fu' WHERE id = 8"
        )
    wanted = [("Bea Lee", "Bea", "Lee"), ("Cy Fu", "Cy", "Fu"), ("Ann9 Lee", None, None)]
    assert database.rows("SELECT name, given, family FROM customer WHERE id IN (7, 8, 9) ORDER BY id") == wanted


@ON_13
def test_rows_that_replication_applies_come_in_step_and_complete_ones_stay(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    with database.change(SPLIT) as change_:
        change_.expand(SURE)
    apply = "SET session_replication_role = replica;"
    database.run(
        f"{apply} INSERT INTO customer (id, mail, name) VALUES (901, 'a', 'Dee Fox')",
        f"{apply} INSERT INTO customer VALUES (902, 'a', 'Eve Gan', 0, NULL, 'Eve', 'Gan')",
        f"{apply} UPDATE customer SET name = 'Eve Hua' WHERE id = 902",
    )
    found = database.rows("SELECT name, given, family FROM customer WHERE id > 900 ORDER BY id")
    assert found == [("Dee Fox", "Dee", "Fox"), ("Eve Hua", "Eve", "Hua")]


@ON_13
def test_a_table_that_somebody_holds_is_given_up_in_time_and_the_holder_named(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    patience = Patience(each=timedelta(milliseconds=20), in_all=timedelta(seconds=2))
    with psycopg.connect(database.dsn) as holder:
        holder.execute("SELECT FROM customer")
        with (
            SchemaChange(RENAME, Settings(dsn=database.dsn, patience=patience)) as change_,
            pytest.raises(LockNotGot) as refused,
        ):
            change_.expand(SURE)
        assert refused.value.holders == (holder.info.backend_pid,)
        assert refused.value.attempts > 1
    with opened(database, RENAME) as change_:
        change_.expand(SURE)
        assert change_.stands is Stands.EXPANDED


@ON_18
def test_the_backfill_passes_over_rows_that_are_held_and_comes_again(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    with psycopg.connect(database.dsn) as holder, database.change(RENAME) as change_:
        change_.expand(SURE)
        holder.execute("SELECT FROM customer WHERE id = 50 FOR UPDATE")
        run = Thread(target=change_.backfill, args=[silently])
        run.start()
        left = "SELECT id FROM customer WHERE email IS NULL"
        wait_for(lambda: database.rows(left) == [(50,)])  # not held up by it
        holder.rollback()
        run.join()
        assert database.rows(left) == []


@ON_13
def test_an_index_that_was_left_invalid_is_built_anew(database: Database) -> None:
    database.run(*CUSTOMER.split(";"), "CREATE INDEX customer_note ON customer (note)")
    with database.change(change(NOTE)) as change_:
        database.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'customer_note'::regclass")
        change_.expand(SURE)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'customer_note'::regclass"
    assert database.rows(valid) == [(True,)]


@ON_13
def test_an_index_that_cannot_be_built_leaves_nothing(database: Database) -> None:
    database.run(*CUSTOMER.split(";"), "UPDATE customer SET note = 'same'")
    unique = change(NOTE.replace("columns: [note]", "columns: [note], unique: true"))
    with database.change(unique) as change_, pytest.raises(StatementRefused, match="23505"):
        change_.expand(SURE)
    assert database.rows("SELECT to_regclass('customer_note')") == [(None,)]


@ON_18
def test_rows_that_went_apart_are_named_and_brought_back(database: Database) -> None:
    database.run(*CUSTOMER.split(";"))
    with database.change(RENAME) as change_:
        change_.expand(SURE)
        change_.backfill(silently)
        apart = "UPDATE customer SET mail = 'apart' WHERE id IN (3, 90)"
        off, on = (f"ALTER TABLE customer {how} TRIGGER zzz_crossfade_r" for how in ("DISABLE", "ENABLE ALWAYS"))
        database.run(off, apart, on)
        found, _ = change_.check()
        assert (found.diverging, found.keys) == (2, ({"id": "3"}, {"id": "90"}))
        assert change_.stands is Stands.BACKFILLED
        assert change_.backfill(silently) == 2
        assert change_.check()[0].diverging == 0
        database.run(off, apart.replace("apart", "again"), on)
        with pytest.raises(StillDiverging):
            change_.contract(SURE)


@ON_18
def test_the_examples_are_carried_out_as_their_document_says(database: Database) -> None:
    statements = (EXAMPLES / "shop.sql").read_text(encoding="utf-8").split(";")
    database.run(*(each for each in statements if each.strip()))

    def said(step: str, file: str, *options: str) -> tuple[int, dict[str, Any]]:
        result: Result = CliRunner().invoke(
            schema, [step, str(EXAMPLES / file), "--dsn", database.dsn, "--json", *options]
        )
        lines = result.stdout.splitlines()
        return result.exit_code, json.loads(lines[-1]) if lines else {"told": result.stderr}

    code, planned = said("plan", "rename.yaml")
    assert (code, planned["stands"], list(planned["steps"])) == (0, "nothing", ["expand", "check", "contract", "back"])
    for file in ("rename.yaml", "split.yaml", "index.yaml"):
        assert said("expand", file)[0] == 0
        assert said("backfill", file)[1] == {"change": file_name(file), "stands": "backfilled"} | rows_of(file)
        code, checked = said("check", file)
        assert (code, checked["stands"], checked["diverging"]) == (0, "checked", 0)
        if file != "index.yaml":
            assert said("contract", file, "--quiet", "0s")[0] == 10  # nobody can see who reads
        code, ended = said("contract", file, "--quiet", "0s", "--readers-gone")
        assert (code, ended["stands"]) == (0, "contracted")
    assert said("back", "rename.yaml")[0] == 10
    wanted = [("customer7@example.com", "Ann7", "van Lee")]
    assert database.rows("SELECT email, given_name, family_name FROM shop.customer WHERE id = 7") == wanted


def file_name(file: str) -> str:
    return {"rename.yaml": "rename-mail", "split.yaml": "split-name", "index.yaml": "customer-since"}[file]


def rows_of(file: str) -> dict[str, int]:
    return {"rows": 0 if file == "index.yaml" else 200}
