import re
from datetime import timedelta

import pytest

from crossfade.model import events
from crossfade.model.terms import Side
from crossfade.report.charts import MOST_POINTS, draw, thin
from crossfade.report.figures import charts, frame_of, stagger
from crossfade.report.plot import Chart, Drawing, Frame, Mark, Series
from crossfade.report.scale import clipped_top, decades, round_top, ticks, time_ticks
from crossfade.report.series import WriteWindow
from crossfade.report.switches import longest_quiet, switches
from tests.report import sample

FRAME = Frame(first=0.0, last=100.0, x_ticks=(), say_x=lambda x: f"{x:.0f} s")


def chart(*points: tuple[float, float], step: bool = False, **drawing: object) -> Chart:
    series = Series(name="line", look="legacy", points=points, step=step)
    given: dict[str, object] = {"ident": "i", "title": "t", "note": "n", "say": lambda y: f"{y:g} u"}
    drawn = draw(Drawing(series=(series,), **{**given, **drawing}), FRAME)  # type: ignore[arg-type]
    assert drawn is not None
    return drawn


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 1), (1, 1), (1.1, 2), (2.2, 2.5), (4, 5), (7, 10), (0.03, 0.05), (1001, 2000)],
)
def test_top_is_round_when_values_are_not(highest: float, top: float) -> None:
    assert round_top(highest) == pytest.approx(top)


def test_top_is_a_power_of_two_when_it_counts_bytes() -> None:
    assert round_top(3_000_000, binary=True) == 2**22
    assert ticks(2**22, binary=True) == (0, 2**20, 2 * 2**20, 3 * 2**20, 2**22)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("highest", [0.2, 1, 1.1, 3.5, 5.1, 7, 52, 74, 1234])
def test_ticks_divide_the_axis_evenly_when_its_top_is_chosen(highest: float, binary: bool) -> None:
    top = clipped_top([highest], binary=binary)
    assert top >= highest
    assert ticks(top, binary=binary)[-1] == pytest.approx(top)
    assert 2 <= len(ticks(top, binary=binary)) <= 6


@pytest.mark.parametrize("span", [1, 9, 61, 183, 4000, 90_000, 3_000_000])
def test_times_are_few_and_whole_when_the_span_is_any(span: float) -> None:
    marks = time_ticks(0, span)
    assert 1 <= len(marks) <= 9
    assert all(mark == int(mark) for mark in marks)


def test_decades_hold_all_values_when_the_axis_is_logarithmic() -> None:
    assert decades(0.08, 47) == pytest.approx((0.01, 0.1, 1, 10, 100))
    assert decades(1, 1) == pytest.approx((1, 10))


def test_axis_is_not_flattened_when_one_peak_is_high() -> None:
    values = [10.0] * 200 + [5000.0]
    assert clipped_top(values) == 40
    drawn = chart(*((float(i), y) for i, y in enumerate(values[-100:])))
    assert "Peaks are cut; the highest is 5000 u." in drawn.note


def test_line_breaks_when_nothing_was_measured_for_long() -> None:
    drawn = chart(*((float(x), 1.0) for x in (1, 2, 3, 60, 61)))
    assert drawn.lines[0].path.count("M") == 2
    assert "40 s" not in "".join(drawn.readouts)
    assert "30 s" not in [row[0] for row in drawn.rows]


def test_line_holds_its_value_to_the_end_when_it_is_a_step() -> None:
    drawn = chart((0.0, 0.0), (50.0, 25.0), step=True, top=100.0)
    assert drawn.lines[0].path == "M0.00 100h0H50.00V75H100.00"
    assert drawn.rows[-1] == ("100 s", "25 u")
    assert drawn.rows[0][1] == "0 u"


def test_values_stand_beside_the_plot_when_it_is_drawn() -> None:
    drawn = chart(*((float(x), float(x)) for x in range(101)))
    assert drawn.summary == "line: lowest 0 u, median 50 u, highest 100 u."
    assert drawn.head == ("time", "line")
    assert ("50 s", "50 u") in drawn.rows
    assert len(drawn.rows) == 16
    assert drawn.readouts[0].endswith("line 0 u")


def test_nothing_is_drawn_when_nothing_was_measured() -> None:
    drawing = Drawing(ident="i", title="t", note="n", say=str, series=(Series(name="a", look="b", points=()),))
    assert draw(drawing, FRAME) is None


def test_peaks_survive_when_points_are_thinned() -> None:
    points = [(float(i), 1.0) for i in range(100_000)]
    points[77_777] = (77_777.0, 9.0)
    points[12_345] = (12_345.0, -9.0)
    kept = thin(points)
    assert len(kept) <= MOST_POINTS
    assert (77_777.0, 9.0) in kept
    assert (12_345.0, -9.0) in kept
    assert list(kept) == sorted(kept)


def test_every_promised_plot_is_there_when_a_migration_completed() -> None:
    story = sample.completed()
    drawn = charts(story, sample.progress(story), sample.seconds(story), frame_of(story))
    assert [each.ident for each in drawn] == [
        "shares",
        "latency",
        "errors",
        "evidence",
        "lag",
        "lag-bytes",
        "files",
    ]
    coordinates = re.compile(r"[MLHV]([\d.]+)(?: ([\d.]+))?")
    for line in (line for each in drawn for line in each.lines):
        numbers = [float(n) for match in coordinates.findall(line.path) for n in match if n]
        assert numbers
        assert all(0 <= number <= 100 for number in numbers)


def test_only_shares_are_plotted_when_only_the_journal_is_left() -> None:
    story = sample.rolled_back()
    assert [each.ident for each in charts(story, (), (), frame_of(story))] == ["shares", "evidence"]


def test_evidence_crosses_the_limit_when_the_judge_aborts() -> None:
    story = sample.rolled_back()
    evidence = charts(story, (), (), frame_of(story))[1]
    assert evidence.limit is not None
    assert evidence.limit.label == "aborts at 40"
    assert "highest 47.3" in evidence.summary


def test_phases_and_turning_points_are_on_the_axis_when_framed() -> None:
    frame = frame_of(sample.rolled_back())
    assert [band.name for band in frame.bands][-2:] == ["canary", "roll back"]
    assert sum(band.width for band in frame.bands) == pytest.approx(100, abs=0.5)
    assert [(mark.letter, mark.text) for mark in frame.marks] == [("A", "1:10 roll back decided")]


def test_letters_stand_in_rows_when_moments_lie_close() -> None:
    marks = [Mark(letter=str(i), text="", look="switch", left=left) for i, left in enumerate((10.0, 11.0, 12.0, 40.0))]
    assert [mark.row for mark in stagger(marks)] == [0, 1, 2, 0]


def test_frame_stands_when_a_journal_has_a_single_entry() -> None:
    frame = frame_of(sample.entries([(0.0, "engine", events.MigrationPlanned(plan=sample.PLAN))]))
    assert frame.last == 1.0
    assert frame.bands == ()


def test_write_window_is_fence_to_open_when_a_switch_is_drawn() -> None:
    (switch,) = switches([sample.window()])
    assert switch.title == "Switch 1: writes move to the target"
    assert switch.write_window == "41.3 ms"
    assert switch.frame.bands[0].left == pytest.approx(40)
    assert switch.frame.bands[0].width == pytest.approx(8.26)
    assert [mark.text for mark in switch.moments][:3] == ["fenced 9 ms", "drained 17.5 ms", "opened 41.3 ms"]
    assert len(switch.readouts) == 50
    assert switch.readouts[20] == "0 ms: 0 acknowledged"
    assert sum(bar.height for bar in switch.bars) > 0


def test_quiet_is_the_longest_run_without_writes_when_measured() -> None:
    window = WriteWindow(to=Side.SOURCE, started=sample.START, moments=(), acknowledged=(0, 2, 0, 0, 0, 1, 0))
    assert longest_quiet(window) == timedelta(milliseconds=30)


def test_switch_is_still_drawn_when_it_never_opened_and_nobody_wrote() -> None:
    window = WriteWindow(to=Side.SOURCE, started=sample.START, moments=(), acknowledged=())
    (switch,) = switches([window])
    assert switch.write_window == "not recorded"
    assert switch.bars == ()
