"""Sources that count late, as CloudWatch does by minutes: what is judged under a share was counted under that share."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from crossfade.model import events
from crossfade.model.counts import ArmReading
from crossfade.model.plan import LadderStep
from crossfade.model.terms import Outcome
from tests.engine.world import Bench, ScriptedWorld, plan, shares

LATE = timedelta(seconds=7)


@dataclass
class LateWorld(ScriptedWorld):
    """A reading is what was counted `late` ago, and says so."""

    late: timedelta = LATE
    told: list[tuple[datetime, ArmReading]] = field(default_factory=list)

    def _reading(self) -> ArmReading:
        now = self.clock.now()
        self.told.append((now, super()._reading()))
        at, reading = max(
            (each for each in self.told if each[0] <= now - self.late), default=self.told[0], key=lambda each: each[0]
        )
        return replace(reading, until=at)


@pytest.fixture
def late() -> Bench:
    bench = Bench(plan(fresh=2 * LATE))
    bench.world = LateWorld(clock=bench.clock)
    return bench


def ended(bench: Bench) -> Outcome | None:
    bench.run_until(lambda b: bool(b.events(events.MigrationEnded)), most=1000)
    return bench.events(events.MigrationEnded)[0].outcome


def test_nothing_from_before_a_share_is_judged_under_it_when_counts_are_late(late: Bench) -> None:
    assert ended(late) is Outcome.COMPLETED
    looked = late.events(events.Looked)
    assert {look.share for look in looked} >= {0.05, 0.25, 0.5, 0.9}
    for look in looked:
        seen = look.canary.requests / (look.baseline.requests + look.canary.requests)
        assert seen == pytest.approx(look.share, abs=0.02)


def test_a_look_lasts_as_long_as_what_it_counts_when_counts_are_late(late: Bench) -> None:
    ended(late)
    looked = late.events(events.Looked)
    assert looked
    for look in looked:
        rate = (look.baseline.requests + look.canary.requests) / look.duration.total_seconds()
        assert rate == pytest.approx(300, rel=0.05)


def test_a_bad_canary_is_rolled_back_when_counts_are_late(late: Bench) -> None:
    late.world.canary_error_rate = 0.05
    assert ended(late) is Outcome.ROLLED_BACK


def test_the_share_does_not_rise_when_counts_are_older_than_allowed() -> None:
    bench = Bench(plan(ladder=(LadderStep(percent=5.0, bake=timedelta(seconds=20)),), fresh=LATE / 2))
    bench.world = LateWorld(clock=bench.clock)
    end = bench.clock.now() + timedelta(minutes=10)
    bench.run_until(lambda b: b.clock.now() > end)
    assert shares(bench) == [5.0]
    assert bench.events(events.Looked) == []
    assert "fresh counts" in bench.events(events.GateWaits)[-1].reason
