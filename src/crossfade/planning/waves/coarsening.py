"""A smaller problem that looks like the larger one: pairs of groups with much traffic become one.

A plan of the coarse problem is one of the fine problem, with the same traffic across, and it holds the same wishes.

Source: heavy-edge matching; Karypis and Kumar 1998, section 3.2. That order must stay free of circles is ours: only
groups of one level of the order are joined, so every arrow still leads to a later level.
"""

import random

from crossfade.planning.waves.groups import Group, Groups
from crossfade.planning.waves.propagation import topological

_FREE = -1


def coarsened(
    groups: Groups, share: int, seed: int, within: list[int] | None = None
) -> tuple[Groups, list[int]] | None:
    """Coarse groups, and which of them each fine group became; None: hardly anything could be joined.

    No coarse group needs more than a `share`th of any limit. `within`: only groups of the same window are joined.
    """
    mate = _matched(groups, share, seed, within)
    became = [0] * len(groups)
    members: list[tuple[int, ...]] = []
    for group, other in enumerate(mate):
        if group <= other:
            became[group] = became[other] = len(members)
            members.append((group,) if group == other else (group, other))
    if len(members) > 0.95 * len(groups):
        return None
    return _joined(groups, became, members), became


def _levels(groups: Groups) -> list[int]:
    """The longest way that leads to a group in the order; _FREE where no order is."""
    order = topological(groups)
    assert order is not None  # circles are contradictions, which are found before anything is searched
    level = [0] * len(groups)
    for group in order:
        for later in groups.after[group]:
            level[later] = max(level[later], level[group] + 1)
    return [level[group] if groups.before[group] or groups.after[group] else _FREE for group in range(len(groups))]


def _matched(groups: Groups, share: int, seed: int, within: list[int] | None) -> list[int]:
    order = list(range(len(groups)))
    random.Random(seed).shuffle(order)
    order.sort(key=lambda group: len(groups.talks[group]))
    level = _levels(groups)
    most = [max(1, capacity // share) for capacity in groups.capacity]
    pilot = groups.pilot_servers
    mate = [-1] * len(groups)
    for group in order:
        if mate[group] != -1:
            continue
        mine = dict(groups.groups[group].needs)
        best, best_score = group, 0.0
        for other, weight in groups.talks[group].items():
            if mate[other] != -1 or (within is not None and within[group] != within[other]):
                continue
            theirs = groups.groups[other]
            score = weight / (max(1, groups.groups[group].servers) * max(1, theirs.servers)) ** 0.5
            if (
                score > best_score
                and groups.earliest[group] == groups.earliest[other]
                and groups.latest[group] == groups.latest[other]
                and (level[group] == level[other] or _FREE in {level[group], level[other]})
                and other not in groups.apart[group]
                and all(mine.get(limit, 0) + amount <= most[limit] for limit, amount in theirs.needs)
                and not (pilot is not None and within is not None and within[group] == 0)
            ):
                best, best_score = other, score
        mate[group], mate[best] = best, group
    return mate


def _joined(groups: Groups, became: list[int], members: list[tuple[int, ...]]) -> Groups:
    coarse = Groups(
        groups=[_one(groups, each) for each in members],
        of_item=became,
        windows=groups.windows,
        limits=groups.limits,
        capacity=groups.capacity,
        pilot_servers=groups.pilot_servers,
        earliest=[groups.earliest[each[0]] for each in members],
        latest=[groups.latest[each[0]] for each in members],
    )
    coarse.before, coarse.after, coarse.apart = (
        [{became[other] for group in each for other in relation[group]} for each in members]
        for relation in (groups.before, groups.after, groups.apart)
    )
    for place, each in enumerate(members):
        talk: dict[int, int] = {}
        for group in each:
            for other, weight in groups.talks[group].items():
                if became[other] != place:
                    talk[became[other]] = talk.get(became[other], 0) + weight
        coarse.talks.append(talk)
    return coarse


def _one(groups: Groups, members: tuple[int, ...]) -> Group:
    if len(members) == 1:
        old = groups.groups[members[0]]
        return Group(members=members, servers=old.servers, risk=old.risk, needs=old.needs)
    needs: dict[int, int] = {}
    for group in members:
        for limit, amount in groups.groups[group].needs:
            needs[limit] = needs.get(limit, 0) + amount
    return Group(
        members=members,
        servers=sum(groups.groups[group].servers for group in members),
        risk=sum(groups.groups[group].risk for group in members),
        needs=tuple(sorted(needs.items())),
    )
