import io
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from rich.console import Console

from crossfade.cli.live import LiveView, fits
from crossfade.cli.plain import PlainView, View
from crossfade.journal.port import Entry
from crossfade.model import events
from crossfade.model.progress import Progress
from tests.report import sample
from tests.waiting import wait_for


def terminal(stream: io.TextIOBase, width: int = 80, height: int = 24) -> Console:
    return Console(file=stream, force_terminal=True, width=width, height=height, color_system=None)  # type: ignore[arg-type]


def shown(story: tuple[Entry, ...], second: float, **size: int) -> list[str]:
    """The picture at a second of `story`, as lines."""
    view = LiveView(terminal(io.StringIO(), **size), auto_refresh=False)
    feed(view, story, second)
    console = Console(file=io.StringIO(), width=size.get("width", 80), height=50, record=True, color_system=None)
    console.print(view.picture())
    view.close()
    return console.export_text().splitlines()


def feed(view: View, story: tuple[Entry, ...], second: float) -> None:
    now = sample.START + timedelta(seconds=second)
    for entry in story:
        if entry.at <= now:
            view.tell(entry)
    view.show(next(p for p in reversed(sample.progress(story)) if p.at <= now))


def test_everything_a_person_asks_for_is_seen_when_canary_runs() -> None:
    lines = shown(sample.completed(), 90)
    text = "\n".join(lines)
    assert "✓ shadow ▶ canary · cutover" in text
    assert "50 % modern" in text
    assert lines[4].split()[0] == "legacy"
    assert lines[5].split()[0] == "modern"
    assert lines[5].count("ms") == 2
    for wanted in ("source takes writes", "replication lag", "KiB", "way back", "promote", "e-value", "aborts at 40"):
        assert wanted in text
    assert "waits still to come: 1 min 33 s" in text
    assert "Ada released the hold: back again." in text


def test_going_back_is_seen_when_the_judge_aborts() -> None:
    text = "\n".join(shown(sample.rolled_back(), 71))
    assert "rolling back" in text
    assert "◀ canary" in text
    assert "Rolls back (decided by: judge)" in text
    assert "1.24 times" in text


def test_hold_is_seen_when_a_person_holds() -> None:
    assert "held" in shown(sample.completed(), 89)[0]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 18), (120, 50)])
def test_picture_fits_the_terminal_at_every_moment_when_drawn(width: int, height: int) -> None:
    story = sample.rolled_back()
    for second in (0, 1, 6, 49, 60, 71, 76):
        lines = shown(story, second, width=width, height=height)
        assert len(lines) < height
        assert max(len(line) for line in lines) <= width


def test_nothing_is_guessed_when_nothing_is_known() -> None:
    empty = replace(
        sample.progress(sample.completed())[0],
        phase=None,
        canary_percent=None,
        baseline=None,
        lag=None,
        lag_bytes=None,
        writer=None,
        time_left=None,
    )
    stream = io.StringIO()
    view = LiveView(terminal(stream), auto_refresh=False)
    view.show(empty)
    view.close()
    assert "not known" in stream.getvalue()
    assert "lag unknown" in stream.getvalue()


def test_only_ascii_is_drawn_when_the_terminal_knows_no_more() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    view = LiveView(terminal(stream), auto_refresh=False)
    feed(view, sample.rolled_back(), 71)
    view.close()
    stream.flush()
    assert b"< canary" in raw.getvalue()


def test_picture_is_left_standing_when_closed_twice() -> None:
    stream = io.StringIO()
    view = LiveView(terminal(stream), auto_refresh=False)
    feed(view, sample.completed(), 183)
    view.close()
    view.close()
    assert stream.getvalue().count("Completed: finalized.") == 1


def test_picture_follows_by_itself_when_progress_comes() -> None:
    stream = io.StringIO()
    view = LiveView(terminal(stream))
    try:
        for second, share in ((54, "5 % modern"), (90, "50 % modern")):
            feed(view, sample.completed(), second)
            wait_for(lambda share=share: share in stream.getvalue())  # type: ignore[misc]
    finally:
        view.close()


def test_live_view_fits_only_when_there_is_a_terminal() -> None:
    assert fits(terminal(io.StringIO()))
    assert not fits(Console(file=io.StringIO()))


def lines_of(story: tuple[Entry, ...]) -> list[str]:
    stream = io.StringIO()
    view = PlainView(stream, zone=UTC)
    for entry in story:
        view.tell(entry)
    view.close()
    return stream.getvalue().splitlines()


def test_each_event_has_a_line_when_there_is_no_terminal() -> None:
    lines = lines_of(sample.rolled_back())
    assert lines[0].startswith("09:30:00 * Migration ledger is planned")
    assert any(line.startswith("09:31:10 ! Rolls back (decided by: judge)") for line in lines)
    assert lines[-1] == "09:31:16 * Rolled back: everything that was built is undone."


def test_status_comes_every_five_seconds_when_there_is_no_terminal() -> None:
    stream = io.StringIO()
    view = PlainView(stream, zone=UTC)
    for progress in sample.progress(sample.completed()):
        view.show(progress)
    times = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert times[:3] == ["09:30:00", "09:30:05", "09:30:10"]
    assert "canary, share 25 %, legacy" in stream.getvalue()
    assert "writes to target" in stream.getvalue()


def test_nothing_is_raised_when_the_reader_has_gone_away() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    view = PlainView(Gone())
    view.tell(sample.completed()[0])
    view.tell(sample.completed()[1])
    view.close()


def test_line_is_still_written_when_the_stream_cannot_show_a_sign() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    view = PlainView(stream, zone=UTC)
    held = events.Held(reason="déjeuner")
    view.tell(Entry(position=1, at=sample.START, by="Ada", event=held, hash=""))
    assert raw.getvalue() == b"09:30:00 * Ada holds the migration: d?jeuner.\n"


def test_both_views_keep_one_protocol_when_used_in_turn() -> None:
    views: list[View] = [PlainView(io.StringIO()), LiveView(terminal(io.StringIO()), auto_refresh=False)]
    seen: Progress = sample.progress(sample.completed())[10]
    for view in views:
        view.show(seen)
        view.tell(sample.completed()[0])
        view.close()
