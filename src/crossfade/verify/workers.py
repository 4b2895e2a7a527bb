"""Workers that take jobs from a manifest until there is none left, each with a connection to either side."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from crossfade.verify import outcome
from crossfade.verify.bounds import cut
from crossfade.verify.errors import ServerUnreachable, StatementFailed
from crossfade.verify.load import Deadline, Yielding
from crossfade.verify.manifest import Job, Manifest, Outcome, Progress
from crossfade.verify.outcome import TableOutcome
from crossfade.verify.relation import TablePair
from crossfade.verify.session import Session
from crossfade.verify.statement import Slice, TableStatements
from crossfade.verify.stretch import MOST_CHUNKS, Stretch, part_of

CONNECT_AGAIN_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 0.05


class Comparison(Protocol):
    def compare(self, part: Slice | None) -> TableOutcome: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What one worker works with. `comparison` gives that of a table; `primary` cuts it."""

    source: Session
    target: Session
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
    deadline: Deadline
    reconnect_seconds: float
    yielding: Yielding
    told: Callable[[Progress], None]


def work_all(work: Work, bench: Callable[[ExitStack], Bench], workers: int) -> None:
    """Returns when everything in the manifest is done, by us or by others that share it.

    The first failure ends all workers; what they had taken is given back. A server that cannot be reached is tried
    again for `reconnect_seconds`, by each worker for itself. Raises what sessions and comparisons raise.
    """
    stop = Event()
    if workers == 1:
        _persist(work, bench, stop)
        return
    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(_persist, work, bench, stop) for _ in range(workers)]
        for worker in running:
            worker.add_done_callback(lambda done: stop.set() if done.exception() else None)
        try:
            for worker in running:
                worker.result()
        finally:  # whoever interrupts us does not wait until everything is compared
            stop.set()


def _persist(work: Work, bench: Callable[[ExitStack], Bench], stop: Event) -> None:
    """Works, with new sessions after a server was lost; its time to come back begins anew with each chunk done."""
    done, until = -1, 0.0
    while True:
        try:
            with ExitStack() as sessions:
                _work(work, bench(sessions), stop)
                return
        except ServerUnreachable:
            again = (chunks := work.manifest.progress().chunks) == done
            if not again:
                done, until = chunks, time.monotonic() + work.reconnect_seconds
            if time.monotonic() >= until:
                raise
            # at once, since it may have come back long ago; then again and again, since it needs a while to start
            if stop.wait(CONNECT_AGAIN_SECONDS if again else 0.0):
                return


def _work(work: Work, bench: Bench, stop: Event) -> None:
    first, stretch = True, Stretch(1 if work.yielding.by_share else MOST_CHUNKS)
    while not stop.is_set():
        work.deadline.keep()
        jobs = stretch.take(work.manifest)
        if not jobs:
            if work.manifest.finished():
                return
            stop.wait(_LOOK_AGAIN_SECONDS)  # others still cut or compare; what they leave is ours
            continue
        try:
            if jobs[0].chunk is not None and not first:
                time.sleep(work.pause_seconds)  # between two chunks, so that the servers serve others
            first = first and jobs[0].chunk is None
            _do(work, bench, jobs, stretch)
        except BaseException:
            for job in reversed(jobs):
                work.manifest.give_back(job)
            raise
        work.told(work.manifest.progress())


def _do(work: Work, bench: Bench, jobs: Sequence[Job], stretch: Stretch) -> None:
    """One table is cut, or chunks that adjoin are compared as one; the first of them keeps what was found."""
    title = jobs[0].table
    table = work.tables[title]
    try:
        if jobs[0].chunk is None:
            work.manifest.cut(jobs[0], tuple(cut(bench.primary(table), work.chunk_rows, work.parts_in_chunk)))
            return
        if full := _full(work.manifest, title):
            _done(work, jobs, Outcome(unresolved=(full,)))
            return
        work.yielding.wait_for_receivers(bench.source)
        began, busy = time.monotonic(), _busy(bench)
        found = bench.comparison(table).compare(part_of(jobs))
        stretch.after(found, time.monotonic() - began)
        work.yielding.after(title, rows=found.rows, seconds=bench.source.busy_seconds - busy[0])
        more = max(after - before for before, after in zip(busy, _busy(bench), strict=True))
        work.yielding.keep_share(busy_seconds=more, seconds=time.monotonic() - began)
        more_there = (_cut_short(title, outcome.MOST_DIFFERENCES),) if found.full else ()
        unresolved = (*found.unresolved, *more_there)
        _done(work, jobs, Outcome(rows=found.rows, findings=tuple(found.findings), unresolved=unresolved))
    except StatementFailed as exc:  # that of one table; the others go on
        _done(work, jobs, Outcome(unresolved=(f"{title}: {exc}",)))


def _done(work: Work, jobs: Sequence[Job], found: Outcome) -> None:
    for number, job in enumerate(jobs):  # the one that keeps the outcome first: after a kill, others are done again
        work.manifest.done(job, found if number == 0 else Outcome())


def _busy(bench: Bench) -> tuple[float, float]:
    return bench.source.busy_seconds, bench.target.busy_seconds


def _full(manifest: Manifest, table: str) -> str | None:
    """Why no more is listed; None while more is."""
    if manifest.differences(table) >= outcome.MOST_DIFFERENCES:
        return _cut_short(table, outcome.MOST_DIFFERENCES)
    if manifest.differences() >= outcome.MOST_IN_ALL:
        return _cut_short(table, outcome.MOST_IN_ALL, " in all tables")
    return None


def _cut_short(table: str, listed: int, where: str = "") -> str:
    return f"{table}: {listed} differences were listed{where}; rows after them were not compared"
