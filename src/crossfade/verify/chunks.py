"""How a table is cut, so that every statement is short."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from crossfade.verify.relation import TablePair
from crossfade.verify.statement import Digest, Slice, TableStatements

T = TypeVar("T")

_FEWEST_RESIDUES = 64
_MOST_RESIDUES = 1 << 16
_ROWS_A_RESIDUE = 1000


def by_key(primary: TableStatements, rows: int, pause: timedelta) -> Iterator[Slice]:
    """Slices of `rows` rows that together cover every possible key; bounds are found by walking the primary's index.

    Waits for `pause` before each slice but the first.
    """
    after = None
    while True:
        upto = primary.bound(after, None, rows)
        yield Slice(after=after, upto=upto)
        if upto is None:
            return
        after = upto
        time.sleep(pause.total_seconds())


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
