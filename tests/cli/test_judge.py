"""`crossfade judge`: recorded observations in, a line for each look out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from crossfade.cli.judge import judge
from crossfade.judge import Look
from crossfade.model.counts import ArmCounts
from tests.judge.traffic import HEALTHY, Arm, Traffic


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    app = typer.Typer()
    app.command()(judge)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def arm_line(arm: ArmCounts, *, latency: bool = True) -> dict[str, Any]:
    line: dict[str, Any] = {"requests": arm.requests, "errors": arm.errors}
    if latency and arm.latency is not None:
        line["latency_ms"] = {"edges": list(arm.latency.edges_ms), "counts": list(arm.latency.counts)}
    return line


def look_line(look: Look, *, latency: bool = True) -> dict[str, Any]:
    return {
        "step": look.step,
        "share": look.share,
        "seconds": look.duration.total_seconds(),
        "baseline": arm_line(look.baseline, latency=latency),
        "canary": arm_line(look.canary, latency=latency),
    }


def looks(canary: Arm, count: int, *, share: float = 0.25, latency: bool = True) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    traffic = Traffic(share=share, requests=830, canary=canary)
    return [look_line(traffic.look(rng), latency=latency) for _ in range(count)]


def written(folder: Path, *lines: object) -> Path:
    path = folder / "observations.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_judge_promotes_and_aborts_each_rollout_by_itself(tmp_path: Path) -> None:
    slow = looks(HEALTHY.times(latency=1.5), 6)
    path = written(tmp_path, {"rollout": "good"}, *looks(HEALTHY, 4), "", {"rollout": 2}, *slow)
    result = run(path)
    assert result.exit_code == 0, result.stderr
    lines = answers(result)
    assert [(line["rollout"], line["look"]) for line in lines[:4]] == [("good", n) for n in (1, 2, 3, 4)]
    assert lines[3]["verdict"] == "promote"
    last = lines[-1]
    assert (last["rollout"], last["verdict"], last["metric"]) == (2, "abort", "latency")
    assert last["e_value"] >= last["threshold"] == 40
    assert len([line for line in lines if line["rollout"] == 2]) < 6  # what follows an abort is not judged
    told = {"rollout", "look", "step", "verdict", "metric", "e_value", "threshold", "reason"}
    assert set(lines[0]) == told
    assert set(last) == told | {"confidence", "metrics", "quantiles"}


def test_judge_spends_all_alpha_on_errors_when_no_look_has_latencies(tmp_path: Path) -> None:
    lines = answers(run(written(tmp_path, {"rollout": "r"}, *looks(HEALTHY, 3, latency=False))))
    assert {line["threshold"] for line in lines} == {20}
    assert lines[-1]["verdict"] == "promote"


def test_judge_holds_when_latencies_are_missing_in_some_looks(tmp_path: Path) -> None:
    first, second, third = looks(HEALTHY, 3)
    del third["canary"]["latency_ms"]
    lines = answers(run(written(tmp_path, {"rollout": "r"}, first, second, third)))
    assert (lines[-1]["verdict"], lines[-1]["metric"]) == ("hold", "latency")
    assert "No data" in lines[-1]["reason"]


def test_judge_reads_standard_input_and_takes_looks_without_a_name() -> None:
    lines = answers(run("-", stdin=json.dumps(looks(HEALTHY, 1)[0]).encode()))
    assert [(line["rollout"], line["look"]) for line in lines] == [(None, 1)]


def converting(baseline: int, canary: int, *, orders: int | None = None) -> dict[str, Any]:
    """A look at a quarter for the canary with so many conversions of 1,500 and 500 requests, and orders of 100 each."""

    def arm(requests: int, conversions: int, orders: int | None) -> dict[str, Any]:
        line: dict[str, Any] = {"requests": requests, "errors": 0, "conversions": conversions}
        return line if orders is None else {**line, "counted": {"orders": {"good": orders, "total": 100}}}

    told = None if orders is None else 90
    arms = {"baseline": arm(1500, baseline, told), "canary": arm(500, canary, orders)}
    return {"step": 1, "share": 0.25, "seconds": 60, **arms}


def test_judge_aborts_when_the_canary_converts_less(tmp_path: Path) -> None:
    last = answers(run(written(tmp_path, *[converting(450, 90)] * 6)))[-1]
    assert (last["verdict"], last["metric"], last["threshold"]) == ("abort", "conversion", 40)
    ratio = last["metrics"]["conversion"]["ratio"]
    assert 1 < ratio["low"] < ratio["estimate"] < ratio["high"] < 5
    assert last["metrics"]["errors"]["ratio"] == {"estimate": None, "low": None, "high": None}


def test_judge_takes_users_for_errors_when_both_arms_tell_them(tmp_path: Path) -> None:
    """One user of the canary meets twenty errors, two of the baseline one each."""

    def verdict(**users: int) -> object:
        arms = {
            "baseline": {"requests": 950, "errors": 2, **({"users_with_errors": 2} if users else {})},
            "canary": {"requests": 50, "errors": 20, **users},
        }
        return answers(run(written(tmp_path, *[{"step": 1, "share": 0.05, "seconds": 60, **arms}] * 2)))[-1]["verdict"]

    assert verdict(users_with_errors=1) == "hold"
    assert verdict() == "abort"


def test_judge_gives_a_metric_that_comes_later_its_part_of_alpha_from_the_start(tmp_path: Path) -> None:
    later = [*[converting(450, 150)] * 3, *[converting(450, 150, orders=60)] * 6]
    lines = answers(run(written(tmp_path, {"rollout": "r"}, *later)))
    assert {line["threshold"] for line in lines} == {60}
    assert (lines[0]["verdict"], lines[0]["metric"]) == ("hold", "orders")
    assert (lines[-1]["verdict"], lines[-1]["metric"]) == ("abort", "orders")
    declared = answers(run(written(tmp_path, {"rollout": "r", "metrics": ["errors"]}, *later)))
    assert {line["threshold"] for line in declared} == {20}
    assert "abort" not in {line["verdict"] for line in declared}


def test_judge_splits_alpha_by_the_weights_of_the_file_and_says_who_got_what(tmp_path: Path) -> None:
    config = tmp_path / "judge.yaml"
    config.write_text("weights: {conversion: 3}\ncounted: {conversion: {margin: 0.1, promotes: false}}\n")
    lines = answers(run("--config", config, "--compare", written(tmp_path, *[converting(450, 150)] * 2)))
    assert lines[-1]["verdict"] == "promote"
    alphas = {name: metric["alpha"] for name, metric in lines[-1]["metrics"].items()}
    assert alphas == pytest.approx({"errors": 0.0125, "conversion": 0.0375})


def test_judge_tells_how_much_worse_with_each_look_when_asked(tmp_path: Path) -> None:
    lines = answers(run("--compare", written(tmp_path, *looks(HEALTHY.times(latency=1.5), 3))))
    assert lines[0]["quantiles"] == {}  # the first look only teaches
    quantiles = lines[1]["quantiles"]
    assert set(quantiles) == {"p50", "p95", "p99"}
    median = quantiles["p50"]
    assert median["canary_ms"]["low"] < 120 < median["canary_ms"]["high"]
    assert median["baseline_ms"]["low"] < 80 < median["baseline_ms"]["high"]
    assert lines[1]["metrics"]["latency"]["ratio"]["low"] < 1.5 < lines[1]["metrics"]["latency"]["ratio"]["high"]


def test_judge_tells_what_the_usual_rules_say_when_asked_and_decides_without_them(tmp_path: Path) -> None:
    path = written(tmp_path, *looks(HEALTHY.times(latency=1.5), 6))
    plain, told = answers(run(path)), answers(run("--beside", path))
    assert told[-1]["beside"]["slower_p"] < 1e-6
    assert told[-1]["beside"]["classified"] == {"errors": "pass", "latency": "high"}
    assert told[-1]["beside"]["score"] == 50
    assert [{**line, "beside": None} for line in told] == [{**line, "beside": None} for line in plain]


def test_judge_aborts_by_a_guard_when_the_file_asks_for_guards(tmp_path: Path) -> None:
    config = tmp_path / "judge.yaml"
    config.write_text("metrics: [errors]\nalpha: 1.0e-99\nguards: {error_rate: 0.02, window_seconds: 600, burn: []}\n")
    failing = {"requests": 500, "errors": 40}
    look = {"step": 1, "share": 0.25, "seconds": 60, "baseline": {"requests": 1500, "errors": 2}, "canary": failing}
    lines = answers(run("--config", config, written(tmp_path, *[look] * 9)))
    last = lines[-1]
    assert (last["verdict"], last["metric"], last["guard"]["state"]) == ("abort", "error_rate", "breached")
    assert "above the limit of 2 %" in last["reason"]
    assert last["e_value"] < last["threshold"]
    assert lines[0]["guard"]["state"] != "breached"


def test_judge_reads_counted_metrics_and_refuses_those_that_cannot_be(tmp_path: Path) -> None:
    good, much, unnamed = looks(HEALTHY, 3)
    good["canary"]["counted"] = {"orders": {"good": 3, "total": 4}}
    assert run(written(tmp_path, good)).exit_code == 0
    much["canary"]["counted"] = {"orders": {"good": 5, "total": 4}, "latency": {"good": 1, "total": 4}}
    unnamed["baseline"]["counted"] = {"": {"good": 1, "total": 4}, "orders": {"good": True}}
    result = run(written(tmp_path, much, unnamed))
    assert result.exit_code == 2
    assert result.stdout == ""
    for line, place in (
        (1, "canary.counted.orders  5 good ones of 4"),
        (1, "canary.counted.latency  the name is taken"),
        (2, "baseline.counted..[key]"),
        (2, "baseline.counted.orders.good"),
        (2, "baseline.counted.orders.total"),
    ):
        assert any(f":{line}  {place}" in text for text in result.stderr.splitlines()), (line, result.stderr)


def test_judge_tells_every_bad_line_and_judges_nothing_when_some_are_bad(tmp_path: Path) -> None:
    good, negative, unknown, missing, impossible, other_edges, converted = looks(HEALTHY, 7)
    negative["canary"]["errors"] = -1
    unknown["cannary"] = {}
    del missing["baseline"]
    impossible["canary"]["errors"] = impossible["canary"]["requests"] + 1
    other_edges["canary"]["latency_ms"] = {"edges": [1, 2], "counts": [1, 2, 3]}
    converted["baseline"]["conversions"] = 10**6
    path = written(
        tmp_path,
        {"rollout": "r"},
        good,
        negative,
        unknown,
        missing,
        "{nonsense",
        impossible,
        other_edges,
        converted,
        {"rollout": "s", "more": 1},
        "[]",
    )
    result = run(path)
    assert result.exit_code == 2
    assert result.stdout == ""
    said = result.stderr
    for line, place in (
        (3, "canary.errors"),
        (4, "cannary"),
        (5, "baseline"),
        (6, "invalid JSON"),
        (7, "canary"),
        (8, "canary.latency_ms"),
        (9, "baseline.conversions"),
        (10, "more"),
        (11, "input should be an object"),
    ):
        assert any(f"observations.jsonl:{line} " in text and place in text for text in said.splitlines()), (line, said)
    assert "observations.jsonl:2 " not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", '"0.05"', "true", "2"])
def test_judge_refuses_a_share_that_is_no_number_between_0_and_1(tmp_path: Path, value: str) -> None:
    line = json.dumps(looks(HEALTHY, 1)[0]).replace('"share": 0.25', f'"share": {value}')
    result = run(written(tmp_path, {"rollout": "r"}, line))
    assert result.exit_code == 2
    assert "share" in result.stderr


def test_judge_refuses_a_file_when_it_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    path.write_bytes(b"\xff\xfe\x00\n")
    assert run(path).exit_code == 2
    assert run(tmp_path / "absent").exit_code == 2
    assert run(tmp_path).exit_code == 2


def test_judge_says_nothing_when_the_file_is_empty(tmp_path: Path) -> None:
    result = run(written(tmp_path, ""))
    assert (result.exit_code, result.stdout) == (0, "")


def test_judge_obeys_the_settings_of_a_file(tmp_path: Path) -> None:
    config = tmp_path / "judge.yaml"
    config.write_text("alpha: 0.01\nmetrics: [errors]\nminimum_requests: 100000\n")
    lines = answers(run("--config", config, written(tmp_path, {"rollout": "r"}, *looks(HEALTHY, 3))))
    assert {line["threshold"] for line in lines} == {100}
    assert "100,000 requests" in lines[-1]["reason"]


def test_judge_takes_the_settings_of_the_example(tmp_path: Path) -> None:
    config = Path(__file__).parents[2] / "examples" / "judge" / "every-setting.yaml"
    line = answers(run("--config", config, "--compare", written(tmp_path, converting(450, 150))))[0]
    assert {name: metric["alpha"] for name, metric in line["metrics"].items()} == pytest.approx(
        {"errors": 0.0125, "latency": 0.0125, "conversion": 0.025}
    )
    assert line["guard"]["state"] == "no_data"  # no latencies for its p95


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("alfa: 0.01\nmetrics: 3", ("alfa", "metrics")),
        ("metrics: [Speed!]\nguards: {p95_ms: -1}", ("counted Speed!", "p95_ms must be above 0")),
        ("counted: {orders: {margin: 3, more: 1}}\nguards: {burn: [{rate: 2}]}", ("more", "burn.0.window_seconds")),
        ("counted: {orders: {margin: 3}}\nweights: {orders: 0}", ("margin must lie", "weights must be above 0")),
        ("alpha: 7\nlatency_tolerance: 0", ("alpha must lie", "latency_tolerance must be")),
        ("alpha: much", ("alpha",)),
        ("- 1", ("cannot be used",)),
        ("a: [", ("is not YAML",)),
    ],
)
def test_judge_tells_every_fault_of_the_settings(tmp_path: Path, content: str, said: tuple[str, ...]) -> None:
    config = tmp_path / "judge.yaml"
    config.write_text(content)
    result = run("--config", config, written(tmp_path, *looks(HEALTHY, 1)))
    assert result.exit_code == 2
    assert result.stdout == ""
    for text in said:
        assert text in result.stderr
    assert "Traceback" not in result.stderr
