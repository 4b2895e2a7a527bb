"""Which plots the report has, and what is drawn in each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from crossfade.journal.port import Entry
from crossfade.model import events as happened
from crossfade.model.ends import SharesAre, WriterIs
from crossfade.model.progress import Progress
from crossfade.report.charts import draw
from crossfade.report.plot import Band, Chart, Drawing, Frame, Mark, Point, Series, Tick
from crossfade.report.scale import time_ticks
from crossfade.report.series import ArmSecond
from crossfade.report.telling import threshold
from crossfade.report.units import say_bytes, say_clock, say_count, say_duration, say_milliseconds, say_percent

# Letters of marks closer than this, in percent of the plot's width, stand in rows of their own.
_LETTER_WIDTH = 4.0
_ROWS = 4


def frame_of(entries: Sequence[Entry]) -> Frame:
    """The time axis that all plots share: seconds since the first entry, phases as bands, turning points as marks."""
    began, ended = entries[0].at, entries[-1].at
    last = max(1.0, (ended - began).total_seconds())
    bare = Frame(first=0.0, last=last, x_ticks=(), say_x=_clock)
    return Frame(
        first=0.0,
        last=last,
        x_ticks=tuple(Tick(place=bare.place(x), label=_clock(x)) for x in time_ticks(0.0, last)),
        say_x=_clock,
        bands=tuple(_bands(entries, bare, began)),
        marks=stagger(tuple(_marks(entries, bare, began))),
    )


def charts(
    entries: Sequence[Entry], progress: Sequence[Progress], seconds: Sequence[ArmSecond], frame: Frame
) -> tuple[Chart, ...]:
    """Every plot for which there is something to show."""
    began = entries[0].at
    drawings = (
        _shares(entries, began),
        _latency(seconds, began),
        _errors(seconds, began),
        _evidence(entries, began),
        _lag(progress, began),
        _lag_bytes(progress, began),
        _files(progress, began),
    )
    return tuple(chart for drawing in drawings if (chart := draw(drawing, frame)) is not None)


def stagger(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks from left to right, each letter in the first row where it has room."""
    ends = [-100.0] * _ROWS
    placed: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.left):
        row = next((i for i in range(_ROWS) if mark.left - ends[i] >= _LETTER_WIDTH), _ROWS - 1)
        ends[row] = mark.left
        placed.append(Mark(letter=mark.letter, text=mark.text, look=mark.look, left=mark.left, row=row))
    return tuple(placed)


def _clock(x: float) -> str:
    return say_clock(timedelta(seconds=x))


def _bands(entries: Sequence[Entry], frame: Frame, began: datetime) -> Iterator[Band]:
    starts: list[tuple[float, str, str]] = []
    for entry in entries:
        x = (entry.at - began).total_seconds()
        match entry.event:
            case happened.PhaseEntered():
                starts.append((x, str(entry.event.phase), "even" if len(starts) % 2 else "odd"))
            case happened.RollbackDecided():
                starts.append((x, "roll back", "back"))
            case happened.FailBackDecided():
                starts.append((x, "fail back", "back"))
    ends = [*(x for x, _, _ in starts), frame.last][1:]
    for (x, name, look), end in zip(starts, ends, strict=True):
        left = round(frame.place(x), 2)
        yield Band(name=name, look=look, left=left, width=round(frame.place(end) - left, 2))


def _marks(entries: Sequence[Entry], frame: Frame, began: datetime) -> Iterator[Mark]:
    letters = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for entry in entries:
        turning = _turning_point(entry)
        letter = next(letters, None) if turning else None
        if turning is not None and letter is not None:
            text, look = turning
            x = (entry.at - began).total_seconds()
            yield Mark(letter=letter, text=f"{_clock(x)} {text}", look=look, left=round(frame.place(x), 2))


def _turning_point(entry: Entry) -> tuple[str, str] | None:
    match entry.event:
        case happened.EndReached(end=WriterIs() as end):
            return f"the {end.side} takes writes", "switch"
        case happened.RollbackDecided():
            return "roll back decided", "back"
        case happened.FailBackDecided():
            return "fail back decided", "back"
        case happened.EngineStarted() if entry.position > 2:
            return "the engine resumes", "quiet"
        case happened.Held():
            return f"held by {entry.by}", "quiet"
        case happened.Released():
            return f"released by {entry.by}", "quiet"
        case _:
            return None


def _shares(entries: Sequence[Entry], began: datetime) -> Drawing:
    points: list[Point] = [(0.0, 0.0)]
    for entry in entries:
        match entry.event:
            case happened.EndReached(end=SharesAre() as end):
                points.append((_since(began, entry.at), end.canary_percent))
    return Drawing(
        ident="shares",
        title="Share of users on the modern servers",
        note="As the router confirmed each change.",
        say=say_percent,
        series=(Series(name="modern", look="modern", points=tuple(points), step=True),),
        top=100.0,
    )


def _latency(seconds: Sequence[ArmSecond], began: datetime) -> Drawing:
    def line(arm: str, name: str, look: str, value: Callable[[ArmSecond], float | None]) -> Series:
        found = ((_since(began, s.at), value(s)) for s in seconds if s.arm == arm)
        return Series(name=name, look=look, points=tuple((x, y) for x, y in found if y is not None))

    return Drawing(
        ident="latency",
        title="Latency by arm",
        note="Median and 95th percentile of each second, as users saw them, from the time a request was due.",
        say=say_milliseconds,
        series=(
            line("baseline", "legacy p50", "legacy thin", lambda s: s.p50_ms),
            line("canary", "modern p50", "modern thin", lambda s: s.p50_ms),
            line("baseline", "legacy p95", "legacy", lambda s: s.p95_ms),
            line("canary", "modern p95", "modern", lambda s: s.p95_ms),
        ),
    )


def _errors(seconds: Sequence[ArmSecond], began: datetime) -> Drawing:
    def line(arm: str, name: str, look: str) -> Series:
        rates = ((s.at, 100 * s.errors / s.requests) for s in seconds if s.arm == arm and s.requests)
        return Series(name=name, look=look, points=tuple((_since(began, at), rate) for at, rate in rates))

    drawn = (line("baseline", "legacy", "legacy"), line("canary", "modern", "modern"))
    highest = max((y for series in drawn for _, y in series.points), default=0.0)
    return Drawing(
        ident="errors",
        title="Error rate by arm",
        note="Answers of status 5xx and requests without an answer, in each second.",
        say=say_percent,
        series=drawn,
        top=1.0 if highest <= 1 else None,  # nothing must not look like much
    )


def _evidence(entries: Sequence[Entry], began: datetime) -> Drawing:
    looks = [(entry.at, entry.event.e_value) for entry in entries if isinstance(entry.event, happened.Looked)]
    plans = [entry.event.plan for entry in entries if isinstance(entry.event, happened.MigrationPlanned)]
    limit = threshold(plans[0]) if plans else None
    return Drawing(
        ident="evidence",
        title="Evidence against the modern servers",
        note="The judge's e-value after each look, on a logarithmic axis; below 1 speaks for them.",
        say=lambda y: f"{y:,.3g}" if y < 1000 else f"{y:,.0f}",
        series=(Series(name="e-value", look="judge", points=tuple((_since(began, at), e) for at, e in looks)),),
        logarithmic=True,
        limit=None if limit is None else (limit, f"aborts at {limit:g}"),
    )


def _lag(progress: Sequence[Progress], began: datetime) -> Drawing:
    points = tuple((_since(began, p.at), p.lag.total_seconds()) for p in progress if p.lag is not None)
    return Drawing(
        ident="lag",
        title="Replication lag, time",
        note="Replay lag: the age of the newest marker row that has arrived on the other side.",
        say=lambda y: say_duration(timedelta(seconds=y)),
        series=(Series(name="replay lag", look="data", points=points),),
    )


def _lag_bytes(progress: Sequence[Progress], began: datetime) -> Drawing:
    def line(name: str, look: str, value: Callable[[Progress], int | None]) -> Series:
        found = ((_since(began, p.at), value(p)) for p in progress)
        return Series(name=name, look=look, points=tuple((x, float(y)) for x, y in found if y is not None))

    return Drawing(
        ident="lag-bytes",
        title="Replication lag, bytes",
        note="What the other side has not replayed, and what the primary keeps on disk for it.",
        say=say_bytes,
        binary=True,
        series=(
            line("replay lag", "data", lambda p: p.lag_bytes),
            line("retained WAL", "data thin", lambda p: p.retained_wal_bytes),
        ),
    )


def _files(progress: Sequence[Progress], began: datetime) -> Drawing:
    points = tuple((_since(began, p.at), float(p.files_pending)) for p in progress if p.files_pending is not None)
    return Drawing(
        ident="files",
        title="Files pending",
        note="Files known to differ or to be missing on the other side.",
        say=say_count,
        series=(Series(name="pending", look="data", points=points),),
    )


def _since(began: datetime, at: datetime) -> float:
    return (at - began).total_seconds()
