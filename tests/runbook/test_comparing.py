"""The shadow phase: users are sent to the modern servers only once these answer as the legacy ones do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crossfade.engine.progress import time_left
from crossfade.model import ends, events
from crossfade.model.comparing import Agreement, FieldCount, FieldCounts, FieldFinding, ShadowReading
from crossfade.model.plan import ShadowLimits
from crossfade.model.terms import NoData, Outcome, Phase, Sighting
from crossfade.runbook.comparing import compare_answers
from tests.engine.world import Bench, plan, shares
from tests.runbook.following import assert_the_rules

LIMITS = ShadowLimits(duration=timedelta(seconds=10), minimum_pairs=500, repeat=1.0)


def shadowed(**changes: object) -> Bench:
    return Bench(plan(mirror_percent=100.0, shadow=replace(LIMITS, **changes)))  # type: ignore[arg-type]


def in_shadow(bench: Bench) -> None:
    bench.run_until(lambda b: b.phase is Phase.SHADOW and b.world.mirrored > 0)


def run_for(bench: Bench, seconds: float) -> None:
    end = bench.clock.now() + timedelta(seconds=seconds)
    bench.run_until(lambda b: b.clock.now() >= end)


def waits_for(bench: Bench) -> tuple[str, str]:
    state = bench.state
    assert state.waits is not None
    return state.waits.gate, state.waits.cause


def test_users_come_after_the_answers_agreed_for_the_whole_duration() -> None:
    bench = shadowed()
    in_shadow(bench)
    began = bench.clock.now()
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    assert timedelta(seconds=10) <= bench.clock.now() - began < timedelta(seconds=13)
    assert bench.engine().run() is Outcome.COMPLETED
    looks = bench.events(events.AnswersCompared)
    assert looks[-1].reading.pairs >= 500
    assert {look.verdict for look in looks} == {Agreement.AGREES}
    mirrored = [end.percent for end in bench.world.reached if isinstance(end, ends.MirrorIs)]
    assert mirrored[:2] == [100.0, 0.0]
    assert set(mirrored[1:]) == {0.0}


def test_test_instances_answer_until_the_mirror_is_off() -> None:
    bench = shadowed()
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    reached = bench.world.reached
    gone = reached.index(ends.TestInstancesGone())
    assert ends.MirrorIs(percent=0.0) in reached[:gone]
    assert ends.TestInstancesGone() not in reached[:gone]


def test_nothing_is_compared_when_the_file_has_no_shadow() -> None:
    bench = Bench(plan())
    assert bench.engine().run() is Outcome.COMPLETED
    assert bench.events(events.AnswersCompared) == []


def test_it_rolls_back_before_any_user_moves_and_names_the_field_when_one_answer_in_a_hundred_is_wrong() -> None:
    bench = shadowed()
    bench.world.wrong_every = 100
    assert bench.engine().run() is Outcome.ROLLED_BACK
    decided = bench.events(events.RollbackDecided)
    assert decided[0].cause == "shadow"
    assert "body.balance" in decided[0].reason
    assert decided[0].facts["field"] == "body.balance"
    assert max(shares(bench), default=0.0) == 0.0
    assert bench.world.mirrored == 0.0
    assert Phase.CANARY not in {entered.phase for entered in bench.events(events.PhaseEntered)}


def test_the_control_differing_from_itself_as_often_is_no_regression() -> None:
    bench = shadowed()
    bench.world.wrong_every = bench.world.noise_every = 20
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    assert bench.events(events.AnswersCompared)[-1].fields[0].finding is not FieldFinding.REGRESSION


def test_differences_in_fewer_pairs_than_the_file_lets_pass_are_tolerated() -> None:
    bench = shadowed(max_difference=0.02, minimum_pairs=2000)
    bench.world.wrong_every = 100
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    assert bench.events(events.AnswersCompared)[-1].fields[0].finding is FieldFinding.TOLERATED


@pytest.mark.parametrize("pairs_a_second", [0, 10])
def test_it_waits_when_there_are_too_few_pairs(pairs_a_second: int) -> None:
    bench = shadowed()
    bench.world.pairs_a_second = pairs_a_second
    in_shadow(bench)
    run_for(bench, 30)
    assert waits_for(bench) == ("answers_agree", "pairs")


def test_it_waits_when_the_collector_is_silent() -> None:
    bench = shadowed()
    in_shadow(bench)
    run_for(bench, 8)
    bench.world.shadow.unseen = NoData(reason="the collector is away")
    run_for(bench, 30)
    assert waits_for(bench) == ("answers_agree", "no_data")


def test_it_waits_when_no_pair_has_come_since_the_duration_was_over() -> None:
    bench = shadowed()
    in_shadow(bench)
    run_for(bench, 8)
    bench.world.pairs_a_second = 0
    run_for(bench, 30)
    assert waits_for(bench) == ("answers_agree", "look")


def test_it_counts_anew_when_the_collector_was_started_anew() -> None:
    bench = shadowed()
    in_shadow(bench)
    run_for(bench, 9)
    bench.world.shadow.restart()
    bench.world.pairs_a_second = 40
    run_for(bench, 5)
    assert bench.phase is Phase.SHADOW
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    assert 500 <= bench.events(events.AnswersCompared)[-1].reading.pairs < 700


def test_it_waits_while_the_modern_servers_leave_calls_unanswered_and_goes_on_when_they_answer_again() -> None:
    bench = shadowed()
    in_shadow(bench)
    run_for(bench, 9)
    for _ in range(6):
        bench.world.shadow.leave_unanswered(10)
        run_for(bench, 0.5)
    assert waits_for(bench) == ("answers_agree", "answers:unclear")
    assert "unanswered" in bench.events(events.AnswersCompared)[-1].reason
    bench.run_until(lambda b: b.phase is Phase.CANARY)


def test_nothing_is_known_of_noise_when_the_control_is_never_asked_twice() -> None:
    bench = shadowed(repeat=0.0)
    bench.world.wrong_every = 10
    in_shadow(bench)
    run_for(bench, 30)
    assert waits_for(bench) == ("answers_agree", "answers:unclear")


def test_the_mirror_is_turned_on_again_when_the_router_has_forgotten_it() -> None:
    bench = shadowed()
    in_shadow(bench)
    bench.world.mirrored = 0.0
    run_for(bench, 1)
    assert bench.world.mirrored == 100.0
    run_for(bench, LIMITS.duration.total_seconds() - 3)
    bench.world.mirrored = 0.0
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    assert_the_rules(bench)


def test_a_person_may_override_answers_that_differ() -> None:
    bench = shadowed()
    bench.world.wrong_every = 100
    in_shadow(bench)
    until = bench.clock.now() + timedelta(minutes=1)
    bench.say(events.Overridden(reason="known rounding", until=until))
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    gates = [passed for passed in bench.events(events.GatePassed) if passed.gate == "answers_agree"]
    assert gates[0].facts == {"override": True}


def test_it_goes_on_with_what_was_found_when_another_engine_takes_over() -> None:
    bench = shadowed()
    bench.world.wrong_every = 100
    in_shadow(bench)
    run_for(bench, 5)
    assert bench.events(events.RollbackDecided) == []
    assert bench.engine().run() is Outcome.ROLLED_BACK
    assert len(bench.events(events.EngineStarted)) >= 1


@pytest.mark.parametrize(("repeat", "pairs"), [(1.0, 700), (0.5, 1400), (0.1, 4800)])
def test_so_many_pairs_find_one_wrong_answer_in_a_hundred_as_the_document_says(repeat: float, pairs: int) -> None:
    def found(pairs: int) -> bool:
        repeated = round(pairs * repeat)
        counts = FieldCounts(candidate_only=repeated // 100, single=(pairs - repeated) // 100)
        fields = (FieldCount(path="body", counts=counts),)
        reading = ShadowReading(boot="1", pairs=pairs, repeated=repeated, fields=fields)
        bench = shadowed(repeat=repeat)
        in_shadow(bench)
        state, now = bench.state, bench.clock.now()
        look = compare_answers(state, Sighting(at=now, value=reading), now)
        assert look is not None
        return look.verdict is Agreement.REGRESSION

    assert found(pairs)
    assert not found(round(0.85 * pairs))


def test_the_time_that_is_left_counts_the_comparison_down() -> None:
    bench = shadowed()
    in_shadow(bench)

    def left() -> float:
        found = time_left(bench.state, bench.clock.now())
        assert found is not None
        return found.total_seconds()

    before, began = left(), bench.clock.now()
    run_for(bench, 4)
    passed = (bench.clock.now() - began).total_seconds()
    assert left() == pytest.approx(before - passed, abs=0.6)
    bench.run_until(lambda b: b.phase is Phase.CANARY)
    assert left() <= before - 10
