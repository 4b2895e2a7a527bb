"""Many runs, over all cores."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from crossfade.simulation.run import RunResult, run
from crossfade.simulation.shrink import Shown, shrink

_CHUNK = 8
_SHOWN = 20
"""Violations that are shrunk and kept; beyond them they are only counted."""


@dataclass(slots=True)
class Tally:
    """What many runs add up to. `outcomes` counts how they ended, `faults` those that came to be."""

    runs: int = 0
    events: int = 0
    crashes: int = 0
    writes: int = 0
    later_cutovers: int = 0
    violated: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[Shown] = field(default_factory=list)

    def add(self, result: RunResult) -> None:
        self.runs += 1
        self.events += result.events
        self.crashes += result.crashes
        self.writes += result.writes
        self.later_cutovers += result.cut_over_again
        self.outcomes[result.outcome.value if result.outcome else "none"] += 1
        self.faults.update(result.faults)
        if result.violations:
            self.violated += 1
            if len(self.violations) < _SHOWN:
                self.violations.append(shrink(result.seed, result.violations[0].rule))

    def as_json(self) -> dict[str, object]:
        """The contract's object."""
        return {
            "runs": self.runs,
            "events": self.events,
            "crashes": self.crashes,
            "faults": sum(self.faults.values()),
            "faults_by_kind": dict(sorted(self.faults.items())),
            "outcomes": dict(sorted(self.outcomes.items())),
            "writes": self.writes,
            "later_cutovers": self.later_cutovers,
            "violated": self.violated,
            "violations": [_shown(shown) for shown in self.violations],
            "runs_per_second": round(self.runs / self.seconds, 2) if self.seconds else 0.0,
        }


def simulate(seed: int, runs: int, *, processes: int | None = None, progress: Callable[[int], None]) -> Tally:
    """`runs` runs with seeds derived from `seed`; `progress` is told how many are done."""
    tally, began = Tally(), time.monotonic()
    for result in _results(range(seed * _SEEDS, seed * _SEEDS + runs), processes or os.cpu_count() or 1):
        tally.add(result)
        progress(tally.runs)
    tally.seconds = time.monotonic() - began
    return tally


_SEEDS = 1_000_000
"""Runs of one seed have the numbers from it times this: two seeds share none."""


def _results(seeds: range, processes: int) -> Iterator[RunResult]:
    """In the order of the seeds, so that the same command says the same."""
    if processes == 1 or len(seeds) <= _CHUNK:
        yield from map(run, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, _leave_interrupts) as pool:
        yield from pool.imap(run, seeds, chunksize=_CHUNK)


def _leave_interrupts() -> None:
    """Ctrl-C is for the one who started us; it ends the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _shown(shown: Shown) -> dict[str, object]:
    return {
        "seed": shown.seed,
        "rule": shown.violation.rule,
        "what": shown.violation.what,
        "at_seconds": round(shown.violation.at, 3),
        "faults": [str(fault) for fault in shown.faults],
        "history": [str(happening) for happening in shown.happenings],
    }
