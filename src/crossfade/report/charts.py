"""Plots from measured series: scales, lines that break where nothing was measured, and the same values in words."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from crossfade.report.plot import Chart, Drawing, Frame, Line, Point, Series, Tick
from crossfade.report.scale import clipped_top, decades, ticks

READOUTS = 120
TABLE_ROWS = 16
# More points than this cannot be told apart on a page; of each group the lowest and the highest are kept.
MOST_POINTS = 600


def draw(drawing: Drawing, frame: Frame) -> Chart | None:
    """The chart; None when there is nothing to plot."""
    series = tuple(line for line in drawing.series if line.points)
    if not series:
        return None
    values = [y for line in series for _, y in line.points]
    scale = _logarithmic(values, drawing) if drawing.logarithmic else _linear(values, drawing)
    highest = max(values)
    note = drawing.note
    if scale.top < highest:
        note = f"{note} Peaks are cut; the highest is {drawing.say(highest)}."
    return Chart(
        ident=drawing.ident,
        title=drawing.title,
        note=note,
        summary=_summary(series, drawing.say),
        frame=frame,
        y_ticks=tuple(Tick(place=scale.place(y), label=drawing.say(y)) for y in scale.ticks),
        lines=tuple(_line(line, frame, scale) for line in series),
        limit=drawing.limit and Tick(place=scale.place(drawing.limit[0]), label=drawing.limit[1]),
        readouts=tuple(_readouts(series, frame, drawing.say)),
        head=("time", *(line.name for line in series)),
        rows=tuple(_rows(series, frame, drawing.say)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    low: float
    top: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def place(self, y: float) -> float:
        """Percent from the bottom, kept within the plot."""
        if self.logarithmic:
            low, top, y = (math.log10(value) for value in (self.low, self.top, max(y, self.low)))
        else:
            low, top = self.low, self.top
        return round(min(100.0, max(0.0, 100 * (y - low) / (top - low))), 2)


def _linear(values: Sequence[float], drawing: Drawing) -> _Scale:
    top = drawing.top or clipped_top(values, binary=drawing.binary)
    return _Scale(low=0.0, top=top, ticks=ticks(top, binary=drawing.binary))


def _logarithmic(values: Sequence[float], drawing: Drawing) -> _Scale:
    limit = drawing.limit[0] if drawing.limit else 1.0
    positive = [value for value in values if value > 0] or [1.0]
    marks = decades(max(1e-3, min(*positive, 1.0)), max(*positive, limit))
    return _Scale(low=marks[0], top=marks[-1], ticks=marks, logarithmic=True)


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> tuple[Point, ...]:
    """At most `most` points that look the same: of each group in order, the lowest and the highest."""
    if len(points) <= most:
        return tuple(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        group = points[start : start + size]
        kept += sorted({min(group, key=lambda p: p[1]), max(group, key=lambda p: p[1])})
    return tuple(kept)


def patience(points: Sequence[Point]) -> float:
    """How far apart neighbours may be before a line is broken: five times what is usual, at least three."""
    return max(3.0, 5 * median(b[0] - a[0] for a, b in pairwise(points))) if len(points) > 1 else 3.0


def _line(line: Series, frame: Frame, scale: _Scale) -> Line:
    path = _path(line, frame, scale)
    area = f"M{frame.place(line.points[0][0]):.2f} 100{path.replace('M', 'L', 1)}V100Z" if line.step else ""
    return Line(name=line.name, look=line.look, path=path, area=area)


def _path(line: Series, frame: Frame, scale: _Scale) -> str:
    points = line.points if line.step else thin(line.points)
    gap = math.inf if line.step else patience(points)
    drawn: list[str] = []
    before: Point | None = None
    for x, y in points:
        place = f"{frame.place(x):.2f}"
        height = f"{100 - scale.place(y):g}"
        if before is None or x - before[0] > gap:
            drawn.append(f"M{place} {height}h0")
        elif line.step:
            drawn.append(f"H{place}V{height}")
        else:
            drawn.append(f"L{place} {height}")
        before = (x, y)
    if line.step and before is not None:
        drawn.append(f"H{frame.place(frame.last):.2f}")
    return "".join(drawn)


def _value_at(line: Series, x: float, reach: float) -> float | None:
    """The last value at or before `x`, unless it is older than `reach`."""
    place = bisect_right(line.points, x, key=lambda point: point[0])
    if place == 0:
        return None
    at, y = line.points[place - 1]
    return None if not line.step and x - at > reach else y


def _readouts(series: Sequence[Series], frame: Frame, say: Callable[[float], str]) -> list[str]:
    width = (frame.last - frame.first) / READOUTS
    reaches = [max(width, patience(line.points)) for line in series]
    found: list[str] = []
    for number in range(READOUTS):
        x = frame.first + (number + 0.5) * width
        said = zip(series, _said(series, reaches, x, say), strict=True)
        known = [f"{line.name} {text}" for line, text in said if text != "-"]
        found.append(" · ".join((frame.say_x(x), *known)) if known else "")
    return found


def _rows(series: Sequence[Series], frame: Frame, say: Callable[[float], str]) -> list[tuple[str, ...]]:
    step = (frame.last - frame.first) / TABLE_ROWS
    places = [frame.first + (i + 1) * step for i in range(TABLE_ROWS)]
    reaches = [max(step / 4, patience(line.points)) for line in series]
    rows = [(frame.say_x(x), *_said(series, reaches, x, say)) for x in places]
    return [row for row in rows if any(cell != "-" for cell in row[1:])]


def _said(series: Sequence[Series], reaches: Sequence[float], x: float, say: Callable[[float], str]) -> list[str]:
    values = (_value_at(line, x, reach) for line, reach in zip(series, reaches, strict=True))
    return ["-" if value is None else say(value) for value in values]


def _summary(series: Sequence[Series], say: Callable[[float], str]) -> str:
    parts = []
    for line in series:
        ys = [y for _, y in line.points]
        parts.append(f"{line.name}: lowest {say(min(ys))}, median {say(median(ys))}, highest {say(max(ys))}")
    return "; ".join(parts) + "."
