"""From a run that broke a rule to the shortest that still does: faults are left out one at a time."""

from dataclasses import dataclass

from crossfade.simulation.faults import Fault
from crossfade.simulation.history import Happening
from crossfade.simulation.rules import Violation
from crossfade.simulation.run import RunResult, run
from crossfade.simulation.scenario import draw

_LAST = 30
"""Happenings that are shown before the violation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A violation with the faults that it needs and what happened last before it."""

    seed: int
    violation: Violation
    faults: tuple[Fault, ...]
    happenings: tuple[Happening, ...]


def shrink(seed: int, rule: str) -> Shown:
    """The fewest faults of `seed`, leaving out one after another, with which `rule` is still broken."""
    faults = draw(seed).faults
    place = 0
    while place < len(faults):
        fewer = faults[:place] + faults[place + 1 :]
        if _breaks(run(seed, faults=fewer), rule) is not None:
            faults = fewer
        else:
            place += 1
    result = run(seed, faults=faults, keep=True)
    violation = _breaks(result, rule)
    if violation is None:
        raise LookupError(f"seed {seed} does not break the rule: {rule}")
    before = [happening for happening in result.happenings if happening.at <= violation.at]
    return Shown(seed=seed, violation=violation, faults=faults, happenings=tuple(before[-_LAST:]))


def _breaks(result: RunResult, rule: str) -> Violation | None:
    return next((found for found in result.violations if found.rule == rule), None)
