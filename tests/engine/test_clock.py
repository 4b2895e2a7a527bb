"""Time that does not jump, and an engine that decides nothing wrongly when the machine's clock does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.engine.clock import SteadyClock
from crossfade.model import events
from crossfade.model.terms import Outcome, Phase
from crossfade.rehearsal.faults.site_clock import jump, site_clock
from tests.engine.world import Bench, plan

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def in_bake(bench: Bench) -> bool:
    return bench.phase is Phase.BAKE and any(w.cause == "bake" for w in bench.events(events.GateWaits)[-1:])


@pytest.mark.parametrize("jumped", [HOUR, -HOUR])
def test_time_goes_on_evenly_when_the_machine_s_clock_jumps(jumped: timedelta) -> None:
    wall, seconds = [NOON], [100.0]
    clock = SteadyClock(wall=lambda: wall[0], monotonic=lambda: seconds[0])
    wall[0] += jumped
    seconds[0] += 2.5
    assert clock.now() == NOON + timedelta(seconds=2.5)


def test_time_does_not_run_backwards_from_one_engine_to_the_next() -> None:
    last = NOON + HOUR
    assert SteadyClock(wall=lambda: NOON, not_before=last, monotonic=lambda: 0.0).now() == last
    assert SteadyClock(wall=lambda: NOON, not_before=NOON - HOUR, monotonic=lambda: 0.0).now() == NOON


def test_sleep_ends_soon_when_the_clock_went_back() -> None:
    wall = [datetime.now(UTC)]
    clock = SteadyClock(wall=lambda: wall[0])
    until = clock.now() + timedelta(milliseconds=20)
    wall[0] -= HOUR
    clock.sleep_until(until)
    assert until <= clock.now() < until + timedelta(seconds=10)


def test_the_engine_s_machine_shows_the_offset_only_when_the_fault_struck(tmp_path: Path) -> None:
    shown = site_clock(tmp_path)
    assert abs(shown() - datetime.now(UTC)) < timedelta(minutes=1)
    jump(tmp_path, -HOUR)
    assert abs(shown() + HOUR - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("away", [timedelta(seconds=3), HOUR])
def test_bake_time_is_not_shortened_when_the_clock_jumped_or_nobody_looked_meanwhile(away: timedelta) -> None:
    bench = Bench(plan())
    bench.run_until(in_bake)
    began = bench.clock.now()
    bench.clock.sleep_until(began + timedelta(seconds=5))
    bench.engine().tick()
    bench.clock.sleep_until(bench.clock.now() + away)  # no engine runs, or one does by a clock that jumps
    engine = bench.engine()
    assert engine.run() is Outcome.COMPLETED
    passed = next(e for e in bench.journal.read() if isinstance(e.event, events.GatePassed) and e.event.gate == "baked")
    assert passed.at - began >= bench.plan.bake + away - timedelta(seconds=1)


@pytest.mark.parametrize("ahead", [timedelta(0), HOUR, -HOUR])
def test_an_override_lasts_as_long_as_it_says_whatever_the_clock_of_who_gives_it(ahead: timedelta) -> None:
    bench = Bench(plan())
    bench.run_until(lambda bench: len(bench.events(events.Looked)) > 3)
    now, theirs = bench.clock.now(), bench.clock.now() + ahead
    word = events.Overridden(reason="known", until=theirs + timedelta(minutes=5))
    bench.journal.append([word], expected=len(bench.journal.read()), at=theirs, by="ann")
    bench.engine().tick()  # hears of it, by its own clock
    state = bench.state
    assert state.overridden(now + timedelta(minutes=4, seconds=55))
    assert not state.overridden(now + timedelta(minutes=5, seconds=1))


@pytest.mark.parametrize("behind", [HOUR, -HOUR])
def test_nobody_minds_when_a_person_s_word_has_another_time(behind: timedelta) -> None:
    bench = Bench(plan())
    bench.run_until(in_bake)
    hold = events.Held(reason="wait")
    bench.journal.append([hold], expected=len(bench.journal.read()), at=bench.clock.now() - behind, by="ann")
    engine = bench.engine()
    for _ in range(5):
        bench.clock.sleep_until(engine.tick() or bench.clock.now())
    release = events.Released(reason="go")
    bench.journal.append([release], expected=len(bench.journal.read()), at=bench.clock.now() + behind, by="ann")
    assert engine.run() is Outcome.COMPLETED
