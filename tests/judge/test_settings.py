import pytest

from crossfade.judge import JudgeSettings, JudgeSettingsInvalid, Metric


def test_alpha_is_split_over_the_metrics() -> None:
    assert JudgeSettings().threshold == 40
    assert JudgeSettings(metrics=(Metric.ERRORS,), alpha=0.01).threshold == 100


def test_tells_all_faults_together_when_settings_make_no_sense() -> None:
    with pytest.raises(JudgeSettingsInvalid) as caught:
        JudgeSettings(
            metrics=(),
            alpha=0,
            promotion_alpha=1,
            latency_margin=0.3,
            latency_allowance_ms=-1,
            latency_tolerance=0.2,
            error_tolerance=1,
            error_rate_limit=0,
            minimum_requests=0,
            sticky_users=0,
        )
    assert len(caught.value.faults) == 9
    assert "alpha must lie between 0 and 0.5" in str(caught.value)
