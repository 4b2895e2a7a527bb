"""From the migration file to the plan of a rehearsal: the same ladder, limits and approvals, with shorter waits."""

from datetime import timedelta

from crossfade.model.file import MigrationFile
from crossfade.model.file.limits import BusinessMetric, Limits
from crossfade.model.file.traffic import Strategy
from crossfade.model.plan import (
    Burn,
    CountedLimits,
    GuardLimits,
    JudgeLimits,
    LadderStep,
    NeededApproval,
    Plan,
    ReplicationLimits,
    ShadowLimits,
    SourceLimits,
)
from crossfade.model.terms import Phase

EVERYBODY = 100.0
TRANSFERS = "transfers"
"""The business metric of a rehearsal's users, which its router counts: transfers accepted, of those tried."""
REHEARSAL = "rehearsal"
"""Who approves when a rehearsal approves by itself."""
_SHORTEST_WINDOW = timedelta(seconds=2)
_SHORTEST_ROUND = timedelta(milliseconds=500)
_SHORTEST_FRESH = timedelta(seconds=5)
_SHORTEST_CHECKS = timedelta(seconds=1)
_SHORTEST_VALID = timedelta(seconds=10)  # people do not become faster when waits are shortened
_LINK_ROUND_TRIPS = 2
"""Of a request: one for its statement, and as much again for what a line adds when computers and line are busy."""
_REHEARSED_DISK_WARN_BYTES = 160 * 2**20
_REHEARSED_DISK_GIVE_WAY_BYTES = 96 * 2**20
_SHORTEST_LOOK = timedelta(milliseconds=400)  # twice what the router takes to bring its counters up to date


def plan_for_rehearsal(file: MigrationFile, migration: str, speed: float, *, through_wan: bool = False) -> Plan:
    """The plan of the file with its waits divided by `rehearsal.time_scale` and `speed`.

    No wait is longer than `rehearsal.longest_wait` divided by `speed`. What is a property of the system and not a wait
    (replication lag, lock timeout, p95) stays as it is. `through_wan`: there is a link between the sites, with paths.
    """
    scale = file.rehearsal.time_scale * speed

    def wait(planned: timedelta) -> timedelta:
        return _wait(planned, file, speed)

    limits, replication, judge = file.limits, file.database.replication, file.limits.judge
    blue_green = file.traffic.blue_green
    return Plan(
        migration=migration,
        ladder=tuple(LadderStep(percent=step.percent, bake=wait(step.bake)) for step in file.traffic.steps()),
        warm_up=wait(file.traffic.warm_up),
        bake=wait(file.bake.duration),
        approvals=_approvals(file, scale),
        fail_back_automatically=file.bake.fail_back_automatically,
        max_way_back_lag=file.bake.max_way_back_lag,
        mirror_percent=100.0 if file.shadow.enabled else 0.0,  # whatever is sampled is chosen where it is collected
        shadow=ShadowLimits(
            duration=wait(file.shadow.duration),
            minimum_pairs=file.shadow.minimum_pairs,
            repeat=file.shadow.repeat_percent / 100,
            max_difference=file.shadow.max_difference_percent / 100,
        ),
        preview=wait(blue_green.preview) if file.traffic.strategy is Strategy.BLUE_GREEN else None,
        check_every=max(wait(blue_green.check_every), _SHORTEST_CHECKS),
        keep_warm=wait(file.traffic.keep_warm),
        hold_at_most=limits.hold_at_most / scale,
        rollback_within=limits.rollback_within,
        needs_backup_link=through_wan and not file.connectivity.cut_over_without_backup,
        replication=ReplicationLimits(
            lag=replication.max_lag_time,
            lag_bytes=replication.max_lag_bytes,
            retained_wal_bytes=replication.wal.drop_at,
            warn_wal_bytes=replication.wal.warn_at,
        ),
        source=_source_limits(file),
        judge=JudgeLimits(
            alpha=judge.alpha_percent / 100,
            latency_margin=judge.latency_margin_percent / 100,
            latency_tolerance=judge.latency_tolerance_percent / 100,
            error_tolerance=judge.error_tolerance,
            minimum_requests=judge.minimum_requests,
            link_allowance=_link_allowance(file),
            counted=tuple(_counted(metric) for metric in file.metrics.business if metric.name == TRANSFERS),
        ),
        guards=_guards(limits, scale),
        attempts=file.database.switch.attempts,
        retry_after=wait(file.database.switch.retry_after),
        look_every=max(wait(judge.look_every), _SHORTEST_LOOK),
        fresh=max(limits.decide_on_data_younger_than / scale, _SHORTEST_FRESH),
    )


def _approvals(file: MigrationFile, scale: float) -> tuple[NeededApproval, ...]:
    """Those of the file, and that of a person to a blue-green promotion which is not to happen by itself."""
    stand_in = REHEARSAL if file.rehearsal.approve else None
    needed = tuple(
        NeededApproval(
            phase=asked.phase,
            share=asked.before_share,
            by=asked.by,
            count=asked.count,
            stand_in=stand_in,
            valid_for=max(asked.valid_for / scale, _SHORTEST_VALID) if asked.valid_for else None,
        )
        for asked in file.approvals
    )
    traffic, promotion = file.traffic, (Phase.CANARY, EVERYBODY)
    asks = traffic.strategy is Strategy.BLUE_GREEN and not traffic.blue_green.promote_automatically
    if not asks or any((one.phase, one.share) == promotion for one in needed):
        return needed
    return (*needed, NeededApproval(phase=Phase.CANARY, share=EVERYBODY, stand_in=stand_in))


def _counted(metric: BusinessMetric) -> CountedLimits:
    return CountedLimits(
        name=metric.name, margin=metric.margin_percent / 100, tolerance=metric.tolerance, promotes=metric.promotes
    )


def _guards(limits: Limits, scale: float) -> GuardLimits:
    """Limits that hold whatever the judge finds; their windows are waits, too."""
    return GuardLimits(
        error_rate=limits.max_error_rate_percent / 100,
        p95=limits.max_p95,
        window=max(timedelta(minutes=10) / scale, _SHORTEST_WINDOW),
        availability=limits.burn_rate.objective_percent / 100,
        burn=tuple(
            Burn(
                rate=window.max_burn_rate,
                window=max(window.length / scale, _SHORTEST_WINDOW),
                short_window=max(window.length / scale / 12, _SHORTEST_WINDOW),
            )
            for window in limits.burn_rate.windows
        ),
        minimum_requests=limits.guards.minimum_requests,
        minimum_errors=limits.guards.minimum_errors,
    )


def file_interval(file: MigrationFile, speed: float) -> timedelta:
    """Between two rounds of copying files in a rehearsal: the file's interval, divided like every wait."""
    return max(_wait(file.files.interval, file, speed), _SHORTEST_ROUND)


def _source_limits(file: MigrationFile) -> SourceLimits:
    """The disk of a rehearsal's source is this computer's, which holds gigabytes to spare for nobody."""
    guard = file.database.replication.source_guard
    return SourceLimits(
        connections_warn=guard.connections_warn_percent / 100,
        connections_give_way=guard.connections_give_way_percent / 100,
        free_disk_warn_bytes=min(guard.free_disk_warn, _REHEARSED_DISK_WARN_BYTES),
        free_disk_give_way_bytes=min(guard.free_disk_give_way, _REHEARSED_DISK_GIVE_WAY_BYTES),
        patience=guard.connections_patience,
        slow_look=guard.slow_answer,
    )


def _link_allowance(file: MigrationFile) -> timedelta:
    """The file's own, or what its statements need for the distance that a rehearsal gives the sites."""
    given, round_trip = file.limits.judge.link_allowance, file.rehearsal.wan_round_trip
    return given if given is not None else round_trip * _LINK_ROUND_TRIPS


def _wait(planned: timedelta, file: MigrationFile, speed: float) -> timedelta:
    return min(planned / (file.rehearsal.time_scale * speed), file.rehearsal.longest_wait / speed)
