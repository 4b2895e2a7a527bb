"""What a seed decides before anything begins: the plan, the canary's quality, how people are, and the faults."""

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from crossfade.model.plan import Burn, GuardLimits, LadderStep, NeededApproval, Plan, ShadowLimits
from crossfade.model.terms import Phase, Side
from crossfade.simulation.chances import chances
from crossfade.simulation.faults import Fault, draw_faults

_LADDERS = ((100.0,), (50.0, 100.0), (20.0, 100.0), (10.0, 50.0, 100.0), (5.0, 25.0, 90.0, 100.0))
_AGAIN = 0.5
_AT_ONCE = 0.15
_USUALLY = 0.85
_BOTH = 0.3
_WRONG, _OFTEN_WRONG = 0.1, 0.08
_PEOPLE = ("ann", "bob", "eve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """How the modern servers do: errors on top of the common rate, and latencies longer by a factor."""

    extra_errors: float = 0.0
    slower: float = 1.0

    @property
    def worse(self) -> bool:
        return self.extra_errors > 0 or self.slower > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run. `rate` is requests a second, `common_errors` a fraction of them on both arms.

    The engines run at `engine_at`; `round_trip` between the sites and `retry_seconds`, PostgreSQL's
    wal_retrieve_retry_interval, are in seconds. With `step_by_step` a switch passes its points one after the other.
    After a fail back it goes on with a later cutover if `again`. Where requests are mirrored, the modern servers answer
    `wrong_answers` of them wrongly, a fraction.
    """

    seed: int
    plan: Plan
    canary: Canary
    rate: float
    common_errors: float
    step_by_step: bool
    engine_at: Side
    round_trip: float
    retry_seconds: float
    faults: tuple[Fault, ...]
    again: bool = False
    wrong_answers: float = 0.0


def draw(seed: int) -> Scenario:
    """The scenario of a seed."""
    rng = chances(seed, "scenario")
    return Scenario(
        seed=seed,
        plan=_moved_otherwise(chances(seed, "move"), _plan(rng, seed)),
        canary=_canary(rng),
        rate=rng.choice((1500.0, 3000.0, 6000.0)),
        common_errors=rng.choice((0.0, 0.0005, 0.002)),
        step_by_step=rng.random() < 0.4,
        engine_at=rng.choice(list(Side)),
        round_trip=rng.choice((0.0004, 0.002, 0.02, 0.08)),
        retry_seconds=rng.choice((0.5, 5.0)),
        faults=draw_faults(chances(seed, "faults")),
        again=chances(seed, "again").random() < _AGAIN,
        wrong_answers=_WRONG if chances(seed, "wrong answers").random() < _OFTEN_WRONG else 0.0,
    )


def _plan(rng: Random, seed: int) -> Plan:
    bake = timedelta(seconds=rng.choice((1.5, 2.0, 3.0)))
    return Plan(
        migration=f"simulated-{seed}",
        ladder=tuple(LadderStep(percent=percent, bake=bake) for percent in rng.choice(_LADDERS)),
        warm_up=timedelta(seconds=rng.choice((0.0, 0.3))),
        bake=timedelta(seconds=rng.choice((2.0, 4.0, 6.0))),
        approvals=_approvals(rng),
        fail_back_automatically=rng.random() < 0.8,
        mirror_percent=rng.choice((0.0, 10.0)),
        shadow=ShadowLimits(duration=timedelta(seconds=1), minimum_pairs=100, repeat=1.0),
        guards=GuardLimits(
            window=timedelta(seconds=3),
            burn=(Burn(rate=10.0, window=timedelta(seconds=4), short_window=timedelta(seconds=2)),),
        ),
        attempts=rng.choice((3, 5)),
        retry_after=timedelta(seconds=rng.choice((0.5, 1.0))),
    )


def _moved_otherwise(rng: Random, plan: Plan) -> Plan:
    """Some at once, some with persons before a share, with words that expire, with an old side that is kept warm."""
    kind = rng.random()
    if kind < _AT_ONCE or rng.random() < _BOTH * (kind > _USUALLY):
        preview = timedelta(seconds=rng.choice((1.0, 3.0)))
        ladder = (LadderStep(percent=0.0, bake=preview), LadderStep(percent=100.0, bake=plan.ladder[-1].bake))
        plan = replace(plan, ladder=ladder, preview=preview, check_every=timedelta(seconds=rng.choice((0.3, 1.0))))
    if kind > _USUALLY:
        valid_for = rng.choice((None, timedelta(seconds=1.5)))
        shares = [step.percent for step in plan.ladder if step.percent > 0]
        asked = NeededApproval(phase=Phase.CANARY, share=rng.choice(shares), count=rng.choice((1, 2)))
        approvals = tuple(replace(one, valid_for=valid_for) for one in (*plan.approvals, asked))
        keep_warm = timedelta(seconds=rng.choice((0.0, 15.0, 40.0)))
        plan = replace(plan, approvals=approvals, keep_warm=keep_warm)
    return plan


def _approvals(rng: Random) -> tuple[NeededApproval, ...]:
    kind = rng.randrange(4)
    if kind == 0:
        return ()
    if kind == 1:
        return (NeededApproval(phase=Phase.CUTOVER), NeededApproval(phase=Phase.FINALIZE))
    if kind == 2:
        return (NeededApproval(phase=Phase.FINALIZE, by=_PEOPLE, count=2),)
    return (NeededApproval(phase=rng.choice(list(Phase)), by=_PEOPLE[:2]), NeededApproval(phase=Phase.FINALIZE))


def _canary(rng: Random) -> Canary:
    quality = rng.random()
    if quality < 0.85:
        return Canary()
    return Canary(extra_errors=0.08) if quality < 0.93 else Canary(slower=1.6)
