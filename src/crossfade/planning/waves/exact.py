"""Waves as an exact model: whether any plan holds the wishes, and the best one, with how much better any could be.

One worker, a fixed seed and a limit on work instead of time: the same model gives the same answer under any load.
Source: OR-tools CP-SAT, sat_parameters.proto, `max_deterministic_time`.
"""

import math
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from crossfade.planning.waves.groups import Groups
from crossfade.planning.waves.room import Room
from crossfade.planning.waves.wishes import WaveLimit

_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimised:
    """The window of each group, and what no plan can cut less than."""

    windows: list[int]
    least_cut: int


class ExactModel:
    """`goes[g][k]`: group g goes into window k; the key `windows` stands for all that come after the calendar."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.model = cp_model.CpModel()
        self.goes: list[dict[int, Any]] = []
        for group in range(len(groups)):
            last = min(groups.latest[group], groups.windows)
            windows = range(min(groups.earliest[group], groups.windows), last + 1)
            self.goes.append({window: self.model.new_bool_var(f"{group}@{window}") for window in windows})
            self.model.add_exactly_one(self.goes[group].values())
        self._limits()
        self._relations()

    def _limits(self) -> None:
        groups = self.groups
        for limit, capacity in enumerate(groups.capacity):
            amounts = [
                (g, dict(group.needs)[limit]) for g, group in enumerate(groups.groups) if limit in dict(group.needs)
            ]
            total = sum(amount for _, amount in amounts)
            for window in range(groups.windows):
                most = capacity
                if window == 0 and groups.pilot_servers is not None and isinstance(groups.limits[limit], WaveLimit):
                    most = min(capacity, groups.pilot_servers)
                if total > most:
                    terms = [amount * self.goes[g][window] for g, amount in amounts if window in self.goes[g]]
                    self.model.add(sum(terms) <= most)
        if groups.pilot_servers is not None:
            first = [(g, going[0]) for g, going in enumerate(self.goes) if 0 in going]
            self.model.add(sum(groups.groups[g].servers * goes for g, goes in first) <= groups.pilot_servers)
            self.model.add_bool_or([goes for _, goes in first])

    def _relations(self) -> None:
        """Each group that order or distance ties has a position; beyond the calendar only that one tells them apart."""
        groups = self.groups
        position: dict[int, Any] = {}
        for group, going in enumerate(self.goes):
            if groups.before[group] or groups.after[group] or groups.apart[group]:
                place = self.model.new_int_var(groups.earliest[group], groups.latest[group], f"position {group}")
                for window, goes in going.items():
                    if window < groups.windows:
                        self.model.add(place == window).only_enforce_if(goes)
                    else:
                        self.model.add(place >= window).only_enforce_if(goes)
                position[group] = place
        for group, place in position.items():
            for later in sorted(groups.after[group]):
                self.model.add(place < position[later])
            for other in sorted(groups.apart[group]):
                if group < other:
                    self.model.add(place != position[other])
                    for window in self.goes[group].keys() & self.goes[other].keys() - {groups.windows}:
                        self.model.add_at_most_one(self.goes[group][window], self.goes[other][window])

    def windows(self, solver: Any) -> list[int]:
        """Where each group is in what the solver found."""
        return [next(w for w, goes in going.items() if solver.boolean_value(goes)) for going in self.goes]

    def solve(self, work: float) -> tuple[Any, Any]:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = _SEED
        solver.parameters.max_deterministic_time = work
        return solver.solve(self.model), solver


def feasible(groups: Groups, work: float) -> bool | None:
    """Whether a plan can hold the wishes; None: not found out within `work`."""
    status, _ = ExactModel(groups).solve(work)
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return True
    return False if status == cp_model.INFEASIBLE else None


def optimised(groups: Groups, start: list[int] | None, work: float, kept: list[int] | None = None) -> Optimised | None:
    """The best plan, by what is cut, then waves, then risk that comes early; None: none was found within `work`.

    `start` is a plan to begin with. `kept` has the windows of a former plan, NOWHERE for what is new: then as few
    servers as possible leave them, before anything else counts.
    """
    exact = ExactModel(groups)
    cut = _cut(exact)
    if start is not None and kept is None:
        exact.model.add(cut <= Room.of(groups, start).cut)
    best, bound = start, 0
    if kept is not None:
        best, _ = _stage(exact, _moved(exact, kept), best, work)
    elif not isinstance(cut, int):
        best, bound = _stage(exact, cut, best, work)
    if kept is not None and best is not None and not isinstance(cut, int):
        best, _ = _stage(exact, cut, best, work)
    for objective in (_waves(exact), _risk(exact)):
        if not isinstance(objective, int):
            best, _ = _stage(exact, objective, best, work)
    return None if best is None else Optimised(windows=best, least_cut=bound)


def _stage(exact: ExactModel, objective: Any, best: list[int] | None, work: float) -> tuple[list[int] | None, int]:
    """A plan that is best by this too, and the bound; whatever comes later is no worse by it."""
    exact.model.minimize(objective)
    if best is not None:
        _hint(exact, best)
    status, solver = exact.solve(work)
    if status == cp_model.INFEASIBLE:
        return None, 0
    bound = max(0, math.ceil(solver.best_objective_bound - 1e-6)) if math.isfinite(solver.best_objective_bound) else 0
    if status == cp_model.UNKNOWN:
        return best, bound
    exact.model.add(objective <= round(solver.objective_value))
    return exact.windows(solver), bound


def _hint(exact: ExactModel, windows: list[int]) -> None:
    exact.model.clear_hints()  # type: ignore[no-untyped-call]  # the library leaves this one untyped
    for group, going in enumerate(exact.goes):
        for window, goes in going.items():
            exact.model.add_hint(goes, windows[group] == window)


def _cut(exact: ExactModel) -> Any:
    terms = []
    for group, talk in enumerate(exact.groups.talks):
        for other, weight in sorted(talk.items()):
            if group < other:
                crosses = exact.model.new_bool_var(f"{group}-{other}")
                for window, goes in exact.goes[group].items():
                    there = exact.goes[other].get(window)
                    others = [crosses] if there is None else [crosses, there]
                    exact.model.add_bool_or([goes.negated(), *others])
                terms.append(weight * crosses)
    return sum(terms)


def _waves(exact: ExactModel) -> Any:
    """Waves that there are, and of plans with as few the one that ends first."""
    windows = exact.groups.windows
    terms = []
    last = exact.model.new_int_var(0, windows - 1, "last")
    for window in range(windows):
        going = [each[window] for each in exact.goes if window in each]
        if going:
            used = exact.model.new_bool_var(f"wave {window}")
            for goes in going:
                exact.model.add_implication(goes, used)
            exact.model.add(last >= window).only_enforce_if(used)
            terms.append((windows + 1) * used)
    return sum(terms) + last


def _risk(exact: ExactModel) -> Any:
    windows = exact.groups.windows
    return sum(
        exact.groups.groups[group].risk * (windows - window) * goes
        for group, going in enumerate(exact.goes)
        for window, goes in going.items()
        if exact.groups.groups[group].risk
    )


def _moved(exact: ExactModel, kept: list[int]) -> Any:
    return sum(
        max(1, exact.groups.groups[group].servers) * (1 - goes)
        for group, going in enumerate(exact.goes)
        for window, goes in going.items()
        if kept[group] == window
    )
