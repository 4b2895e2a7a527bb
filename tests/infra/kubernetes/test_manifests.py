import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra.kubernetes.demands import demands, notes
from crossfade.infra.kubernetes.manifests import KUSTOMIZATION, manifests, parts
from crossfade.infra.kubernetes.steps import steps as canary_steps
from crossfade.model.file import MigrationFile
from tests.infra.kubernetes.files import CLOUDWATCH, VARIATIONS, file, of_kind, written
from tests.kubernetes.schemas import faults, known

every_variation = pytest.mark.parametrize("wanted", VARIATIONS.values(), ids=VARIATIONS.keys())
ROUTES = {"VirtualService", "HTTPRoute"}


def rollout(wanted: MigrationFile) -> dict[str, Any]:
    (found,) = of_kind(wanted, "Rollout")
    return found


@every_variation
def test_every_object_fits_its_schema_strictly(wanted: MigrationFile) -> None:
    checked = [one for one in written(wanted) if known(one)]
    assert [(one["kind"], faults(one)) for one in checked if faults(one)] == []
    assert {one["kind"] for one in written(wanted)} - {one["kind"] for one in checked} <= ROUTES


def _misspelt(thing: dict[str, Any]) -> None:
    thing["spec"]["strategy"]["canary"]["dynamicStabelScale"] = False


def _too_deep(thing: dict[str, Any]) -> None:
    thing["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["path"] = "/health"


def _wrong_type(thing: dict[str, Any]) -> None:
    thing["spec"]["revisionHistoryLimit"] = "5"


def _in_metadata(thing: dict[str, Any]) -> None:
    thing["metadata"]["label"] = {}


@pytest.mark.parametrize("spoil", [_misspelt, _too_deep, _wrong_type, _in_metadata])
def test_a_fault_is_found_when_it_is_planted(spoil: Callable[[dict[str, Any]], None]) -> None:
    thing = copy.deepcopy(rollout(file()))
    assert faults(thing) == []
    spoil(thing)
    assert len(faults(thing)) == 1


@every_variation
def test_the_same_text_is_written_when_the_file_is_the_same(wanted: MigrationFile) -> None:
    assert manifests(wanted) == manifests(wanted.model_copy(deep=True))


@every_variation
def test_yaml_says_what_was_meant(wanted: MigrationFile) -> None:
    assert written(wanted) == json.loads(json.dumps([one for found in parts(wanted).values() for one in found]))


@every_variation
def test_the_kustomization_names_every_file(wanted: MigrationFile) -> None:
    texts = {document.path: document.text for document in manifests(wanted)}
    assert set(yaml.safe_load(texts[KUSTOMIZATION])["resources"]) == set(texts) - {KUSTOMIZATION}


def _analyses(thing: Any) -> Iterator[dict[str, Any]]:
    """Every place where a Rollout starts an analysis."""
    if isinstance(thing, dict):
        if "templates" in thing:
            yield thing
        for value in thing.values():
            yield from _analyses(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _analyses(value)


@every_variation
def test_every_analysis_finds_its_templates_and_their_arguments(wanted: MigrationFile) -> None:
    """A template that is not there makes the whole Rollout invalid; an argument that nobody gives, an error."""
    templates = {one["metadata"]["name"]: one["spec"] for one in of_kind(wanted, "AnalysisTemplate")}
    used: set[str] = set()
    for analysis in _analyses(rollout(wanted)["spec"]["strategy"]):
        names = [one["templateName"] for one in analysis["templates"]]
        given_ = {one["name"] for one in analysis.get("args", ())}
        asked = {arg["name"] for name in names for arg in templates[name].get("args", ()) if "valueFrom" not in arg}
        assert asked <= given_
        used |= set(names)
    assert used == set(templates)


@every_variation
def test_services_budget_and_policy_find_the_pods(wanted: MigrationFile) -> None:
    spec = rollout(wanted)["spec"]
    labels = spec["template"]["metadata"]["labels"].items()
    selectors = [
        spec["selector"]["matchLabels"],
        *(one["spec"]["selector"] for one in of_kind(wanted, "Service")),
        *(one["spec"]["selector"]["matchLabels"] for one in of_kind(wanted, "PodDisruptionBudget")),
        *(one["spec"]["podSelector"]["matchLabels"] for one in of_kind(wanted, "NetworkPolicy")),
    ]
    assert len(selectors) == 5
    assert all(one and one.items() <= labels for one in selectors)


@every_variation
def test_both_services_of_the_strategy_are_there(wanted: MigrationFile) -> None:
    (strategy,) = rollout(wanted)["spec"]["strategy"].values()
    named = {strategy[key] for key in strategy if key.endswith("Service")}
    assert named == {one["metadata"]["name"] for one in of_kind(wanted, "Service")}
    assert len(named) == 2


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(1, 20),
    step=st.integers(1, 20),
    bake=st.integers(2, 600),
    judge=st.sampled_from(["argo", "crossfade"]),
)
def test_steps_are_the_ladder_whatever_it_is(start: int, step: int, bake: int, judge: str) -> None:
    ladder = {"start": start, "step": step, "bake": f"{bake}m", "long_bake": f"{3 * bake}m"}
    wanted = file(traffic__ladder=ladder, kubernetes__judged_by=judge)
    steps: list[dict[str, Any]] = canary_steps(wanted)
    weights = [one["setWeight"] for one in steps if "setWeight" in one]
    pauses = [one["pause"] for one in steps if "pause" in one]
    expected = wanted.traffic.steps()
    if judge == "crossfade":
        assert steps[0] == {"setCanaryScale": {"weight": 100}}
        assert weights == [0, *(share for share, _ in expected)]
        assert pauses == [{}] * len(weights)
    else:
        assert weights == [share for share, _ in expected]
        assert pauses == [{"duration": f"{held.total_seconds():.0f}s"} for _, held in expected]
        assert sum("analysis" in one for one in steps) == len(weights)
    assert 90 in weights
    assert weights[-1] == 100
    assert all(0 < after - before <= 20 for before, after in zip([0, *weights], weights, strict=False) if after)


def test_nobody_is_compared_with_when_everybody_has_moved() -> None:
    steps = rollout(file())["spec"]["strategy"]["canary"]["steps"]
    templates = [[one["templateName"] for one in step["analysis"]["templates"]] for step in steps if "analysis" in step]
    assert templates[-1] == ["ledger-limits"]
    assert set(map(tuple, templates[:-1])) == {("ledger-limits", "ledger-baseline")}


def test_shares_are_thousandths_when_they_are_no_whole_percents() -> None:
    canary = rollout(file(traffic__ladder__start=2.5, kubernetes__routing="nginx"))["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"]["maxTrafficWeight"] == 100_000
    assert canary["steps"][0] == {"setWeight": 2500}
    assert canary["steps"][-3] == {"setWeight": 100_000}


@pytest.mark.parametrize("routing", ["alb", "istio"])
def test_fractions_are_refused_when_the_routing_knows_whole_percents_alone(routing: str) -> None:
    (demand,) = demands(file(traffic__ladder__start=2.5, kubernetes__routing=routing))
    assert demand.path == ("traffic", "ladder")
    assert "2.5" in demand.problem
    assert demands(file(traffic__ladder__start=2.5, kubernetes__routing=routing, traffic__strategy="blue-green")) == ()


@pytest.mark.parametrize("automatic", [True, False])
def test_a_delay_of_promotion_stands_only_where_it_is_heeded(automatic: bool) -> None:
    blue_green = {"promote_automatically": automatic, "preview": "7m"}
    strategy = rollout(file(traffic__strategy="blue-green", traffic__blue_green=blue_green))["spec"]["strategy"]
    assert strategy["blueGreen"]["autoPromotionEnabled"] is automatic
    assert strategy["blueGreen"].get("autoPromotionSeconds") == (420 if automatic else None)


@pytest.mark.parametrize(("watch", "keep_warm"), [("30m", "24h"), ("30m", "30m"), ("30s", "30s")])
def test_the_old_side_outlives_the_watch(watch: str, keep_warm: str) -> None:
    wanted = file(traffic__strategy="blue-green", traffic__blue_green__watch=watch, traffic__keep_warm=keep_warm)
    (template,) = [t for t in of_kind(wanted, "AnalysisTemplate") if t["metadata"]["name"] == "ledger-watch"]
    kept = rollout(wanted)["spec"]["strategy"]["blueGreen"]["scaleDownDelaySeconds"]
    traffic = wanted.traffic
    assert kept >= max(traffic.keep_warm, traffic.blue_green.watch).total_seconds()
    for metric in template["spec"]["metrics"]:
        delay, interval = (int(metric.get(key, "0s")[:-1]) for key in ("initialDelay", "interval"))
        assert delay + (metric["count"] - 1) * interval < kept


def test_a_blue_green_that_crossfade_leads_can_be_taken_back() -> None:
    strategy = rollout(file(traffic__strategy="blue-green", kubernetes__judged_by="crossfade"))["spec"]["strategy"]
    assert [one["setWeight"] for one in strategy["canary"]["steps"] if "setWeight" in one] == [0, 100]


@every_variation
def test_pods_have_probes_limits_and_few_rights(wanted: MigrationFile) -> None:
    spec = rollout(wanted)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert container["resources"]["requests"] == container["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert spec["securityContext"]["runAsNonRoot"]
    least = container["lifecycle"]["preStop"]["sleep"]["seconds"] + wanted.traffic.drain_timeout.total_seconds()
    assert spec["terminationGracePeriodSeconds"] >= least


def test_replicas_are_left_to_the_autoscaler_when_there_is_one() -> None:
    assert rollout(file(kubernetes__replicas=5))["spec"]["replicas"] == 5
    scaled = file(kubernetes__replicas=5, kubernetes__autoscaling={"max_replicas": 20})
    assert "replicas" not in rollout(scaled)["spec"]
    (scaler,) = of_kind(scaled, "HorizontalPodAutoscaler")
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (5, 20)
    assert scaler["spec"]["scaleTargetRef"]["kind"] == "Rollout"


def test_secrets_stand_by_reference_alone() -> None:
    wanted = VARIATIONS["canary-argo-nginx"]
    assert not [one.path for one in manifests(wanted) if "ledger/password" in one.text]
    assert not [one for one in written(wanted) if one["kind"] == "Secret"]
    environment = rollout(wanted)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert environment[-1]["valueFrom"] == {"secretKeyRef": {"name": "ledger-secrets", "key": "PASSWORD"}}
    assert any("ledger-secrets" in note and "PASSWORD" in note for note in notes(wanted))


def test_a_role_is_written_only_where_crossfade_leads() -> None:
    assert of_kind(file(), "Role") == []
    (role,) = of_kind(file(kubernetes__judged_by="crossfade", kubernetes__routing="istio"), "Role")
    granted = {
        resource: (rule["verbs"], rule.get("resourceNames")) for rule in role["rules"] for resource in rule["resources"]
    }
    assert granted == {
        "rollouts": (["get", "patch"], ["ledger"]),
        "rollouts/status": (["patch"], ["ledger"]),
        "pods": (["list"], None),
        "virtualservices": (["get", "patch"], ["ledger"]),
    }


def test_all_that_is_missing_is_demanded_together() -> None:
    lacking = file(
        target__containers__image="",
        **CLOUDWATCH,
        kubernetes={"routing": "istio", "replicas": 4, "autoscaling": {"max_replicas": 3}},
    )
    assert {".".join(map(str, one.path)) for one in demands(lacking)} == {
        "target.containers.image",
        "kubernetes.prometheus",
        "kubernetes.gateway",
        "kubernetes.autoscaling.max_replicas",
    }
    assert all(one.remedy for one in demands(lacking))


def test_business_metrics_are_told_to_be_left_out_when_their_queries_are_for_another() -> None:
    elsewhere = file(**CLOUDWATCH, kubernetes__prometheus="http://prometheus:9090")
    assert any("metrics.business is left out" in note for note in notes(elsewhere))
    assert not any("metrics.business" in note for note in notes(file()))
