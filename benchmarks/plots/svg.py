"""A picture of lines, marks and texts, legible on light and dark pages: colours follow the reader's scheme.

Texts are placed by their estimated width, so that they can be kept apart without a browser. Colours are those of Okabe
and Ito, which the colour-blind can tell apart; marks differ in form besides. Source: docs/adr/0006-report-charts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH = 1000.0
FONT = 15.0
# Widths of letters in parts of the font's size, in DejaVu Sans, the widest of the common fonts.
NARROW, BROAD, USUAL, BOLD = 0.36, 0.95, 0.63, 1.1

_STYLE = """\
  .paper { fill: #f6f6f2 } .ink { fill: #1d2126 } .quiet { fill: #575d64 } .grid { stroke: #d3d6d0; stroke-width: 1 }
  .axis { stroke: #575d64; stroke-width: 1.5 } .bar { fill: #9aa0a6 } .band { fill: #e9ebe5 }
  .ours { fill: #0060a8 } .ours-line { stroke: #0060a8 } .bad { fill: #c24d00 } .bad-line { stroke: #c24d00 }
  .third { fill: #00795a } .third-line { stroke: #00795a } .other { fill: #575d64 } .other-line { stroke: #575d64 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round } .dashed { stroke-dasharray: 8 5 }
  .dotted { stroke-dasharray: 2 5; stroke-linecap: round } .hollow { fill: #f6f6f2; stroke-width: 2.5 }
  .strong { font-weight: 600 }
  .halo { paint-order: stroke; stroke: #f6f6f2; stroke-width: 5; stroke-linejoin: round }
  text { font-variant-numeric: tabular-nums }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #15181c } .ink { fill: #eceef0 } .quiet { fill: #aab1b9 } .grid { stroke: #33393f }
    .axis { stroke: #aab1b9 } .bar { fill: #7b838b } .band { fill: #1e2227 }
    .ours { fill: #5fb4f2 } .ours-line { stroke: #5fb4f2 } .bad { fill: #ff9350 } .bad-line { stroke: #ff9350 }
    .third { fill: #3fcf9f } .third-line { stroke: #3fcf9f } .other { fill: #aab1b9 } .other-line { stroke: #aab1b9 }
    .hollow { fill: #15181c } .halo { stroke: #15181c }
  }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a text stands, as estimated."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


@dataclass(slots=True, kw_only=True)
class Picture:
    """Drawn from the back to the front; `summary` says what there is to see to those who do not see it."""

    title: str
    summary: str
    height: float
    parts: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    def text(self, x: float, y: float, said: str, look: str = "ink", *, anchor: str = "start") -> None:
        """One line of text with its baseline at y; `anchor` is start, middle or end."""
        width = wide(said, look)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        self.boxes.append(Box(text=said, left=left, right=left + width, top=y - 0.75 * FONT, bottom=y + 0.22 * FONT))
        at = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.parts.append(f'<text class="{look}" x="{x:.6g}" y="{y:.6g}"{at}>{escape(said, quote=False)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str) -> None:
        self.parts.append(f'<path class="{look}" d="M{x1:.6g} {y1:.6g}L{x2:.6g} {y2:.6g}"/>')

    def path(self, points: Sequence[tuple[float, float]], look: str) -> None:
        drawn = "L".join(f"{x:.6g} {y:.6g}" for x, y in points)
        self.parts.append(f'<path class="line {look}" d="M{drawn}"/>')

    def box(self, x: float, y: float, width: float, height: float, look: str) -> None:
        self.parts.append(
            f'<rect class="{look}" x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}" rx="2"/>'
        )

    def dot(self, x: float, y: float, look: str, *, hollow: bool = False) -> None:
        told = f"hollow {look}-line" if hollow else look
        self.parts.append(f'<circle class="{told}" cx="{x:.6g}" cy="{y:.6g}" r="6"/>')

    def svg(self) -> str:
        drawn = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {self.height:g}" role="img" '
            f'aria-labelledby="title desc" font-family="system-ui, \'DejaVu Sans\', sans-serif" '
            f'font-size="{FONT:g}">\n'
            f'<title id="title">{escape(self.title, quote=False)}</title>\n'
            f'<desc id="desc">{escape(self.summary, quote=False)}</desc>\n'
            f"<style>\n{_STYLE}\n</style>\n"
            f'<rect class="paper" width="{WIDTH:g}" height="{self.height:g}" rx="14"/>\n{drawn}\n</svg>\n'
        )


def wide(said: str, look: str = "") -> float:
    """About how wide a text is, rather more than less."""
    letters = sum(NARROW if c in " iljtfr.,:'()*-" else BROAD if c in "mwMW%→×" else USUAL for c in said)
    return FONT * letters * (BOLD if "strong" in look else 1.0)


def spread(places: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """The places, moved as little as needed to stand `apart` and between `low` and `high`; in the order given."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [min(max(places[i], low), high) for i in order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + apart)
    ceiling = high
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - apart
    told = [0.0] * len(places)
    for place, i in zip(moved, order, strict=True):
        told[i] = place
    return told
