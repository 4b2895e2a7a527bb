"""What the judge and the others' rules are put before: rollouts that are not worse, and regressions."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from tests.judge import adverse, scenarios
from tests.judge.scenarios import LOOKS, REQUESTS, SHARES, Scenario
from tests.judge.traffic import HEALTHY, Arm, Traffic

from crossfade.judge import Look

STEPS = len(SHARES)
MINUTES = 5  # of a look
AT_FIRST = 0.05  # the share at which a regression is best found


class Kind(StrEnum):
    """What is asked of a case."""

    NOT_WORSE = "not worse"
    WORSE = "worse"
    POWER = "power"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """A regression: what the canary does at a fixed share."""

    canary: Arm
    baseline: Arm = HEALTHY
    share: float = AT_FIRST

    def __call__(self, rng: np.random.Generator, look: int, share: float) -> Look:
        traffic = Traffic(share=share, requests=REQUESTS, baseline=self.baseline, canary=self.canary)
        return traffic.look(rng, look // LOOKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario by name, and the share of each of its looks."""

    name: str
    kind: Kind
    scenario: Scenario
    shares: tuple[float, ...]

    def rollout(self, seed: int) -> list[Look]:
        """The looks of one rollout, whatever anybody would decide."""
        rng = np.random.default_rng(seed)
        return [self.scenario(rng, look, share) for look, share in enumerate(self.shares)]


LADDER = tuple(share for share in SHARES for _ in range(LOOKS))

NOT_WORSE: dict[str, Scenario] = {
    "healthy": scenarios.healthy,
    "healthy, no errors at all": scenarios.no_errors,
    "a common incident": scenarios.incident,
    "a day of load, latency and errors": scenarios.diurnal,
    "5 % noise between arms, by look": scenarios.noise,
    "5 % noise between arms, by step": scenarios.lasting_noise,
    "slower by exactly the margin": scenarios.at_the_margin,
    "heavy tails": adverse.heavy_tails,
    "two modes": adverse.two_modes,
    "shares that change within a step": adverse.changing_shares,
    "10 requests a minute": adverse.ten_a_minute,
    "100,000 requests a second": adverse.hundred_thousand_a_second,
    "errors in bursts, users counted": scenarios.bursts,
    "a canary that gets nothing": adverse.silent_canary,
    "a baseline that gets nothing": adverse.silent_baseline,
    "errors in bursts, users not counted": scenarios.bursts_by_request,
    "cold caches as each step begins": adverse.cold_caches,
    "pauses of one arm": adverse.pauses,
    "an incident, the canary first": adverse.incident_apart,
}

WORSE: dict[str, Worse] = {
    **{f"latency +{100 * part:.0f} %": Worse(canary=HEALTHY.times(latency=1 + part)) for part in
       (0.08, 0.1, 0.14, 0.2, 0.3, 0.5, 1.0)},
    **{f"errors 0.1 % → {0.1 * times:.1g} %": Worse(canary=HEALTHY.times(errors=times)) for times in
       (3, 5, 10, 20, 50)},
    **{f"latency +{100 * part:.0f} %, heavy tails": Worse(
        canary=adverse.HEAVY.times(latency=1 + part), baseline=adverse.HEAVY) for part in (0.2, 0.5, 1.0)},
}  # fmt: skip

POWER = ("latency +10 %", "latency +20 %", "errors 0.1 % → 0.5 %", "errors 0.1 % → 1 %")
POWER_SHARES = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)


def cases() -> tuple[Case, ...]:
    """All of them, in the order in which they are measured."""
    return (
        *(Case(name=name, kind=Kind.NOT_WORSE, scenario=of, shares=LADDER) for name, of in NOT_WORSE.items()),
        *(Case(name=name, kind=Kind.WORSE, scenario=of, shares=_fixed(AT_FIRST)) for name, of in WORSE.items()),
        *(
            Case(name=power_name(name, share), kind=Kind.POWER, scenario=WORSE[name], shares=_fixed(share, steps=1))
            for name in POWER
            for share in POWER_SHARES
        ),
    )


def power_name(regression: str, share: float) -> str:
    return f"{regression} at {100 * share:g} %"


def _fixed(share: float, steps: int = STEPS) -> tuple[float, ...]:
    return (share,) * (steps * LOOKS)
