"""The benchmark that measures the judge beside the others: what it counts, keeps and holds its results against."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from benchmarks.against_peers import NEVER, OURS, keep, measured, summed_up, told_before
from benchmarks.cases import WORSE, Case, Kind, Worse, cases
from benchmarks.oracle import information, label_information, requests_needed
from scipy.stats import norm

from benchmarks import against_peers
from tests.judge.scenarios import is_aborted
from tests.judge.traffic import HEALTHY, Arm, bin_chances

CASES = {case.name: case for case in cases()}
CUT = Case(name="latency +50 %", kind=Kind.WORSE, scenario=WORSE["latency +50 %"], shares=(0.05,) * 24)


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(CASES) == len(cases())


def test_the_judge_hears_the_looks_that_its_own_tests_draw() -> None:
    case = CASES["errors in bursts, users not counted"]
    found, _ = measured(case, range(3))
    assert [requests != NEVER for requests in found[OURS]] == [is_aborted(case.scenario, seed) for seed in range(3)]


def test_requests_are_those_of_both_arms_up_to_the_look_that_aborts() -> None:
    found, _ = measured(CUT, range(4))
    for rule, requests in found.items():
        assert all(each == NEVER or (each % 830 == 0 and 0 < each <= 24 * 830) for each in requests), rule
    assert max(found[OURS]) < 12 * 830
    assert set(found["Mann-Whitney, Bonferroni"]) == {12 * 830}


def test_results_do_not_depend_on_how_rollouts_are_divided() -> None:
    whole, _ = measured(CUT, range(4))
    parts = [measured(CUT, part)[0] for part in (range(2), range(2, 4))]
    chance = "burn rate 10x, one minute"  # deals errors to minutes by a lot of its own
    assert all(whole[rule] == parts[0][rule] + parts[1][rule] for rule in whole if rule != chance)


def test_a_row_counts_rollouts_that_were_never_aborted_as_infinitely_late() -> None:
    row = summed_up(CUT, {OURS: [830, 1660, 2490, NEVER, NEVER]}, 0)
    told = row["rules"][OURS]
    assert (told["aborted"], told["percent"]) == (3, 60.0)
    assert (told["median_requests"], told["ninetieth_requests"]) == (2490.0, None)
    # Wilson's interval of 3 in 5, by its formula.
    z, n, p = norm.ppf(0.975), 5, 0.6
    centre, half = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    assert told["wilson_95"] == pytest.approx([100 * (centre - half) / scale, 100 * (centre + half) / scale], abs=0.01)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(against_peers, "RESULTS", tmp_path / "results.json")
    return tmp_path / "results.json"


ROW = {"case": "latency +50 %", "rollouts": 2}


def test_an_interrupted_run_goes_on_and_leaves_the_results_alone(results: Path) -> None:
    keep({"latency +50 %": ROW}, whole=False)
    assert not results.exists()
    assert told_before() == {"latency +50 %": ROW}
    keep({"latency +50 %": ROW}, whole=True)
    assert [path.name for path in results.parent.iterdir()] == ["results.json"]
    assert told_before() == {"latency +50 %": ROW}


def test_rows_of_most_rollouts_count_when_a_longer_run_was_interrupted(results: Path) -> None:
    keep({"latency +50 %": ROW}, whole=True)
    keep({"latency +50 %": ROW | {"rollouts": 9}}, whole=False)
    assert told_before()["latency +50 %"]["rollouts"] == 9


def test_everything_is_measured_again_when_the_code_has_changed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep({"latency +50 %": ROW}, whole=True)
    monkeypatch.setattr(against_peers, "code", lambda: "another")
    assert told_before() == {}


def test_the_paths_show_one_rollout_that_is_left_alone_and_two_that_are_aborted(results: Path) -> None:
    keep({}, whole=True)
    told = json.loads(results.read_text(encoding="utf-8"))
    last = {path["path"]: path["e_values"][-1] for path in told["paths"]}
    assert {name for name, value in last.items() if value >= told["threshold"]} == {
        "latency +20 %",
        "errors 0.1 % → 1 %",
    }


@pytest.mark.parametrize("name", ["latency +20 %", "errors 0.1 % → 1 %"])
def test_nobody_blind_to_what_both_arms_share_needs_fewer_requests_than_who_is_not(name: str) -> None:
    worse: Worse = WORSE[name]
    for share in (0.01, 0.05, 0.5):
        knowing, blind = (told(worse.canary, worse.baseline, share) for told in (information, label_information))
        assert 0 < blind < knowing
    # A small arm's labels tell nearly all: the baseline is as good as known.
    small = (label_information(worse.canary, worse.baseline, 1e-6), information(worse.canary, worse.baseline, 1e-6))
    assert small[0] == pytest.approx(small[1], rel=0.06)


def test_the_oracle_is_the_mean_of_the_log_likelihood_ratio() -> None:
    canary, share = HEALTHY.times(latency=1.3), 0.2
    rng = np.random.default_rng(1)
    shown, edge = (np.array(bin_chances(80.0 * times, 0.55)) for times in (1.3, 1.05))
    requests = rng.multinomial(int(share * 20_000_000), shown)
    gained = (requests * np.log(shown / edge)).sum() / 20_000_000
    assert information(canary, HEALTHY, share) == pytest.approx(gained, rel=0.02)
    assert requests_needed(information(canary, HEALTHY, share)) == pytest.approx(math.log(20) / gained, rel=0.02)


def test_the_oracle_of_errors_is_that_computed_by_hand() -> None:
    canary = Arm(error_rate=0.01)
    by_hand = 0.05 * (0.01 * math.log(10) + 0.99 * math.log(0.99 / 0.999))
    assert information(canary, HEALTHY, 0.05) == pytest.approx(by_hand, rel=1e-12)
    theta = 0.5 * 0.01 / (0.5 * 0.01 + 0.5 * 0.001)
    labels = 0.0055 * (theta * math.log(theta / 0.5) + (1 - theta) * math.log((1 - theta) / 0.5))
    assert label_information(canary, HEALTHY, 0.5) == pytest.approx(labels, rel=1e-12)
    assert requests_needed(0.0) == math.inf


def test_what_both_arms_share_aborts_by_the_pooled_rule_and_not_by_the_judge() -> None:
    found, _ = measured(CASES["a common incident"], range(20))
    aborted = {rule: sum(each != NEVER for each in requests) for rule, requests in found.items()}
    # The promise is 5 %: more than 5 of 20 would be seen in one of 3,000 runs.
    assert aborted[OURS] <= 5
    assert aborted["mSPRT, pooled"] == aborted["burn rate 10x, one minute"] == 20


def test_the_judge_finds_a_slowdown_before_rules_of_a_step_may_speak() -> None:
    case = CASES["latency +20 %"]
    found, _ = measured(
        Case(name=case.name, kind=case.kind, scenario=case.scenario, shares=case.shares[:24]), range(40)
    )
    sooner = sum(0 < ours < theirs for ours, theirs in zip(found[OURS], found["Mann-Whitney, Bonferroni"], strict=True))
    assert set(found["Mann-Whitney, Bonferroni"]) == {9_960}
    # Half are found by 4,150 requests, so at 9,960 some 95 %: fewer than 30 of 40 would be one run in 100,000.
    assert sooner >= 30
