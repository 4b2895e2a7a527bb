"""Seeded simulations of what makes a good canary look bad; benchmarks/against_peers.py has 2,000 rollouts of each."""

import numpy as np
import pytest
from scipy.stats import binom

from crossfade.judge import Decision, JudgeSettings, begin, judge
from tests.judge import adverse
from tests.judge.scenarios import LOOKS, SHARES, Scenario, is_aborted

SETTINGS = JudgeSettings()


def most(rollouts: int) -> int:
    """More false aborts would be seen in one of a thousand test runs, if the judge just kept its promise of alpha."""
    return int(binom.ppf(0.999, rollouts, SETTINGS.alpha))


@pytest.mark.parametrize(
    ("scenario", "rollouts"),
    [
        (adverse.heavy_tails, 40),
        (adverse.two_modes, 40),
        (adverse.changing_shares, 40),
        (adverse.ten_a_minute, 30),
        (adverse.hundred_thousand_a_second, 8),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_seldom_aborts_a_whole_rollout_when_the_canary_only_looks_bad(scenario: Scenario, rollouts: int) -> None:
    assert sum(is_aborted(scenario, seed) for seed in range(rollouts)) <= most(rollouts)


@pytest.mark.parametrize("scenario", [adverse.silent_canary, adverse.silent_baseline], ids=lambda given: given.__name__)
def test_holds_with_a_reason_when_an_arm_gets_nothing(scenario: Scenario) -> None:
    rng, state = np.random.default_rng(1), begin(SETTINGS)
    before = None
    for look in range(LOOKS * 3):
        drawn = scenario(rng, look, SHARES[look // LOOKS])
        state, verdict = judge(state, drawn, SETTINGS)
        if look < LOOKS:
            before = verdict.e_value
            continue
        assert verdict.decision is Decision.HOLD
        assert verdict.e_value == before  # silence is no evidence, for nobody
        assert "cannot be trusted" in verdict.reason or "No data" in verdict.reason
