"""How many neighbouring chunks a worker compares at once."""

from collections.abc import Sequence
from dataclasses import replace

from crossfade.verify.manifest import Job, Manifest
from crossfade.verify.outcome import TableOutcome
from crossfade.verify.statement import Slice

MOST_CHUNKS = 10  # of live comparison: as many rows as one chunk at rest
_SHARE_OF_WAITS = 0.1


class Stretch:
    """One chunk at first; more while waits for the other side's replay take the time, fewer when one is in doubt.

    What is far away, or late, answers for many rows at a time; among rows that are written all the time chunks stay
    small, since each that did not pass at once is read again. At rest nothing is waited for, and it stays at one.
    """

    def __init__(self, most: int = MOST_CHUNKS) -> None:
        self.chunks, self._most = 1, most

    def after(self, found: TableOutcome, seconds: float) -> None:
        """The comparison of this many chunks found that, and took so long."""
        if found.doubtful:
            self.chunks = max(1, self.chunks // 2)
        elif found.waited_seconds > seconds * _SHARE_OF_WAITS:
            self.chunks = min(self._most, self.chunks * 2)

    def take(self, manifest: Manifest) -> list[Job]:
        """Jobs that nobody else has: one table to cut, or chunks that adjoin. Empty: there is none now."""
        first = manifest.take()
        if first is None:
            return []
        jobs = [first]
        while len(jobs) < self.chunks and (more := manifest.take()) is not None:
            if not _adjoin(jobs[-1], more):
                manifest.give_back(more)
                break
            jobs.append(more)
        return jobs


def part_of(jobs: Sequence[Job]) -> Slice | None:
    """All that chunks which adjoin hold; None: a whole table."""
    first, last = jobs[0].chunk, jobs[-1].chunk
    if first is None or first.part is None or last is None or last.part is None:
        return None
    return first.part if len(jobs) == 1 else replace(first.part, upto=last.part.upto, cuts=())


def _adjoin(job: Job, following: Job) -> bool:
    parts = [each.chunk.part if each.chunk else None for each in (job, following)]
    here, there = parts
    if job.table != following.table or here is None or there is None:
        return False
    return here.upto is not None and here.upto == there.after
