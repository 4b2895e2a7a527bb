"""A Rollout that Crossfade leads, in a double of a cluster on this computer."""

import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crossfade.infra.kubernetes.manifests import parts
from crossfade.traffic.argo import ArgoRouter
from crossfade.traffic.kubeconfig import Connection
from crossfade.traffic.kubernetes import KubernetesApi
from tests.infra.kubernetes.files import file
from tests.kubernetes.cluster import Cluster, served

ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/ledger"
ROUTES = "/apis/networking.istio.io/v1beta1/namespaces/default/virtualservices/ledger"
STOPS = (5.0, 12.5, 25.0, 30.0, 45.0, 60.0, 75.0, 90.0, 99.999)


@dataclass
class Shifting:
    """A cluster, its API while it is reachable, and the router that leads its Rollout."""

    cluster: Cluster
    router: ArgoRouter
    port: int
    api: KubernetesApi
    _running: ExitStack

    def stop(self) -> None:
        """The API cannot be reached, and the controller stands still."""
        self._running.close()

    def start(self) -> None:
        self._running.enter_context(served(self.cluster, port=self.port))

    @property
    def rollout(self) -> dict[str, Any]:
        return self.cluster.objects[ROLLOUT]


def manifest(kind: str, **changes: Any) -> dict[str, Any]:
    """As `crossfade manifests` writes it, with every share that is asked for somewhere in the tests."""
    asked = {"kubernetes__judged_by": "crossfade", "kubernetes__routing": "nginx", "traffic__ladder__stops": [*STOPS]}
    found = [one for objects in parts(file(**asked | changes)).values() for one in objects]
    (thing,) = [one for one in found if one["kind"] == kind]
    wanted: dict[str, Any] = json.loads(json.dumps(thing))
    return wanted


def updated(rollout: dict[str, Any], image: str = "ledger:3") -> dict[str, Any]:
    """The same with a new image, as somebody would apply it."""
    thing = copy.deepcopy(rollout)
    thing["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return thing


def installed(*, begun: bool = True, **changes: Any) -> Cluster:
    """A cluster with the Rollout at rest, and then, if `begun`, with a new version that nobody is on."""
    cluster = Cluster()
    first = manifest("Rollout", **changes)
    cluster.put(ROLLOUT, first)
    if changes.get("kubernetes__routing") == "istio":
        cluster.put(ROUTES, manifest("VirtualService", **changes))
    settled(cluster)
    if begun:
        cluster.put(ROLLOUT, updated(first))
        settled(cluster)
    cluster.controller.shifted.clear()
    return cluster


def settled(cluster: Cluster) -> None:
    """Until the controller has nothing to do any more."""
    while cluster.controller.reconcile(cluster.objects[ROLLOUT]):
        pass


@contextmanager
def shifting(cluster: Cluster, *, timeout: timedelta = timedelta(seconds=60)) -> Iterator[Shifting]:
    with ExitStack() as running:
        address = running.enter_context(served(cluster))
        connection = Connection(server=address, trust=None, token=lambda: "a-token")
        with KubernetesApi(connection, "default", timeout=timedelta(seconds=30)) as api:
            router = ArgoRouter(api, "ledger", timeout=timeout, look_again=timedelta(milliseconds=1))
            port = int(address.rpartition(":")[2])
            yield Shifting(cluster=cluster, router=router, port=port, api=api, _running=running)
