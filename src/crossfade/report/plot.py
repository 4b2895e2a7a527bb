"""What a plot is made of: everything in percent of its width and height, so that a page can draw it at any size.

The template draws the lines as SVG and the texts as HTML: texts keep their size on a phone and in print.
Source: docs/adr/0006-report-charts.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line: points (x, y), x rising. `look` names its colour and stroke; a `step` holds y until the next point."""

    name: str
    look: str
    points: tuple[Point, ...]
    step: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the x axis, such as a phase."""

    name: str
    look: str
    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment on the x axis. `letter` refers to the key; `row` keeps letters that lie close apart from each other."""

    letter: str
    text: str
    look: str
    left: float
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    place: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`area` closes the stretch below the line; empty unless it is to be filled."""

    name: str
    look: str
    path: str
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What plots over the same time share. `say_x` names a place on the x axis."""

    first: float
    last: float
    x_ticks: tuple[Tick, ...]
    say_x: Callable[[float], str]
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()

    def place(self, x: float) -> float:
        span = self.last - self.first
        return 0.0 if span <= 0 else min(100.0, max(0.0, 100 * (x - self.first) / span))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that a template needs. `rows` have the same values in words, `summary` says what there is to see.

    `readouts` are the values at evenly wide stretches of the x axis, empty where nothing was measured.
    """

    ident: str
    title: str
    note: str
    summary: str
    frame: Frame
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    limit: Tick | None
    readouts: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What to plot and how: `say` names a y value with its unit.

    `top` fixes the axis; without it single peaks may be cut. `binary` axes are round in bytes.
    """

    ident: str
    title: str
    note: str
    say: Callable[[float], str]
    series: tuple[Series, ...]
    top: float | None = None
    logarithmic: bool = False
    binary: bool = False
    limit: tuple[float, str] | None = None
