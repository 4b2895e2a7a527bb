import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.infra.kubernetes.analysis import significant
from crossfade.model.file import MigrationFile
from tests.infra.kubernetes.files import VARIATIONS, file, metrics, of_kind
from tests.kubernetes.conditions import Phase, holds, phase, run

RECORDED = Path(__file__).parents[2] / "data" / "argo" / "conditions.json"
JUDGED = {name: VARIATIONS[name] for name in ("canary-argo-alb", "canary-argo-nginx", "blue-green-argo-alb")}
METRICS: dict[str, dict[str, Any]] = {
    f"{name}-{one['name']}-{place}": one for name, wanted in JUDGED.items() for place, one in enumerate(metrics(wanted))
}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
NOTHING: tuple[Sequence[float], ...] = ((), (math.nan,))


def limit_of(metric: dict[str, Any]) -> float:
    return float(metric["successCondition"].rsplit(" ", 1)[1])


def by_name(wanted: MigrationFile) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in metrics(wanted)}


@pytest.mark.parametrize("row", json.loads(RECORDED.read_text(encoding="utf-8"))["rows"], ids=str)
def test_conditions_are_evaluated_as_by_argo(row: dict[str, Any]) -> None:
    try:
        answer = str(holds(row["condition"], [float(value) for value in row["result"]])).lower()
    except (LookupError, ValueError):
        answer = "error"
    assert answer == row["answer"]


@every_metric
def test_a_number_is_either_good_or_bad(metric: dict[str, Any]) -> None:
    limit = limit_of(metric)
    for value in (-math.inf, -1.0, 0.0, math.nextafter(limit, 0), limit):
        assert phase(metric, (value,)) is Phase.SUCCESSFUL
    for value in (math.nextafter(limit, math.inf), 2 * limit, math.inf):
        assert phase(metric, (value,)) is Phase.FAILED


@given(value=st.floats(allow_nan=False), name=st.sampled_from(sorted(METRICS)))
def test_conditions_complement_each_other_whatever_the_number(value: float, name: str) -> None:
    metric = METRICS[name]
    assert holds(metric["successCondition"], (value,)) is not holds(metric["failureCondition"], (value,))


@every_metric
@pytest.mark.parametrize("result", NOTHING, ids=["empty", "nan"])
def test_no_data_is_neither_good_nor_bad(metric: dict[str, Any], result: Sequence[float]) -> None:
    assert phase(metric, result) is Phase.INCONCLUSIVE


@every_metric
@pytest.mark.parametrize("result", NOTHING, ids=["empty", "nan"])
def test_a_run_without_data_never_passes(metric: dict[str, Any], result: Sequence[float]) -> None:
    """Argo calls a run that reached its count successful, if no limit was passed before: so the limit is below it."""
    limit = metric["inconclusiveLimit"]
    assert limit < metric.get("count", math.inf)
    assert run(metric, [result] * limit) is None
    assert run(metric, [result] * (limit + 1)) is Phase.INCONCLUSIVE


@every_metric
def test_one_failure_goes_back_at_once(metric: dict[str, Any]) -> None:
    assert run(metric, [(2 * limit_of(metric),)]) is Phase.FAILED


@every_metric
def test_every_limit_is_written_out(metric: dict[str, Any]) -> None:
    assert {"failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "interval"} <= metric.keys()
    assert metric.get("count", 2) > 1  # more than one needs the interval


@pytest.mark.parametrize("wanted", JUDGED.values(), ids=JUDGED.keys())
def test_only_a_background_analysis_has_no_end(wanted: MigrationFile) -> None:
    endless = {
        template["metadata"]["name"]
        for template in of_kind(wanted, "AnalysisTemplate")
        for metric in template["spec"]["metrics"]
        if "count" not in metric
    }
    (rollout,) = of_kind(wanted, "Rollout")
    (strategy,) = rollout["spec"]["strategy"].values()
    background = {one["templateName"] for one in strategy.get("analysis", {}).get("templates", ())}
    assert endless == background


@every_metric
def test_queries_are_promql(metric: dict[str, Any]) -> None:
    query = metric["provider"]["prometheus"]["query"]
    for name in ("canary-hash", "stable-hash"):
        query = query.replace(f"{{{{args.{name}}}}}", "6d5f")
    query = query.replace("{{args.window}}", "540s")
    assert "{{" not in query
    assert "{arm}" not in query
    parsed = promql_parser.parse(query)
    assert promql_parser.parse(str(parsed)) is not None


def test_a_query_that_is_none_is_found() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum(")


def test_limits_are_those_of_the_file() -> None:
    wanted = file(
        limits__max_error_rate_percent=2,
        limits__max_p95="750ms",
        limits__burn_rate={"windows": [{"length": "10m", "max_burn_rate": 14}]},
        limits__judge__latency_tolerance_percent=15,
    )
    found = {name: limit_of(one) for name, one in by_name(wanted).items()}
    assert found["error-rate"] == pytest.approx(0.02)
    assert found["p95"] == pytest.approx(0.75)
    assert found["burn-rate-10m"] == pytest.approx(14)
    assert found["p95-ratio"] == pytest.approx(1.15)
    assert found["fewer-conversion"] == found["more-errors"] == significant(wanted)


def test_business_queries_name_both_arms() -> None:
    query = by_name(file())["fewer-conversion"]["provider"]["prometheus"]["query"]
    assert 'good{arm="{{args.canary-hash}}"}' in query
    assert 'all{arm="{{args.stable-hash}}"}' in query


def test_more_looks_ask_for_a_larger_difference() -> None:
    few, many = file(traffic__ladder__step=20), file(traffic__ladder__step=1)
    assert significant(few) < significant(many)
    # 6 shares below 100 (5, 25, 45, 65, 85, 90), 2 comparisons, 3 measurements each, 5 % in all
    assert significant(few) == pytest.approx(3.00, abs=0.005)


def test_a_token_comes_from_a_secret() -> None:
    wanted = VARIATIONS["canary-argo-nginx"]
    for template in of_kind(wanted, "AnalysisTemplate"):
        kept = [one for one in template["spec"]["args"] if one["name"] == "prometheus-token"]
        assert kept[0]["valueFrom"] == {"secretKeyRef": {"name": "prometheus", "key": "token"}}
    (header,) = metrics(wanted)[0]["provider"]["prometheus"]["headers"]
    assert header == {"key": "Authorization", "value": "Bearer {{args.prometheus-token}}"}
