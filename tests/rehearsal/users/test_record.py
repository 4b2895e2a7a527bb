from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.rehearsal.users.notes import Acknowledged, Attempt, Notes
from crossfade.rehearsal.users.record import Counts, Record, RecordDamaged, read_acknowledged, read_record

START = 1_800_000_000.0


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def attempt(
    due: float, took: float = 0.01, *, status: int = 201, kind: str = "transfer", arm: str = "legacy"
) -> Attempt:
    at = START + due
    return Attempt(due=at, started=at, done=at + took, kind=kind, status=status, arm=arm, key="", attempt=1)


def test_reads_back_what_was_noted_when_flushed(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    promised = Acknowledged(key="k", kind="transfer", id=7, at=START, debit=2, credit=3, amount="1.50")
    notes.attempt(attempt(1))
    notes.acknowledged(promised)
    notes.close()
    assert read_record(tmp_path).attempts == (attempt(1),)
    assert read_acknowledged(tmp_path) == (promised,)


def test_goes_on_in_the_same_files_when_users_are_started_again(tmp_path: Path) -> None:
    for due in (1, 2):
        notes = Notes(tmp_path)
        notes.attempt(attempt(due))
        notes.close()
    assert read_record(tmp_path).requests == 2


def test_starts_on_a_new_line_when_the_users_before_were_cut_off(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.attempt(attempt(1))
    notes.close()
    with (tmp_path / "requests.csv").open("a") as file:
        file.write("1800000002.0,18000")
    notes = Notes(tmp_path)
    notes.attempt(attempt(3))
    notes.close()
    assert [a.due for a in read_record(tmp_path).attempts] == [START + 1, START + 3]


def test_leaves_out_the_last_line_when_it_is_not_whole(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.attempt(attempt(1))
    notes.close()
    with (tmp_path / "requests.csv").open("a") as file:
        file.write("1800000002.0,18000")
    assert read_record(tmp_path).requests == 1


@pytest.mark.parametrize(("text", "line"), [("a,b\n", 1), ("due,started,done,kind,status,arm,key,attempt\n1,2,3\n", 2)])
def test_names_the_line_when_notes_are_damaged(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "requests.csv").write_text(text)
    with pytest.raises(RecordDamaged) as damaged:
        read_record(tmp_path)
    assert damaged.value.line == line


def test_says_so_when_there_are_no_notes(tmp_path: Path) -> None:
    with pytest.raises(RecordDamaged, match="cannot be read"):
        read_acknowledged(tmp_path)


def test_counts_failures_when_the_server_failed_or_nobody_answered() -> None:
    record = Record([attempt(n, status=status) for n, status in enumerate((201, 500, 503, 0, 404, 200))])
    assert (record.requests, record.failed_requests) == (6, 3)
    assert record.counts(moment(1), moment(4)) == Counts(requests=3, failed=3, acknowledged_writes=0)
    assert record.counts(moment(0), moment(10)).acknowledged_writes == 2


def test_measures_the_gap_between_acknowledged_writes_when_asked() -> None:
    times = (0.0, 0.1, 0.2, 0.65, 0.7, 1.5)
    record = Record([attempt(t, 0) for t in times] + [attempt(0.4, 0, kind="account"), attempt(0.5, 0, status=503)])
    assert record.longest_write_gap(moment(0), moment(1)) == pytest.approx(
        timedelta(seconds=0.45), abs=timedelta(microseconds=9)
    )
    assert record.longest_write_gap(moment(2), moment(3)) == timedelta(seconds=1)


def test_counts_the_edges_when_nothing_was_written_there() -> None:
    record = Record([attempt(0.5, 0)])
    gap = record.longest_write_gap(moment(0), moment(2))
    assert gap == timedelta(seconds=1.5)


def test_finds_the_last_canary_request_by_when_it_was_sent() -> None:
    record = Record(
        [attempt(1, arm="modern"), attempt(2, 5, arm="modern"), attempt(3, arm="modern"), attempt(4, arm="legacy")]
    )
    assert record.last_canary_request(moment(0)) == moment(3)
    assert record.last_canary_request(moment(3.5)) is None
    assert record.last_canary_request(moment(0), moment(2.9)) == moment(2)


def test_draws_each_arm_second_by_second_when_both_serve() -> None:
    fast = [attempt(10 + n / 100, 0.010 + n / 10_000) for n in range(100)]
    slow = [attempt(10 + n / 10, 0.5, arm="modern", status=500 if n == 0 else 200) for n in range(10)]
    legacy, modern = Record(fast + slow).series()
    assert (legacy.at, legacy.arm, legacy.requests, legacy.errors) == (moment(10), "legacy", 100, 0)
    assert legacy.p50.total_seconds() == pytest.approx(0.015, abs=1e-4)
    assert legacy.p95.total_seconds() == pytest.approx(0.0194, abs=1e-4)
    assert (modern.arm, modern.requests, modern.errors) == ("modern", 10, 1)
    assert modern.p50.total_seconds() == pytest.approx(0.5)
