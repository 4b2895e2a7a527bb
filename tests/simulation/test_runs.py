"""Whole migrations in virtual time: the same again from the same seed, and no rule broken."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from crossfade.model.terms import Outcome, Side
from crossfade.simulation.faults import KINDS, Fault
from crossfade.simulation.many import simulate
from crossfade.simulation.run import run
from crossfade.simulation.scenario import draw


def test_the_same_seed_gives_the_same_history_when_run_twice() -> None:
    for seed in (3, 17, 42):
        first, again = run(seed, keep=True), run(seed, keep=True)
        assert first == again
        assert first.happenings


def test_the_same_seed_gives_the_same_history_when_run_in_another_process() -> None:
    code = "from crossfade.simulation.run import run; print([run(seed).digest for seed in (5, 6, 7)])"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert digests == {str([run(seed).digest for seed in (5, 6, 7)])}


def test_a_migration_completes_when_nothing_goes_wrong() -> None:
    drawn = (draw(seed) for seed in range(60))
    calm = [one.seed for one in drawn if not one.faults and not one.canary.worse and not one.wrong_answers]
    assert len(calm) >= 3
    for seed in calm:
        result = run(seed)
        assert (result.outcome, result.violations, result.crashes, result.unsure) == (Outcome.COMPLETED, (), 0, 0)
        assert result.writes > 50


def test_no_rule_is_broken_when_faults_come_at_drawn_places() -> None:
    tally = simulate(7, 150, processes=1, progress=lambda _: None)
    assert [(shown.seed, shown.violation) for shown in tally.violations] == []
    assert tally.outcomes.keys() >= {"completed", "rolled_back", "failed_back"}
    assert tally.crashes > 10


def test_every_kind_of_fault_comes_to_be_when_runs_are_many() -> None:
    drawn = Counter(fault.kind for seed in range(2000) for fault in draw(seed).faults)
    assert drawn.keys() == set(KINDS)


@pytest.mark.parametrize("point", ["before", "after"])
def test_an_engine_that_dies_around_the_switch_leaves_one_writer(point: str) -> None:
    calm = next(seed for seed in range(60) if not draw(seed).faults and not draw(seed).canary.worse)
    result = run(calm, faults=[Fault(kind="engine-kill", place=f"{point}:database.switch", lasts=1.0)])
    assert (result.outcome, result.crashes, result.violations) == (Outcome.COMPLETED, 1, ())


def test_the_users_are_told_no_lie_when_the_primary_dies_while_they_write() -> None:
    calm = next(seed for seed in range(60) if not draw(seed).faults and not draw(seed).canary.worse)
    fault = Fault(kind="database-kill", place="wanted:writer_is", delay=0.05, lasts=1.0, side=Side.SOURCE)
    result = run(calm, faults=[fault])
    assert result.violations == ()
    assert result.outcome in {Outcome.COMPLETED, Outcome.ROLLED_BACK, Outcome.FAILED_BACK}


def test_many_runs_say_the_same_when_they_are_spread_over_processes() -> None:
    alone = simulate(1, 24, processes=1, progress=lambda _: None)
    spread = simulate(1, 24, processes=2, progress=lambda _: None)
    for tally in (alone, spread):
        tally.seconds = 0.0
    assert json.dumps(alone.as_json()) == json.dumps(spread.as_json())


def test_a_slot_that_was_made_again_is_noticed_before_the_way_back_is_woken() -> None:
    calm = next(seed for seed in range(60) if not draw(seed).faults and not draw(seed).canary.worse)
    fault = Fault(kind="slot-made-anew", place="wanted:way_back_awake", side=Side.TARGET)
    result = run(calm, faults=[fault], keep=True)
    assert any("lost the replication slot" in happening.what for happening in result.happenings)
    assert (result.outcome, result.violations) == (Outcome.HALTED, ())
