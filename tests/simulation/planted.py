"""Every planted bug, and the search for a run that shows it."""

from dataclasses import dataclass

import pytest

from crossfade.simulation.rules import Violation
from crossfade.simulation.run import run
from tests.simulation.plants import in_the_database, in_the_engine, in_the_runbook
from tests.simulation.plants.plant import Plant

BEYOND = {
    "the old side opened without asking the new": "an answer must be lost in the few milliseconds in which it is sent",
    "an epoch that is over accepted": "an engine must stand still within a switch until others have moved back",
    "a slot made anew trusted": "verification presumably finds what is missing before anything depends on it",
    "an overtaken order obeyed": "found after 1,650 runs, by seed 1650: too seldom to count on",
}
"""Not to be counted on within 2,000 runs so far, and why."""
_ALL = (*in_the_database.GARDEN.plants, *in_the_engine.GARDEN.plants, *in_the_runbook.GARDEN.plants)
PLANTS: tuple[Plant, ...] = tuple(plant for plant in _ALL if plant.name not in BEYOND)
MOST_RUNS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`runs` were needed; the last of them, `seed`, broke these rules."""

    runs: int
    seed: int
    violations: tuple[Violation, ...]

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(violation.rule for violation in self.violations)


def search(plant: Plant, *, first: int = 1, most: int = MOST_RUNS) -> Found | None:
    """The first run from seed `first` on that breaks one of the rules the bug is to be found by; None without one."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        plant.put(monkeypatch)
        for runs, seed in enumerate(range(first, first + most), start=1):
            violations = run(seed).violations
            if any(violation.rule in plant.rules for violation in violations):
                return Found(runs=runs, seed=seed, violations=violations)
    return None
