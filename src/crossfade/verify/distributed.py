"""A verification by workers that know nothing of each other: cut here, compared by as many as there are, gathered.

Each part is an examination of its own, with a manifest that gives out nothing but that part. What lies between them are
lines (`lines.py`): a worker on another computer, or one that a Distributed Map of Step Functions started, needs those
of its chunks and nothing else, and what it hands back may come twice and in any order.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Self

from crossfade.model.errors import CrossfadeError
from crossfade.verify.bounds import Chunk
from crossfade.verify.lines import ChunkLine, ResultLine
from crossfade.verify.manifest import Job, MemoryManifest, Outcome


class ChunksOfOther(CrossfadeError):
    """Lines of another comparison: other servers, tables, columns, rules or another way to compare."""

    remedy = "Cut anew with `crossfade chunks cut`, with the same servers and options as for the other steps."

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} of other servers, tables or settings, or their shape has changed")


class CutManifest(MemoryManifest):
    """Every table is cut and nothing compared; `lines` are the chunks, in the order of tables and keys."""

    def __init__(self) -> None:
        super().__init__()
        self._fingerprint = ""
        self._chunks: dict[str, tuple[Chunk, ...]] = {}

    def of(self, fingerprint: str) -> Self:
        """Itself, for the comparison of that fingerprint: an `OpenManifest`."""
        self._fingerprint = fingerprint
        return self

    def cut(self, job: Job, chunks: Sequence[Chunk]) -> None:
        self._chunks[job.table] = tuple(chunks)
        super().cut(job, ())

    def lines(self) -> Iterator[ChunkLine]:
        in_order = (chunk for table in self._order for chunk in self._chunks.get(table, ()))
        for number, chunk in enumerate(in_order, start=1):
            yield ChunkLine(of=self._fingerprint, number=number, chunk=chunk)


class PartManifest(MemoryManifest):
    """Some chunks and no others; `told` hears of each as soon as it is compared, one at a time.

    A table whose first copy is not finished is compared by nobody: its chunks have no result.
    """

    def __init__(self, fingerprint: str, lines: Sequence[ChunkLine], told: Callable[[ResultLine], None]) -> None:
        """Raises `ChunksOfOther`."""
        super().__init__()
        if any(line.of != fingerprint for line in lines):
            raise ChunksOfOther("the chunks are")
        self._fingerprint, self._lines, self._hears, self._telling = fingerprint, lines, told, Lock()

    def begin(self, tables: Sequence[str]) -> None:
        for line in self._lines:
            if line.chunk.table in tables:
                self._order.setdefault(line.chunk.table, len(self._order))
                self._open.append(Job(number=line.number, table=line.chunk.table, chunk=line.chunk))
                self._rows_to_do += line.chunk.rows
                self._chunks_to_do += 1

    def done(self, job: Job, outcome: Outcome) -> None:
        super().done(job, outcome)
        with self._telling:
            self._hears(ResultLine(of=self._fingerprint, number=job.number, table=job.table, outcome=outcome))


class GatheredManifest(MemoryManifest):
    """Nothing is left to do: `results` are what was found in `lines`. A result that came twice counts once, as it came
    last. A table of which not every chunk has a result is unresolved.
    """

    def __init__(self, fingerprint: str, lines: Sequence[ChunkLine], results: Sequence[ResultLine]) -> None:
        """Raises `ChunksOfOther`."""
        super().__init__()
        if any(line.of != fingerprint for line in lines):
            raise ChunksOfOther("the chunks are")
        tables = {line.number: line.chunk.table for line in lines}
        if any(result.of != fingerprint or tables.get(result.number) != result.table for result in results):
            raise ChunksOfOther("some results are")
        self._tables = tables
        self._results = {result.number: result for result in results}

    def begin(self, tables: Sequence[str]) -> None:
        wanted, missing = Counter(self._tables.values()), Counter(self._tables.values())
        missing.subtract(Counter(result.table for result in self._results.values()))
        for table in tables:
            if not wanted[table]:
                self._leave(table, f"{table}: no part of it was cut")
            elif missing[table]:
                self._leave(table, f"{table}: {missing[table]} of {wanted[table]} chunks have no result")

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        yield from super().outcomes()
        for number in sorted(self._results):
            yield self._results[number].table, self._results[number].outcome

    def _leave(self, table: str, unresolved: str) -> None:
        self._order[table] = len(self._order)
        job = self._job(table, None)
        self._outcomes[job.number] = table, Outcome(unresolved=(unresolved,))
