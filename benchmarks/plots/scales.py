"""A plot's frame: where values lie, axes with round numbers, and labels at the ends of lines."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.plots.svg import FONT, Picture, spread

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from `first` to `last` on the page's places `start` to `end`; `last` may be the smaller place."""

    first: float
    last: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Kept within the frame."""
        low, high, at = self.first, self.last, min(max(value, self.first), self.last)
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        return self.start + (self.end - self.start) * (at - low) / (high - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Two scales and the picture they belong to."""

    drawn: Picture
    x: Scale
    y: Scale

    def axes(self, x_ticks: Mapping[float, str], y_ticks: Mapping[float, str]) -> None:
        """Grid lines and their numbers."""
        for value, said in y_ticks.items():
            y = self.y.place(value)
            self.drawn.line(self.x.start, y, self.x.end, y, "grid")
            self.drawn.text(self.x.start - 8, y + 5, said, "quiet", anchor="end")
        self.drawn.line(self.x.start, self.y.start, self.x.end, self.y.start, "axis")
        for value, said in x_ticks.items():
            self.drawn.text(self.x.place(value), self.y.start + 21, said, "quiet", anchor="middle")

    def lines(self, lines: Mapping[str, tuple[Points, str]], *, labels_at: float) -> None:
        """Each line with its name at `labels_at`, at the height at which it ends; names are kept apart."""
        told = [(name, points, look) for name, (points, look) in lines.items() if points]
        for _, points, look in told:
            self.drawn.path([(self.x.place(x), self.y.place(y)) for x, y in points], look)
        ends = [self.y.place(points[-1][1]) + 5 for _, points, _ in told]
        for (name, points, look), y in zip(told, spread(ends, 1.15 * FONT, self.y.end, self.y.start), strict=True):
            end = (self.x.place(points[-1][0]), self.y.place(points[-1][1]))
            if math.dist(end, (labels_at - 6, y - 5)) > 14:  # the name stands elsewhere: lead to it
                self.drawn.line(end[0] + 3, end[1], labels_at - 4, y - 5, "grid")
            self.drawn.text(labels_at, y, name, f"{look.split('-')[0]} strong")
