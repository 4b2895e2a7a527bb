"""What the judge says, look by look."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from crossfade.judge import (
    CountedMetric,
    Decision,
    JudgeSettings,
    JudgeState,
    Look,
    LookInvalid,
    Metric,
    Verdict,
    begin,
    judge,
)
from crossfade.model.counts import ArmCounts, Counted, LatencyHistogram
from tests.judge.traffic import Arm, Traffic

SETTINGS = JudgeSettings()
ERRORS_ONLY = JudgeSettings(metrics=(Metric.ERRORS,))


def look_at(baseline: tuple[int, int], canary: tuple[int, int], *, share: float = 0.05, step: int = 1) -> Look:
    return Look(
        step=step,
        share=share,
        duration=timedelta(seconds=1),
        baseline=ArmCounts(requests=baseline[0], errors=baseline[1]),
        canary=ArmCounts(requests=canary[0], errors=canary[1]),
    )


def judged(looks: list[Look], settings: JudgeSettings = SETTINGS) -> tuple[JudgeState, list[Verdict]]:
    state, verdicts = begin(settings), []
    for look in looks:
        state, verdict = judge(state, look, settings)
        verdicts.append(verdict)
    return state, verdicts


def test_holds_and_learns_nothing_when_no_request_was_answered() -> None:
    before, _ = judged([look_at((1900, 2), (100, 0))], ERRORS_ONLY)
    after, verdict = judge(before, look_at((0, 0), (0, 0)), ERRORS_ONLY)
    assert verdict.decision is Decision.HOLD
    assert verdict.reason.startswith("No data")
    assert after == before


def test_holds_and_learns_nothing_when_counts_do_not_fit_the_share() -> None:
    state, verdicts = judged([look_at((500, 0), (500, 100))], ERRORS_ONLY)
    assert verdicts[0].decision is Decision.HOLD
    assert "50 % of 1,000 requests where 5 % was wanted" in verdicts[0].reason
    assert state == begin(ERRORS_ONLY)


def test_holds_when_a_share_that_is_slightly_off_stays_so_for_the_whole_step() -> None:
    looks = [look_at((870, 0), (130, 0))] * 20
    _, verdicts = judged(looks, replace(ERRORS_ONLY, sticky_users=100_000))
    assert {verdict.decision for verdict in verdicts[5:]} == {Decision.HOLD}
    assert "13 % of" in verdicts[-1].reason


def test_says_that_part_of_its_requests_is_slower_when_the_mean_is_not() -> None:
    edges = tuple(float(2**n) for n in range(12))

    def answered(requests: int, slow: int) -> ArmCounts:
        counts = (0, 0, 0, requests - slow, 0, 0, 0, 0, slow, 0, 0, 0, 0)
        return ArmCounts(requests=requests, errors=0, latency=LatencyHistogram(edges_ms=edges, counts=counts))

    look = replace(look_at((1000, 0), (1000, 0), share=0.5), baseline=answered(1000, 0), canary=answered(1000, 100))
    _, verdicts = judged([look] * 5, replace(SETTINGS, latency_margin=0.9, latency_tolerance=1.0))
    verdict = verdicts[-1]
    assert (verdict.decision, verdict.metric) == (Decision.ABORT, Metric.LATENCY)
    assert "by more than 90 % in part of its requests: it takes 1.41 times as long" in verdict.reason


def test_judges_on_when_few_sticky_users_make_the_share_scatter() -> None:
    _, verdicts = judged([look_at((920, 0), (80, 0))] * 4, ERRORS_ONLY)
    assert verdicts[-1].decision is Decision.PROMOTE


def test_aborts_for_errors_with_ratio_and_interval_when_only_the_canary_fails() -> None:
    _, verdicts = judged([look_at((950, 0), (50, 1))] * 4)
    last = verdicts[-1]
    assert (last.decision, last.metric) == (Decision.ABORT, Metric.ERRORS)
    assert last.e_value >= last.threshold == 40
    assert "at least" in last.reason
    assert "4 errors in 200 requests of the canary against 0 in 3,800" in last.reason
    assert verdicts[0].decision is Decision.HOLD  # one error proves nothing


def test_names_ratio_and_interval_when_both_arms_have_errors() -> None:
    _, verdicts = judged([look_at((950, 2), (50, 1))] * 12)
    assert verdicts[-1].decision is Decision.ABORT
    assert "9.5 times its error rate (95 % interval 2.4 to 32)" in verdicts[-1].reason


def test_does_not_abort_and_promotes_when_both_arms_have_five_percent_errors() -> None:
    _, verdicts = judged([look_at((1125, 56), (375, 19), share=0.25)] * 3, ERRORS_ONLY)
    assert Decision.ABORT not in {verdict.decision for verdict in verdicts}
    assert verdicts[-1].decision is Decision.PROMOTE


def test_holds_for_errors_when_the_canary_is_not_shown_to_be_within_tolerance() -> None:
    _, verdicts = judged([look_at((870, 12), (130, 3), share=0.13)], ERRORS_ONLY)
    assert (verdicts[0].decision, verdicts[0].metric) == (Decision.HOLD, Metric.ERRORS)
    assert "Not yet shown" in verdicts[0].reason


def test_holds_when_the_canary_has_answered_too_few_requests() -> None:
    _, verdicts = judged([look_at((950, 0), (50, 0))], ERRORS_ONLY)
    assert verdicts[0].reason == "The canary has answered 50 of the 100 requests that this step needs."


def test_holds_for_latency_when_a_metric_that_is_asked_for_is_missing() -> None:
    _, verdicts = judged([look_at((1900, 0), (150, 0))] * 5)
    assert (verdicts[-1].decision, verdicts[-1].metric) == (Decision.HOLD, Metric.LATENCY)
    assert "No data" in verdicts[-1].reason


@pytest.mark.parametrize(("baseline", "canary"), [((2000, 2), (0, 0)), ((0, 0), (2000, 2))])
def test_holds_when_one_arm_answered_nothing(baseline: tuple[int, int], canary: tuple[int, int]) -> None:
    tolerant = replace(ERRORS_ONLY, sticky_users=1)
    _, verdicts = judged([look_at(baseline, canary, share=0.5)], tolerant)
    assert verdicts[0].decision is Decision.HOLD
    assert verdicts[0].reason.startswith("No data")


def test_asks_for_new_promotion_evidence_but_keeps_the_suspicion_when_a_step_begins() -> None:
    suspicious = [look_at((950, 0), (50, 1))] * 2
    healthy = [look_at((950, 0), (50, 0))] * 3
    before, verdicts = judged([*suspicious, *healthy], ERRORS_ONLY)
    after, verdict = judge(before, look_at((850, 0), (150, 0), share=0.15, step=2), ERRORS_ONLY)
    assert verdict.e_value == pytest.approx(verdicts[-1].e_value)
    assert before.step is not None
    assert after.step is not None
    assert (before.step.canary_requests, after.step.canary_requests) == (250, 150)
    assert not after.errors.step.any()


def test_promotes_alone_when_all_traffic_goes_to_a_canary_that_seldom_fails() -> None:
    _, verdicts = judged([look_at((0, 0), (300, 1), share=1.0)])
    assert verdicts[0].decision is Decision.PROMOTE
    assert "1 errors in 300 requests" in verdicts[0].reason


def test_holds_alone_when_all_traffic_goes_to_a_canary_that_often_fails() -> None:
    _, verdicts = judged([look_at((0, 0), (300, 15), share=1.0)] * 5)
    assert verdicts[-1].decision is Decision.HOLD
    assert verdicts[-1].metric is Metric.ERRORS


def test_holds_alone_by_the_limit_of_errors_when_only_latency_is_judged() -> None:
    _, verdicts = judged([look_at((0, 0), (300, 60), share=1.0)] * 3, JudgeSettings(metrics=(Metric.LATENCY,)))
    assert {(verdict.decision, verdict.metric) for verdict in verdicts} == {(Decision.HOLD, None)}


def test_judges_on_when_a_straggler_reaches_the_baseline_at_full_share() -> None:
    _, verdicts = judged([look_at((1, 0), (300, 0), share=1.0)])
    assert verdicts[0].decision is Decision.PROMOTE


def test_learns_latency_before_the_rollout_when_the_share_is_zero() -> None:
    rng = np.random.default_rng(3)
    state, verdict = judge(begin(SETTINGS), Traffic(share=0.0, requests=5000).look(rng, step=0), SETTINGS)
    assert verdict.decision is Decision.HOLD
    assert "nothing to compare" in verdict.reason
    slow, settled = Traffic(canary=Arm(median_ms=160), share=0.25), replace(SETTINGS, settling_looks=0)
    assert judge(state, slow.look(rng), settled)[1].e_value > 1  # a judge that had learnt nothing could not bet yet


def test_the_latencies_of_a_steps_first_looks_only_teach_when_caches_may_be_cold() -> None:
    patient = replace(SETTINGS, settling_looks=2)
    rng = np.random.default_rng(3)
    state, _ = judge(begin(patient), Traffic(share=0.0, requests=5000).look(rng, step=0), patient)
    for step, share in ((1, 0.25), (2, 0.5)):
        cold = Traffic(canary=Arm(median_ms=240), share=share)
        for _ in range(2):
            before, (state, _) = state, judge(state, cold.look(rng, step), patient)
            assert state.latency is not None
            assert before.latency is not None
            assert state.latency.log_e == before.latency.log_e
            assert state.latency.seen > before.latency.seen
    state, _ = judge(state, cold.look(rng, step), patient)
    assert state.latency is not None
    assert state.latency.log_e > 1


def test_judges_on_when_one_look_holds_very_many_errors() -> None:
    state, verdicts = judged([look_at((25_000, 25), (25_000, 25_000), share=0.5)] * 2, ERRORS_ONLY)
    assert verdicts[-1].decision is Decision.ABORT
    assert np.isfinite(state.errors.log_e)


def test_counts_users_when_both_arms_tell_how_many_had_errors() -> None:
    burst = look_at((1900, 2), (100, 10))
    told = replace(
        burst,
        baseline=replace(burst.baseline, users_with_errors=2),
        canary=replace(burst.canary, users_with_errors=1),
    )
    assert judged([burst] * 2)[1][1].decision is Decision.ABORT
    assert judged([told] * 2)[1][1].decision is Decision.HOLD


def test_no_look_decides_alone_and_what_the_next_one_bears_out_does() -> None:
    calm, bad = look_at((950, 1), (50, 0)), look_at((950, 1), (50, 40))
    _, verdicts = judged([calm, bad, calm, calm], ERRORS_ONLY)
    assert Decision.ABORT not in {verdict.decision for verdict in verdicts}
    _, verdicts = judged([calm, bad, bad], ERRORS_ONLY)
    assert [verdict.decision is Decision.ABORT for verdict in verdicts] == [False, False, True]


def test_gives_the_same_state_and_verdicts_when_looks_are_folded_again() -> None:
    rng = np.random.default_rng(5)
    looks = [Traffic(share=0.15).look(rng, step=1 + i // 10) for i in range(40)]
    state, verdicts = judged(looks)
    again, verdicts_again = judged(looks)
    assert state == again
    assert hash(state.errors) == hash(again.errors)
    assert hash(state.latency) == hash(again.latency)
    assert verdicts == verdicts_again
    longer, _ = judged([*looks, looks[0]])
    assert longer != state


def test_the_state_stays_as_small_when_looks_are_many() -> None:
    rng = np.random.default_rng(6)
    state, _ = judged([Traffic().look(rng) for _ in range(3)])
    later, _ = judged([Traffic().look(rng) for _ in range(60)])
    assert len(repr(later)) < 1.5 * len(repr(state))


def test_reports_all_faults_together_when_counts_cannot_be() -> None:
    histogram = LatencyHistogram(edges_ms=(5.0, 1.0), counts=(1, -1))
    bad = Look(
        step=1,
        share=1.5,
        duration=timedelta(0),
        baseline=ArmCounts(requests=3, errors=4),
        canary=ArmCounts(requests=3, errors=1, latency=histogram, users_with_errors=2),
    )
    with pytest.raises(LookInvalid) as caught:
        judge(begin(SETTINGS), bad, SETTINGS)
    assert len(caught.value.faults) == 7
    assert any(fault.startswith("canary.latency: edges must be above 0 and rise") for fault in caught.value.faults)
    assert caught.value.remedy


def test_refuses_a_look_when_its_edges_are_not_those_seen_before() -> None:
    rng = np.random.default_rng(7)
    look = Traffic().look(rng)
    state, _ = judge(begin(SETTINGS), look, SETTINGS)
    assert look.canary.latency is not None
    moved = LatencyHistogram(
        edges_ms=tuple(2 * edge for edge in look.canary.latency.edges_ms), counts=look.canary.latency.counts
    )
    other = replace(look, canary=replace(look.canary, latency=moved))
    with pytest.raises(LookInvalid, match="edges are not those seen before"):
        judge(state, other, SETTINGS)


ORDERS = JudgeSettings(metrics=(Metric.ERRORS,), counted=(CountedMetric(name="orders"),))
Events = tuple[int, int]


def counted_look(baseline: Events | None, canary: Events | None, *, step: int = 1) -> Look:
    """A look at a quarter for the canary with orders (good, total) of each arm; None where nobody counted them."""

    def arm(requests: int, events: Events | None) -> ArmCounts:
        counted = () if events is None else (Counted(name="orders", good=events[0], total=events[1]),)
        return ArmCounts(requests=requests, errors=0, counted=counted)

    look = look_at((1, 0), (1, 0), share=0.25, step=step)
    return replace(look, baseline=arm(1500, baseline), canary=arm(500, canary))


def test_aborts_for_a_counted_metric_with_its_odds_when_fewer_go_well() -> None:
    _, verdicts = judged([counted_look((450, 1500), (100, 500))] * 6, ORDERS)
    aborted = next(verdict for verdict in verdicts if verdict.decision is Decision.ABORT)
    assert aborted.metric == "orders"
    assert aborted.e_value >= aborted.threshold == 40
    assert "More of the canary's orders goes badly: 1.7" in aborted.reason
    assert "of the canary went well against" in aborted.reason
    assert verdicts[0].decision is Decision.HOLD


def test_conversions_are_judged_by_their_name() -> None:
    look = look_at((1500, 0), (500, 0), share=0.25)
    worse = replace(look, baseline=replace(look.baseline, conversions=450), canary=replace(look.canary, conversions=90))
    converting = replace(ORDERS, counted=(CountedMetric(name="conversion"),))
    _, verdicts = judged([worse] * 6, converting)
    assert (verdicts[-1].decision, verdicts[-1].metric) == (Decision.ABORT, "conversion")


def test_promotes_by_a_counted_metric_when_its_odds_are_shown_to_be_within_the_tolerance() -> None:
    _, verdicts = judged([counted_look((30, 1500), (10, 500))] * 12, ORDERS)
    assert (verdicts[0].decision, verdicts[0].metric) == (Decision.HOLD, "orders")
    assert "at less than 2 times the baseline's odds" in verdicts[0].reason
    assert verdicts[-1].decision is Decision.PROMOTE
    assert "120 of 6,000 events of the canary went well" in verdicts[-1].reason


def test_asks_no_evidence_for_promotion_of_a_metric_that_only_aborts() -> None:
    aborting = replace(ORDERS, counted=(CountedMetric(name="orders", promotes=False),))
    _, verdicts = judged([counted_look((30, 1500), (10, 500))], aborting)
    assert verdicts[0].decision is Decision.PROMOTE
    assert "orders, which only aborts" in verdicts[0].reason
    _, verdicts = judged([counted_look((450, 1500), (90, 500))] * 5, aborting)
    assert verdicts[-1].decision is Decision.ABORT


@pytest.mark.parametrize("promotes", [True, False])
@pytest.mark.parametrize("events", [(None, None), ((30, 1500), None), (None, (9, 500)), ((30, 1500), (0, 0))])
def test_holds_when_a_counted_metric_is_missing_or_an_arm_has_no_events(
    promotes: bool, events: tuple[Events | None, Events | None]
) -> None:
    asked = replace(ORDERS, counted=(CountedMetric(name="orders", promotes=promotes),))
    _, verdicts = judged([counted_look((30, 1500), (10, 500)), *[counted_look(*events, step=2)] * 9], asked)
    assert {verdict.decision for verdict in verdicts[1:]} == {Decision.HOLD}
    assert verdicts[-1].metric == "orders"
    assert "No data" in verdicts[-1].reason


def test_a_metric_that_comes_later_finds_the_part_of_alpha_that_was_kept_for_it() -> None:
    worse = counted_look((450, 1500), (90, 500))
    without = counted_look(None, None)
    _, verdicts = judged([*[without] * 20, *[worse] * 6], ORDERS)
    assert {verdict.threshold for verdict in verdicts} == {40}
    assert verdicts[-1].decision is Decision.ABORT
    unnamed, ignoring = judged([worse] * 6, ERRORS_ONLY)
    assert unnamed.counted == ()  # it was not declared, so it has no part of alpha and is not judged
    assert {verdict.threshold for verdict in ignoring} == {20}
    assert Decision.ABORT not in {verdict.decision for verdict in ignoring}


def test_alpha_goes_by_weight_and_the_sum_of_chances_stays() -> None:
    weighed = replace(ORDERS, weights=(("orders", 3.0),))
    assert [weighed.threshold_of(name) for name in weighed.names] == pytest.approx([80, 80 / 3])
    assert sum(map(weighed.alpha_of, weighed.names)) == pytest.approx(weighed.alpha)
    _, verdicts = judged([look_at((950, 1), (50, 20))] * 2, weighed)
    assert verdicts[-1].metric == Metric.ERRORS
    assert verdicts[-1].threshold == pytest.approx(80)


def test_reports_every_fault_of_counted_metrics_with_its_place() -> None:
    look = look_at((900, 0), (100, 0), share=0.1)
    twice = Counted(name="orders", good=1, total=2)
    bad = replace(
        look,
        baseline=replace(look.baseline, conversions=901, counted=(twice, twice)),
        canary=replace(
            look.canary,
            conversions=3,
            counted=(Counted(name="conversion", good=3, total=2), Counted(name="errors", good=0, total=0)),
        ),
    )
    with pytest.raises(LookInvalid) as caught:
        judge(begin(SETTINGS), bad, SETTINGS)
    assert caught.value.faults == (
        "baseline.conversions: 901 conversions of 900 requests",
        "baseline.counted.orders: the name is taken",
        "canary.counted.conversion: the name is taken",
        "canary.counted.conversion: 3 good ones of 2",
        "canary.counted.errors: the name is taken",
    )
