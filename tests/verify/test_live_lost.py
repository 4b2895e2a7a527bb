"""Live verification when a server or its replication is lost: it goes on when they come back, and else says so."""

import dataclasses
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from crossfade.model.terms import NoData, Side
from crossfade.rehearsal.processes import free_ports
from crossfade.verify.postgres import PostgresVerifier
from crossfade.verify.session import Session
from tests.verify.conftest import Pair, ScriptedReplay
from tests.verify.test_live import ONE_ROW, seen
from tests.waiting import wait_for

pytestmark = pytest.mark.parts

SOURCE, TARGET = Side.SOURCE, Side.TARGET


def test_answers_no_data_when_the_other_side_does_not_replay(
    databases: Pair, replicated: Callable[[Side], str]
) -> None:
    databases.both(*ONE_ROW)
    slot = replicated(SOURCE)
    databases.run(TARGET, f"ALTER SUBSCRIPTION {slot} DISABLE")
    settings = dataclasses.replace(databases.settings, slots={SOURCE: slot}, patience=timedelta(milliseconds=200))
    found = PostgresVerifier(settings).verify(SOURCE)
    assert isinstance(found, NoData)
    assert "did not catch up" in found.reason


def test_goes_on_when_a_subscription_that_was_stopped_is_enabled_again(
    databases: Pair, replicated: Callable[[Side], str]
) -> None:
    databases.both(*ONE_ROW)
    slot = replicated(SOURCE)
    databases.run(TARGET, f"ALTER SUBSCRIPTION {slot} DISABLE", "INSERT INTO t VALUES (2, 'planted')")
    databases.run(SOURCE, "UPDATE t SET v = 'on its way'")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crossfade verify'"
        f" AND datname = '{databases.database}' AND query LIKE '%pg_get_replication_slots%'"
    )

    def enable_when_waited_for() -> None:
        wait_for(lambda: databases.value(SOURCE, waiting) != 0)
        databases.run(TARGET, f"ALTER SUBSCRIPTION {slot} ENABLE")

    enabling = Thread(target=enable_when_waited_for)
    enabling.start()
    settings = dataclasses.replace(databases.settings, slots={SOURCE: slot}, patience=timedelta(minutes=3))
    found = seen(PostgresVerifier(settings).verify(SOURCE))
    enabling.join()
    assert [(d.key, d.kind) for d in found.differences] == [('{"id": 2}', "extra")]
    assert found.unresolved == ()


def test_answers_no_data_when_the_slot_is_gone(databases: Pair) -> None:
    databases.both(*ONE_ROW)
    found = PostgresVerifier(dataclasses.replace(databases.settings, slots={SOURCE: "nosuch"})).verify(SOURCE)
    assert isinstance(found, NoData)
    assert "nosuch" in found.reason


def test_answers_no_data_when_a_server_is_not_there(databases: Pair) -> None:
    nowhere = f"host=127.0.0.1 port={free_ports(1)[0]} user=postgres password=s3cret dbname=x"
    found = PostgresVerifier(dataclasses.replace(databases.settings, target=nowhere)).verify(SOURCE)
    assert found == NoData(reason="the target server cannot be reached: connection refused")


def test_answers_no_data_when_a_connection_breaks_in_the_middle(databases: Pair) -> None:
    databases.both(*ONE_ROW)
    end = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        f" WHERE application_name = 'crossfade verify' AND datname = '{databases.database}'"
    )
    replay = ScriptedReplay(lambda: databases.run(TARGET, end))
    found = PostgresVerifier(databases.settings, replays=replay).verify(SOURCE)
    assert isinstance(found, NoData)
    assert found.reason.startswith("the target server cannot be reached")


def test_goes_on_when_a_server_that_was_lost_comes_back(databases: Pair) -> None:
    databases.both(*ONE_ROW, "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)")
    databases.run(TARGET, "INSERT INTO u VALUES (2)")
    end = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        f" WHERE application_name = 'crossfade verify' AND datname = '{databases.database}'"
    )
    replay = ScriptedReplay(lambda: databases.run(TARGET, end), lambda: None)
    settings = dataclasses.replace(databases.settings, reconnect_for=timedelta(seconds=60))
    found = seen(PostgresVerifier(settings, replays=replay).verify(SOURCE))
    assert found.rows == 2  # the chunk that was in hand is counted once
    assert [(d.table, d.key, d.kind) for d in found.differences] == [("public.u", '{"id": 2}', "extra")]


def test_gives_up_when_a_server_that_was_lost_does_not_come_back_in_time(databases: Pair) -> None:
    databases.both(*ONE_ROW)
    end = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        f" WHERE application_name = 'crossfade verify' AND datname = '{databases.database}'"
    )
    settings = dataclasses.replace(databases.settings, reconnect_for=timedelta(seconds=0.6))
    replay = ScriptedReplay(lambda: databases.run(TARGET, end))
    found = PostgresVerifier(settings, replays=replay).verify(SOURCE)
    assert isinstance(found, NoData)
    assert found.reason.startswith("the target server cannot be reached")
    assert replay.waits > 1


def test_answers_no_data_when_a_server_hangs(databases: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossfade.verify.session._GRACE_SECONDS", 0.0)
    patience: list[float] = []
    rows = Session.rows

    def hasty_once_it_hangs(session: Session, *told: Any, **how: Any) -> list[tuple[Any, ...]]:
        if frozen and session.side is TARGET:
            patience.append(session._patience_seconds)
            session._patience_seconds = 1.0
        return rows(session, *told, **how)

    monkeypatch.setattr(Session, "rows", hasty_once_it_hangs)
    databases.both(*ONE_ROW)
    which = (
        "SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'crossfade verify'"
        f" AND datname = '{databases.database}'"
    )
    frozen: list[int] = []

    def freeze() -> None:
        frozen.append(int(str(databases.value(TARGET, which))))
        os.kill(frozen[0], signal.SIGSTOP)

    settings = dataclasses.replace(databases.settings, statement_timeout=timedelta(seconds=30))
    try:
        found = PostgresVerifier(settings, replays=ScriptedReplay(freeze)).verify(SOURCE)
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    assert found == NoData(reason="the target server cannot be reached: no answer in time")
    assert patience[0] == 30.0
