"""Metrics of the business, from the counts of both arms to the way back."""

from dataclasses import dataclass, replace

import pytest

from crossfade.model import events
from crossfade.model.counts import ArmReading, Counted
from crossfade.model.plan import CountedLimits, JudgeLimits
from crossfade.model.terms import Outcome
from crossfade.report.telling import tell, threshold
from tests.engine.world import Bench, ScriptedWorld, plan, shares

TRANSFERS = CountedLimits(name="transfers", promotes=False)


@dataclass
class Bank(ScriptedWorld):
    """Each second request is a transfer; `declined` of the canary's and 1 % of the baseline's go badly."""

    declined: float = 0.01

    def _reading(self) -> ArmReading:
        reading = super()._reading()
        rates = (0.01, self.declined)
        baseline, canary = (
            replace(arm, counted=(_transfers(arm.requests // 2, rate),))
            for arm, rate in zip((reading.baseline, reading.canary), rates, strict=True)
        )
        return replace(reading, baseline=baseline, canary=canary)


def _transfers(total: int, declined: float) -> Counted:
    return Counted(name="transfers", good=total - int(total * declined), total=total)


def bench(declined: float, *judged: CountedLimits) -> Bench:
    made = Bench(plan(judge=JudgeLimits(counted=judged)))
    made.world = Bank(clock=made.clock, declined=declined)
    return made


def ended(made: Bench) -> Outcome:
    made.run_until(lambda b: bool(b.events(events.MigrationEnded)), most=1500)
    return made.events(events.MigrationEnded)[0].outcome


def test_the_canary_is_rolled_back_when_its_transfers_are_declined() -> None:
    made = bench(0.10, TRANSFERS)
    assert ended(made) is Outcome.ROLLED_BACK
    assert max(shares(made)) == 5.0
    last = made.events(events.Looked)[-1]
    assert (last.verdict, last.metric) == ("abort", "transfers")
    assert "transfers" in made.events(events.RollbackDecided)[0].reason
    told = tell(next(entry for entry in made.journal.read() if entry.event == last))
    assert "transfers" in told.text
    (counted,) = last.canary.counted
    assert ("modern transfers", f"{counted.good} of {counted.total}") in told.evidence


def test_it_goes_through_when_both_arms_decline_alike() -> None:
    made = bench(0.01, TRANSFERS)
    assert ended(made) is Outcome.COMPLETED
    assert shares(made)[-1] == 100.0


def test_nobody_judges_what_the_plan_does_not_name() -> None:
    assert ended(bench(0.10)) is Outcome.COMPLETED


def test_the_share_does_not_rise_when_a_metric_of_the_plan_is_not_counted() -> None:
    made = Bench(plan(judge=JudgeLimits(counted=(TRANSFERS,))))
    made.run_until(lambda b: len(b.events(events.Looked)) > 100)
    assert shares(made) == [5.0]
    assert "transfers" in made.events(events.Looked)[-1].reason


@pytest.mark.parametrize(("judged", "most"), [((), 40.0), ((TRANSFERS,), 60.0)])
def test_alpha_is_shared_by_all_that_is_judged(judged: tuple[CountedLimits, ...], most: float) -> None:
    assert threshold(plan(judge=JudgeLimits(counted=judged))) == pytest.approx(most)
