"""How a verification spares the servers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crossfade.model.terms import NoData, Side
from crossfade.verify.errors import VerificationTooLong
from crossfade.verify.examination import How, examine
from crossfade.verify.load import Deadline, LoadLimits, Pace, Yielding
from crossfade.verify.postgres import PostgresVerifier, VerifySettings
from crossfade.verify.session import Session
from tests.verify.conftest import Pair, ScriptedReplay


class Time:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    passing = Time()
    monkeypatch.setattr("crossfade.verify.load.time", passing)
    return passing


def test_statements_are_spaced_evenly_when_they_are_limited(time: Time) -> None:
    pace = Pace(4.0)
    for _ in range(3):
        pace.wait()
    time.now += 10
    pace.wait()  # what was not used is not saved up
    pace.wait()
    assert time.slept == [0.0, 0.25, 0.25, 0.0, 0.25]


def test_nobody_waits_when_there_is_no_limit(time: Time) -> None:
    Pace(None).wait()
    Yielding(LoadLimits()).after("t", rows=1, seconds=9)
    assert time.slept == []


def test_rests_as_long_as_the_chunk_took_when_the_source_has_become_slow(time: Time) -> None:
    yielding = Yielding(LoadLimits(slowdown=2.0))
    for rows, seconds in ((100, 1.0), (100, 1.9), (50, 1.5), (10, 60.0), (0, 9.0)):
        yielding.after("t", rows=rows, seconds=seconds)
    yielding.after("other", rows=1, seconds=5.0)  # rows of another table are of another width
    assert time.slept == [1.5, 10.0]
    assert yielding.rested_seconds == 11.5


def test_rests_until_its_statements_have_had_their_share_of_the_time(time: Time) -> None:
    yielding = Yielding(LoadLimits(share=0.1), workers=2)
    yielding.keep_share(busy_seconds=0.2, seconds=0.5)  # two workers: each has half of the share
    yielding.keep_share(busy_seconds=0.1, seconds=3.0)  # waits for the other side have been rest enough
    yielding.keep_share(busy_seconds=5.0, seconds=5.0)
    assert time.slept == [3.5, 10.0]


def test_tells_that_the_time_is_over_when_it_is(time: Time) -> None:
    limited, unlimited = Deadline(timedelta(minutes=1)), Deadline(None)
    time.now += 59
    limited.keep()
    time.now += 2
    unlimited.keep()
    with pytest.raises(VerificationTooLong) as told:
        limited.keep()
    assert told.value.limit == timedelta(minutes=1)


class Behind:
    """A source whose receivers catch up."""

    def __init__(self, *bytes_behind: int) -> None:
        self._left = list(bytes_behind)

    def row(self, _statement: Any) -> tuple[int]:
        return (self._left.pop(0),)


def test_waits_until_receivers_are_near_enough(time: Time) -> None:
    source: Any = Behind(5_000, 2_000, 1_000)
    Yielding(LoadLimits(replication_lag_bytes=1_000)).wait_for_receivers(source)
    assert len(time.slept) == 2
    Yielding(LoadLimits()).wait_for_receivers(source)


@pytest.mark.parts
def test_every_statement_of_every_worker_is_counted(databases: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.both("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 50)")
    waited: list[Side] = []
    sent: list[Side] = []

    def counting(pace: Pace) -> None:
        waited.append(Side.SOURCE)

    inner: Callable[..., Any] = Session.rows

    def rows(session: Session, *told: Any, **named: Any) -> Any:
        sent.append(session.side)
        return inner(session, *told, **named)

    monkeypatch.setattr(Pace, "wait", counting)
    monkeypatch.setattr(Session, "rows", rows)
    settings = VerifySettings(
        source=databases.dsn(Side.SOURCE),
        target=databases.dsn(Side.TARGET),
        rest_chunk_rows=10,
        workers=2,
        limits=LoadLimits(statements_per_second=1000, replication_lag_bytes=1 << 40),
        patience=timedelta(seconds=5),
    )
    assert examine(settings, How()).verification.rows == 50
    assert len(sent) > 20
    assert len(waited) == len(sent)


@pytest.mark.parts
def test_rests_after_each_chunk_when_its_share_of_the_time_is_limited(
    databases: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.both("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 30)")
    busy: list[tuple[float, float]] = []

    def keep(_yielding: Yielding, *, busy_seconds: float, seconds: float) -> None:
        busy.append((busy_seconds, seconds))

    monkeypatch.setattr(Yielding, "keep_share", keep)
    settings = replace(databases.settings, rest_chunk_rows=10, limits=LoadLimits(share=0.5))
    assert examine(settings, How()).verification.rows == 30
    assert len(busy) >= 3
    assert all(0 < statements <= whole for statements, whole in busy)


@pytest.mark.parts
def test_has_not_passed_when_it_takes_longer_than_it_may(databases: Pair) -> None:
    databases.both("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    found = PostgresVerifier(
        replace(databases.settings, time_limit=timedelta(0)), replays=ScriptedReplay(lambda: None)
    ).verify(Side.SOURCE)
    assert found == NoData(reason="the verification did not end within 0 s")
