"""Workers that take jobs from a manifest until there is none left, each with a connection to either side."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from crossfade.verify import outcome
from crossfade.verify.bounds import cut
from crossfade.verify.errors import StatementFailed
from crossfade.verify.load import Yielding
from crossfade.verify.manifest import Job, Manifest, Outcome, Progress
from crossfade.verify.outcome import TableOutcome
from crossfade.verify.relation import TablePair
from crossfade.verify.session import Session
from crossfade.verify.statement import Slice, TableStatements

_LOOK_AGAIN_SECONDS = 0.05


class Comparison(Protocol):
    def compare(self, part: Slice | None) -> TableOutcome: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What one worker works with. `comparison` gives that of a table; `primary` cuts it, `source` is spared."""

    source: Session
    primary: Callable[[TablePair], TableStatements]
    comparison: Callable[[TablePair], Comparison]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything that workers share."""

    tables: Mapping[str, TablePair]
    manifest: Manifest
    chunk_rows: int
    parts_in_chunk: int
    pause_seconds: float
    yielding: Yielding
    told: Callable[[Progress], None]


def work_all(work: Work, benches: ExitStack, bench: Callable[[ExitStack], Bench], workers: int) -> None:
    """Returns when everything in the manifest is done, by us or by others that share it.

    The first failure ends all workers; what they had taken is given back. Raises what sessions and comparisons raise.
    """
    stop = Event()

    def one() -> None:
        with ExitStack() as stack:
            _work(work, bench(stack), stop)

    if workers == 1:
        _work(work, bench(benches), stop)
        return
    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(one) for _ in range(workers)]
        for worker in running:
            worker.add_done_callback(lambda done: stop.set() if done.exception() else None)
        try:
            for worker in running:
                worker.result()
        finally:  # whoever interrupts us does not wait until everything is compared
            stop.set()


def _work(work: Work, bench: Bench, stop: Event) -> None:
    first = True
    while not stop.is_set():
        job = work.manifest.take()
        if job is None:
            if work.manifest.finished():
                return
            stop.wait(_LOOK_AGAIN_SECONDS)  # others still cut or compare; what they leave is ours
            continue
        try:
            if job.chunk is not None and not first:
                time.sleep(work.pause_seconds)  # between two chunks, so that the servers serve others
            first = first and job.chunk is None
            _do(work, bench, job)
        except BaseException:
            work.manifest.give_back(job)
            raise
        work.told(work.manifest.progress())


def _do(work: Work, bench: Bench, job: Job) -> None:
    table = work.tables[job.table]
    try:
        if job.chunk is None:
            work.manifest.cut(job, tuple(cut(bench.primary(table), work.chunk_rows, work.parts_in_chunk)))
            return
        full = _full(work.manifest, job.table)
        if full:
            work.manifest.done(job, Outcome(unresolved=(full,)))
            return
        work.yielding.wait_for_receivers(bench.source)
        began = time.monotonic()
        found = bench.comparison(table).compare(job.chunk.part)
        work.yielding.after(job.table, rows=found.rows, seconds=time.monotonic() - began)
        unresolved = list(found.unresolved)
        if found.full:
            unresolved.append(_cut_short(job.table, outcome.MOST_DIFFERENCES))
        work.manifest.done(job, Outcome(rows=found.rows, findings=tuple(found.findings), unresolved=tuple(unresolved)))
    except StatementFailed as exc:  # that of one table; the others go on
        work.manifest.done(job, Outcome(unresolved=(f"{job.table}: {exc}",)))


def _full(manifest: Manifest, table: str) -> str | None:
    """Why no more is listed; None while more is."""
    if manifest.differences(table) >= outcome.MOST_DIFFERENCES:
        return _cut_short(table, outcome.MOST_DIFFERENCES)
    if manifest.differences() >= outcome.MOST_IN_ALL:
        return _cut_short(table, outcome.MOST_IN_ALL, " in all tables")
    return None


def _cut_short(table: str, listed: int, where: str = "") -> str:
    return f"{table}: {listed} differences were listed{where}; rows after them were not compared"
