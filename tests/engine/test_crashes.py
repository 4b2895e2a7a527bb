"""Engines that die, and two at once: each end is brought about once, and recorded first."""

import pytest

from crossfade.model import ends, events
from crossfade.model.ends import End
from crossfade.model.events import EndReached
from crossfade.model.seen import Seen
from crossfade.model.terms import Outcome, Phase, Side
from crossfade.runbook.evolve import fold
from tests.engine.world import Bench, plan, shares


class Crash(Exception):
    """The process is gone."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    "kind", ["schema_created", "shares_are", "switch_prepared", "writer_is", "way_back_awake", "servers_finalized"]
)
def test_it_goes_on_when_the_engine_dies_around_an_effect(kind: str, *, before: bool) -> None:
    bench = Bench(plan())
    died: set[str] = set()

    def hear(end: End) -> EndReached | None:
        if end.kind == kind and kind not in died:
            died.add(kind)
            if before:
                raise Crash
            bench.world.hear = lambda _: None
            bench.world.bring_about(end)
            bench.world.hear = hear
            raise Crash
        return None

    bench.world.hear = hear
    with pytest.raises(Crash):
        bench.engine().run()
    assert bench.engine().run() is Outcome.COMPLETED
    assert len(bench.events(events.EngineStarted)) == 2
    assert [e.phase for e in bench.events(events.PhaseEntered)] == list(Phase)


def test_a_resumed_engine_judges_as_if_nothing_had_happened(bench: Bench) -> None:
    bench.run_until(lambda b: len(b.events(events.Looked)) == 20)
    resumed = fold(bench.journal.read())
    again = fold(bench.journal.read())
    assert resumed.judge == again.judge
    assert resumed.looked == again.looked


def test_two_engines_bring_each_end_about_once_when_they_run_together(bench: Bench) -> None:
    one, two = bench.engine(), bench.engine()
    outcome = None
    for _ in range(5000):
        for engine in (one, two):
            again = engine.tick()
            if again is None:
                outcome = bench.state.outcome
            else:
                bench.clock.sleep_until(again)
        if outcome:
            break
    assert outcome is Outcome.COMPLETED
    assert len(bench.events(events.EndWanted)) == len(bench.events(events.EndReached))
    assert shares(bench) == sorted(shares(bench))


def test_nothing_new_is_wanted_when_another_engine_wants_something_during_a_look(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.REPLICATE)
    look = bench.world.look
    intent = events.EndWanted(end=ends.FilesFollow(primary=Side.SOURCE))

    def look_slowly(fields: frozenset[str], writer: Side) -> Seen:
        bench.world.look = look  # type: ignore[method-assign]
        bench.say(intent, by="engine")
        return look(fields, writer)

    bench.world.look = look_slowly  # type: ignore[method-assign]
    bench.run_until(lambda b: b.phase is Phase.VALIDATE)
    told = [entry.event for entry in bench.journal.read()]
    assert told[told.index(intent) + 1] == EndReached(end=intent.end)
