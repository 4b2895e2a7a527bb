"""The map as one SVG: no script, no request, light and dark."""

from itertools import accumulate
from xml.sax.saxutils import escape

from crossfade.planning.dependency_map.arrangement import arranged
from crossfade.planning.dependency_map.picture import Card, Line, Picture
from crossfade.planning.dependency_map.reduction import reduced
from crossfade.planning.dependency_map.wording import line_in_words, shortened, size_in_words

MOST_CARDS = 84
MOST_LINES = 160
LONE = "No dependency on another application is known"
_WIDTH, _HEIGHT, _ROW, _GAP, _MARGIN, _HEAD = 190, 42, 54, 110, 24, 60
_LETTERS = 25  # that fit on a card
_STYLE = """
svg{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;background:#f6f6f3}
.page{fill:#f6f6f3}text{fill:#1c2126}.quiet{fill:#5a636c;font-size:11px}.head{font-size:17px;font-weight:600}
.card{fill:#fff;stroke-width:1.4}.application{stroke:#0062a8}.service{stroke:#00775a}.outside{stroke:#cc5200}
.possible,.unknown{stroke-dasharray:5 3}
.line{fill:none;stroke:#0062a8;stroke-opacity:.28}.arrow{fill:#0062a8;fill-opacity:.75}
@media (prefers-color-scheme:dark){svg{background:#14171a}.page{fill:#14171a}text{fill:#e9ebec}.quiet{fill:#a3abb3}
.card{fill:#1c2024}.application{stroke:#62b5f5}.service{stroke:#3fcf9f}.outside{stroke:#ff9d4d}
.line{stroke:#62b5f5;stroke-opacity:.34}.arrow{fill:#62b5f5}}
"""
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="arrow" d="M0 1L8 4L0 7z"/></marker>'
)


def as_svg(picture: Picture) -> str:
    """At most 84 applications and 160 flows between them, and below in words what is not drawn.

    Each card and line has a title, which browsers show when it is pointed at and readers read out.
    """
    small = arranged(reduced(picture, cards=MOST_CARDS, lines=MOST_LINES))
    placed, width, height = _placed(small)
    said = f"{len(picture.cards):,} cards" if not small.hidden else f"not drawn: {', '.join(small.hidden)}"
    legend = f"Lines run from who asks to who answers; dashed: possible, or not known. {said[0].upper()}{said[1:]}."
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
        ' role="img" aria-label="Dependency map">',
        f"<style>{_STYLE}</style>",
        f"<defs>{_ARROW}</defs>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        f'<text class="head" x="{_MARGIN}" y="30">Dependency map</text>',
        f'<text class="quiet" x="{_MARGIN}" y="48">{escape(legend)}</text>',
    ]
    if small.lone:
        rows.append(f'<text x="{_MARGIN}" y="{placed[small.lone[0]][1] - 14}">{LONE}</text>')
    rows += [_line(line, small, placed) for line in small.lines]
    rows += [_card(small.cards[n], *placed[n]) for n in sorted(placed)]
    return "\n".join([*rows, "</svg>"]) + "\n"


def _placed(picture: Picture) -> tuple[dict[int, tuple[int, int]], int, int]:
    """The upper left corner of each card, and the size of it all. Lone applications stand in rows below the columns."""
    tallest = max((len(column) for column in picture.columns), default=0)
    across = max(len(picture.columns), min(5, len(picture.lone)), 3)
    lefts = list(accumulate([_MARGIN, *[_WIDTH + _GAP] * (across - 1)]))
    placed: dict[int, tuple[int, int]] = {}
    for left, column in zip(lefts, picture.columns, strict=False):
        top = _HEAD + (tallest - len(column)) * _ROW // 2
        placed |= {n: (left, top + place * _ROW) for place, n in enumerate(column)}
    below = _HEAD + tallest * _ROW + (_ROW if picture.lone else 0)
    inner = across * _WIDTH + (across - 1) * _GAP
    in_row = max(1, (inner + 20) // (_WIDTH + 20))
    for place, n in enumerate(picture.lone):
        placed[n] = (_MARGIN + place % in_row * (_WIDTH + 20), below + place // in_row * _ROW)
    rows = -(-len(picture.lone) // in_row)
    return placed, inner + 2 * _MARGIN, below + rows * _ROW + _MARGIN


def _card(card: Card, left: int, top: int) -> str:
    title = escape(_visible(card.title))
    return (
        f'<g><title>{title}: {escape(_visible(card.reason))}</title><rect class="card {card.kind} {card.certainty}" '
        f'x="{left}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<text x="{left + 10}" y="{top + 18}">{escape(shortened(_visible(card.title), _LETTERS))}</text>'
        f'<text class="quiet" x="{left + 10}" y="{top + 33}">{escape(shortened(size_in_words(card), 30))}</text></g>'
    )


def _line(line: Line, picture: Picture, placed: dict[int, tuple[int, int]]) -> str:
    (x1, y1), (x2, y2) = placed[line.source], placed[line.destination]
    middle = _HEIGHT // 2
    if x1 < x2:
        path = _curve(x1 + _WIDTH, y1 + middle, x2, y2 + middle)
    elif x1 > x2:
        path = _curve(x1, y1 + middle, x2 + _WIDTH, y2 + middle)
    else:
        out = x1 + _WIDTH
        path = f"M{out} {y1 + middle}C{out + 50} {y1 + middle} {out + 50} {y2 + middle} {out} {y2 + middle}"
    ends = (picture.cards[line.source].title, picture.cards[line.destination].title)
    names = escape(" → ".join(_visible(name) for name in ends))
    arrow = ' marker-end="url(#arrow)"' if line.direction_known else ""
    return (
        f'<path class="line" stroke-width="{min(6, line.weight / 2):.1f}"{arrow} d="{path}">'
        f"<title>{names}: {escape(line_in_words(line))}</title></path>"
    )


def _curve(x1: int, y1: int, x2: int, y2: int) -> str:
    bend = (x2 - x1) // 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _visible(text: str) -> str:
    """Without letters that XML cannot hold or that cannot be seen."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)
