"""What there is to do, who does it, and what was found: the same for one process and for many."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from crossfade.verify.bounds import Chunk
from crossfade.verify.outcome import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the comparison of a chunk found; of a table that was only cut, nothing."""

    rows: int = 0
    findings: tuple[Finding, ...] = ()
    unresolved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A table to be cut (`chunk` None) or a chunk to be compared, taken by one worker."""

    number: int
    table: str
    chunk: Chunk | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is, in rows as they were estimated; both numbers grow while tables are still being cut."""

    rows: int
    of_rows: int
    chunks: int
    of_chunks: int


class Manifest(Protocol):
    """Every table is a job; cutting it makes its chunks jobs. Safe for threads, and, kept in a file, for processes."""

    def begin(self, tables: Sequence[str]) -> None:
        """The tables to cut; those that stand in the manifest already stay as they are."""
        ...

    def take(self) -> Job | None:
        """A job that nobody else has, in the order of the tables; None: there is none now."""
        ...

    def cut(self, job: Job, chunks: Sequence[Chunk]) -> None:
        """The table is cut: its chunks can be taken. All of them, or after a crash none."""
        ...

    def done(self, job: Job, outcome: Outcome) -> None:
        """The job will not be given out again."""
        ...

    def give_back(self, job: Job) -> None:
        """The worker could not do it: somebody else may."""
        ...

    def differences(self, table: str | None = None) -> int:
        """How many were found so far in the table, or in all of them (None)."""
        ...

    def finished(self) -> bool:
        """Whether everything is done, by whomever."""
        ...

    def progress(self) -> Progress: ...

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """What was found, by table, in the order of tables and keys."""
        ...


class MemoryManifest:
    """For one process that begins anew when it ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: deque[Job] = deque()
        self._taken: dict[int, Job] = {}
        self._outcomes: dict[int, tuple[str, Outcome]] = {}
        self._order: dict[str, int] = {}
        self._differences: Counter[str] = Counter()
        self._rows, self._rows_to_do, self._chunks_to_do = 0, 0, 0
        self._next = 0

    def begin(self, tables: Sequence[str]) -> None:
        with self._lock:
            for table in tables:
                if table not in self._order:
                    self._order[table] = len(self._order)
                    self._open.append(self._job(table, None))

    def take(self) -> Job | None:
        with self._lock:
            if not self._open:
                return None
            job = self._open.popleft()
            self._taken[job.number] = job
            return job

    def cut(self, job: Job, chunks: Sequence[Chunk]) -> None:
        with self._lock:
            del self._taken[job.number]
            self._open.extendleft(reversed([self._job(job.table, chunk) for chunk in chunks]))
            self._rows_to_do += sum(chunk.rows for chunk in chunks)
            self._chunks_to_do += len(chunks)

    def done(self, job: Job, outcome: Outcome) -> None:
        with self._lock:
            del self._taken[job.number]
            self._outcomes[job.number] = job.table, outcome
            self._differences[job.table] += len(outcome.findings)
            self._rows += outcome.rows
            if job.chunk:
                self._rows_to_do -= job.chunk.rows
                self._chunks_to_do -= 1

    def give_back(self, job: Job) -> None:
        with self._lock:
            del self._taken[job.number]
            self._open.appendleft(job)

    def differences(self, table: str | None = None) -> int:
        with self._lock:
            return self._differences.total() if table is None else self._differences[table]

    def finished(self) -> bool:
        with self._lock:
            return not self._open and not self._taken

    def progress(self) -> Progress:
        with self._lock:
            done = len(self._outcomes)
            return Progress(
                rows=self._rows,
                of_rows=self._rows + self._rows_to_do,
                chunks=done,
                of_chunks=done + self._chunks_to_do,
            )

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        with self._lock:
            found = sorted((self._order[table], number) for number, (table, _) in self._outcomes.items())
            listed = [self._outcomes[number] for _, number in found]
        yield from listed

    def _job(self, table: str, chunk: Chunk | None) -> Job:
        self._next += 1
        return Job(number=self._next, table=table, chunk=chunk)
