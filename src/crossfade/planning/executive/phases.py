"""The three phases that a committee signs for, with what counts as success and what turns back. From the file's limits.

Source: REQUIREMENTS C7; what turns back is what `crossfade.runbook.turning` acts on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crossfade.model.file import MigrationFile
from crossfade.model.file.traffic import Strategy
from crossfade.model.terms import Phase
from crossfade.planning.executive.traced import Figure, Sources, Traces
from crossfade.planning.plan import MigrationPlan
from crossfade.planning.risks.keys import value_at
from crossfade.planning.schedule.records import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A sentence with a limit of the migration file in it, between `before` and `after`."""

    before: str
    figure: Figure
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadPhase:
    """Some phases of the runbook under one name. `begins` and `ends` are days over all waves; None: nothing is
    laid out. `back`: what going back means meanwhile.
    """

    title: str
    aim: str
    phases: tuple[Phase, ...]
    begins: Figure
    ends: Figure
    success: tuple[Measure, ...]
    triggers: tuple[Measure, ...]
    back: str


@dataclass(frozen=True, slots=True)
class _Limit:
    """`says` has the limit's place as `{}`."""

    says: str
    path: str
    holds: Callable[[MigrationFile], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    title: str
    aim: str
    phases: tuple[Phase, ...]
    back: str
    success: tuple[_Limit, ...]
    triggers: tuple[_Limit, ...]


def _shadowed(file: MigrationFile) -> bool:
    return file.shadow.enabled


def _canary(file: MigrationFile) -> bool:
    return file.traffic.strategy is Strategy.CANARY


def _green(file: MigrationFile) -> bool:
    return not _canary(file)


_SOURCE_GUARDS = (
    _Limit("the source keeps more than {} of WAL for the migration", "database.replication.wal.drop_at"),
    _Limit("the source's disk has less than {} left", "database.replication.source_guard.free_disk_give_way"),
    _Limit(
        "more than {} % of the source's connections stay in use",
        "database.replication.source_guard.connections_give_way_percent",
    ),
)
_ARM_GUARDS = (
    _Limit("more than {} % of requests fail on AWS", "limits.max_error_rate_percent"),
    _Limit("p95 of the answers of AWS is above {}", "limits.max_p95"),
    _Limit("AWS is slower by more than {} %, beyond chance", "limits.judge.latency_margin_percent"),
    _Limit("errors use up the budget {} times too fast", "limits.burn_rate.windows[0].max_burn_rate"),
)
TOLD = (
    _Told(
        title="Prepare",
        aim="Everything stands on AWS as a copy, and no user has noticed.",
        phases=(Phase.PREPARE, Phase.REPLICATE, Phase.VALIDATE),
        back="What was built is taken down; users and writes never left the data center.",
        success=(
            _Limit("replication is less than {} behind", "database.replication.max_lag_time"),
            _Limit("and less than {}", "database.replication.max_lag_bytes"),
            _Limit("every row is found the same on both sides, by {} hashes", "verification.hash"),
        ),
        triggers=_SOURCE_GUARDS,
    ),
    _Told(
        title="Migrate",
        aim="Users move share by share, then writes move at once.",
        phases=(Phase.SHADOW, Phase.CANARY, Phase.CUTOVER),
        back="Shares fall to 0 at once; after the cutover the writes go back by the mirrored switch. Nothing is lost.",
        success=(
            _Limit("less than {} % of answers differ beyond noise", "shadow.max_difference_percent", _shadowed),
            _Limit("each share is baked for {} at least, and judged", "traffic.ladder.bake", _canary),
            _Limit("90 % of users is baked for {} at least", "traffic.ladder.long_bake", _canary),
            _Limit("the new side passes its checks for {} before anybody moves", "traffic.blue_green.preview", _green),
            _Limit("{} % of all requests succeed", "limits.burn_rate.objective_percent"),
            _Limit("the last changes arrive within {} of the fence", "database.switch.drain_timeout"),
            _Limit("a way back takes no longer than {}", "limits.rollback_within"),
        ),
        triggers=(
            *_ARM_GUARDS,
            _Limit("more than {} % of answers differ beyond noise", "shadow.max_difference_percent", _shadowed),
            *_SOURCE_GUARDS,
        ),
    ),
    _Told(
        title="Run and optimise",
        aim="AWS serves alone and is watched; then the old side is given up, which is the point of no return.",
        phases=(Phase.BAKE, Phase.FINALIZE),
        back="Writes and users fail back without loss, until finalize is approved; from then on there is no way back.",
        success=(
            _Limit("both sides live on for {}, the way back proven", "bake.duration"),
            _Limit("the old side is kept warm for {}", "traffic.keep_warm"),
        ),
        triggers=(
            *_ARM_GUARDS,
            _Limit("the way back is dead or late for longer than {}", "bake.max_way_back_lag"),
        ),
    ),
)
"""Each phase of the runbook is in one of them."""


def broad_phases(plan: MigrationPlan, sources: Sources, traces: Traces) -> tuple[BroadPhase, ...]:
    """The three, in order, with days over all waves."""
    return tuple(_broad(number, told, plan, sources, traces) for number, told in enumerate(TOLD, start=1))


def _broad(number: int, told: _Told, plan: MigrationPlan, sources: Sources, traces: Traces) -> BroadPhase:
    stages = [stage for wave in plan.schedule.waves for stage in wave.stages if stage.phase in told.phases]
    begins, ends = _days(f"phase-{number}", told.title, stages, traces)
    return BroadPhase(
        title=told.title,
        aim=told.aim,
        phases=told.phases,
        begins=begins,
        ends=ends,
        success=tuple(_measures(f"phase-{number}-success", told.success, sources, traces)),
        triggers=tuple(_measures(f"phase-{number}-trigger", told.triggers, sources, traces)),
        back=told.back,
    )


def _days(key: str, title: str, stages: list[Stage], traces: Traces) -> tuple[Figure, Figure]:
    if not stages:
        why = "no wave has a phase that could be laid out"
        return (
            traces.missing(f"{key}-begins", f"{title} begins", why),
            traces.missing(f"{key}-ends", f"{title} ends", why),
        )
    first, last = min(stage.begins for stage in stages), max(stage.ends for stage in stages)
    computed = f"of {len(stages)} phases of waves, each as long as nine of ten trials take"
    return (
        traces.add(f"{key}-begins", f"{title} begins", f"{first:%Y-%m-%d}", f"the first {computed}"),
        traces.add(f"{key}-ends", f"{title} ends", f"{last:%Y-%m-%d}", f"the last {computed}"),
    )


def _measures(key: str, limits: tuple[_Limit, ...], sources: Sources, traces: Traces) -> Iterator[Measure]:
    for number, limit in enumerate(limits):
        if limit.holds is None or limit.holds(sources.file):
            value, place = value_at(sources.file, limit.path), sources.place(limit.path)
            before, _, after = limit.says.partition("{}")
            says, computed = limit.says.replace("{}", "…"), "a limit of the migration file"
            figure = traces.add(f"{key}-{number}", says, value, computed, [place])
            yield Measure(before=before, figure=figure, after=after)
