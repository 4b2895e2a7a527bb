"""What a rehearsal amounted to, from a hand-made journal and hand-made users' notes."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.ends import DataVerified, WriterIs
from crossfade.model.entry import Entry
from crossfade.model.events import (
    EndMissed,
    EndReached,
    EndWanted,
    EngineStarted,
    Event,
    Facts,
    FailBackDecided,
    MigrationEnded,
    MigrationPlanned,
    RollbackDecided,
)
from crossfade.model.terms import Outcome, Side
from crossfade.rehearsal.conductor import Conducted
from crossfade.rehearsal.faults.grammar import parse_faults
from crossfade.rehearsal.faults.injector import Struck
from crossfade.rehearsal.result import Result, _copy_journal, result_of, switches, window_of
from crossfade.rehearsal.users.audit import LedgerAudit
from crossfade.rehearsal.users.notes import Attempt
from crossfade.rehearsal.users.record import Record
from crossfade.runbook.state import State
from tests.engine.world import plan

START = 1_800_000_000.0
SWITCH = WriterIs(side=Side.TARGET, epoch=1)
SWITCHED = EndReached(end=SWITCH, facts={"write_window_ms": 8.0, "fenced_ms": 2.0, "opened_ms": 8.0, "resumed": False})
COUNTED = LedgerAudit(acknowledged=100, lost=0, duplicated=0, wrong_amounts=0)
PLAN = plan()
FAULT = parse_faults(["canary-errors=5%@canary"], [5.0])[0]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def story(*said: tuple[float, Event]) -> tuple[Entry, ...]:
    return tuple(
        Entry(position=number, at=moment(at), by="engine", event=event, hash=str(number))
        for number, (at, event) in enumerate(said, start=1)
    )


def asked(seconds: float, *, status: int = 201, kind: str = "transfer", arm: str = "legacy") -> Attempt:
    """A request that was due 5 ms before `seconds` and answered then."""
    done = START + seconds
    return Attempt(
        due=done - 0.005, started=done - 0.005, done=done, kind=kind, status=status, arm=arm, key="", attempt=1
    )


def every(ms: int, since: float, until: float) -> list[Attempt]:
    return [asked(since + n * ms / 1000) for n in range(round((until - since) * 1000 / ms) + 1)]


def result(
    entries: Sequence[Entry],
    attempts: Sequence[Attempt] = (),
    *,
    outcome: Outcome = Outcome.COMPLETED,
    counted: LedgerAudit = COUNTED,
    struck: Sequence[float] = (),
    earlier: Sequence[tuple[Entry, ...]] = (),
    log: Path = Path("/nowhere"),
) -> Result:
    conducted = Conducted(
        outcome=outcome,
        state=State(writer=Side.TARGET),
        entries=tuple(entries),
        struck=tuple(Struck(fault=FAULT, at=moment(at)) for at in struck),
        began=moment(0),
        earlier=tuple(earlier),
    )
    return result_of(conducted, Record(attempts), counted, Path("/reports"), engine_log=log)


def test_the_longest_time_without_a_write_is_told_for_each_switch() -> None:
    back = EndReached(end=WriterIs(side=Side.SOURCE, epoch=2), facts={"opened_ms": 20.0})
    entries = story((10.01, SWITCHED), (20.02, back))
    writes = [*every(10, 0, 10), *every(10, 10.05, 20), *every(10, 20.09, 30)]
    assert result(entries, writes).write_unavailable_ms == pytest.approx((50.0, 90.0), abs=0.2)


def test_the_time_without_a_write_runs_from_the_first_fence_when_the_engine_died_within_the_switch() -> None:
    entries = story((10, EndWanted(end=SWITCH)), (12, EngineStarted()), (12.5, SWITCHED))
    writes = [*every(10, 0, 10), *every(10, 12.5, 20)]
    assert result(entries, writes).write_unavailable_ms == pytest.approx((2500.0,), abs=0.2)


def test_the_time_without_a_write_is_found_by_the_fenced_sides_clock_when_the_journals_has_jumped() -> None:
    fenced_at = moment(10.002).isoformat()
    switched = EndReached(end=SWITCH, facts={"fenced_ms": 2.0, "opened_ms": 8.0, "fenced_at": fenced_at})
    entries = story((9, EngineStarted()), (3610, EndWanted(end=SWITCH)), (3610.01, switched))
    writes = [*every(10, 0, 10), *every(10, 10.05, 20)]
    assert result(entries, writes).write_unavailable_ms == pytest.approx((50.0,), abs=0.2)
    window = window_of(switches(entries)[0], Record(writes))
    assert window.started == moment(10)


def test_reads_and_refused_writes_do_not_end_a_time_without_a_write() -> None:
    writes = [*every(10, 0, 10), asked(10.02, kind="account"), asked(10.03, status=503), *every(10, 10.1, 20)]
    assert result(story((10.01, SWITCHED)), writes).write_unavailable_ms == pytest.approx((100.0,), abs=0.2)


def test_no_time_without_a_write_is_told_when_writes_never_moved() -> None:
    assert result(story((1, EndMissed(end=SWITCH, reason="", remedy="", retryable=True)))).write_unavailable_ms == ()


@pytest.mark.parametrize("turned", [RollbackDecided, FailBackDecided])
def test_detection_counts_all_requests_from_the_fault_to_the_decision(
    turned: type[RollbackDecided | FailBackDecided],
) -> None:
    entries = story((5, turned(cause="judge", reason="errors")))
    attempts = [asked(at) for at in (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)]
    assert result(entries, attempts, struck=[1.0]).detection_requests == 4


def test_going_back_and_its_requests_are_told_of_the_first_journal_when_a_later_cutover_followed() -> None:
    first = story(
        (1, MigrationPlanned(plan=PLAN)),
        (2, EngineStarted()),
        (3, SWITCHED),
        (5, FailBackDecided(cause="judge", reason="errors")),
        (6, MigrationEnded(outcome=Outcome.FAILED_BACK, reason="back")),
    )
    later = EndReached(end=WriterIs(side=Side.TARGET, epoch=3), facts={"opened_ms": 20.0})
    second = story((7, MigrationPlanned(plan=PLAN)), (8, EngineStarted()), (9, EngineStarted()), (10, later))
    attempts = [*every(10, 0, 20), *(asked(at, arm="modern") for at in (5.105, 9, 10, 11))]
    found = result(second, attempts, earlier=[first])
    assert len(found.write_unavailable_ms) == 2
    assert found.rollback_ms == pytest.approx(100)
    assert found.resumes == 1
    assert (found.journal, found.report) == (Path("/reports/journal-2.sqlite"), Path("/reports/report-2.html"))
    assert any("goes on" in violation or "go on" in violation for violation in found.violations)


def test_detection_is_not_told_when_there_was_no_fault_or_no_decision_or_the_fault_came_later() -> None:
    turned = story((5, RollbackDecided(cause="person", reason="enough")))
    assert result(turned, [asked(1)]).detection_requests is None
    assert result(story((5, EngineStarted())), [asked(1)], struck=[0.5]).detection_requests is None
    assert result(turned, [asked(1)], struck=[6.0]).detection_requests is None


def test_a_rollback_lasts_until_the_last_request_went_to_a_modern_server() -> None:
    entries = story((5, RollbackDecided(cause="judge", reason="errors")))
    attempts = [asked(4, arm="modern"), asked(5.105, arm="modern"), asked(6, arm="legacy")]
    assert result(entries, attempts).rollback_ms == pytest.approx(100.0, abs=0.2)
    assert result(entries, [asked(4, arm="modern")]).rollback_ms == 0.0
    assert result(story((5, EngineStarted())), attempts).rollback_ms is None


def verified(**facts: int) -> Facts:
    return facts


def test_verification_tells_its_largest_extent_and_its_most_differences() -> None:
    end = DataVerified(primary=Side.SOURCE, epoch=0)
    entries = story(
        (1, EndReached(end=end, facts=verified(rows=500, differing_rows=0))),
        (
            2,
            EndMissed(
                end=end, reason="", remedy="", retryable=False, facts=verified(rows=900, differing_rows=3, unresolved=0)
            ),
        ),
        (3, EndReached(end=end, facts=verified(rows=700, differing_rows=0))),
        (4, EndReached(end=SWITCH, facts=verified(rows=5000))),
    )
    found = result(entries)
    assert (found.verified_rows, found.differing_rows) == (900, 3)


def test_verification_tells_none_when_nothing_was_verified() -> None:
    end = DataVerified(primary=Side.SOURCE, epoch=0)
    entries = story((1, EndMissed(end=end, reason="could not verify", remedy="", retryable=True)))
    assert (result(entries).verified_rows, result(entries).differing_rows) == (0, 0)


def test_what_was_booked_otherwise_than_promised_counts_as_lost() -> None:
    counted = LedgerAudit(acknowledged=100, lost=1, duplicated=4, wrong_amounts=2, wrong_documents=3)
    found = result(story((1, EngineStarted())), counted=counted)
    assert (found.acknowledged_writes, found.lost_writes, found.duplicate_writes) == (100, 6, 4)


def test_every_engine_after_the_first_is_a_resume() -> None:
    ended = MigrationEnded(outcome=Outcome.COMPLETED, reason="finalized")
    assert result(story((1, EngineStarted()), (2, ended))).resumes == 0
    assert result(story((1, EngineStarted()), (2, EngineStarted()), (3, EngineStarted()), (4, ended))).resumes == 2
    assert result(story((1, EngineStarted()), (4, ended))).reason == "finalized"


@pytest.mark.parametrize(
    ("engines", "outcome", "said", "kept"),
    [
        (2, Outcome.COMPLETED, "a trace", True),
        (1, Outcome.HALTED, "a trace", True),
        (1, Outcome.COMPLETED, "a trace", False),
        (2, Outcome.COMPLETED, "", False),
    ],
)
def test_the_engines_log_is_kept_when_one_died_or_it_halted_and_said_something(
    tmp_path: Path, engines: int, outcome: Outcome, said: str, *, kept: bool
) -> None:
    log = tmp_path / "engine.log"
    log.write_text(said, encoding="utf-8")
    found = result(story(*[(n, EngineStarted()) for n in range(engines)]), outcome=outcome, log=log)
    assert found.engine_log == (Path("/reports/engine.log") if kept else None)
    assert found.as_json()["engine_log"] == ("/reports/engine.log" if kept else None)


def test_a_write_window_is_seen_from_before_the_fence_in_steps_of_ten_milliseconds() -> None:
    entry = switches(story((10.008, SWITCHED)))[0]
    window = window_of(entry, Record([*every(10, 9, 10), asked(10.005, kind="account"), *every(10, 10.055, 12)]))
    assert (window.to, window.started) == (Side.TARGET, moment(10))
    assert window.moments == (("fenced", timedelta(milliseconds=2)), ("opened", timedelta(milliseconds=8)))
    fence = round(window.before / timedelta(milliseconds=10))
    assert sum(window.acknowledged[fence + 1 : fence + 5]) == 0
    assert all(window.acknowledged[fence + 6 :])
    assert sum(window.acknowledged[:fence]) == fence


def test_a_broken_rule_is_told_when_the_journal_shows_one() -> None:
    found = result(story((1, EngineStarted()), (2, SWITCHED)))
    assert any("writer_is was not wanted" in violation for violation in found.violations)
    assert found.as_json()["violations"] == found.violations


def test_the_copy_of_a_journal_has_its_witness_beside_it(tmp_path: Path) -> None:
    origin, copy = tmp_path / "journal.sqlite", tmp_path / "kept" / "journal.sqlite"
    copy.parent.mkdir()
    SqliteJournal(origin).append([EngineStarted(), EngineStarted()], expected=0, at=moment(0), by="engine")
    _copy_journal(origin, copy)
    assert len(SqliteJournal(copy, read_only=True).read()) == 2
    with sqlite3.connect(copy) as cut:
        cut.executescript(
            "DROP TRIGGER entries_remain; DELETE FROM entries WHERE position = 2;"
            "UPDATE head SET position = 1, hash = (SELECT hash FROM entries)"
        )
    with pytest.raises(JournalDamaged):
        SqliteJournal(copy, read_only=True).read()
