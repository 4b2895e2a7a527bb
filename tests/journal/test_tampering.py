"""Whatever is changed, removed, added or reordered in a journal's file is found, and in its place."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crossfade.journal.chain import SCHEMA, JournalDamaged
from crossfade.journal.sqlite import JournalUnusable, SqliteJournal
from crossfade.model.ends import SharesAre
from crossfade.model.entry import Entry
from crossfade.model.events import EndWanted, EngineStarted, Held

AT = datetime(2026, 1, 2, tzinfo=UTC)
LENGTH = 7
TEXTS = ("at", "by", "body", "hash")
FAST = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


class Sound:
    """A journal's file, its witness, and what it says. No dataclass: hypothesis would print it whole."""

    def __init__(self, file: bytes, witness: bytes, entries: tuple[Entry, ...]) -> None:
        self.file, self.witness, self.entries = file, witness, entries


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    place = tmp_path_factory.mktemp("sound") / "journal.sqlite"
    journal = SqliteJournal(place)
    for n in range(LENGTH):
        event = (Held(reason=f"größer als {n} \ufffd"), EndWanted(end=SharesAre(canary_percent=n)), EngineStarted())[
            n % 3
        ]
        journal.append([event], expected=n, at=AT + timedelta(seconds=n), by=("engine", "ann")[n % 2])
    entries = journal.read()
    journal._connection.execute("PRAGMA journal_mode = DELETE")
    journal.close()
    return Sound(place.read_bytes(), place.with_name("journal.sqlite-head").read_bytes(), entries)


@contextmanager
def copied(sound: Sound, *, witness: bool = False) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        place = Path(folder) / "journal.sqlite"
        place.write_bytes(sound.file)
        if witness:
            place.with_name("journal.sqlite-head").write_bytes(sound.witness)
        yield place


def tamper(place: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug on a test
    connection.executescript("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain; PRAGMA writable_schema = ON")
    for statement, values in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def damage(place: Path) -> JournalDamaged:
    with pytest.raises(JournalDamaged) as found:
        SqliteJournal(place, must_exist=True, read_only=True).read()
    return found.value


def outcome(place: Path) -> object:
    """`found` when the journal is refused with a remedy, else what it says."""
    try:
        return SqliteJournal(place, must_exist=True, read_only=True).read()
    except (JournalDamaged, JournalUnusable) as refusal:
        return "found" if refusal.remedy else refusal


@FAST
@given(position=st.integers(1, LENGTH), column=st.sampled_from(TEXTS), place=st.integers(0), change=st.integers(1, 255))
def test_any_byte_of_an_entry_that_was_changed_is_found_in_its_place(
    sound: Sound, position: int, column: str, place: int, change: int
) -> None:
    with copied(sound) as journal:
        with sqlite3.connect(journal) as connection:
            connection.text_factory = bytes
            (text,) = connection.execute(f"SELECT {column} FROM entries WHERE position = ?", (position,)).fetchone()
        changed = bytearray(text)
        changed[place % len(changed)] ^= change
        tamper(
            journal, (f"UPDATE entries SET {column} = CAST(? AS TEXT) WHERE position = ?", (bytes(changed), position))
        )
        assert damage(journal).broken_at == position


@FAST
@given(position=st.integers(1, LENGTH), schema=st.integers(-(2**63), 2**63 - 1).filter(lambda n: n != SCHEMA))
def test_another_schema_is_found_in_its_place(sound: Sound, position: int, schema: int) -> None:
    with copied(sound) as journal:
        tamper(journal, ("UPDATE entries SET schema = ? WHERE position = ?", (schema, position)))
        assert damage(journal).broken_at == position


@FAST
@given(
    position=st.integers(1, LENGTH),
    new=st.integers(-(2**63), 2**63 - 1) | st.integers(-2, LENGTH + 2),
)
def test_an_entry_with_another_position_is_found(sound: Sound, position: int, new: int) -> None:
    if 1 <= new <= LENGTH:
        return
    with copied(sound) as journal:
        tamper(journal, ("UPDATE entries SET position = ? WHERE position = ?", (new, position)))
        assert damage(journal).broken_at == (1 if new < 1 else position)


@pytest.mark.parametrize("position", range(1, LENGTH + 1))
def test_a_removed_entry_is_found_in_its_place(sound: Sound, position: int) -> None:
    with copied(sound) as journal:
        tamper(journal, ("DELETE FROM entries WHERE position = ?", (position,)))
        assert damage(journal).broken_at == position


@FAST
@given(first=st.integers(1, LENGTH), second=st.integers(1, LENGTH))
def test_two_entries_that_changed_places_are_found_at_the_first(sound: Sound, first: int, second: int) -> None:
    if first == second:
        return
    with copied(sound) as journal:
        move = "UPDATE entries SET position = ? WHERE position = ?"
        tamper(journal, (move, (-9, first)), (move, (first, second)), (move, (second, -9)))
        assert damage(journal).broken_at == min(first, second)


@FAST
@given(
    position=st.integers(-(2**63), 2**63 - 1) | st.integers(-2, LENGTH + 2),
    like=st.integers(1, LENGTH),
)
def test_an_added_entry_is_found_in_its_place(sound: Sound, position: int, like: int) -> None:
    if 1 <= position <= LENGTH:
        return
    add = "INSERT INTO entries SELECT ?, at, by, schema, body, hash FROM entries WHERE position = ?"
    with copied(sound) as journal:
        tamper(journal, (add, (position, like)))
        assert damage(journal).broken_at == (1 if position < 1 else LENGTH + 1)


@pytest.mark.parametrize("kept", range(LENGTH))
def test_an_end_that_is_missing_is_found_by_the_witness_though_the_head_was_changed_as_well(
    sound: Sound, kept: int
) -> None:
    with copied(sound, witness=True) as journal:
        cut = ("DELETE FROM entries WHERE position > ?", (kept,))
        head = ("UPDATE head SET position = ?, hash = (SELECT hash FROM entries WHERE position = ?)", (kept, kept))
        forget = ("DELETE FROM head", ())
        tamper(journal, cut, head if kept else forget)
        assert damage(journal).broken_at == kept + 1


@FAST
@example(place=3489, change=128)  # in a table's name: SQLite's own complaint is no text then
@given(place=st.integers(0), change=st.integers(1, 255))
def test_a_flipped_byte_of_the_file_is_found_or_harmless_to_every_entry(sound: Sound, place: int, change: int) -> None:
    content = bytearray(sound.file)
    content[place % len(content)] ^= change
    with copied(sound) as journal:
        journal.write_bytes(content)
        assert outcome(journal) in ("found", sound.entries)
