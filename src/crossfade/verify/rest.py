"""The comparison of a table while nobody writes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TypeVar

from crossfade.verify import chunks
from crossfade.verify.outcome import TableOutcome, unlike
from crossfade.verify.statement import Key, Rows, Slice, TableStatements

T = TypeVar("T")

CHUNK_ROWS = 50_000
_RESIDUES_IN_CHUNK = 64
_RESIDUES_AT_ONCE = 32
_KEYS_AT_ONCE = 500


class RestComparison:
    """Compares one table of both sides; every row is hashed once, and those of slices that differ again.

    Both sides work at the same time, each in one statement of at most `chunk_rows` rows (of the whole table when its
    keys do not sort alike on both sides), with `pause` between two; the target's are run by `beside`.
    """

    def __init__(
        self,
        source: TableStatements,
        target: TableStatements,
        beside: ThreadPoolExecutor,
        *,
        chunk_rows: int = CHUNK_ROWS,
        pause: timedelta = timedelta(0),
    ) -> None:
        self._source, self._target, self._beside = source, target, beside
        self._chunk_rows, self._pause = chunk_rows, pause
        self._outcome = TableOutcome(table=source.table)

    def run(self) -> TableOutcome:
        """Everything that differs. Raises `ServerUnreachable` and `StatementFailed`."""
        if self._source.table.ordered:
            for part in chunks.by_key(self._source, self._chunk_rows, self._pause):
                self._compare(part)
                if self._outcome.full:
                    break
        else:
            self._narrow(Slice(), chunks.residues_for(self._source.table), count=True)
        self._outcome.close()
        return self._outcome

    def _compare(self, part: Slice) -> None:
        here, there = self._both(lambda side: side.digest(part))
        self._outcome.rows += here.rows
        if here != there:
            self._narrow(part, _RESIDUES_IN_CHUNK)

    def _narrow(self, part: Slice, modulus: int, *, count: bool = False) -> None:
        here, there = self._both(lambda side: side.digests(part, modulus))
        if count:
            self._outcome.rows += sum(digest.rows for digest in here.values())
        for residues in chunks.batches(chunks.differing(here, there), _RESIDUES_AT_ONCE):
            if self._outcome.full:
                return
            self._list(Slice(after=part.after, upto=part.upto, modulus=modulus, residues=tuple(residues)))

    def _list(self, part: Slice) -> None:
        here, there = self._both(lambda side: side.listing(part))
        for keys in chunks.batches(unlike(here, there), _KEYS_AT_ONCE):
            if self._outcome.full:
                return
            source, target = self._both(partial(_lookup, keys=keys))
            for key in keys:
                self._outcome.add_difference(key, source.get(key, ()), target.get(key, ()))

    def _both(self, read: Callable[[TableStatements], T]) -> tuple[T, T]:
        there = self._beside.submit(read, self._target)
        here = read(self._source)
        return here, there.result()


def _lookup(side: TableStatements, *, keys: Sequence[Key]) -> Rows:
    return side.lookup(keys)
