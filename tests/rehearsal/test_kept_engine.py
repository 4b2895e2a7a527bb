"""The engine is a small program here that says it started and ends, or gets a step further first."""

import sys
from pathlib import Path

import pytest

from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.terms import Side
from crossfade.rehearsal.kept_engine import EngineFails, KeptEngine
from crossfade.rehearsal.layout import Layout, lay_out
from tests.waiting import wait_for

_PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import EngineStarted, GatePassed
journal = SqliteJournal(Path(sys.argv[2]) / "journal.sqlite")
said = [EngineStarted()] + [GatePassed(gate="caught_up")] * int(sys.argv[1])
journal.append(said, expected=len(journal.read()), at=datetime.now(UTC), by="engine")
"""


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    return lay_out("small-1", ("a",), through_wan=False, speed=1.0, seed=1)


def wait_until_dead(engine: KeptEngine) -> None:
    wait_for(lambda: not engine.alive)


def starts(layout: Layout, further: int, most: int) -> int:
    """How often the engine could be started until it was given up, at most `most` times."""
    engine = KeptEngine(layout, program=(sys.executable, "-c", _PROGRAM, str(further)))
    journal = SqliteJournal(layout.journal)
    for number in range(most):
        try:
            engine.start(journal.read())
        except EngineFails:
            return number
        wait_until_dead(engine)
    return most


def test_an_engine_is_given_up_when_it_only_ever_starts(layout: Layout) -> None:
    assert starts(layout, 0, 10) == 4


def test_an_engine_is_not_given_up_when_it_is_killed_again_and_again(layout: Layout) -> None:
    engine = KeptEngine(layout, program=(sys.executable, "-c", "import time; time.sleep(60)"))
    for _ in range(10):
        engine.start(())
        engine.kill()


def test_an_engine_is_started_again_and_again_when_it_gets_further(layout: Layout) -> None:
    assert starts(layout, 1, 7) == 7


def test_an_engine_is_told_at_which_points_of_which_switch_it_shall_wait(layout: Layout, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    program = f"import sys, pathlib; pathlib.Path({str(heard)!r}).open('a').write(' '.join(sys.argv[2:]) + ';')"
    engine = KeptEngine(layout, program=(sys.executable, "-c", program))
    for points in ({(Side.TARGET, "fenced"), (Side.SOURCE, "opened")}, set[tuple[Side, str]]()):
        engine.start((), points)
        wait_until_dead(engine)
    assert heard.read_text(encoding="utf-8") == "--wait-at=source:opened --wait-at=target:fenced;;"


def test_the_log_is_named_when_an_engine_is_given_up(layout: Layout) -> None:
    failure = EngineFails(4, layout.engine_log, layout.migration)
    assert str(layout.engine_log) in failure.remedy
    assert "crossfade resume small-1" in failure.remedy
