import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra.kubernetes.access import access
from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side
from crossfade.traffic import rollout as rollout_module
from crossfade.traffic.argo import ArgoRouter
from crossfade.traffic.errors import (
    AccessRefused,
    Conflict,
    ConnectionNotKnown,
    MirrorNotOffered,
    NotFullyShifted,
    NothingToShift,
    NotLed,
    NotThere,
    ObjectRefused,
    ShareNotOnLadder,
)
from crossfade.traffic.kubeconfig import Connection
from crossfade.traffic.kubernetes import KubernetesApi
from crossfade.traffic.port import Overtaken, RouterUnreachable, SharesNotTaken
from crossfade.traffic.rollout import ORDER, Led
from tests.infra.kubernetes.files import file
from tests.kubernetes.controller import PAUSED
from tests.traffic.kubernetes import ROLLOUT, ROUTES, STOPS, Shifting, installed, manifest, settled, shifting, updated

ISTIO: dict[str, Any] = {"kubernetes__routing": "istio", "traffic__ladder__stops": [5.0, 25.0, 45.0, 60.0, 75.0, 90.0]}
BRIEFLY = timedelta(milliseconds=300)


@pytest.fixture
def running() -> Iterator[Shifting]:
    with shifting(installed()) as found:
        yield found


@pytest.fixture
def on_istio() -> Iterator[Shifting]:
    with shifting(installed(**ISTIO)) as found:
        yield found


def impatient(found: Shifting) -> ArgoRouter:
    return ArgoRouter(found.api, "ledger", timeout=BRIEFLY, look_again=timedelta(milliseconds=10))


def at_step(found: Shifting) -> dict[str, object]:
    steps = found.rollout["spec"]["strategy"]["canary"]["steps"]
    step: dict[str, object] = steps[found.rollout["status"]["currentStepIndex"]]
    return step


def test_everybody_stays_where_they_were_while_the_share_climbs(running: Shifting) -> None:
    for percent in (5, 12.5, 25, 30, 45, 60, 75, 90, 99.999, 100):
        running.router.set_shares(percent)
    shifted = running.cluster.controller.shifted
    assert shifted == sorted(shifted) == [5000, 12_500, 25_000, 30_000, 45_000, 60_000, 75_000, 90_000, 99_999, 100_000]


@settings(max_examples=15, deadline=None)
@given(walk=st.lists(st.sampled_from([0.0, *STOPS, 100.0]), min_size=1, max_size=8))
def test_no_share_is_passed_on_the_way_whatever_is_asked_for_next(walk: list[float]) -> None:
    """Up without going back, down at once, also where pods come and go in between."""
    with shifting(installed()) as found:
        before = 0.0
        for percent in walk:
            found.cluster.controller.shifted.clear()
            assert found.router.set_shares(percent) == Shares(canary_percent=percent)
            settled(found.cluster)
            assert found.router.shares() == Shares(canary_percent=percent)
            shifted = [weight / 1000 for weight in found.cluster.controller.shifted]
            if percent > before:
                assert shifted == sorted(shifted)
                assert before <= shifted[0]
                assert shifted[-1] == percent
            else:
                assert shifted == ([percent] if percent < before else [])
            before = percent


def test_the_role_allows_what_the_router_asks_for_and_no_more(on_istio: Shifting) -> None:
    (role,) = [one for one in access(file(kubernetes__routing="istio")) if one["kind"] == "Role"]
    rules: Any = role["rules"]
    granted = {(verb, resource) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}
    router = on_istio.router
    router.mirror(10, 1)
    router.set_shares(100, 2)
    router.drained(Side.SOURCE)
    router.promote(3)
    asked = set()
    for method, path in on_istio.cluster.requests:
        words = path.partition("/namespaces/default/")[2].split("/")
        resource = f"{words[0]}/status" if words[-1] == "status" else words[0]
        asked.add(("list" if len(words) == 1 else method.lower(), resource))
    assert asked == granted


def test_the_rollout_waits_at_the_share_it_was_given(running: Shifting) -> None:
    running.router.set_shares(25)
    settled(running.cluster)
    assert at_step(running) == {"pause": {}}
    assert [one["reason"] for one in running.rollout["status"]["pauseConditions"]] == [PAUSED]
    assert running.router.shares() == Shares(canary_percent=25)


def test_a_lower_share_is_not_climbed_away_from(running: Shifting) -> None:
    """A pause that was set without conditions counts as ended by a person: the next share would come by itself."""
    running.router.set_shares(60)
    assert running.router.set_shares(25) == Shares(canary_percent=25)
    settled(running.cluster)
    assert running.router.shares() == Shares(canary_percent=25)
    assert running.cluster.controller.shifted == [60_000, 25_000]


def test_the_next_share_comes_by_itself_when_a_jump_leaves_the_pause_as_it_was(
    running: Shifting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap that the test above is about, sprung: so the double has it, too."""
    monkeypatch.setattr(
        rollout_module.Led, "_at_step", staticmethod(lambda index: {"currentStepIndex": index, "pauseConditions": None})
    )
    running.router.set_shares(60)
    with pytest.raises((SharesNotTaken, Conflict)):
        impatient(running).set_shares(25)
    settled(running.cluster)
    assert 30_000 in running.cluster.controller.shifted


def test_everybody_goes_back_at_once_and_the_new_pods_end(running: Shifting) -> None:
    running.router.set_shares(75)
    running.cluster.controller.shifted.clear()
    assert running.router.set_shares(0) == Shares(canary_percent=0)
    assert running.cluster.controller.shifted == [0]
    settled(running.cluster)
    assert running.router.drained(Side.TARGET) is True
    assert running.rollout["status"]["abort"] is True


def test_an_aborted_rollout_stays_so_until_a_share_is_asked_for(running: Shifting) -> None:
    running.router.set_shares(45)
    running.router.abort(4)
    settled(running.cluster)
    assert running.router.set_shares(0, 5) == Shares(canary_percent=0)
    assert running.rollout["status"]["abort"] is True
    assert running.router.set_shares(5, 6) == Shares(canary_percent=5)
    assert not running.rollout["status"].get("abort")
    assert max(running.cluster.controller.shifted[-2:]) == 5000


def test_the_new_version_is_still_wanted_after_an_abort(running: Shifting) -> None:
    running.router.set_shares(45)
    running.router.abort()
    image = running.rollout["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "ledger:3"
    running.cluster.put(ROLLOUT, manifest("Rollout"))  # the manifests with the old image, applied
    settled(running.cluster)
    assert running.router.shares() == Shares(canary_percent=0)
    assert not running.rollout["status"].get("abort")
    with pytest.raises(NothingToShift):
        running.router.set_shares(5)


def test_the_new_pods_become_the_stable_ones_when_they_are_promoted(running: Shifting) -> None:
    running.router.set_shares(100, 1)
    assert running.router.promote(2) == Shares(canary_percent=100)
    assert running.rollout["status"]["stableRS"] == running.rollout["status"]["currentPodHash"]
    assert running.router.shares() == Shares(canary_percent=100)  # at rest again, but not where it began
    assert running.router.promote(3) == Shares(canary_percent=100)


def test_nothing_is_promoted_while_somebody_is_on_the_old_pods(running: Shifting) -> None:
    running.router.set_shares(90)
    with pytest.raises(NotFullyShifted):
        running.router.promote()
    assert running.router.shares() == Shares(canary_percent=90)


def test_a_share_waits_for_its_pods(running: Shifting) -> None:
    running.cluster.controller.broken.add(running.rollout["status"]["currentPodHash"])
    with pytest.raises(SharesNotTaken):
        impatient(running).set_shares(5)
    assert running.cluster.controller.shifted == []
    running.cluster.controller.broken.clear()
    assert running.router.set_shares(5) == Shares(canary_percent=5)


@pytest.mark.parametrize("percent", [0, 25])
def test_a_share_that_was_not_reached_does_not_come_later_when_another_was_asked_for(
    running: Shifting, percent: float
) -> None:
    """Nobody has moved yet, so what is asked for is there already: but it is not what the Rollout waits to do."""
    running.router.set_shares(percent)
    new = running.rollout["status"]["currentPodHash"]
    running.cluster.controller.pods[new] -= 1
    running.cluster.controller.lacking.add(new)
    with pytest.raises(SharesNotTaken):
        impatient(running).set_shares(90)
    running.router.set_shares(percent)
    running.cluster.controller.lacking.clear()
    running.cluster.controller.shifted.clear()
    settled(running.cluster)
    assert running.cluster.controller.shifted == []
    assert running.router.shares() == Shares(canary_percent=percent)


def test_a_share_asked_for_holds_when_the_controller_comes_back(running: Shifting) -> None:
    running.router.set_shares(25)
    running.cluster.controller.running = False
    with pytest.raises(SharesNotTaken) as caught:
        impatient(running).set_shares(0)
    assert caught.value.retryable
    running.cluster.controller.running = True
    settled(running.cluster)
    assert running.router.shares() == Shares(canary_percent=0)


def test_the_router_is_silent_while_the_controller_has_not_seen_a_change(running: Shifting) -> None:
    running.cluster.controller.running = False
    running.cluster.put(ROLLOUT, updated(running.rollout, "ledger:4"))
    said = running.router.shares()
    assert isinstance(said, NoData)
    assert "generation" in said.reason
    with pytest.raises(RouterUnreachable, match="generation"):
        impatient(running).set_shares(5)


def test_a_share_waits_until_the_controller_has_seen_the_new_version() -> None:
    with shifting(installed(begun=False)) as found:
        found.cluster.controller.running = False
        found.cluster.put(ROLLOUT, updated(found.rollout))
        with pytest.raises(RouterUnreachable, match="generation"):
            impatient(found).set_shares(5)
        found.cluster.controller.running = True
        settled(found.cluster)
        assert found.router.set_shares(5) == Shares(canary_percent=5)


def test_everybody_goes_back_also_when_the_controller_has_not_seen_a_change(running: Shifting) -> None:
    running.router.set_shares(45)
    running.cluster.controller.running = False
    changed = json.loads(json.dumps(running.rollout))
    changed["spec"]["revisionHistoryLimit"] = 9
    running.cluster.put(ROLLOUT, changed)
    with pytest.raises(RouterUnreachable):
        impatient(running).set_shares(0)
    assert running.rollout["status"]["abort"] is True
    running.cluster.controller.running = True
    settled(running.cluster)
    assert running.router.shares() == Shares(canary_percent=0)


def test_an_overtaken_engine_changes_nothing_when_it_comes_between_look_and_change(running: Shifting) -> None:
    """The late one has looked before the newer order was given, and writes after it."""
    running.router.set_shares(25, 7)
    late, newer = running.router, ArgoRouter(running.api, "ledger", look_again=timedelta(milliseconds=1))

    def overtake(path: str) -> None:
        running.cluster.before = lambda _path: None
        newer.set_shares(0, 9)

    running.cluster.before = overtake
    with pytest.raises(Overtaken):
        late.set_shares(45, 8)
    assert newer.shares() == Shares(canary_percent=0)
    assert running.rollout["metadata"]["annotations"][ORDER] == "9"


def test_two_engines_end_at_the_later_order_whoever_is_faster(running: Shifting) -> None:
    refused: list[int] = []

    def order(number: int) -> None:
        try:
            running.router.set_shares(25 if number % 2 else 45, number)
        except (Overtaken, SharesNotTaken):
            refused.append(number)

    threads = [threading.Thread(target=order, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 8 not in refused
    assert running.router.shares() == Shares(canary_percent=45)


def test_it_asks_again_when_the_controller_overwrites_what_was_asked_for(running: Shifting) -> None:
    """The controller's patches come from what it saw before."""
    overwritten: list[int] = []

    def overwrite(path: str) -> None:
        if path.endswith("/status") and not overwritten:
            overwritten.append(running.rollout["status"]["currentStepIndex"])
            running.rollout["status"]["currentStepIndex"] = 4

    running.router.set_shares(5)
    running.cluster.after = overwrite
    assert running.router.set_shares(12.5) == Shares(canary_percent=12.5)
    assert overwritten == [5]


def test_it_looks_again_when_the_rollout_changes_between_look_and_change(running: Shifting) -> None:
    changed: list[str] = []

    def change(path: str) -> None:
        if path.endswith("/status") and not changed:
            changed.append(path)
            running.cluster.put(ROLLOUT, running.rollout)

    running.cluster.before = change
    assert running.router.set_shares(5) == Shares(canary_percent=5)
    assert changed


def test_a_share_that_is_no_step_is_refused_and_the_steps_are_told(running: Shifting) -> None:
    with pytest.raises(ShareNotOnLadder, match=r"0, 5, 12\.5, 25") as caught:
        running.router.set_shares(7)
    assert caught.value.remedy
    assert running.cluster.controller.shifted == []


def test_a_rollout_that_goes_on_by_itself_is_not_led() -> None:
    with shifting(installed(kubernetes__judged_by="argo")) as found:
        with pytest.raises(NotLed, match="analysis"):
            found.router.set_shares(25)
        assert found.router.abort() == Shares(canary_percent=0)


def test_nothing_is_shifted_when_there_is_one_version() -> None:
    with shifting(installed(begun=False)) as found:
        assert found.router.shares() == Shares(canary_percent=0)
        assert found.router.set_shares(0) == Shares(canary_percent=0)
        with pytest.raises(NothingToShift):
            found.router.set_shares(5)


def test_weights_that_the_load_balancer_does_not_show_are_no_data(running: Shifting) -> None:
    running.router.set_shares(5)
    running.cluster.controller.running = False
    running.rollout["status"]["canary"]["weights"]["verified"] = False
    assert isinstance(running.router.shares(), NoData)


@pytest.mark.parametrize("status", [{}, {"stableRS": "a", "currentPodHash": "b"}, {"canary": "nonsense"}, "nonsense"])
def test_a_status_that_says_nothing_is_no_data(status: object) -> None:
    led = Led({"metadata": {"generation": 1, "name": "ledger"}, "status": status})
    assert isinstance(led.shares(), NoData)
    if isinstance(status, dict):
        assert isinstance(
            Led({"metadata": {"generation": 1}, "status": {**status, "observedGeneration": "1"}}).shares(), NoData
        )


def test_reads_are_mirrored_on_istio_and_writes_are_not(on_istio: Shifting) -> None:
    on_istio.router.set_shares(5, 1)
    on_istio.router.mirror(12.5, 2)
    assert on_istio.router.shares() == Shares(canary_percent=5, mirror_percent=12.5)
    reads, writes = on_istio.cluster.objects[ROUTES]["spec"]["http"]
    assert reads["mirror"] == {"host": "ledger-canary", "port": {"number": 80}}
    assert "mirror" not in writes
    with pytest.raises(Overtaken):
        on_istio.router.mirror(50, 1)
    on_istio.router.mirror(0, 3)
    assert on_istio.router.shares() == Shares(canary_percent=5)
    assert "mirrorPercentage" not in on_istio.cluster.objects[ROUTES]["spec"]["http"][0]


def test_no_mirror_is_set_on_a_route_that_also_writes(on_istio: Shifting) -> None:
    on_istio.cluster.objects[ROUTES]["spec"]["http"][0].pop("match")
    with pytest.raises(MirrorNotOffered):
        on_istio.router.mirror(10)


def test_a_mirror_is_refused_where_nothing_can_copy(running: Shifting) -> None:
    running.router.mirror(0)
    with pytest.raises(MirrorNotOffered, match="Istio"):
        running.router.mirror(10)


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessRefused), (403, AccessRefused), (404, NotThere), (400, ObjectRefused)]
)
def test_a_refusal_is_told_once_with_a_remedy(running: Shifting, status: int, error: type[Exception]) -> None:
    running.cluster.refuse = lambda _method, _path: (status, {})
    with pytest.raises(error) as caught:
        running.router.set_shares(5)
    assert getattr(caught.value, "remedy", "")
    assert not getattr(caught.value, "retryable", True)
    assert isinstance(running.router.shares(), NoData)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(running: Shifting, status: int) -> None:
    answers = [(status, {"Retry-After": "0"})] * 2
    running.cluster.refuse = lambda _method, _path: answers.pop() if answers else None
    assert running.router.shares() == Shares(canary_percent=0)
    running.cluster.refuse = lambda _method, _path: (status, {"Retry-After": "0"})
    with pytest.raises(RouterUnreachable, match=f"status {status}"):
        running.router.set_shares(5)


def test_a_change_that_fits_no_schema_is_refused_with_its_reason(running: Shifting) -> None:
    with pytest.raises(ObjectRefused, match=r"spec\.replicas"):
        running.api.merge("argoproj.io/v1alpha1", "rollouts", "ledger", {"spec": {"replicas": "three"}})
    with pytest.raises(ObjectRefused, match="stepz"):
        running.api.merge(
            "argoproj.io/v1alpha1", "rollouts", "ledger", {"spec": {"strategy": {"canary": {"stepz": []}}}}
        )


def test_no_error_or_representation_holds_the_token(running: Shifting) -> None:
    secret = "k8s-aws-v1.marked"
    connection = Connection(server=running.api.server, trust=None, token=lambda: secret)
    with KubernetesApi(connection, "default") as api, pytest.raises(AccessRefused) as caught:
        ArgoRouter(api, "ledger").set_shares(5)
    assert secret not in f"{caught.value!r} {caught.value} {connection!r} {vars(caught.value)}"


@pytest.mark.parametrize("token", ["marked\ntoken", "marked token", "märked-token"])
def test_a_token_that_is_none_is_told_without_it(running: Shifting, token: str) -> None:
    connection = Connection(server=running.api.server, trust=None, token=lambda: token)
    with KubernetesApi(connection, "default") as api, pytest.raises(ConnectionNotKnown) as caught:
        ArgoRouter(api, "ledger").set_shares(5)
    assert "rked" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
