"""How a table is cut, so that every statement is short."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from crossfade.verify.relation import TablePair
from crossfade.verify.statement import Digest, Key, Slice, TableStatements

T = TypeVar("T")

_FEWEST_RESIDUES = 64
_MOST_RESIDUES = 1 << 16
_ROWS_A_RESIDUE = 1000


def by_key(primary: TableStatements, rows: int, after: Key | None = None, upto: Key | None = None) -> Iterator[Slice]:
    """Slices of `rows` rows that together hold every key above `after` up to `upto`, by a walk over the index."""
    while True:
        bound = primary.bound(after, upto, rows)
        yield Slice(after=after, upto=bound or upto)
        if bound is None:
            return
        after = bound


def residues_for(table: TablePair) -> int:
    """How many parts, a power of two, a table is cut into whose keys do not sort alike on both sides.

    Such parts are told apart by the key's hash: one scan digests them all, another lists those that differ.
    """
    wanted = max(table.source.estimated_rows, table.target.estimated_rows) // _ROWS_A_RESIDUE
    count = _FEWEST_RESIDUES
    while count < min(wanted, _MOST_RESIDUES):
        count *= 2
    return count


def differing(here: dict[int, Digest], there: dict[int, Digest]) -> tuple[int, ...]:
    """Residues whose digests are not the same."""
    return tuple(sorted(r for r in here.keys() | there.keys() if here.get(r) != there.get(r)))


def batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`values` in their order, at most `size` at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
