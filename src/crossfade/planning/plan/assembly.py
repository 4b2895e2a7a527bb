"""From what was read to the plan that is signed: applications, readiness, waves, schedule, risks, joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crossfade.model.errors import CrossfadeError
from crossfade.model.file import MigrationFile
from crossfade.model.file.planning import ReadinessFactor
from crossfade.model.file.tree import Tree
from crossfade.planning.applications import find_applications
from crossfade.planning.inventory import Inventory
from crossfade.planning.plan.assumed_file import assumed_file
from crossfade.planning.plan.drafts import drafts, refs
from crossfade.planning.plan.movers import Mover, movers_of, not_planned
from crossfade.planning.plan.own import with_own
from crossfade.planning.plan.placing import Asked, Former, Placed, place
from crossfade.planning.plan.records import MigrationPlan, MigrationRef, PlannedApplication
from crossfade.planning.plan.register import register_of
from crossfade.planning.plan.taken import assumptions_of
from crossfade.planning.plan.told_waves import told_waves
from crossfade.planning.plan.unknown import unknowns_of
from crossfade.planning.plan.wishes import Told, edges_of, wishes_of
from crossfade.planning.readiness import DEFAULT_WEIGHTS, readiness_of
from crossfade.planning.risks.knowledge import Seen
from crossfade.planning.risks.told import RegisterFile
from crossfade.planning.schedule.amounts import Amounts, Load, terms_of
from crossfade.planning.schedule.layout import leads, schedule_of
from crossfade.planning.schedule.openings import Openings
from crossfade.planning.schedule.records import Concern, Schedule
from crossfade.planning.waves import Contradictory, NoPlanFound, Placement, Plan

_AHEAD = timedelta(days=28)
_SATURDAY = 5
_PASSES = 3
"""How often waves are moved later because their copies, one after another, would begin before the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a plan is made of. `file` None: no migration file is given, and one of defaults stands for it.

    `sources`: what people call the exports. `on`: the day of the plan. `former`: the plan that it replaces.
    """

    on: date
    inventory: Inventory | None = None
    file: MigrationFile | None = None
    tree: Tree | None = None
    file_name: str = ""
    sources: tuple[str, ...] = ()
    register: RegisterFile | None = None
    former: Former | None = None


class NothingMoves(CrossfadeError):
    """Neither the inventory nor a migration file has anything that moves."""

    remedy = "Read an export that lists servers or applications, or take some out of planning.out_of_scope."

    def __init__(self) -> None:
        super().__init__("there is nothing that moves")


def plan_of(given: Given) -> MigrationPlan:
    """The whole plan; the same input gives the same plan.

    Raises NothingMoves, NamesUnknown, TimeZoneUnknown, and what `plan_waves` raises: Contradictory where the wishes
    cannot hold together, NoPlanFound.
    """
    file, tree, told = _file(given)
    inventory = given.inventory or Inventory()
    if given.file is not None:
        inventory = with_own(given.inventory, file, tree, given.file_name)
    found, planning = find_applications(inventory), file.planning
    weights = dict(DEFAULT_WEIGHTS) | {ReadinessFactor(name): each for name, each in planning.readiness_weights.items()}
    scope = frozenset(planning.out_of_scope)
    readiness = readiness_of(inventory, found, on=given.on, weights=weights, out_of_scope=scope)
    movers = movers_of(inventory, found, readiness, planning)
    if not movers:
        raise NothingMoves
    start = planning.start or (given.former.start if given.former else None) or _assumed_start(given.on)
    asked = Asked(
        movers=movers,
        edges=edges_of(found, movers),
        wishes=wishes_of(planning, movers, found, told),
        leads=leads({mover.name: mover.amounts for mover in movers}, terms_of(file)),
        planning=planning,
        told=told,
        start=start,
        on=given.on,
        former=given.former,
    )
    placed, schedule = _laid_out(asked, file)
    drafted = drafts(movers, given.file, tree, placed.plan)
    migrations = refs(movers, given.file, given.file_name, drafted)
    seen = Seen(file=file, inventory=inventory, applications=found, on=given.on, schedule=schedule)
    return MigrationPlan(
        name=file.migration.name if given.file else "data center",
        on=given.on,
        start=start,
        first_window=placed.first_window,
        deadline=planning.deadline,
        sources=given.sources,
        file=file,
        file_name=given.file_name,
        file_assumed=given.file is None,
        inventory=inventory,
        found=found,
        readiness=readiness,
        applications=_applications(movers, placed.plan, migrations),
        not_planned=tuple(not_planned(found, planning, movers)),
        told_waves=told_waves(inventory, found, placed.plan),
        drafts=tuple(drafted.values()),
        waves=placed.plan,
        schedule=schedule,
        risks=register_of(seen, tree, told, given.register or RegisterFile(version=1)),
        assumptions=(*assumptions_of(file, told, start, movers), *placed.assumptions),
        unknowns=tuple(unknowns_of(inventory, found, movers)),
    )


def _file(given: Given) -> tuple[MigrationFile, Tree, Told]:
    if given.file is not None and given.tree is not None:
        return given.file, given.tree, Told(given.tree, given.file_name)
    file, tree = assumed_file(len(given.inventory.servers) if given.inventory else 1)
    return file, tree, Told(tree, "")


def _assumed_start(on: date) -> date:
    """The first Saturday in four weeks or later: time to look at the plan, and a day with few users."""
    day = on + _AHEAD
    return day + timedelta(days=(_SATURDAY - day.weekday()) % 7)


def _laid_out(asked: Asked, file: MigrationFile) -> tuple[Placed, Schedule]:
    """Waves and their schedule. Where copies would begin too early, waves go later, as far as all wishes allow."""
    extra, best = timedelta(0), None
    for _ in range(_PASSES):
        try:
            placed = place(asked, extra)
        except (Contradictory, NoPlanFound):
            if best is None:
                raise
            return best
        schedule = schedule_of(_loads(placed.plan, asked.movers), file, asked.start)
        best = (placed, schedule)
        short = _short(schedule, file, asked.start)
        if short <= timedelta(0):
            break
        extra += short
    assert best is not None  # the first pass gave it, or raised
    return best


def _short(schedule: Schedule, file: MigrationFile, start: date) -> timedelta:
    begins = Openings.of(file.planning).at(start)
    late = {each.wave for each in schedule.remarks if each.concern is Concern.BEGINS_BEFORE_START}
    return max((begins - wave.begins for wave in schedule.waves if wave.wave in late), default=timedelta(0))


def _loads(plan: Plan, movers: Sequence[Mover]) -> list[Load]:
    by_name = {mover.name: mover for mover in movers}
    return [
        Load(
            wave=wave.number,
            day=wave.day,
            applications=wave.items,
            amounts=Amounts.sum(by_name[name].amounts for name in wave.items),
        )
        for wave in plan.waves
    ]


def _applications(
    movers: Sequence[Mover], plan: Plan, migrations: Mapping[str, MigrationRef]
) -> tuple[PlannedApplication, ...]:
    by_name = {mover.name: mover for mover in movers}
    planned = [_planned(by_name[each.item], each, migrations.get(each.item)) for each in plan.placements]
    return tuple(sorted(planned, key=lambda each: (each.wave, each.name)))


def _planned(mover: Mover, placement: Placement, migration: MigrationRef | None) -> PlannedApplication:
    amounts = mover.amounts
    known = amounts.told_bytes > 0
    sized = amounts.servers - amounts.unsized_servers
    measured = any(server.disk_write_kib_s is not None for server in mover.servers)
    return PlannedApplication(
        name=mover.name,
        servers=tuple(server.name for server in mover.servers),
        size_bytes=amounts.told_bytes if known else None,
        size_known_percent=round(100 * sized / amounts.servers, 1) if amounts.servers else 100.0 * known,
        changes_bytes_s=amounts.changes_bytes_s if measured else None,
        owner=mover.application.owner,
        team=mover.team,
        environments=mover.application.environments,
        risk=mover.risk,
        wave=placement.wave,
        day=placement.day,
        group=placement.group,
        reason=placement.reason,
        migration=migration,
    )
