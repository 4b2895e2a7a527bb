"""From the problem to the plan. Pure, and the same for the same input, whatever the machine has to do besides."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from crossfade.planning.waves.bounds import least_cut
from crossfade.planning.waves.contradiction import NoPlanFound, contradiction, contradicts, fits_exact_model
from crossfade.planning.waves.groups import RISK_SCALE, Groups, contract
from crossfade.planning.waves.multilevel import searched
from crossfade.planning.waves.plan import Method, Placement, Plan, Wave
from crossfade.planning.waves.problem import Problem, ProblemInvalid, faults_of
from crossfade.planning.waves.propagation import propagate
from crossfade.planning.waves.reasons import Reasons
from crossfade.planning.waves.replanning import kept_windows, moved, settled
from crossfade.planning.waves.room import Room
from crossfade.planning.waves.sequence import sequenced
from crossfade.planning.waves.wishes import CalendarEnd

_EXACT_EDGES = 60_000  # ends of edges in windows that the exact model takes on
_WORK = 0.3  # for each stage, in units of the solver, which are about a second of an idle core


def plan_waves(problem: Problem, previous: Mapping[str, date] | None = None) -> Plan:
    """The best plan found. `previous` has the day of each item in a former plan, from which little shall move.

    Raises ProblemInvalid with every fault of the problem, Contradictory with wishes that no plan can hold together,
    NoPlanFound where neither a plan nor a contradiction was found.
    """
    if not any(isinstance(wish, CalendarEnd) for wish in problem.wishes):
        problem = replace(problem, wishes=(*problem.wishes, CalendarEnd(windows=len(problem.windows))))
    faults = faults_of(problem)
    if faults:
        raise ProblemInvalid(faults)
    groups = contract(problem, problem.wishes)
    if not propagate(groups):
        raise contradiction(problem)
    if previous is None:
        room, bound, method = _fresh(problem, groups)
    else:
        room, bound, method = _again(problem, groups, kept_windows(problem, groups, previous))
    reasons = Reasons(problem, problem.wishes, room)
    return Plan(
        waves=_waves(problem, room),
        placements=_placements(problem, room, reasons),
        traffic=sum(edge.weight for edge in problem.edges if edge.source != edge.target),
        cut=room.cut,
        least_cut=min(room.cut, max(bound, least_cut(groups))) if room.cut else 0,
        method=method,
        moved=() if previous is None else moved(problem, room, previous, reasons),
    )


def _fresh(problem: Problem, groups: Groups) -> tuple[Room, int, Method]:
    room = searched(groups)
    if _is_small(groups):
        from crossfade.planning.waves.exact import optimised  # noqa: PLC0415 - loading the solver takes a second

        best = optimised(groups, room.window if room else None, _WORK)
        if best is not None:
            return sequenced(Room.of(groups, best.windows)), best.least_cut, Method.EXACT
    if room is None:
        raise _none_found(problem, groups)
    return sequenced(room), 0, Method.SEARCH


def _again(problem: Problem, groups: Groups, kept: list[int]) -> tuple[Room, int, Method]:
    room = settled(groups, kept)
    if _is_small(groups) and (room is None or room.window != kept):
        from crossfade.planning.waves.exact import optimised  # noqa: PLC0415 - loading the solver takes a second

        best = optimised(groups, room.window if room else None, _WORK, kept)
        if best is not None:
            room = Room.of(groups, best.windows)
    if room is None:
        return _fresh(problem, groups)
    return room, 0, Method.KEPT


def _is_small(groups: Groups) -> bool:
    ends = sum(len(talk) for talk in groups.talks) // 2
    return fits_exact_model(groups) and ends * groups.windows <= _EXACT_EDGES


def _none_found(problem: Problem, groups: Groups) -> Exception:
    if contradicts(problem, problem.wishes):
        return contradiction(problem)
    return NoPlanFound(len(groups))


def _waves(problem: Problem, room: Room) -> tuple[Wave, ...]:
    found = []
    for window, groups in enumerate(room.inside):
        items = [problem.items[m] for group in sorted(groups) for m in room.groups.groups[group].members]
        if not items:
            continue
        teams: dict[str, int] = {}
        for item in items:
            if item.team is not None:
                teams[item.team] = teams.get(item.team, 0) + item.servers
        risk = sum(room.groups.groups[group].risk for group in groups)
        found.append(
            Wave(
                number=window + 1,
                day=problem.windows[window],
                items=tuple(item.name for item in items),
                servers=sum(item.servers for item in items),
                size_bytes=sum(item.size_bytes for item in items),
                teams=dict(sorted(teams.items())),
                risk=round(risk / RISK_SCALE / max(1, sum(max(1, item.servers) for item in items)), 3),
            )
        )
    return tuple(found)


def _placements(problem: Problem, room: Room, reasons: Reasons) -> tuple[Placement, ...]:
    why = [reasons.of(group) for group in range(len(room.groups))]
    return tuple(
        Placement(
            item=item.name,
            group=group + 1,
            wave=room.window[group] + 1,
            day=problem.windows[room.window[group]],
            reason=why[group],
        )
        for item, group in zip(problem.items, room.groups.of_item, strict=True)
    )
