"""Which layout a header belongs to."""

from collections.abc import Sequence

from crossfade.planning.inventory.headings import known_by
from crossfade.planning.inventory.layout import Layout
from crossfade.planning.inventory.layouts import LAYOUTS


def layout_of(headings: Sequence[str]) -> tuple[Layout, int] | None:
    """The layout that knows most of these headings, and how many; None if it is a header of none."""
    known = [name for heading in headings if (name := known_by(heading))]
    fitting = [(layout, fits) for layout in LAYOUTS if (fits := layout.fits(known))]
    return max(fitting, key=lambda found: (found[1], not found[0].why_unused), default=None)


def headings_known(headings: Sequence[str]) -> int:
    """How many of a row's cells are headings of the layout that fits it best."""
    found = layout_of(headings)
    return 0 if found is None else found[1]


def formats() -> tuple[str, ...]:
    """The formats that are known, for messages."""
    return tuple(dict.fromkeys(layout.format for layout in LAYOUTS))
