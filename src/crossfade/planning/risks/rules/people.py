"""Who decides, who is told, who knows."""

from collections import Counter
from collections.abc import Iterator

from crossfade.model.terms import Phase
from crossfade.planning.inventory.records import Application, Place, Server
from crossfade.planning.risks.knowledge import Category, Clue, Known, Seen, Shown, shown
from crossfade.planning.risks.rating import Probability

_FEW = 3
"""Below so many applications, one owner of most of them is no surprise."""
_ASKED = (Phase.CUTOVER, Phase.FINALIZE)


def _one_approves(seen: Seen) -> Shown | None:
    return shown(Probability.POSSIBLE, _lonely_approvals(seen))


def _lonely_approvals(seen: Seen) -> Iterator[Clue]:
    approvals = seen.file.approvals
    for phase in _ASKED:
        asked = [i for i, one in enumerate(approvals) if one.phase is phase and one.before_share is None]
        if not asked:
            yield Clue(f"nobody approves {phase}", "approvals")
        for i in asked:
            if approvals[i].count == 1:
                who = ", ".join(approvals[i].by) or "anybody"
                yield Clue(f"one approval begins {phase}: {who}", f"approvals[{i}].count")


def _nobody_told(seen: Seen) -> Shown | None:
    told = seen.file.notifications
    if told.webhooks or told.email or told.sns:
        return None
    return Shown(Probability.LIKELY, (Clue("only the terminal is told", "notifications"),))


def _nobody_to_call(seen: Seen) -> Shown | None:
    return (
        None
        if seen.file.planning.contacts
        else Shown(Probability.POSSIBLE, (Clue("no contact is named", "planning.contacts"),))
    )


def _team_of_one(seen: Seen) -> Shown | None:
    return shown(
        Probability.POSSIBLE,
        (
            Clue(f"{team.name} is one person", f"planning.teams[{i}].people")
            for i, team in enumerate(seen.file.planning.teams)
            if team.people == 1
        ),
    )


def _owned(seen: Seen) -> tuple[Application | Server, ...]:
    """What owners are known of: applications, or servers where no source tells applications."""
    inventory = seen.inventory
    return (inventory.applications or inventory.servers) if inventory else ()


def _single_owner(seen: Seen) -> Shown | None:
    owned = [one for one in _owned(seen) if one.owner]
    owners = Counter(one.owner for one in owned)
    if len(owned) < _FEW:
        return None
    (owner, count), *_ = owners.most_common(1)
    if count * 2 <= len(owned):
        return None
    places = _places([one for one in owned if one.owner == owner])
    return Shown(Probability.POSSIBLE, (Clue(f"{owner} owns {count} of {len(owned)}", "", places),))


def _no_owner(seen: Seen) -> Shown | None:
    owned = _owned(seen)
    missing = [one for one in owned if not one.owner]
    if not missing:
        return None
    names = ", ".join(one.name for one in missing[:3]) + (" …" if len(missing) > 3 else "")
    clue = Clue(f"{len(missing)} of {len(owned)} have no owner: {names}", "", _places(missing))
    return Shown(Probability.LIKELY if len(missing) * 2 > len(owned) else Probability.POSSIBLE, (clue,))


def _places(records: list[Application | Server]) -> tuple[Place, ...]:
    return tuple(place for one in records for place in one.places[:1])[:3]


RISKS = (
    Known(
        id="one-person-approves",
        title="One person's mistake begins the cutover, or ends the way back",
        category=Category.PEOPLE,
        impact=4,
        look=_one_approves,
        contingencies=("fail back: until the point of no return nothing is lost",),
        limits=(("the bake is over, and finalize may be asked for", "bake.duration"),),
    ),
    Known(
        id="nobody-is-told",
        title="Something goes wrong, and nobody looks",
        category=Category.PEOPLE,
        impact=2,
        look=_nobody_told,
        contingencies=("the judge and the guards turn back by themselves",),
        limits=(("a share holds for longer than this", "limits.hold_at_most"),),
    ),
    Known(
        id="nobody-to-call",
        title="Nobody knows whom to call at night",
        category=Category.PEOPLE,
        impact=2,
        look=_nobody_to_call,
        contingencies=("the owner named under migration.owner is called",),
        limits=(("users are not back within this", "limits.rollback_within"),),
    ),
    Known(
        id="team-of-one",
        title="A team's only person is away when it is needed",
        category=Category.PEOPLE,
        impact=3,
        look=_team_of_one,
        contingencies=("hold; another team takes over the wave",),
        limits=(("a share holds for longer than this", "limits.hold_at_most"),),
    ),
    Known(
        id="single-owner",
        title="Most of what moves hangs on one owner",
        category=Category.PEOPLE,
        impact=3,
        look=_single_owner,
        contingencies=("name a deputy for each application before its wave",),
        limits=(("approvals wait, and a share holds for longer than this", "limits.hold_at_most"),),
    ),
    Known(
        id="owner-unknown",
        title="Nobody answers for what moves",
        category=Category.PEOPLE,
        impact=3,
        look=_no_owner,
        contingencies=("leave it for the last wave, until somebody answers for it",),
        limits=(("approvals wait, and a share holds for longer than this", "limits.hold_at_most"),),
    ),
)
