"""The map as Mermaid text, for documents that draw it."""

import re

from crossfade.planning.applications.records import NodeKind
from crossfade.planning.dependency_map.picture import Card, Picture
from crossfade.planning.dependency_map.reduction import reduced
from crossfade.planning.dependency_map.wording import line_in_words, shortened, size_in_words

MOST_CARDS = 40
MOST_LINES = 80  # Mermaid itself refuses more than 500, and text beyond 50,000 letters: its maxEdges and maxTextSize
_PLAIN = re.compile(r"[^\w .,:/+-]")
_LONGEST = 40
_SHAPES = {
    NodeKind.APPLICATION: '{}["{}"]:::application',
    NodeKind.SERVICE: '{}(["{}"]):::service',
    NodeKind.OUTSIDE: '{}{{{{"{}"}}}}:::outside',
}
_STYLES = (
    "classDef application fill:#e7f0f8,stroke:#0062a8,color:#1c2126",
    "classDef service fill:#e6f4ef,stroke:#00775a,color:#1c2126",
    "classDef outside fill:#fbe9df,stroke:#cc5200,color:#1c2126",
)


def as_mermaid(picture: Picture) -> str:
    """A flow chart of at most 40 applications and 80 flows; a comment and a card tell what is left out.

    Names come from strangers: in labels every letter that Mermaid or HTML could read is written as its number.
    """
    small = reduced(picture, cards=MOST_CARDS, lines=MOST_LINES)
    rows = ["flowchart LR"]
    rows += [f"  {_SHAPES[card.kind].format(f'c{n}', _label(card))}" for n, card in enumerate(small.cards)]
    for line in small.lines:
        arrow = "-->" if line.direction_known else "---"
        rows.append(f'  c{line.source} {arrow}|"{_plain(line_in_words(line))}"| c{line.destination}')
    if small.hidden:
        rows.append(f'  hidden["not drawn: {_plain(", ".join(small.hidden))}"]:::outside')
    rows += [f"  {style}" for style in _STYLES]
    return "\n".join(rows) + "\n"


def _label(card: Card) -> str:
    return f"{_plain(shortened(card.title, _LONGEST))}<br/>{_plain(size_in_words(card))}"


def _plain(text: str) -> str:
    """Mermaid writes a letter by its number as `#35;`."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))
