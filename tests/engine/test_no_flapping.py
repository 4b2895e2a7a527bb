"""Whatever the judge says and however often it changes its mind: shares rise by the ladder, and fall once."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.model import events
from crossfade.model.plan import LadderStep, NeededApproval, Plan
from crossfade.model.terms import Outcome, Phase
from tests.engine.world import Bench, plan, shares

BAKE = timedelta(seconds=4)
LADDERS = ((5.0, 25.0, 45.0, 65.0, 85.0, 90.0, 100.0), (0.0, 100.0))
MOODS = st.sampled_from(["good", "bad", "worse", "blind", "override", "hold", "release", "approve"])


def a_plan(ladder: tuple[float, ...], asks: bool) -> Plan:
    needed = (NeededApproval(phase=Phase.CANARY, share=ladder[-2] or 100.0),) if asks else ()
    steps = tuple(LadderStep(percent=percent, bake=BAKE) for percent in ladder)
    preview = BAKE if ladder[0] == 0 else None
    return plan(ladder=steps, approvals=needed, preview=preview, warm_up=timedelta(0), bake=BAKE)


def change(bench: Bench, mood: str) -> None:
    world = bench.world
    match mood:
        case "good" | "bad" | "worse":
            world.blind.clear()
            world.canary_error_rate = {"good": 0.0, "bad": 0.004, "worse": 0.1}[mood]
        case "blind":
            world.blind.add("arms")
        case "override":
            bench.say(events.Overridden(reason="known", until=bench.clock.now() + timedelta(seconds=5)))
        case "hold":
            bench.say(events.Held(reason="wait"))
        case "release":
            bench.say(events.Released(reason="on"))
        case _:
            share = bench.plan.approvals[0].share if bench.plan.approvals else None
            bench.say(events.Approved(phase=Phase.CANARY, share=share, reason="yes"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ladder=st.sampled_from(LADDERS),
    asks=st.booleans(),
    moods=st.lists(st.tuples(st.integers(1, 20), MOODS), max_size=25),
)
def test_shares_rise_by_the_ladder_fall_at_once_and_never_rise_again(
    ladder: tuple[float, ...], asks: bool, moods: list[tuple[int, str]]
) -> None:
    bench = Bench(a_plan(ladder, asks))
    engine, ended = bench.engine(), False
    for ticks, mood in [*moods, (1, "good"), (1, "release"), (1, "approve"), (2000, "good")]:
        for _ in range(ticks):
            again = None if ended else engine.tick()
            ended = ended or again is None
            if again is None:
                break
            bench.clock.sleep_until(again)
        if not ended:
            change(bench, mood)
    risen = [share for share in shares(bench) if share > 0]
    assert risen == [step for step in ladder if step > 0][: len(risen)]
    assert shares(bench) == risen + [0.0] * (len(shares(bench)) - len(risen))
    assert [entry.position for entry in bench.journal.read()] == list(range(1, len(bench.journal.read()) + 1))
    outcomes = [event.outcome for event in bench.events(events.MigrationEnded)]
    assert outcomes in ([Outcome.COMPLETED], [Outcome.ROLLED_BACK], [Outcome.FAILED_BACK])
    decisions = len(bench.events(events.RollbackDecided)) + len(bench.events(events.FailBackDecided))
    assert decisions == (outcomes != [Outcome.COMPLETED])
