"""What a migration is going to do, resolved from its file: the first event of every journal holds it."""

from dataclasses import dataclass, field
from datetime import timedelta

from crossfade.model.terms import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """One share of the traffic shift, 0 to 100 percent, and how long both arms run at it."""

    percent: float
    bake: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationLimits:
    """`lag`: replay lag as time, and `lag_bytes` in bytes, under which CDC counts as caught up.

    `retained_wal_bytes`: what the primary may keep on disk for us before the migration gives way; `warn_wal_bytes`:
    at how much people are told.
    """

    lag: timedelta = timedelta(seconds=5)
    lag_bytes: int = 16 * 2**20
    retained_wal_bytes: int = 2**30
    warn_wal_bytes: int = 2**29


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """When people are told that the source runs short of something, and when the migration gives way for it.

    `connections_*` are fractions of those that may be open; `free_disk_*` bytes. Giving way for connections takes
    that they have been warned of for `patience`: users come and go. `slow_look`: how long asking may take.
    """

    connections_warn: float = 0.8
    connections_give_way: float = 0.95
    free_disk_warn_bytes: int = 2**27
    free_disk_give_way_bytes: int = 3 * 2**25
    patience: timedelta = timedelta(seconds=10)
    slow_look: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLimits:
    """How a metric of the business is judged. `margin` and `tolerance` are of the odds of going badly.

    `promotes`: a step is passed only on evidence of it, too.
    """

    name: str
    margin: float = 0.0
    tolerance: float = 2.0
    promotes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeLimits:
    """What the judge is told. Rates are fractions, margins are fractions of the baseline. Source: docs/judge.md.

    `link_allowance`: how much of a request's time on the modern servers is the link's, as long as they write across it.
    """

    alpha: float = 0.05
    latency_margin: float = 0.05
    latency_tolerance: float = 0.20
    error_tolerance: float = 2.0
    minimum_requests: int = 100
    link_allowance: timedelta = timedelta(0)
    counted: tuple[CountedLimits, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """The error budget burns `rate` times too fast over both windows."""

    rate: float
    window: timedelta
    short_window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """Absolute limits beside the judge: error rate and p95 over `window`, burn rates of the availability objective.

    `error_rate` and `availability` are fractions. A limit speaks only over `minimum_requests` and, of errors,
    `minimum_errors`.
    """

    error_rate: float = 0.03
    p95: timedelta = timedelta(seconds=1)
    window: timedelta = timedelta(seconds=10)
    availability: float = 0.999
    burn: tuple[Burn, ...] = (Burn(rate=10.0, window=timedelta(seconds=20), short_window=timedelta(seconds=5)),)
    minimum_requests: int = 500
    minimum_errors: int = 10

    @property
    def longest_window(self) -> timedelta:
        return max(self.window, *(burn.window for burn in self.burn)) if self.burn else self.window


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLimits:
    """How long answers are compared at least, and how many. Source: docs/shadow.md.

    `alpha`: the chance to call any field a regression that is none, over all fields and looks; `noise_alpha`: for one
    field, to call a regression noise, which is what differs less than `noise_ratio` times as often as the control from
    itself. `repeat`: the fraction of pairs whose control is asked twice. `max_difference`: the fraction of pairs that
    may differ beyond noise.
    """

    duration: timedelta = timedelta(0)
    minimum_pairs: int = 1000
    max_difference: float = 0.001
    repeat: float = 0.1
    alpha: float = 0.05
    noise_alpha: float = 0.05
    noise_ratio: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededApproval:
    """`phase` begins its work only after `count` different ones of `by` approved it; of anybody, if `by` is empty.

    With a `share`, in percent, it is not the phase that waits but the share that rises to it. A word older than
    `valid_for` does not count. The word of `stand_in` alone is enough: a rehearsal that approves by itself.
    """

    phase: Phase
    share: float | None = None
    by: tuple[str, ...] = ()
    count: int = 1
    stand_in: str | None = None
    valid_for: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One migration, resolved: no references, no defaults left open, waits as they will really be waited.

    `mirror_percent` is the share of reads that the router mirrors in the shadow phase; 0 leaves that empty, otherwise
    `shadow` says when it ends. `attempts` bounds how often an end is tried before the plan gives way, `retry_after`
    apart. `fresh` is how old a sighting may be and still count. Unless `fail_back_automatically`, only a person's word
    fails back; every other reason holds and waits for it. `max_way_back_lag`: a way back that is dead or later than
    this, for this long, is failed back over while it can be. `needs_backup_link`: no cutover begins while only one path
    between the sites carries traffic.

    `preview` is None on a ladder. With it everybody moves at once: after that long without a failed check of the new
    side, which is asked `check_every`, as it is while it is watched afterwards. `keep_warm`: how long after everybody
    has moved the old side must be there, ready to take them back. People are told when a share holds for want of
    evidence longer than `hold_at_most`, and when users are not back within `rollback_within` of the decision.
    """

    migration: str
    ladder: tuple[LadderStep, ...]
    warm_up: timedelta
    bake: timedelta
    approvals: tuple[NeededApproval, ...] = (
        NeededApproval(phase=Phase.CUTOVER),
        NeededApproval(phase=Phase.FINALIZE),
    )
    fail_back_automatically: bool = True
    max_way_back_lag: timedelta = timedelta(minutes=1)
    mirror_percent: float = 0.0
    shadow: ShadowLimits = field(default_factory=ShadowLimits)
    needs_backup_link: bool = False
    preview: timedelta | None = None
    check_every: timedelta = timedelta(seconds=1)
    keep_warm: timedelta = timedelta(0)
    hold_at_most: timedelta = timedelta(hours=24)
    rollback_within: timedelta = timedelta(minutes=5)
    replication: ReplicationLimits = field(default_factory=ReplicationLimits)
    source: SourceLimits = field(default_factory=SourceLimits)
    judge: JudgeLimits = field(default_factory=JudgeLimits)
    guards: GuardLimits = field(default_factory=GuardLimits)
    attempts: int = 5
    retry_after: timedelta = timedelta(seconds=1)
    look_every: timedelta = timedelta(milliseconds=500)
    fresh: timedelta = timedelta(seconds=5)

    def approval(self, phase: Phase, share: float | None = None) -> NeededApproval | None:
        """What `phase` needs before it begins, if anything; with a `share`, what it needs before it rises to that."""
        return next((needed for needed in self.approvals if (needed.phase, needed.share) == (phase, share)), None)
