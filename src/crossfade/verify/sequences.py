"""Sequences do not replicate: whether the side that takes writes could give out a number twice."""

from crossfade.model.seen import Difference
from crossfade.verify.catalog import Sequence


def behind(ahead: dict[str, Sequence], other: dict[str, Sequence]) -> tuple[Difference, ...]:
    """Sequences that ought to be `ahead` (or level) but are missing there, or behind those of the other side."""
    found = []
    for title, needed in sorted(other.items()):
        standing = ahead.get(title)
        if standing is None:
            found.append(Difference(table=title, key="{}", kind="missing"))
        elif standing.is_behind(needed):
            found.append(Difference(table=title, key="{}", kind="changed", columns=("last_value",)))
    return tuple(found)


def owned_by(tables: set[str], sequences: dict[str, Sequence]) -> dict[str, Sequence]:
    """Only the sequences that belong to columns of `tables`."""
    return {title: sequence for title, sequence in sequences.items() if sequence.owner in tables}
