"""Playbooks hold what the engine does: held against the real engine in a world of its own, at random places."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.cli.playbooks import landing_of
from crossfade.engine.wants import wants
from crossfade.model import ends, events
from crossfade.model.file import MigrationFile, load
from crossfade.model.plan import Plan
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Phase, Side
from crossfade.planning.playbooks.cards import NoCard, card_of
from crossfade.planning.playbooks.causes import Cause, Reaction, Trigger
from crossfade.planning.playbooks.page import as_html, as_markdown
from crossfade.planning.playbooks.records import Playbooks
from crossfade.planning.playbooks.retreats import Chapter, Unsettled, Way, chapters, stage_of
from crossfade.planning.playbooks.site import Site
from crossfade.runbook.evolve import fold
from tests.engine.world import Bench, missed
from tests.model.file.files import sound, with_values
from tests.planning.playbooks.making import playbooks_of

EVER = timedelta(days=10_000)


def resolved(file: MigrationFile) -> Plan:
    """With waits as short as they get."""
    return plan_for_rehearsal(file, file.migration.name, 100.0, through_wan=True)


def told(file: MigrationFile) -> tuple[Chapter, ...]:
    return chapters(resolved(file), wants)


def asked_for(bench: Bench, after: int) -> list[object]:
    """What the real engine set out to reach, and the gates it passed, since an entry of its journal."""
    found: list[object] = []
    for entry in bench.journal.read(after=after):
        if isinstance(entry.event, events.EndWanted) and [entry.event.end] != found[-1:]:
            found.append(entry.event.end)
        elif isinstance(entry.event, events.GatePassed):
            found.append(entry.event.gate.partition(":")[0])
    return found


def chapter_at(told_of: tuple[Chapter, ...], bench: Bench) -> Chapter:
    stage = stage_of(fold(bench.journal.read()))
    (found,) = [chapter for chapter in told_of if stage in chapter.stages]
    return found


def steps(chapter: Chapter) -> list[object]:
    return [str(step.what) if isinstance(step.what, str) else step.what for step in chapter.retreat.steps]


def begun(file: MigrationFile) -> Bench:
    bench = Bench(resolved(file))
    bench.say(events.Overridden(reason="no judge here", until=bench.clock.now() + EVER))
    bench.world.blind.add("arms")
    return bench


def approve(bench: Bench) -> None:
    waits = fold(bench.journal.read()).approval_waited_for
    for name in waits.by or ("ann", "bob", "carl") if waits else ():
        if waits is not None:
            bench.say(events.Approved(phase=waits.phase, share=waits.share, reason="yes"), by=name)


def go_on(bench: Bench, ticks: int) -> None:
    """So many rounds of the engine, or to the end."""
    engine = bench.engine()
    for _ in range(ticks):
        approve(bench)
        again = engine.tick()
        if again is None:
            return
        bench.clock.sleep_until(again)


FILES = st.fixed_dictionaries(
    {},
    optional={
        "traffic__ladder": st.one_of(
            st.fixed_dictionaries({"stops": st.just([20, 40, 60, 80])}),
            st.fixed_dictionaries({"start": st.integers(5, 20), "step": st.integers(10, 20)}),
        ),
        "traffic__strategy": st.sampled_from(["canary", "blue-green"]),
        "traffic__keep_warm": st.sampled_from(["0s", "24h"]),
        "traffic__router": st.sampled_from(["route53", "envoy", "argo"]),
        "shadow__enabled": st.booleans(),
        "bake__fail_back_automatically": st.booleans(),
        "connectivity__cut_over_without_backup": st.booleans(),
        "approvals": st.sampled_from(
            [[], [{"phase": "canary"}, {"phase": "finalize", "by": ["ann", "bob"], "count": 2}]]
        ),
    },
)


@settings(max_examples=10, deadline=None)
@given(changes=FILES, ticks=st.integers(1, 120), by_itself=st.booleans())
def test_steps_are_those_of_the_engine_in_its_order_when_it_goes_back_anywhere(
    changes: dict[str, object], ticks: int, by_itself: bool
) -> None:
    file = load(with_values(**changes), "migration.yaml")
    if isinstance(file, tuple):
        return
    bench = begun(file)
    go_on(bench, ticks)
    state = fold(bench.journal.read())
    if state.outcome is not None:
        return
    chapter, so_far = chapter_at(told(file), bench), len(bench.journal.read())
    watched = state.phase not in {Phase.PREPARE, Phase.FINALIZE} and state.writer is Side.SOURCE
    if by_itself and watched:
        bench.world.retained_wal_bytes = 2**62
    else:
        bench.say(events.RollbackRequested(reason="enough"))
    bench.engine().run()
    if chapter.retreat.way is Way.NONE:
        assert [event.reason for event in bench.events(events.RequestRefused)] == [chapter.retreat.refused]
        assert not bench.events(events.FailBackDecided)
        assert chapter.retreat.steps == ()
        return
    assert steps(chapter) == asked_for(bench, so_far)
    assert chapter.retreat.outcome is fold(bench.journal.read()).outcome
    landed = Site(file=file, landing=landing_of(file), tries=1)
    assert all(card_of(step.what, landed).does for step in chapter.retreat.steps)


@pytest.mark.parametrize(
    ("unsettled", "writers"),
    [
        (Unsettled.OPENED, [None]),
        (Unsettled.SOURCE, [None, "source"]),
        (Unsettled.NEITHER, [None, "neither"]),
    ],
)
def test_steps_are_those_of_the_engine_when_a_switch_broke_off(unsettled: Unsettled, writers: list[str | None]) -> None:
    file = sound(with_values(approvals=[]))
    bench, left = begun(file), list(writers)

    def breaks_off(end: object) -> object:
        if not isinstance(end, ends.WriterIs) or end.side is not Side.TARGET or not left:
            return None
        return missed(end, writer=left.pop(0))

    bench.world.hear = breaks_off  # type: ignore[assignment]  # it answers with an outcome or nothing
    bench.run_until(lambda b: bool(b.events(events.EndMissed)))
    bench.say(events.RollbackRequested(reason="enough"))
    request = len(bench.journal.read())
    outcome = bench.engine().run()
    (chapter,) = [one for one in told(file) if unsettled in [stage.unsettled for stage in one.stages]]
    assert steps(chapter) == asked_for(bench, request)
    assert chapter.retreat.outcome is outcome


def test_there_is_no_way_back_in_the_playbook_after_the_point_of_no_return() -> None:
    *before, last = playbooks_of().parts
    assert (last.chapter.retreat.way, last.steps) == (Way.NONE, ())
    assert all(part.steps and part.chapter.retreat.outcome for part in before)
    for page in (as_markdown(playbooks_of()), as_html(playbooks_of())):
        assert page.count("There is no way back from here") == 1


def test_a_way_back_is_told_for_every_phase_and_share() -> None:
    playbooks = playbooks_of(traffic__ladder={"stops": [20, 40, 60, 80]})
    stages = [stage for part in playbooks.parts for stage in part.chapter.stages]
    assert {stage.phase for stage in stages} == set(Phase)
    assert [stage.share for stage in stages if stage.share is not None] == [0, 20, 40, 60, 80, 90, 100]
    assert {stage.unsettled for stage in stages} == {None, *Unsettled}
    last = [stage for stage in stages if stage.phase is Phase.FINALIZE]
    assert [stage.returns for stage in last] == [True, False]


def said_of(playbooks: Playbooks, phase: Phase, cause: Cause) -> set[Reaction]:
    parts = [
        p for p in playbooks.parts if phase in [s.phase for s in p.chapter.stages if s.returns and not s.unsettled]
    ]
    return {trigger.reaction for part in parts for trigger in part.triggers if trigger.cause is cause}


def test_what_turns_back_by_itself_is_told_as_the_file_says() -> None:
    by_itself, asks = playbooks_of(), playbooks_of(bake__fail_back_automatically=False)
    assert said_of(by_itself, Phase.CANARY, Cause.ERRORS) == {Reaction.ROLLS_BACK}
    assert said_of(by_itself, Phase.BAKE, Cause.WAY_BACK) == {Reaction.FAILS_BACK}
    assert said_of(asks, Phase.BAKE, Cause.WAY_BACK) == {Reaction.ASKS}
    assert said_of(by_itself, Phase.BAKE, Cause.LOST) == {Reaction.HALTS}
    assert said_of(by_itself, Phase.PREPARE, Cause.OUT_OF_REACH) == {Reaction.HALTS}
    assert said_of(by_itself, Phase.PREPARE, Cause.WAL) == set()
    assert said_of(playbooks_of(shadow__enabled=True), Phase.SHADOW, Cause.ANSWERS) == {Reaction.ROLLS_BACK}
    assert Trigger(cause=Cause.WAY_BACK, reaction=Reaction.FAILS_BACK) not in asks.parts[-2].triggers


def test_it_is_told_how_often_the_engine_tries_before_it_halts() -> None:
    def never(end: object) -> object:
        return missed(end) if isinstance(end, ends.ServersReverted) else None

    changes = {"database__switch__attempts": 3, "approvals": []}
    bench = begun(sound(with_values(**changes)))
    go_on(bench, 12)
    bench.say(events.RollbackRequested(reason="enough"))
    bench.world.hear = never  # type: ignore[assignment,arg-type]  # it answers with an outcome or nothing
    bench.engine().run()
    tried = sum(isinstance(event.end, ends.ServersReverted) for event in bench.events(events.EndMissed))
    card = playbooks_of(**changes).cards["replication-removed"]
    assert str(tried) in [limit.value for limit in card.limits]


def test_what_no_card_tells_of_is_an_error() -> None:
    file = sound(with_values())
    with pytest.raises(NoCard):
        card_of(ends.WayBackEnded(), Site(file=file, landing=landing_of(file), tries=1))
