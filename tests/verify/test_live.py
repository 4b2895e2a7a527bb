import dataclasses
import random
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import psycopg
import pytest

from crossfade.model.seen import Difference, Verification
from crossfade.model.terms import NoData, Side
from crossfade.verify.errors import ReplicationNotFound
from crossfade.verify.live import Settling
from crossfade.verify.postgres import PostgresVerifier, verify_live
from tests.verify.conftest import Pair, ScriptedReplay, Writers
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET

TABLES = (
    "CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric NOT NULL, note text)",
    "INSERT INTO accounts SELECT i, i * 10, 'n' || i FROM generate_series(1, 4000) i",
    'CREATE TABLE transfers (id text COLLATE "C" PRIMARY KEY, account bigint, at timestamptz, meta jsonb)',
    "INSERT INTO transfers SELECT md5(i::text), i, now(), '{\"a\": 1}' FROM generate_series(1, 500) i",
    "CREATE TABLE prefs (name jsonb, value int NOT NULL, PRIMARY KEY (name))",
    "INSERT INTO prefs SELECT to_jsonb(i), i FROM generate_series(1, 300) i",
    "CREATE TABLE log (line text)",
    "ALTER TABLE log REPLICA IDENTITY FULL",
)


def copied(pair: Pair, primary: Side) -> None:
    """The same rows on both sides before replication starts."""
    pair.both(*TABLES)
    pair.run(primary.other, "TRUNCATE transfers")
    with (
        psycopg.connect(pair.dsn(primary)) as here,
        psycopg.connect(pair.dsn(primary.other)) as there,
        here.cursor().copy("COPY transfers TO STDOUT") as out,
        there.cursor().copy("COPY transfers FROM STDIN") as into,
    ):
        for data in out:
            into.write(data)


def transfer(connection: psycopg.Connection, n: int) -> None:
    first, second = random.sample(range(1, 3001), 2)
    connection.execute("UPDATE accounts SET balance = balance - 1.5 WHERE id = %s", (first,))
    connection.execute("UPDATE accounts SET balance = balance + 1.5 WHERE id = %s", (second,))
    connection.execute("INSERT INTO transfers VALUES (gen_random_uuid()::text, %s, now(), '{}')", (first,))
    connection.execute("UPDATE prefs SET value = value + 1 WHERE name = to_jsonb(%s::int)", (n % 200 + 1,))
    connection.execute("INSERT INTO log VALUES (%s)", (f"line {n}",))
    if n % 5 == 0:
        connection.execute("DELETE FROM transfers WHERE ctid = (SELECT min(ctid) FROM transfers)")


def seen(found: Verification | NoData) -> Verification:
    assert isinstance(found, Verification), found
    return found


@pytest.mark.parametrize("primary", list(Side))
def test_raises_no_false_alarm_when_rows_change_all_the_while(
    databases: Pair, replicated: Callable[[Side], str], primary: Side
) -> None:
    copied(databases, primary)
    slot = replicated(primary)
    settings = dataclasses.replace(databases.settings, slots={primary: slot}, live_chunk_rows=500)
    with Writers(databases.dsn(primary), transfer) as writers:
        verified = 0
        while verified < 4 or writers.done <= 20:
            verified += 1
            found = seen(PostgresVerifier(settings).verify(primary))
            assert found.differences == ()
            assert found.tables == 4
            assert found.rows > 4800


@pytest.mark.parametrize("primary", list(Side))
def test_finds_exactly_the_planted_ones_when_rows_change_all_the_while(
    databases: Pair, replicated: Callable[[Side], str], primary: Side
) -> None:
    copied(databases, primary)
    replicated(primary)
    with Writers(databases.dsn(primary), transfer):
        databases.run(
            primary.other,
            "UPDATE accounts SET note = 'wrong' WHERE id = 3500",
            "DELETE FROM accounts WHERE id = 3501",
            "INSERT INTO accounts VALUES (5000, 0)",
            "UPDATE prefs SET value = 0 WHERE name = '250'",
            "INSERT INTO log VALUES ('planted')",
        )
        found = verify_live(dataclasses.replace(databases.settings, live_chunk_rows=500))
    primary_lacks, other_lacks = ("extra", "missing") if primary is SOURCE else ("missing", "extra")
    by_key = {(d.table, d.key): (d.kind, d.columns) for d in found.differences if d.table != "public.log"}
    assert by_key == {
        ("public.accounts", '{"id": 3500}'): ("changed", ("note",)),
        ("public.accounts", '{"id": 3501}'): (other_lacks, ()),
        ("public.accounts", '{"id": 5000}'): (primary_lacks, ()),
        ("public.prefs", '{"name": "250"}'): ("changed", ("value",)),
    }
    assert [d.kind for d in found.differences if d.table == "public.log"] == [primary_lacks]


def test_never_reports_a_difference_when_one_key_is_hot(databases: Pair, replicated: Callable[[Side], str]) -> None:
    copied(databases, SOURCE)
    replicated(SOURCE)

    def hammer(connection: psycopg.Connection, _n: int) -> None:
        connection.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 7")

    with Writers(databases.dsn(SOURCE), hammer):
        for _ in range(3):
            found = verify_live(databases.settings)
            assert found.differences == ()
            assert {text.split(":")[0] for text in found.unresolved} <= {'public.accounts {"id"'}


ONE_ROW = ("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'a')")


def test_reports_the_key_as_unresolved_when_it_changes_at_every_look(databases: Pair) -> None:
    databases.both(*ONE_ROW)
    databases.run(TARGET, "UPDATE t SET v = 'b'")
    replay = ScriptedReplay(lambda: databases.run(SOURCE, "UPDATE t SET v = v || 'x'"))
    found = verify_live(databases.settings, SOURCE, replays=replay)
    assert found.differences == ()
    assert found.unresolved == ('public.t {"id": 1}: changed at every look',)


def test_reports_no_difference_when_a_row_was_changed_there_and_back(databases: Pair) -> None:
    """S1 = S2 in content, T different: only xmin tells that the row was another in between."""
    databases.both(*ONE_ROW)
    databases.run(TARGET, "UPDATE t SET v = 'b'")

    def there_and_back() -> None:
        databases.run(SOURCE, "UPDATE t SET v = 'b'", "UPDATE t SET v = 'a'")

    found = verify_live(databases.settings, SOURCE, replays=ScriptedReplay(there_and_back))
    assert found.differences == ()
    assert len(found.unresolved) == 1


def test_settles_a_key_when_it_is_tried_for_longer(databases: Pair) -> None:
    """It changes at each of the first fifteen looks; twelve would have left it unresolved."""
    databases.both(*ONE_ROW)
    databases.run(TARGET, "UPDATE t SET v = 'b'")
    busy = [lambda: databases.run(SOURCE, "UPDATE t SET v = v || 'x'")] * 15
    replay = ScriptedReplay(*busy, lambda: None)
    settings = dataclasses.replace(databases.settings, settling=Settling(key_attempts=timedelta(minutes=5)))
    found = verify_live(settings, SOURCE, replays=replay)
    assert [d.columns for d in found.differences] == [("v",)]
    assert found.unresolved == ()


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_finds_the_same_whatever_the_rounds_of_smaller_parts(databases: Pair, rounds: int) -> None:
    databases.both(
        "CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t SELECT i, 'a' FROM generate_series(1, 900) i"
    )
    databases.run(
        TARGET, "UPDATE t SET v = 'b' WHERE id = 7", "DELETE FROM t WHERE id = 8", "INSERT INTO t VALUES (901)"
    )
    replay = ScriptedReplay(lambda: None)
    settings = dataclasses.replace(databases.settings, settling=Settling(rounds=rounds))
    found = verify_live(settings, SOURCE, replays=replay)
    assert {(d.key, d.kind) for d in found.differences} == {
        ('{"id": 7}', "changed"),
        ('{"id": 8}', "missing"),
        ('{"id": 901}', "extra"),
    }
    assert replay.waits == 1 + (rounds > 1) + 1 + 2  # the chunk, its parts, their rows, and the keys twice


def test_waits_for_a_commit_when_the_other_side_shows_it_first(
    databases: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit is shipped when it is flushed, which is before the primary's own snapshots show it."""
    monkeypatch.setattr("crossfade.verify.live._FINISH_SECONDS", 180.0)
    databases.both(*ONE_ROW)
    databases.run(TARGET, "UPDATE t SET v = 'b'")
    with psycopg.connect(databases.dsn(SOURCE)) as writer:
        writer.execute("UPDATE t SET v = 'b'")

        def commit_when_waited_for() -> None:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crossfade verify'"
                " AND query LIKE '%pg_snapshot_xip%'"
            )
            try:
                wait_for(lambda: databases.value(SOURCE, waiting) != 0, seconds=120)
            finally:
                writer.commit()

        committer = Thread(target=commit_when_waited_for)
        committer.start()
        found = verify_live(databases.settings, SOURCE, replays=ScriptedReplay(lambda: None))
        committer.join()
    assert (found.differences, found.unresolved) == ((), ())


def test_finds_a_difference_when_a_long_transaction_stays_open(
    databases: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossfade.verify.live._FINISH_SECONDS", 0.1)
    databases.both(*ONE_ROW)
    databases.both("INSERT INTO t VALUES (2, 'a')")
    databases.run(TARGET, "UPDATE t SET v = 'b' WHERE id = 1")
    with psycopg.connect(databases.dsn(SOURCE)) as writer:
        writer.execute("UPDATE t SET v = 'c' WHERE id = 2")
        found = verify_live(databases.settings, SOURCE, replays=ScriptedReplay(lambda: None))
    assert found.differences == (Difference(table="public.t", key='{"id": 1}', kind="changed", columns=("v",)),)


def test_passes_when_replication_repairs_the_row_in_time(databases: Pair) -> None:
    databases.both(*ONE_ROW)
    databases.run(SOURCE, "UPDATE t SET v = 'b'")
    replay = ScriptedReplay(lambda: databases.run(TARGET, "UPDATE t SET v = 'b'"))
    found = verify_live(databases.settings, SOURCE, replays=replay)
    assert (found.differences, found.unresolved, replay.waits) == ((), (), 1)


def test_reports_a_table_as_unresolved_when_its_first_copy_is_not_finished(databases: Pair) -> None:
    databases.both(*ONE_ROW)  # the copy cannot finish: the row stands there already
    databases.both("CREATE TABLE empty (id int PRIMARY KEY)")
    name = f"{databases.database}_copying"
    databases.run(SOURCE, f"CREATE PUBLICATION {name} FOR TABLE t, empty")
    databases.run(TARGET, f"CREATE SUBSCRIPTION {name} CONNECTION '{databases.dsn(SOURCE)}' PUBLICATION {name}")
    try:
        ready = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'"
        wait_for(lambda: databases.value(TARGET, ready) == 1)
        found = verify_live(databases.settings)
        assert found.differences == ()
        assert found.unresolved == ("public.t: its first copy is not finished",)
    finally:
        databases.run(TARGET, f"DROP SUBSCRIPTION {name}")


def test_names_the_primarys_sequences_when_they_are_behind(databases: Pair) -> None:
    databases.both("CREATE SEQUENCE s")
    databases.run(SOURCE, "SELECT setval('s', 10)")
    replay = ScriptedReplay(lambda: None)
    assert verify_live(databases.settings, SOURCE, replays=replay).differences == ()
    found = verify_live(databases.settings, TARGET, replays=replay)
    assert [d.table for d in found.differences] == ["public.s"]


def test_refuses_when_nothing_replicates(databases: Pair) -> None:
    databases.both(*ONE_ROW)
    with pytest.raises(ReplicationNotFound):
        verify_live(databases.settings)


def test_names_the_table_as_unresolved_when_its_shape_changes_in_the_middle(databases: Pair) -> None:
    databases.both(*ONE_ROW, "CREATE TABLE u (id int PRIMARY KEY, w text)", "INSERT INTO u VALUES (1, 'a')")
    databases.run(TARGET, "UPDATE u SET w = 'b'")
    steps = ScriptedReplay(lambda: databases.run(SOURCE, "ALTER TABLE t DROP COLUMN IF EXISTS v"))
    databases.run(TARGET, "UPDATE t SET v = 'b'")
    found = verify_live(databases.settings, SOURCE, replays=steps)
    assert [text.split(":")[0] for text in found.unresolved] == ["public.t"]
    assert [d.table for d in found.differences] == ["public.u"]  # the others go on


def test_names_a_table_as_unresolved_when_a_column_was_added_in_the_middle(databases: Pair) -> None:
    """The comparison goes by the columns that stood at the beginning: nothing is known of the new one."""
    databases.both(*ONE_ROW, "CREATE TABLE u (id int PRIMARY KEY)")
    steps = ScriptedReplay(
        lambda: databases.both("ALTER TABLE t ADD COLUMN IF NOT EXISTS w text", "CREATE TABLE IF NOT EXISTS x (id int)")
    )
    found = verify_live(databases.settings, SOURCE, replays=steps)
    assert found.differences == ()
    assert found.unresolved == (
        "public.x: came while others were compared; verify again",
        "public.t: its columns or its key were changed while it was compared; verify again",
    )


def test_finds_the_same_when_several_workers_compare_under_writes(
    databases: Pair, replicated: Callable[[Side], str]
) -> None:
    copied(databases, SOURCE)
    replicated(SOURCE)
    with Writers(databases.dsn(SOURCE), transfer):
        databases.run(TARGET, "UPDATE accounts SET note = 'wrong' WHERE id = 3500")
        found = verify_live(dataclasses.replace(databases.settings, live_chunk_rows=500, workers=3))
    assert [(d.table, d.key) for d in found.differences] == [("public.accounts", '{"id": 3500}')]
