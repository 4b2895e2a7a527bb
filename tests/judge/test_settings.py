import pytest

from crossfade.judge import CountedMetric, JudgeSettings, JudgeSettingsInvalid, Metric


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


def test_tells_all_faults_of_counted_metrics_and_weights_together() -> None:
    with pytest.raises(JudgeSettingsInvalid) as caught:
        JudgeSettings(
            counted=(
                CountedMetric(name="latency", margin=2.0),
                CountedMetric(name="Orders!", tolerance=1.0),
                CountedMetric(name="orders", margin=0.5, tolerance=1.4),
            ),
            weights=(("errors", 0.0), ("sales", 1.0)),
            settling_looks=-1,
        )
    said = "\n".join(caught.value.faults)
    for text in (
        "metrics must name at least one, each once",
        "weights must name metrics that are judged",
        "weights must be above 0",
        "settling_looks",
        "counted latency: a name",
        "counted latency: margin",
        "counted Orders!: a name",
        "counted Orders!: tolerance",
        "counted orders: tolerance must be above 1 + margin",
    ):
        assert text in said


def test_a_counted_metric_may_be_all_that_is_judged() -> None:
    assert JudgeSettings(metrics=(), counted=(CountedMetric(name="orders"),)).threshold == 20
