"""One contract for every journal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.journal.memory import MemoryJournal
from crossfade.journal.port import Journal, VersionConflict
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.ends import SharesAre
from crossfade.model.events import EndWanted, EngineStarted, Held, PhaseEntered
from crossfade.model.terms import Phase

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Journal]:
    """Opens the same journal again at each call."""
    if request.param == "memory":
        journal = MemoryJournal()
        return lambda: journal
    return lambda: SqliteJournal(tmp_path / "journal.sqlite")


def test_entries_come_back_in_order_when_appended(opened: Callable[[], Journal]) -> None:
    first = opened()
    assert first.append([EngineStarted(), PhaseEntered(phase=Phase.PREPARE)], expected=0, at=AT, by="engine") == 2
    assert first.append([Held(reason="why")], expected=2, at=AT + timedelta(seconds=1), by="ann") == 3
    entries = opened().read()
    assert [(e.position, e.by) for e in entries] == [(1, "engine"), (2, "engine"), (3, "ann")]
    assert [e.event for e in entries] == [EngineStarted(), PhaseEntered(phase=Phase.PREPARE), Held(reason="why")]
    assert [e.at for e in entries] == [AT, AT, AT + timedelta(seconds=1)]


def test_reading_begins_after_a_position_when_asked(opened: Callable[[], Journal]) -> None:
    opened().append([EngineStarted(), Held(reason="a"), Held(reason="b")], expected=0, at=AT, by="engine")
    assert [e.position for e in opened().read(after=2)] == [3]
    assert opened().read(after=3) == ()


def test_nothing_is_appended_when_somebody_was_first(opened: Callable[[], Journal]) -> None:
    opened().append([EngineStarted()], expected=0, at=AT, by="one")
    with pytest.raises(VersionConflict) as conflict:
        opened().append([Held(reason="x"), Held(reason="y")], expected=0, at=AT, by="two")
    assert (conflict.value.expected, conflict.value.found, conflict.value.retryable) == (0, 1, True)
    assert len(opened().read()) == 1


def test_a_nested_end_survives_when_stored(opened: Callable[[], Journal]) -> None:
    wanted = EndWanted(end=SharesAre(canary_percent=12.5))
    opened().append([wanted], expected=0, at=AT, by="engine")
    assert opened().read()[0].event == wanted
