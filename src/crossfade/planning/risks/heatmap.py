"""The heat map: where each open risk stands by impact and probability, as cells and as SVG for light and dark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from crossfade.planning.risks.rating import IMPACTS, STEPS, Level, Probability, Rating
from crossfade.planning.risks.register import Register, Risk

_CELL_WIDTH, _CELL_HEIGHT, _LEFT, _TOP, _GAP = 112, 74, 44, 52, 64
_A_LINE, _LINES = 6, 2
"""Numbers of risks in a line of a cell, and lines; what does not fit is counted."""

STYLE = """\
.heat { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: #1c2126; }
.heat .quiet { fill: #5a636c; } .heat .title { font-weight: 650; font-size: 15px; }
.heat .numbers { font-weight: 650; font-size: 14px; } .heat .score { font-size: 11px; }
.heat rect { stroke: #ffffff; stroke-width: 2; }
.heat .low { fill: #d3ead8; } .heat .medium { fill: #fbe7a1; } .heat .high { fill: #f9bd8b; } .heat .critical { fill: #f19a94; }
@media screen and (prefers-color-scheme: dark) {
  .heat { fill: #e9ebec; } .heat .quiet { fill: #a3abb3; } .heat rect { stroke: #14171a; }
  .heat .low { fill: #1d3f2b; } .heat .medium { fill: #4d4010; } .heat .high { fill: #663813; } .heat .critical { fill: #7a2623; }
}
"""  # noqa: E501  # a style sheet reads best with a rule in a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A place of the map and the numbers of the risks in it, as the register's table counts them from 1."""

    rating: Rating
    numbers: tuple[int, ...]

    @property
    def level(self) -> Level:
        return self.rating.level


def cells(register: Register, of: Callable[[Risk], Rating]) -> tuple[tuple[Cell, ...], ...]:
    """Rows from the most probable down, each from the smallest impact up. Closed risks are in none."""
    return tuple(
        tuple(_cell(register.open, Rating(impact=impact, probability=probability), of) for impact in IMPACTS)
        for probability in reversed(STEPS)
    )


def _cell(risks: Sequence[Risk], rating: Rating, of: Callable[[Risk], Rating]) -> Cell:
    return Cell(rating=rating, numbers=tuple(n for n, risk in enumerate(risks, start=1) if of(risk) == rating))


def before(risk: Risk) -> Rating:
    """The rating without mitigations."""
    return risk.rating


def after(risk: Risk) -> Rating:
    """The rating with the mitigations that the plan contains."""
    return risk.residual


MAPS: tuple[tuple[str, Callable[[Risk], Rating]], ...] = (
    ("Without mitigations", before),
    ("With those in the plan", after),
)


def as_svg(register: Register, *, styled: bool = True) -> str:
    """Both maps side by side. `styled`: with its own style sheet, to stand alone; it follows the reader's theme."""
    width = len(MAPS) * (_LEFT + len(IMPACTS) * _CELL_WIDTH) + (len(MAPS) - 1) * _GAP
    height = _TOP + len(STEPS) * _CELL_HEIGHT + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="heat" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(_summary(register))}</title>",
    ]
    if styled:
        parts.append(f"<style>\n{STYLE}</style>")
    for place, (title, of) in enumerate(MAPS):
        left = place * (_LEFT + len(IMPACTS) * _CELL_WIDTH + _GAP)
        parts += _map(title, cells(register, of), left)
    return "\n".join([*parts, "</svg>\n"])


def _map(title: str, rows: Sequence[Sequence[Cell]], left: int) -> list[str]:
    first, bottom = left + _LEFT, _TOP + len(rows) * _CELL_HEIGHT
    parts = [f'<text class="title" x="{first}" y="18">{escape(title)}</text>']
    parts.append(f'<text class="quiet" x="{left}" y="{_TOP - 14}">probability</text>')
    for y, row in enumerate(rows):
        top = _TOP + y * _CELL_HEIGHT
        probability = Probability(row[0].rating.probability).value_as_float
        middle = top + _CELL_HEIGHT // 2 + 5
        parts.append(f'<text class="quiet" x="{first - 10}" y="{middle}" text-anchor="end">{probability:g}</text>')
        for x, cell in enumerate(row):
            parts += _drawn(cell, first + x * _CELL_WIDTH, top)
    for x, (impact, name) in enumerate(IMPACTS.items()):
        middle = first + x * _CELL_WIDTH + _CELL_WIDTH // 2
        parts.append(f'<text class="quiet" x="{middle}" y="{bottom + 20}" text-anchor="middle">{impact} {name}</text>')
    parts.append(f'<text class="quiet" x="{first}" y="{bottom + 40}">impact</text>')
    return parts


def _drawn(cell: Cell, x: int, y: int) -> list[str]:
    rating = cell.rating
    parts = [
        f'<rect class="{cell.level}" x="{x}" y="{y}" width="{_CELL_WIDTH}" height="{_CELL_HEIGHT}"/>',
        f'<text class="score" x="{x + 8}" y="{y + _CELL_HEIGHT - 8}">{rating.score:g} {cell.level}</text>',
    ]
    for line, text in enumerate(number_lines(cell.numbers)):
        parts.append(f'<text class="numbers" x="{x + 8}" y="{y + 20 + 18 * line}">{text}</text>')
    return parts


def number_lines(numbers: Sequence[int]) -> list[str]:
    """Numbers in lines that fit into a cell; the last line counts those that do not."""
    lines = [numbers[i : i + _A_LINE] for i in range(0, len(numbers), _A_LINE)]
    told = [" ".join(map(str, line)) for line in lines[:_LINES]]
    if len(lines) > _LINES:
        kept = lines[_LINES - 1][: _A_LINE - 2]
        left = len(numbers) - (_LINES - 1) * _A_LINE - len(kept)
        told[-1] = f"{' '.join(map(str, kept))} +{left}"
    return told


def _summary(register: Register) -> str:
    total = register.overall()
    return (
        f"Risks of {register.migration}: {total.count} open, score {total.score:g},"
        f" {total.residual:g} with the mitigations in the plan"
    )
