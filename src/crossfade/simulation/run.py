"""One run from one seed: what happened, how it ended, and which rules were broken."""

import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crossfade.model.terms import Outcome
from crossfade.simulation.faults import Fault
from crossfade.simulation.history import Happening
from crossfade.simulation.rules import NOT_TO_BE_MENDED, Violation
from crossfade.simulation.scenario import Scenario, draw
from crossfade.simulation.world import SimulatedWorld

_HEALS_AT = 120.0
_A_PERSON_LOOKS_AT = 400.0
_ENDS_BY = 1800.0
_QUIET = 35.0
"""Seconds in which the last write has got its answer or its user has given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """`events` is the number of the journal's entries; `faults` counts those that came to be, by kind.

    `cut_over_again`: it failed back and went on with a later cutover; `outcome` is the end of that.
    `writes` were acknowledged; of `unsure` ones their users never learnt. `seconds` is when it ended, in virtual time.
    """

    seed: int
    outcome: Outcome | None
    events: int
    crashes: int
    faults: dict[str, int]
    writes: int
    unsure: int
    seconds: float
    violations: tuple[Violation, ...]
    digest: str
    happenings: tuple[Happening, ...] = ()
    cut_over_again: bool = False


def run(seed: int, *, faults: Sequence[Fault] | None = None, keep: bool = False) -> RunResult:
    """The run of `seed`, with `faults` in place of those it draws if given; `keep` keeps what happened."""
    scenario = draw(seed)
    if faults is not None:
        scenario = replace(scenario, faults=tuple(faults))
    return carry_out(scenario, keep=keep)


def carry_out(scenario: Scenario, *, keep: bool = False) -> RunResult:
    world = SimulatedWorld(scenario)
    hub = world.hub
    world.begin()
    hub.after(_HEALS_AT, world.heal)
    hub.after(_A_PERSON_LOOKS_AT, lambda: _look(world))
    try:
        ended = hub.run(until=lambda: world.ended is not None, limit=_ENDS_BY)
        if ended and world.later_cutover.begin():
            ended = hub.run(until=lambda: world.ended is not None, limit=2 * _ENDS_BY)
        seconds = hub.seconds
        if ended:
            hub.run(limit=seconds + 1.0)
            world.heal()
            world.users.stop()
            hub.run(limit=hub.seconds + _QUIET)
        world.audit()
    except Exception as failure:  # noqa: BLE001 - a failure of the code under test is what is looked for
        seconds = hub.seconds
        places = [
            f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(failure.__traceback__)
        ]
        world.violated("no failure", f"{type(failure).__name__}: {failure} ({' > '.join(places[-3:])})")
    finally:
        hub.close()
    return RunResult(
        seed=scenario.seed,
        outcome=world.ended.outcome if world.ended else None,
        events=sum(world.events.values()),
        crashes=world.engines.crashes,
        faults=dict(sorted(Counter(fault.kind for fault in world.injector.happened).items())),
        writes=len(world.users.ledger),
        unsure=len(world.users.unsure),
        seconds=seconds,
        violations=tuple(world.violations),
        digest=world.history.digest(),
        cut_over_again=len(world.journals) > 1,
        happenings=world.history.happenings() if keep else (),
    )


def _look(world: SimulatedWorld) -> None:
    """Nobody lets a migration wait for ever for what cannot be mended."""
    if any(fault.kind in NOT_TO_BE_MENDED for fault in world.injector.happened):
        world.persons.say("rollback", 0.0)
