"""What holds of every plan, tried on generated problems and told by a checker of its own."""

import os
import random
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings

from crossfade.planning.waves import Contradictory, Edge, Item, Method, Problem, ProblemInvalid, plan_waves
from crossfade.planning.waves.bounds import least_cut
from crossfade.planning.waves.groups import contract
from crossfade.planning.waves.wishes import (
    Apart,
    Before,
    CalendarEnd,
    InWave,
    NotAfter,
    Pilot,
    TeamLimit,
    Together,
    WaveLimit,
    Wish,
)
from tests.docs.documents import ROOT
from tests.planning.waves.checking import broken, cut, every_plan, placed
from tests.planning.waves.problems import START, data_center, small_problems, windows

GENERATED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _few_kicks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds of every plan holds without polishing too."""
    monkeypatch.setattr("crossfade.planning.waves.multilevel._MOST_KICKS", 5)


@GENERATED
@given(small_problems())
def test_a_plan_holds_every_wish_and_a_contradiction_is_one_and_minimal(problem: Problem) -> None:
    """Against every plan that there is."""
    possible = every_plan(problem, len(problem.windows))
    if not possible:
        with pytest.raises(Contradictory) as found:
            plan_waves(problem)
        _is_minimal(problem, found.value)
        return
    plan = plan_waves(problem)
    wave = placed(plan)
    assert broken(problem, wave) == []
    assert plan.cut == cut(problem, wave)
    assert plan.cut == min(cut(problem, way) for way in possible)
    assert plan.least_cut <= plan.cut
    assert least_cut(contract(problem, problem.wishes)) <= plan.cut


def _is_minimal(problem: Problem, found: Contradictory) -> None:
    """Without the calendar's end each of four items can have a window of its own after any date."""
    assert found.minimal
    for wish in (None, *found.wishes):
        kept = tuple(other for other in found.wishes if other is not wish)
        waves = len(problem.windows) + (0 if any(isinstance(w, CalendarEnd) for w in kept) else 4)
        assert bool(every_plan(replace(problem, wishes=kept), waves)) == (wish is not None)


@pytest.mark.parametrize(("servers", "seed"), [(30, 1), (70, 2)])
def test_a_data_center_is_planned_under_all_its_wishes(
    servers: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smaller one by the exact model, the larger one by the search alone."""
    monkeypatch.setattr("crossfade.planning.waves.planner._EXACT_EDGES", 1_000)
    problem = data_center(servers, seed, per_wave=12)
    plan = plan_waves(problem)
    wave = placed(plan)
    assert broken(problem, wave) == []
    assert plan.cut == cut(problem, wave)
    assert plan.method is (Method.EXACT if servers == 30 else Method.SEARCH)
    assert 0.3 * plan.cut < plan.least_cut <= plan.cut < plan.traffic / 2
    assert all(placement.reason for placement in plan.placements)


def test_the_same_problem_gives_the_same_plan() -> None:
    problem = data_center(14, 3, per_wave=5)
    assert plan_waves(problem) == plan_waves(problem)


@pytest.mark.parts
def test_the_same_problem_gives_the_same_plan_in_every_process() -> None:
    """Texts have another order in the sets of each process; nothing may depend on it."""
    program = (
        "from crossfade.planning.waves import plan_waves, planner\n"
        "from tests.planning.waves.problems import data_center\n"
        "planner._EXACT_EDGES = 0\n"
        "print(plan_waves(data_center(20, 3, per_wave=6)))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


@GENERATED
@given(small_problems())
def test_a_server_without_dependencies_moves_nothing_else_when_it_is_added(problem: Problem) -> None:
    problem = replace(problem, windows=windows(4), wishes=(*problem.wishes[:-1], CalendarEnd(windows=4)))
    try:
        plan = plan_waves(problem)
    except Contradictory:
        assume(False)
    before = {placement.item: placement.day for placement in plan.placements}
    wider = tuple(
        replace(wish, servers=wish.servers + 1) if isinstance(wish, WaveLimit) else wish for wish in problem.wishes
    )
    items = list(problem.items)
    items.insert(random.Random(len(items)).randrange(len(items)), Item(name="new"))
    again = plan_waves(replace(problem, items=tuple(items), wishes=wider), before)
    assert {p.item: p.day for p in again.placements if p.item != "new"} == before
    assert [moved.item for moved in again.moved] == ["new"]


def _problem(count: int, *wishes: Wish, edges: tuple[Edge, ...] = (), days: int = 4) -> Problem:
    items = tuple(Item(name=f"s{n}", risk=n / 10) for n in range(count))
    said = (*wishes, CalendarEnd(windows=days, place="deadline"))
    return Problem(items=items, windows=windows(days), edges=edges, wishes=said)


def test_what_talks_most_shares_a_wave_and_the_reason_says_so() -> None:
    edges = (Edge(source="s0", target="s1", weight=9), Edge(source="s1", target="s2", weight=2))
    plan = plan_waves(_problem(3, WaveLimit(servers=2, place="limits"), edges=edges))
    wave = placed(plan)
    assert wave["s0"] == wave["s1"] != wave["s2"]
    assert (plan.cut, plan.least_cut, plan.traffic, plan.gap_percent) == (2, 2, 11, 0.0)
    reasons = {placement.item: placement.reason for placement in plan.placements}
    assert reasons["s0"] == "s1 is in this wave: traffic of 9 stays off the link"
    assert reasons["s2"] == (
        f"s1 is in wave {wave['s1']}, traffic of 2 crosses the link because there is no room for it in "
        f"wave {wave['s1']}: a wave has at most 2 servers (limits)"
    )


def test_waves_are_few_and_least_risk_comes_first_when_nothing_talks() -> None:
    plan = plan_waves(_problem(6, WaveLimit(servers=2)))
    assert [wave.items for wave in plan.waves] == [("s0", "s1"), ("s2", "s3"), ("s4", "s5")]


def test_a_window_stays_free_only_when_dates_ask_for_it() -> None:
    plan = plan_waves(_problem(2, InWave(item="s1", wave=3, place="line 9")))
    assert placed(plan) in ({"s0": 3, "s1": 3}, {"s0": 1, "s1": 3})
    reasons = {placement.item: placement.reason for placement in plan.placements}
    assert reasons["s1"] == "s1 moves in wave 3 (line 9)"


@pytest.mark.parametrize(
    ("wishes", "core"),
    [
        ((Before(first="s0", then="s1"), Before(first="s1", then="s2"), Before(first="s2", then="s0")), {0, 1, 2}),
        ((Together(items=("s0", "s1")), Apart(items=("s1", "s2")), Apart(items=("s0", "s1", "s3"))), {0, 2}),
        ((WaveLimit(servers=1), Together(items=("s2", "s3")), Apart(items=("s0", "s1"))), {0, 1}),
        ((NotAfter(item="s3", day=START), Before(first="s0", then="s3"), Pilot(servers=9)), {0, 1}),
        ((Pilot(servers=1, environments=("moon",)), WaveLimit(servers=3)), {0}),
        ((Apart(items=("s0", "s1", "s2")), InWave(item="s0", wave=2), InWave(item="s2", wave=2)), {0, 1, 2}),
    ],
)
def test_the_smallest_contradiction_is_named(wishes: tuple[Wish, ...], core: set[int]) -> None:
    with pytest.raises(Contradictory) as found:
        plan_waves(_problem(4, *wishes))
    assert found.value.wishes == tuple(wishes[place] for place in sorted(core))
    assert found.value.minimal


def test_too_little_room_is_a_contradiction_of_the_limit_and_the_calendar() -> None:
    with pytest.raises(Contradictory, match=r"a wave has at most 2 servers \(line 3\); there are 4 change windows"):
        plan_waves(_problem(9, WaveLimit(servers=2, place="line 3"), Apart(items=("s0", "s1"))))


def test_a_large_problem_names_its_contradiction_too() -> None:
    problem = data_center(600, 5)
    first, then = problem.items[7].name, problem.items[500].name
    circle = (Before(first=first, then=then), Before(first=then, then=first))
    with pytest.raises(Contradictory) as found:
        plan_waves(replace(problem, wishes=(circle[0], *problem.wishes, circle[1])))
    assert found.value.wishes == circle


def test_little_moves_when_a_limit_shrinks_and_what_moves_says_why() -> None:
    problem = _problem(6, WaveLimit(servers=3, place="limits"), days=3)
    before = {placement.item: placement.day for placement in plan_waves(problem).placements}
    again = plan_waves(_problem(6, WaveLimit(servers=2, place="limits"), days=3), before)
    assert len(again.moved) == 2
    assert again.method is Method.KEPT
    assert {moved.reason.split(":")[0] for moved in again.moved} == {
        "there is no room for it in wave 1",
        "there is no room for it in wave 2",
    }


def test_what_is_gone_is_told_when_a_plan_is_made_again() -> None:
    again = plan_waves(_problem(1), {"s0": START, "old": START})
    assert [(moved.item, moved.after) for moved in again.moved] == [("old", None)]


def test_every_fault_is_told_at_once_when_a_problem_cannot_be_meant() -> None:
    items = (Item(name="a"), Item(name="a"), Item(name="b", risk=2.0))
    problem = Problem(
        items=items,
        windows=(),
        edges=(Edge(source="a", target="x", weight=-1),),
        wishes=(TeamLimit(team="t", servers=1), TeamLimit(team="t", servers=2)),
    )
    with pytest.raises(ProblemInvalid) as found:
        plan_waves(problem)
    assert [fault.problem for fault in found.value.faults] == [
        "has no change window",
        "a is there 2 times",
        "a is there 2 times",
        "the risk of b is not from 0 to 1",
        "names x, which is no item",
        "has an impossible weight",
        "is said twice",
    ]
