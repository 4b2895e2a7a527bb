"""What a whole plan promises, of generated data centers: it keeps to the file, and a newcomer moves nobody."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crossfade.planning.inventory.records import Dependency, End, Inventory, Server
from crossfade.planning.plan.records import MigrationPlan
from crossfade.planning.waves import Contradictory
from tests.planning.plan.plans import GIB, former_of, planned

EXAMPLES = 3  # a whole plan takes a third of a second; what is wrong with one in hundreds was looked for with more
GENERATED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
START = date(2027, 1, 4)
ENVIRONMENTS = st.sampled_from([None, "production", "test"])
OWNERS = st.sampled_from([None, "alpha", "beta"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A data center, and what `planning` of its file says."""

    inventory: Inventory
    planning: Mapping[str, Any]

    def plan(self, **more: Any) -> MigrationPlan:
        told = {f"planning__{key}": value for key, value in self.planning.items()}
        inventory = more.pop("inventory", self.inventory)
        return planned(inventory, **told, **more)


@st.composite
def servers(draw: st.DrawFn, name: str) -> tuple[Server, ...]:
    environment, owner = draw(ENVIRONMENTS), draw(OWNERS)
    return tuple(
        Server(name=f"{name}-{n}", applications=(name,), environment=environment, owner=owner, disk_used_mib=GIB)
        for n in range(draw(st.integers(1, 3)))
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = [f"app{letter}" for letter in "abcdefg"[: draw(st.integers(2, 7))]]
    each = [draw(servers(name)) for name in names]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    talks = draw(st.lists(pairs, max_size=6, unique=True))
    windows = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=2, unique=True))
    planning: dict[str, Any] = {
        "start": START.isoformat(),
        "servers_per_wave": draw(st.integers(3, 7)),
        "pilot_servers": draw(st.integers(1, 3)),
        "windows": [{"days": windows, "start": "01:00", "duration": "8h"}],
        "blackouts": [{"first": "2027-01-18", "last": f"2027-01-{draw(st.integers(18, 31))}", "reason": "closed"}],
        "together": [list(pair) for pair in draw(st.lists(pairs, max_size=1))],
        "apart": [list(pair) for pair in draw(st.lists(pairs, max_size=2))],
        "teams": [{"name": "alpha", "servers_per_wave": draw(st.integers(3, 5))}],
        "out_of_scope": draw(st.lists(st.sampled_from(names[:1]), max_size=1)),
    }
    if planning["out_of_scope"]:
        for key in ("together", "apart"):
            planning[key] = [pair for pair in planning[key] if names[0] not in pair]
    if draw(st.booleans()):
        planning["deadline"] = "2027-04-30"
    if draw(st.booleans()):
        planning["teams"].append({"name": "beta", "servers_per_wave": draw(st.integers(3, 5))})
    return Case(
        inventory=Inventory(
            servers=tuple(server for of in each for server in of),
            dependencies=tuple(
                Dependency(source=End(server=f"{one}-0"), destination=End(server=f"{other}-0"), port=443)
                for one, other in talks
            ),
        ),
        planning=planning,
    )


def broken(case: Case, plan: MigrationPlan) -> list[str]:
    """What of the file the plan does not keep to, told from both alone."""
    told, found = case.planning, []
    wave = {each.name: each.wave for each in plan.applications}
    days = {each.wave: each.day for each in plan.applications}
    load, of_team = Counter[int](), defaultdict[str, Counter[int]](Counter)
    teams = {team["name"]: team["servers_per_wave"] for team in told["teams"]}
    owner = {server.applications[0]: server.owner for server in case.inventory.servers}
    for each in plan.applications:
        load[each.wave] += max(1, len(each.servers))
        team = next(iter(teams)) if len(teams) == 1 else owner.get(each.name)
        if team is not None and team in teams:
            of_team[team][each.wave] += max(1, len(each.servers))
    found += [f"wave {number} is too large" for number, size in load.items() if size > told["servers_per_wave"]]
    found += [f"{name} moves too many" for name in of_team for size in of_team[name].values() if size > teams[name]]
    if load[1] > told["pilot_servers"]:
        found.append("the pilot is too large")
    found += [f"{one} and {other} are divided" for one, other in told["together"] if wave[one] != wave[other]]
    found += [f"{one} and {other} share a wave" for one, other in told["apart"] if wave[one] == wave[other]]
    closed = (date.fromisoformat(told["blackouts"][0]["first"]), date.fromisoformat(told["blackouts"][0]["last"]))
    last = date.fromisoformat(told.get("deadline", "9999-12-31"))
    for number, day in days.items():
        if WEEKDAYS[day.weekday()] not in told["windows"][0]["days"] or closed[0] <= day <= closed[1]:
            found.append(f"wave {number} has no window")
        if not START <= day <= last:
            found.append(f"wave {number} is out of the dates")
    stays = set(told["out_of_scope"])
    found += [f"{name} moves and should stay" for name in stays & wave.keys()]
    moving = {server.applications[0] for server in case.inventory.servers} - stays
    return [*found, *(f"{name} is nowhere" for name in moving - wave.keys())]


@GENERATED
@given(cases())
def test_a_whole_plan_keeps_to_everything_that_its_file_says(case: Case) -> None:
    try:
        plan = case.plan()
    except Contradictory as contradiction:
        found = contradiction
    else:
        assert broken(case, plan) == []
        return
    assert found.minimal
    assert all(wish.place for wish in found.wishes)


@GENERATED
@given(cases(), servers("newcomer"))
def test_a_server_without_dependencies_moves_nothing_else_when_it_comes_to_a_planned_data_center(
    case: Case, newcomer: tuple[Server, ...]
) -> None:
    """Without a deadline, so that there is always a day for it."""
    case = Case(
        inventory=case.inventory, planning={key: told for key, told in case.planning.items() if key != "deadline"}
    )
    try:
        before = case.plan()
    except Contradictory:
        assume(False)
    more = replace(case.inventory, servers=(*newcomer[:1], *case.inventory.servers))
    after = case.plan(inventory=more, former=former_of(before))
    assert [each.item for each in after.waves.moved] == ["newcomer"]
    assert broken(Case(inventory=more, planning=case.planning), after) == []
