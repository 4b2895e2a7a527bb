"""The comparison of a table while nobody writes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from crossfade.verify import chunks
from crossfade.verify.outcome import TableOutcome, unlike
from crossfade.verify.statement import NOTHING_TOLD, Key, Rows, Slice, TableStatements, Told

T = TypeVar("T")

CHUNK_ROWS = 200_000
PARTS_IN_CHUNK = 4  # digested apart, so that what differs is little; together, so that the servers seldom wait for us
_RESIDUES_IN_CHUNK = 64
_RESIDUES_AT_ONCE = 32
_KEYS_AT_ONCE = 500


class RestComparison:
    """Compares one table of both sides; every row is hashed once, and those of slices that differ again.

    Both sides work at the same time, each in one statement; the target's are run by `beside`. `told` are the texts of
    each side that tell values of rows that differ.
    """

    def __init__(
        self,
        source: TableStatements,
        target: TableStatements,
        beside: ThreadPoolExecutor,
        *,
        told: Told = NOTHING_TOLD,
    ) -> None:
        self._source, self._target, self._beside, self._told = source, target, beside, told
        self._outcome = TableOutcome(table=source.table)

    def compare(self, part: Slice | None) -> TableOutcome:
        """Everything that differs in a part of an ordered table, or in the whole table (None).

        Raises `ServerUnreachable` and `StatementFailed`.
        """
        self._outcome = TableOutcome(table=self._source.table)
        if part is not None:
            self._compare(part)
        else:
            self._narrow(Slice(), chunks.residues_for(self._source.table), count=True)
        return self._outcome

    def _compare(self, part: Slice) -> None:
        digests = self._both(lambda side: side.digests_of_parts(part))
        self._outcome.rows += sum(digest.rows for digest in digests[0])
        for each, here, there in zip(part.parts(), *digests, strict=True):
            if here != there and not self._outcome.full:
                self._narrow(each, _RESIDUES_IN_CHUNK)

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
            source, target = self._both(partial(_lookup, keys=keys, told=self._told))
            for key in keys:
                self._outcome.add_difference(key, source.get(key, ()), target.get(key, ()))

    def _both(self, read: Callable[[TableStatements], T]) -> tuple[T, T]:
        there = self._beside.submit(read, self._target)
        here = read(self._source)
        return here, there.result()


def _lookup(side: TableStatements, *, keys: Sequence[Key], told: Told) -> Rows:
    return side.lookup(keys, told.get(side.side, ()))
