import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import JournalUnusable, SqliteJournal
from crossfade.model.events import EngineStarted, Held

AT = datetime(2026, 1, 2, tzinfo=UTC)
LENGTH = 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "journal.sqlite"
    journal = SqliteJournal(place)
    journal.append([Held(reason=f"reason {n}") for n in range(LENGTH)], expected=0, at=AT, by="engine")
    journal.close()
    return place


def tamper(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER entries_stay")
        connection.execute("DROP TRIGGER entries_remain")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("position", range(1, LENGTH + 1))
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET body = replace(body, 'reason', 'treason') WHERE position = {0}",
        "UPDATE entries SET by = 'mallory' WHERE position = {0}",
        "UPDATE entries SET at = '2027-01-01T00:00:00+00:00' WHERE position = {0}",
        "UPDATE entries SET hash = substr(hash, 2) || '0' WHERE position = {0}",
        "DELETE FROM entries WHERE position = {0}",
    ],
)
def test_the_first_broken_entry_is_named_when_one_is_tampered_with(path: Path, change: str, position: int) -> None:
    tamper(path, change.format(position))
    with pytest.raises(JournalDamaged) as damage:
        SqliteJournal(path).read()
    assert damage.value.broken_at == position


def test_a_removed_end_is_found_when_the_head_still_names_it(path: Path) -> None:
    tamper(path, "DELETE FROM entries WHERE position >= 4")
    with pytest.raises(JournalDamaged) as damage:
        SqliteJournal(path).read()
    assert damage.value.broken_at == 4


def test_two_entries_are_found_when_they_change_places(path: Path) -> None:
    tamper(
        path,
        "UPDATE entries SET position = -2 WHERE position = 2",
        "UPDATE entries SET position = 2 WHERE position = 3",
        "UPDATE entries SET position = 3 WHERE position = -2",
    )
    with pytest.raises(JournalDamaged) as damage:
        SqliteJournal(path).read()
    assert damage.value.broken_at == 2


def test_entries_cannot_be_changed_or_removed_when_the_triggers_stand(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        for statement in ("UPDATE entries SET by = 'mallory'", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)


def test_no_traceback_but_a_remedy_when_the_file_is_not_a_database(tmp_path: Path) -> None:
    place = tmp_path / "journal.sqlite"
    place.write_bytes(os.urandom(8192))
    with pytest.raises(JournalDamaged) as damage:
        SqliteJournal(place).read()
    assert damage.value.remedy


def test_a_missing_journal_is_not_begun_when_it_must_exist(tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable):
        SqliteJournal(tmp_path / "none.sqlite", must_exist=True)
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_journal_that_is_being_made_is_empty_when_somebody_looks(tmp_path: Path, mode: str) -> None:
    place = tmp_path / "journal.sqlite"
    maker = sqlite3.connect(place)
    maker.execute(f"PRAGMA journal_mode = {mode}")
    reader = SqliteJournal(place, must_exist=True, read_only=True)
    assert reader.read() == ()
    journal = SqliteJournal(place)
    assert reader.read() == ()
    journal.append([EngineStarted()], expected=0, at=AT, by="engine")
    assert [entry.event for entry in reader.read()] == [EngineStarted()]


def test_its_missing_entries_are_found_when_an_empty_database_stands_in_its_place(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as empty:
        empty.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(JournalDamaged, match=f"there were {LENGTH} entries"):
        SqliteJournal(path, must_exist=True, read_only=True).read()


def test_auditing_changes_nothing_when_read_only(path: Path) -> None:
    before = path.read_bytes()
    SqliteJournal(path, must_exist=True, read_only=True).read()
    assert path.read_bytes() == before


def test_a_full_disk_loses_nothing_and_says_so_when_appending(path: Path) -> None:
    journal = SqliteJournal(path)
    journal._connection.execute("PRAGMA max_page_count = 1")  # what SQLite sees of a disk without room
    with pytest.raises(JournalUnusable) as failure:
        journal.append([Held(reason="x" * 100_000)], expected=LENGTH, at=AT, by="engine")
    assert "disk is full" in failure.value.remedy
    assert len(journal.read()) == LENGTH
    journal.close()
    assert len(SqliteJournal(path).read()) == LENGTH


def test_what_was_appended_is_there_when_the_writer_is_killed_right_after(tmp_path: Path) -> None:
    place = tmp_path / "journal.sqlite"
    script = (
        "import os, signal, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from crossfade.journal.sqlite import SqliteJournal\nfrom crossfade.model.events import EngineStarted\n"
        "journal = SqliteJournal(Path(sys.argv[1]))\n"
        "journal.append([EngineStarted()], expected=0, at=datetime.now(UTC), by='engine')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(place)], check=False)
    assert [entry.event for entry in SqliteJournal(place).read()] == [EngineStarted()]


def test_the_first_unreadable_entry_is_named_when_a_page_of_the_file_is_damaged(path: Path) -> None:
    many = 500
    journal = SqliteJournal(path)
    journal.append([Held(reason=f"reason {n}") for n in range(many)], expected=LENGTH, at=AT, by="engine")
    journal.close()
    page, whole = 4096, bytearray(path.read_bytes())
    middle = len(whole) // page // 2 * page
    whole[middle : middle + 8] = bytes([255] * 8)
    path.write_bytes(whole)
    with pytest.raises(JournalDamaged, match="malformed") as damage:
        SqliteJournal(path, read_only=True).read()
    assert LENGTH < damage.value.broken_at < many
